"""A teacher's telephone in a process of its own: sends one record after another, and says which were answered."""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import Call, Called
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.service.recording.recording import Asked, RecordingService
from handlers.contacts.service.recording.reporting import ReportService
from tests.handlers.contacts.stage import NOW, Contacts, contact
from tests.settings import make_settings

GRAVE_EVERY = 40
"""Every so many records one has to be reported, and is, with its two calls."""


def is_grave(number: int) -> bool:
    return number % GRAVE_EVERY == GRAVE_EVERY - 1


async def main(url: str, person: str, children: list[str], numbers: range, *, is_careless: bool) -> None:
    """`is_careless`: every attempt is sent as something new."""
    settings, store = make_settings(database={"url": url}), RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = Contacts(settings, store, FrozenClock(NOW))
        recording = contacts.machinery.services.get(RecordingService)
        reports = contacts.machinery.services.get(ReportService)
        actor = await contacts.actor(person)
        for number in numbers:
            key = uuid4().hex if is_careless else f"submission{number}"
            asked = Asked(frozenset({Trigger.VIOLENCE})) if is_grave(number) else Asked()
            told = contact(key, finding=f"第{number}次")
            written = await recording.write(actor, children[number % len(children)], told, asked)
            if written.report_id is not None:
                await _call(contacts, reports, written.report_id, person)
            print(number, flush=True)
    await store.close()


async def _call(contacts: Contacts, reports: ReportService, report_id: str, person: str) -> None:
    actor = await contacts.actor(person)
    for called in (Called.POLICE, Called.TOWNSHIP):
        call = Call(called, NOW, "王老师", "编号0123")
        # Once it is complete, it is no longer the teacher's to see.
        if report_id not in {line.id for line in await reports.lines(actor) if line.state is ReportState.OPEN}:
            return
        await reports.called(actor, report_id, call)


if __name__ == "__main__":
    _, own_url, own_person, own_children, own_first, own_last, own_mode = sys.argv
    wanted = range(int(own_first), int(own_last))
    asyncio.run(main(own_url, own_person, own_children.split(","), wanted, is_careless=own_mode == "careless"))
