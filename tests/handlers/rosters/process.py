"""An import in a process of its own, which says when it begins to write and when it is done."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from bot.audit.log import Audit
from bot.clock import SHANGHAI, FrozenClock
from bot.storage.database import open_database
from handlers.accounts.models import School
from handlers.rosters.domain import Coverage, RosterKind
from handlers.rosters.service.imports import Choice, ImportService, Uploaded
from handlers.rosters.service.running import Running
from tests.handlers.rosters.stage import leader_of
from tests.settings import make_settings


async def main(database_url: str, school_id: str, content: bytes) -> None:
    clock = FrozenClock(datetime(2026, 9, 2, 8, 0, tzinfo=SHANGHAI))
    async with open_database(make_settings(database={"url": database_url})):
        actor = leader_of(await School.get(id=school_id))
        service = ImportService(clock, Audit(clock), Running())
        upload = Uploaded(RosterKind.PUPILS, Coverage.CLASSES, "名单.xlsx", content)
        import_id = await service.upload(actor, upload)
        await service.finished(import_id)
        print("applying", flush=True)
        await service.apply(actor, import_id, Choice())
        await service.finished(import_id)
        print((await service.look(actor, import_id)).state, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes()))
