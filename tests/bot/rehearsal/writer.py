"""A service that writes while something else goes on: a row every few milliseconds, until told to end."""

from __future__ import annotations

import asyncio
import sys


async def main(url: str) -> None:
    """Says so when the first row is written."""
    from bot.clock import SystemClock
    from bot.storage.database import open_database
    from handlers.consent.domain.register import Basis
    from handlers.consent.models import DataItem
    from tests.settings import make_settings

    async with open_database(make_settings(database={"url": url})):
        number = 0
        while True:
            number += 1
            now = SystemClock().now()
            await DataItem.create(
                name=f"writer-{number}", title="试写", basis=Basis.DUTY, kept_days=None, created_at=now, updated_at=now
            )
            if number == 1:
                print("writing", flush=True)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
