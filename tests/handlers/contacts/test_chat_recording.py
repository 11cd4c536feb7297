"""A contact written down in the chat of the whole application, counted in messages; the mandatory report after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.storage.redis import RedisStore
from handlers.accounts.models import Person
from handlers.alarms.models import AlarmRow
from handlers.contacts.domain.records import ContactOutcome, Met, ReportState, Topic, Way
from handlers.contacts.models import ContactsDraft, ContactsRecord, ContactsReport
from tests import factories
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.town import Town, running_town

TEACHER, MOTHER = "demo_t_000301", "demo_g_000302"
MOST = 6
"""Messages of a teacher from opening the chat to a saved record."""


class Talk:
    """The teacher's side of the chat, with every message counted."""

    def __init__(self, town: Town, contacts: Contacts) -> None:
        self._town = town
        self.contacts = contacts
        self.said = 0

    async def says(self, text: str) -> str:
        """What the teacher reads."""
        self.said += 1
        return await self._town.person(TEACHER).says(text) or ""

    @property
    def person(self) -> Follower:
        """For what is not text."""
        return self._town.person(TEACHER)

    def name(self, number: int = 0) -> str:
        return self.contacts.children[number].name


@pytest.fixture
async def town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    clock.set(NOW)
    async with running_town(database_url, clock) as running:
        yield running


@pytest.fixture
async def talk(town: Town, redis: RedisStore, clock: FrozenClock) -> Talk:
    contacts = await Contacts(town.settings, redis, clock).build()
    for number in range(2):
        await contacts.paired(number)
    teacher = await Person.get(id=contacts.people.teacher.person_id)
    await factories.make_identity(TEACHER, teacher)
    return Talk(town, contacts)


async def only() -> ContactsRecord:
    return await ContactsRecord.get(superseded_by=None)


# ------------------------------------------------------------------------------------------------------- in a few words
async def test_a_visit_is_saved_within_six_messages(talk: Talk) -> None:
    asked = await talk.says("家访")
    assert talk.name(0) in asked
    assert talk.name(1) in asked
    assert "留守" not in asked
    assert "见到" in await talk.says(talk.name(0))
    assert "一句话" in await talk.says("1 5 6")
    assert "接下来" in await talk.says("作业没人管，奶奶腰疼")
    saved = await talk.says("下周三再去看看")
    assert "登记好了" in saved
    assert "9月16日" in saved
    assert talk.said <= MOST
    row = await only()
    assert (row.way, row.outcome, row.happened_on) == (Way.VISIT, ContactOutcome.REACHED, TODAY)
    assert row.met == [Met.CARER.value, Met.CHILD.value]
    assert set(row.topics) == {Topic.STUDY.value, Topic.LIFE.value}
    assert (row.finding, row.follow_up, row.follow_up_on) == (
        "作业没人管，奶奶腰疼",
        "下周三再去看看",
        date(2026, 9, 16),
    )
    assert await ContactsDraft.all().count() == 0


async def test_one_message_is_shown_back_and_saved_with_a_yes(talk: Talk) -> None:
    shown = await talk.says(f"家访 {talk.name(0)} 见到奶奶 作业没人管 下周三再去")
    assert "照看人" in shown
    assert "作业没人管" in shown
    assert await ContactsRecord.all().count() == 0
    assert "登记好了" in await talk.says("1")
    assert talk.said == 2
    row = await only()
    assert (str(row.pupil_id), row.finding, row.follow_up_on) == (
        talk.contacts.child(0),
        "作业没人管",
        date(2026, 9, 16),
    )


async def test_one_message_that_was_misread_is_said_again(talk: Talk) -> None:
    await talk.says(f"家访 {talk.name(0)} 见到奶奶 作业没人管 没有")
    assert "重新说" in await talk.says("2")
    assert "一句话" in await talk.says("见到孩子 家访")
    await talk.says("作业都写完了")
    assert "登记好了" in await talk.says("没有")
    assert (await only()).met == [Met.CHILD.value]


async def test_one_message_without_a_child_asks_for_it_and_forgets_nothing(talk: Talk) -> None:
    assert "哪位同学" in await talk.says("家访 见到奶奶 作业没人管 下周三再去")
    assert "对吗" in await talk.says("2")
    assert "登记好了" in await talk.says("对")
    assert (await only()).finding == "作业没人管"


@pytest.mark.parametrize("opening", ["打了没接", "没打通", "家里没人"])
async def test_a_failed_attempt_takes_two_messages(talk: Talk, opening: str) -> None:
    assert "哪位同学" in await talk.says(opening)
    assert "没有联系上" in await talk.says(talk.name(1))
    assert talk.said == 2
    row = await only()
    assert (row.outcome, row.met) == (ContactOutcome.FAILED, [])


async def test_a_call_of_yesterday_says_that_it_is_backdated(talk: Talk) -> None:
    await talk.says("打电话了")
    await talk.says("1")
    assert "一句话" in await talk.says("昨天 爸爸接的")
    await talk.says("下个月回来")
    assert "补登" in await talk.says("没有")
    row = await only()
    assert (row.way, row.happened_on, row.is_backdated) == (Way.CALL, TODAY - timedelta(days=1), True)


