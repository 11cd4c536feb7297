"""One replica in a process of its own: does deeds at once, some of which are rolled back, while its sealer works.

Arguments: database address, number of deeds, how many at once. Says how many were written.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from bot.audit.log import Audit
from bot.audit.sealer import Sealer
from bot.clock import SystemClock
from bot.metrics import Metrics
from bot.storage.database import open_database, transaction
from tests.bot.audit.stage import look_up
from tests.settings import make_settings

FAIL_EVERY = 25


async def fail(audit: Audit) -> None:
    """A deed that is taken back after its row was written: its number stays missing."""
    with contextlib.suppress(ValueError):
        async with transaction():
            await look_up(audit)
            raise ValueError


async def main(url: str, deeds: int, at_once: int) -> None:
    clock = SystemClock()
    async with open_database(make_settings(database={"url": url})) as database:
        await database.check()
        audit, sealer = Audit(clock), Sealer(clock, Metrics(), pace_s=0.02)
        sealer.start()
        places = asyncio.Semaphore(at_once)
        written = 0

        async def deed(number: int) -> None:
            nonlocal written
            async with places:
                if number % FAIL_EVERY == 0:
                    await fail(audit)
                    return
                await look_up(audit)
                written += 1

        await asyncio.gather(*(deed(number) for number in range(1, deeds + 1)))
        await sealer.stop()
    sys.stdout.write(f"{written}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
