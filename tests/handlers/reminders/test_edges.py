"""The API and the console of the reminders."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import Conflict, NotFound, NotPermitted
from bot.identity import Actor, Door, Grant, Role
from bot.library import Library
from bot.storage.database import Database
from bot.web.admin import AdminCall, Page, WayOn
from bot.web.api import ApiCall
from handlers.accounts.models import Person, SchoolClass
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.structure import StructureService
from handlers.reminders.admin import ReminderPages
from handlers.reminders.api import RemindersApi
from handlers.reminders.domain import NotReachable, TooMany
from handlers.reminders.models import ClassReminder, OwnReminder
from handlers.reminders.schemas import ReminderIn
from handlers.reminders.service.classes import ClassReminders
from handlers.reminders.service.dated import DatedFacts
from handlers.reminders.service.own import Asker, OwnReminders
from knowledge.base import KnowledgeBase
from tests import factories
from tests.handlers.reminders.content import base_of, entry, plan
from tests.handlers.reminders.stage import Stage

DAY = date(2026, 9, 4)


@pytest.fixture
async def own(database: Database, clock: FrozenClock) -> OwnReminders:
    """Over a plan with one date."""
    library: Library[KnowledgeBase] = Library(lambda: base_of(plan(entry("enrol", "小学报名", "2026-09-17"))))
    await library.load()
    return OwnReminders(DatedFacts(library, clock), clock)


@pytest.fixture
async def room(database: Database) -> SchoolClass:
    """A class with one family."""
    school_class = await factories.make_class()
    await factories.make_guardianship(await factories.make_pupil(school_class))
    return school_class


@pytest.fixture
def classes(stage: Stage) -> ClassReminders:
    """The service of the pages."""
    structure = StructureService(stage.clock, Audit(stage.clock), lambda *_: None)
    return ClassReminders(
        structure, AccountsAudiences(), stage.calendars, stage.outbox, audit=Audit(stage.clock), clock=stage.clock
    )


def somebody(person: Person) -> Actor:
    return Actor(roles=frozenset({Role.GUARDIAN}), person_id=str(person.id), door=Door.API)


def teacher(*classes: SchoolClass) -> Actor:
    grant = Grant(Role.HEAD_TEACHER, classes=frozenset(str(each.id) for each in classes))
    roles = frozenset({Role.HEAD_TEACHER})
    return Actor(roles=roles, person_id=str(uuid4()), grants=(grant,), door=Door.CONSOLE, name="沈老师")


def call(actor: Actor, body: ReminderIn | None = None, **path: str) -> ApiCall:
    return ApiCall(actor, body, path, {})


async def test_the_api_sets_lists_and_cancels(own: OwnReminders) -> None:
    api, actor = RemindersApi(own), somebody(await factories.make_person())
    first = await api.set(call(actor, ReminderIn(article="plan/enrol")))
    assert (first.day, first.text, first.article) == ("2026-09-17", "小学报名", "plan/enrol")
    again = await api.set(call(actor, ReminderIn(article="plan/enrol")))
    assert again.id == first.id
    await api.set(call(actor, ReminderIn(day=DAY, text="交材料")))
    assert [each.text for each in (await api.list_own(call(actor))).items] == ["交材料", "小学报名"]
    await api.cancel(call(actor, id=first.id))
    assert [each.text for each in (await api.list_own(call(actor))).items] == ["交材料"]


async def test_somebody_else_s_reminder_is_not_there(own: OwnReminders) -> None:
    view = await own.set_words(Asker(somebody(await factories.make_person())), DAY, "交材料")
    stranger = somebody(await factories.make_person())
    with pytest.raises(NotFound):
        await own.cancel(stranger, view.id)
    assert await own.list_of(stranger) == []


async def test_whoever_cannot_be_reached_is_told_so(own: OwnReminders) -> None:
    with pytest.raises(NotReachable):
        await own.set_words(Asker(Actor(openid_index="x" * 32)), DAY, "交材料")


async def test_there_is_an_end_to_them(own: OwnReminders) -> None:
    asker = Asker(somebody(await factories.make_person()))
    for number in range(20):
        await own.set_words(asker, DAY, f"事{number}")
    with pytest.raises(TooMany):
        await own.set_words(asker, DAY, "再来一件")


async def test_what_somebody_set_goes_with_them(own: OwnReminders) -> None:
    await own.set_words(Asker(Actor(openid_index="y" * 32), "openid-y"), DAY, "交材料")
    await own.erase("y" * 32)
    assert await OwnReminder.all().count() == 0


async def test_the_page_shows_first_and_sets_then(classes: ClassReminders, room: SchoolClass) -> None:
    pages, actor = ReminderPages(classes), teacher(room)
    form = {"class": str(room.id), "day": DAY.isoformat(), "text": "带跳绳"}
    shown = await pages.set(AdminCall(actor, {}, {}, form))
    assert isinstance(shown, Page)
    assert "1 位家长" in shown.values["effects"][0]
    assert await ClassReminder.all().count() == 0
    done = await pages.set(AdminCall(actor, {}, {}, {**form, "sure": "yes"}))
    assert isinstance(done, WayOn)
    await pages.set(AdminCall(actor, {}, {}, {**form, "sure": "yes"}))
    row = await ClassReminder.get()
    assert row.text == "带跳绳"
    assert await AuditRow.filter(action="reminder.class").count() == 1
    await pages.cancel(AdminCall(actor, {"reminder_id": str(row.id)}, {}))
    assert (await ClassReminder.get()).state == "cancelled"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"class": ""}, "选一个班"),
        ({"day": "xx"}, "哪一天"),
        ({"day": "2026-08-01"}, "已经过了"),
        ({"text": ""}, "提醒什么事"),
        ({"text": "留守儿童留下"}, "留守"),
    ],
)
async def test_the_page_says_what_is_wrong(
    classes: ClassReminders, room: SchoolClass, changes: dict[str, str], fault: str
) -> None:
    form = {"class": str(room.id), "day": DAY.isoformat(), "text": "带跳绳", "sure": "yes"} | changes
    page = await ReminderPages(classes).set(AdminCall(teacher(room), {}, {}, form))
    assert isinstance(page, Page)
    assert fault in page.values["fault"]
    assert await ClassReminder.all().count() == 0


async def test_another_class_is_not_there(classes: ClassReminders, room: SchoolClass) -> None:
    other = await factories.make_class()
    with pytest.raises((NotFound, NotPermitted, Conflict)):
        await classes.set(teacher(room), str(other.id), DAY, "带跳绳")