@pytest.mark.parametrize("wrong", ["9", "12", "啥", "7月31号"])
async def test_what_is_not_understood_is_asked_again(talk: Talk, wrong: str) -> None:
    await talk.says("家校联系")
    assert "没有找到这位同学" in await talk.says("某某某")
    await talk.says("1")
    again = await talk.says(wrong)
    assert "退出" in again
    assert "一句话" in await talk.says("16")


async def test_a_voice_note_takes_the_place_of_nothing(talk: Talk, town: Town) -> None:
    for text in ("家访", "1", "16"):
        await talk.says(text)
    assert "一句话" in (await town.person(TEACHER).sends_voice() or "")
    assert "接下来" in await talk.says("作业没人管")


# ------------------------------------------------------------------------------------------------------------- a draft
async def test_what_was_left_unfinished_is_offered_again(talk: Talk, clock: FrozenClock) -> None:
    for text in ("家访", talk.name(1), "16", "作业没人管"):
        await talk.says(text)
    clock.advance(timedelta(hours=3))
    offered = await talk.says("家访")
    assert talk.name(1) in offered
    assert "作业没人管" in offered
    assert "接下来" in await talk.says("1")
    assert "登记好了" in await talk.says("没有")
    assert (await only()).finding == "作业没人管"


async def test_a_draft_nobody_wants_goes(talk: Talk) -> None:
    for text in ("家访", talk.name(1), "16", "退出"):
        await talk.says(text)
    assert await ContactsDraft.all().count() == 1
    await talk.says("家访")
    assert "哪位同学" in await talk.says("2")
    assert await ContactsDraft.all().count() == 0


# ---------------------------------------------------------------------------------------------------------- who may not
async def test_a_parent_is_told_nothing(talk: Talk, town: Town) -> None:
    mother = await factories.make_person()
    await factories.make_guardianship(talk.contacts.children[0], mother)
    await factories.make_identity(MOTHER, mother)
    for text in ("家校联系", "家访", "强制报告", f"家访 {talk.name(0)} 见到奶奶 作业没人管"):
        answer = await town.person(MOTHER).says(text) or ""
        assert talk.name(0) not in answer
        assert "登记" not in answer
    assert await ContactsRecord.all().count() == 0


async def test_a_teacher_without_children_is_told_so(town: Town, talk: Talk) -> None:
    colleague = await Person.get(id=talk.contacts.people.colleague.person_id)
    await factories.make_identity("demo_t_000303", colleague)
    assert "没有安排" in (await town.person("demo_t_000303").says("家访") or "")


# ------------------------------------------------------------------------------------------------------ something grave
async def test_grave_words_ask_and_a_yes_reports_at_once(talk: Talk) -> None:
    for text in ("家访", "1", "16"):
        await talk.says(text)
    question = await talk.says("孩子胳膊上有伤，说爸爸打了他")
    if "接下来" in question:
        question = await talk.says("没有")
    assert "110" in question
    assert await ContactsRecord.all().count() == await AlarmRow.all().count() == 0
    guide = await talk.says("1")
    assert "110" in guide
    assert talk.said <= MOST
    report = await ContactsReport.get()
    assert report.state is ReportState.OPEN
    assert await AlarmRow.all().count() == 1
    assert str((await only()).id) == str(report.record_id)
    lead = await Person.get(id=talk.contacts.people.lead.person_id)
    assert str(lead.phone) in guide
    assert "没有看懂" in await talk.says("打过了")
    assert "乡镇" in await talk.says("8:50 王老师 编号0123")
    assert "继续登记" in await talk.says("8:55 王老师 李主任")
    assert (await ContactsReport.get()).state is ReportState.COMPLETE


async def test_grave_words_that_mean_nothing_are_saved_with_a_no(talk: Talk) -> None:
    for text in ("家访", "1", "16", "奶奶说不想活了是句气话", "没有"):
        answer = await talk.says(text)
    assert "110" in answer
    assert "登记好了" in await talk.says("2")
    assert await AlarmRow.all().count() == 0
    assert "轻生" in str((await only()).sealed_part)


async def test_grave_words_in_one_message_are_a_record_and_no_cry_for_help(talk: Talk) -> None:
    shown = await talk.says(f"家访 {talk.name(0)} 见到奶奶 孩子说不想活了 没有")
    assert "对吗" in shown
    assert "110" in await talk.says("1")
    await talk.says("1")
    assert (await AlarmRow.get()).reference.startswith("contacts:")


async def test_a_child_with_an_open_report_comes_first(talk: Talk) -> None:
    for text in ("家访", talk.name(0), "16", "孩子被爸爸打了，身上有伤", "没有", "1", "退出"):
        await talk.says(text)
    blocked = await talk.says(f"家访 {talk.name(0)} 见到奶奶 都好 没有")
    assert "先办这件" in blocked
    await talk.says("退出")
    assert "110" in await talk.says("强制报告")
    assert await ContactsRecord.all().count() == 1
