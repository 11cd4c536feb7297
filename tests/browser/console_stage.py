"""A console with a village in it, on a port of this machine, and a browser for each part somebody plays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import TestServer

from bot.capability import EntryPoints, Machinery
from bot.clock import FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.domain import AppointmentKind, BindingState, Relation, SchoolKind
from handlers.accounts.models import BindingRequest, Guardianship, Person, Pupil, SchoolClass, Township
from handlers.accounts.service.sessions import SessionService
from handlers.console.service.credentials import CredentialService
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
    make_township,
)
from tests.handlers.console.stage import DrawingWeChat, accounts_part, console_app, console_part, machinery_of
from tests.settings import make_settings, sqlite_url

LOGIN, PASSWORD = "sun.admin", "春天河边的柳树真的很绿"
ROLES = ("teacher", "head", "duty", "lead", "leader", "editor", "reviewer", "admin")


@dataclass
class ConsoleStage:
    """A running console. `people` by the part they play."""

    url: str
    people: dict[str, Person]
    secrets: dict[str, str]
    room: SchoolClass
    child: Pupil
    request: BindingRequest
    town: Township
    guardian: Person
    wechat: DrawingWeChat
    clock: FrozenClock
    store: RedisStore

    def cookie(self, role: str) -> dict[str, str]:
        """The session of somebody, as a browser keeps it."""
        return {"name": "xiangxiao_console", "value": self.secrets[role], "url": f"{self.url}/admin/"}


@asynccontextmanager
async def open_console(
    folder: Path, clock: FrozenClock, *further: Callable[[Machinery], EntryPoints]
) -> AsyncIterator[ConsoleStage]:
    """The console over a database of its own, with the pages of further capabilities."""
    settings: Settings = make_settings(database={"url": sqlite_url(folder / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    wechat = DrawingWeChat()
    async with open_database(settings):
        machinery = machinery_of(settings, store, clock, wechat)
        console_part(machinery)
        accounts_part(machinery)
        machinery.parts.extend(build(machinery) for build in further)
        people, room, child, request = await _village()
        await machinery.services.get(CredentialService).put(people["admin"].id, LOGIN, PASSWORD)
        sessions = machinery.services.get(SessionService)
        secrets = {
            role: (await sessions.open_console(person.id, device="Windows 电脑，Edge")).secret
            for role, person in people.items()
        }
        async with TestServer(console_app(machinery, machinery.parts)) as server:
            url = str(server.make_url("")).rstrip("/")
            town = await Township.get(name="柳河镇")
            guardian = (await Guardianship.filter(pupil_id=child.id).prefetch_related("person").get()).person
            yield ConsoleStage(url, people, secrets, room, child, request, town, guardian, wechat, clock, store)
    await store.close()


async def _village() -> tuple[dict[str, Person], SchoolClass, Pupil, BindingRequest]:
    town = await make_township(name="柳河镇")
    school = await make_school(town, name="柳河镇中心小学")
    point = await make_school(town, name="柳庄教学点", kind=SchoolKind.TEACHING_POINT, parent_id=school.id)
    people = {role: await make_person() for role in ROLES}
    room = await make_class(school, grade=3, number=1)
    await make_appointment(AppointmentKind.HEAD_TEACHER, people["head"], school_class=room)
    await make_appointment(AppointmentKind.SCHOOL_LEADER, people["leader"], school=school)
    await make_appointment(AppointmentKind.PROTECTION_LEAD, people["lead"], school=school)
    await make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, people["admin"], township=town)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, people["teacher"], school_class=room, subject="数学")
    await make_appointment(AppointmentKind.DUTY, people["duty"], school=school)
    await make_appointment(AppointmentKind.EDITOR, people["editor"], township=town)
    await make_appointment(AppointmentKind.REVIEWER, people["reviewer"], township=town)
    for number in (2, 3):
        other = await make_class(school, grade=3, number=number)
        await make_appointment(AppointmentKind.HEAD_TEACHER, school_class=other)
        await make_pupil(other)
    await make_pupil(await make_class(point, grade=1, number=1), name="欧阳若曦")
    graduates = await make_class(school, school_year=2025, grade=6, number=1)
    await make_pupil(graduates)
    await make_appointment(AppointmentKind.HEAD_TEACHER, school_class=graduates)
    teacher = await make_person()
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=room, subject="语文")
    children = [await make_pupil(room) for _ in range(12)]
    for child in children[:8]:
        await make_guardianship(child, bound_at=None) if child is children[7] else await make_guardianship(child)
    request = await BindingRequest.create(
        identity=await make_identity("openid_of_a_grandmother"),
        school_id=school.id,
        said=json.dumps({"kind": "guardian", "name": "何外婆", "child": children[1].name}),
        relation=Relation.MATERNAL_GRANDMOTHER,
        state=BindingState.PENDING,
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    return people, room, children[0], request
