"""Dates of the knowledge, from the file to the words people read."""

from __future__ import annotations

from datetime import date

from bot.clock import FrozenClock
from bot.library import Library
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.reminders.service.dated import DatedFacts
from handlers.reminders.service.knowledge import KnowledgeReason
from knowledge.base import KnowledgeBase
from tests import factories
from tests.handlers.consent.conftest import Stage as Consents
from tests.handlers.reminders.content import base_of, entry, plan
from tests.handlers.reminders.stage import Stage, at


async def with_knowledge(stage: Stage, files: dict[str, str]) -> Library[KnowledgeBase]:
    """The stage's reason is the knowledge's from now on."""
    held = {"files": files}
    library: Library[KnowledgeBase] = Library(lambda: base_of(held["files"]))
    await library.load()
    clock: FrozenClock = stage.clock
    reason = KnowledgeReason(DatedFacts(library, clock), PlaceService(), AccountsAudiences(), Consents(clock).consents)
    stage.matters = reason  # type: ignore[assignment] # a reason like any other
    library.held = held  # type: ignore[attr-defined] # to be changed by a test
    return library


async def changed(library: Library[KnowledgeBase], files: dict[str, str]) -> None:
    """An editor has corrected the content."""
    library.held["files"] = files  # type: ignore[attr-defined]
    await library.load()


async def families() -> dict[str, str]:
    """Guardians by name: at the town's school, at one elsewhere, a kindergarten's, and a teacher."""
    here = await factories.make_township(name="柳溪镇", county="青石县")
    elsewhere = await factories.make_township(name="桥头镇", county="黄土县")
    found = {}
    for name, township, grade in (("here", here, 3), ("elsewhere", elsewhere, 3), ("kindergarten", here, 0)):
        school = await factories.make_school(township)
        school_class = await factories.make_class(school, grade=grade)
        person = await factories.make_person()
        await factories.make_guardianship(await factories.make_pupil(school_class), person)
        found[name] = str(person.id)
        if name == "here":
            teacher = await factories.make_person()
            await factories.make_appointment(
                AppointmentKind.HEAD_TEACHER, teacher, school=school, school_class=school_class
            )
            found["teacher"] = str(teacher.id)
    return found


async def told(stage: Stage, month: int, day: int) -> dict[str, str]:
    await stage.tick(at(month, day, 18))
    return dict(await stage.deliver())


async def test_place_stage_and_role_decide_who_is_reminded(stage: Stage) -> None:
    people = await families()
    await with_knowledge(stage, plan(entry("enrol", "小学运动会", "2026-09-17")))
    assert set(await told(stage, 9, 14)) == {people["here"]}


async def test_newcomers_hear_of_it_in_the_kindergarten(stage: Stage) -> None:
    people = await families()
    await with_knowledge(stage, plan(entry("enrol", "小学报名", "2026-09-17", whom="小学新生家长")))
    assert set(await told(stage, 9, 14)) == {people["kindergarten"]}


async def test_teachers_hear_of_what_is_theirs(stage: Stage) -> None:
    people = await families()
    await with_knowledge(stage, plan(entry("train", "教师培训", "2026-09-17", asked="教师")))
    assert set(await told(stage, 9, 14)) == {people["teacher"]}


async def test_the_words_name_the_day_the_source_and_the_next_step(stage: Stage) -> None:
    people = await families()
    await with_knowledge(stage, plan(entry("enrol", "小学运动会", "2026-09-17")))
    text = (await told(stage, 9, 14))[people["here"]]
    for must in ("9月17日（周四）", "还有3天", "依据：《柳溪镇义务教育招生方案》", "回复“人工”"):
        assert must in text
    assert len(text.encode()) <= 2048


async def test_a_corrected_file_moves_and_corrects(stage: Stage) -> None:
    people = await families()
    library = await with_knowledge(stage, plan(entry("enrol", "小学运动会", "2026-09-17")))
    await told(stage, 9, 14)
    await changed(library, plan(entry("enrol", "小学运动会", "2026-09-24")))
    text = (await told(stage, 9, 15))[people["here"]]
    assert "更正" in text
    assert "9月17日（周四）" in text
    assert "9月24日（周四）" in text
    assert await told(stage, 9, 16) == {}
    assert set(await told(stage, 9, 21)) == {people["here"]}


async def test_an_ended_plan_sends_nothing_more(stage: Stage) -> None:
    await families()
    library = await with_knowledge(stage, plan(entry("enrol", "小学运动会", "2026-09-17")))
    await stage.tick(at(9, 13))
    await changed(library, plan(entry("enrol", "小学运动会", "2026-09-17"), until="2026-09-10"))
    assert await told(stage, 9, 14) == {}
    assert date(2026, 9, 17) not in [each.day for each in await stage.matters.occurrences(date.min, date.max)]
