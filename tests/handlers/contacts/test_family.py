"""Parents who live apart: the month's word only to those who want it, booked calls, and what parents do themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError

from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor, Door, Hat
from bot.storage.database import transaction
from handlers.accounts.models import Guardianship
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.clock import SUGGESTED, SUGGESTED_STAGES
from handlers.contacts.domain.family import (
    FIRST_HOUR,
    LABELS,
    LAST_HOUR,
    CallBooked,
    CallInvalid,
    CallOver,
    CallState,
    HeardInvalid,
    HeardWay,
    NotWanted,
    WishHow,
    WordInvalid,
    WordSent,
    check_word,
    moment_in,
)
from handlers.contacts.domain.records import ContactOutcome, Met, Way
from handlers.contacts.models import ContactsCall, ContactsDue, ContactsHeard, ContactsWish, ContactsWord
from handlers.contacts.service.clock.counting import ContactClock
from handlers.contacts.service.clock.rules import ClockRules, NewClockRule
from handlers.contacts.service.family.call_pushes import SOON, TOLD, CallPushes
from handlers.contacts.service.family.calls import Calls
from handlers.contacts.service.family.heard import Heard, HeardService
from handlers.contacts.service.family.wishes import FamilyRecords, Wishes
from handlers.contacts.service.family.words import REASON, Words
from handlers.contacts.texts import family as texts
from tests import factories
from tests.handlers.contacts.stage import NOW, TODAY, Contacts, contact
from tests.handlers.contacts.test_admin_recording import Desk, desk

__all__ = ["desk"]

TONIGHT = datetime(2026, 9, 8, 18, 30, tzinfo=SHANGHAI)
AT = datetime(2026, 9, 10, 19, 30, tzinfo=SHANGHAI)
SAID = "这个月每天都按时到校，请放心。"


@dataclass
class Families:
    """The first child, paired with the teacher, and its mother far away."""

    contacts: Contacts
    mother: Actor

    @property
    def wishes(self) -> Wishes:
        return self.contacts.machinery.services.get(Wishes)

    @property
    def words(self) -> Words:
        return self.contacts.machinery.services.get(Words)

    @property
    def calls(self) -> Calls:
        return self.contacts.machinery.services.get(Calls)

    @property
    def child(self) -> str:
        return self.contacts.child()

    async def consent(self, decision: Decision = Decision.GIVEN, child: str = "", person: str = "") -> None:
        """The family decides for the child's data."""
        made = MadeDecision(UUID(child or self.child), UUID(person or str(self.mother.person_id)), decision)
        version = self.contacts.machinery.services.get(ConsentService).notice.version
        await put_decisions([made], version=version, channel="chat", now=self.contacts.clock.now())
        self.contacts.clock.advance(timedelta(seconds=1))

    async def wanted(self) -> None:
        """Consent stands, and the mother wants to hear."""
        await self.consent()
        assert await self.wishes.say(self.mother, self.child, is_wanted=True)

    async def written(self, target: str = "", words: str = SAID, day: date = TODAY) -> None:
        await self.words.write(self.contacts.people.head, target or str(self.contacts.room.id), words, day)

    async def said(self) -> list[Composed | NotNeeded]:
        """What the promises of the month's word say now."""
        return await self._composed([REASON], self.words)

    async def told(self, *reasons: str) -> list[Composed | NotNeeded]:
        """The same of calls."""
        return await self._composed(reasons or (TOLD, SOON), self.contacts.machinery.services.get(CallPushes))

    async def _composed(self, reasons: object, source: Words | CallPushes) -> list[Composed | NotNeeded]:
        rows = await OutboxPush.filter(reason__in=list(reasons)).order_by("created_at", "id")  # type: ignore[call-overload]
        pushes = [
            Push(
                str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class, (),
                row.not_before, row.expires_at,
            )
            for row in rows
        ]  # fmt: skip
        found = await source.compose(pushes, self.contacts.clock.now())
        return [each for push in pushes if isinstance(each := found[push.id], Composed | NotNeeded)]


async def guardian_of(contacts: Contacts, number: int = 0) -> Actor:
    """Somebody who looks after a child, bound, as an actor."""
    row: Guardianship = await factories.make_guardianship(contacts.children[number])
    await Guardianship.filter(id=row.id).update(bound_at=NOW)
    return await contacts.identity.actor_of_person(str(row.person_id), hat=Hat.GUARDIAN, door=Door.CHAT)


@pytest.fixture
async def families(contacts: Contacts) -> Families:
    await contacts.paired()
    return Families(contacts, await guardian_of(contacts))


# ---------------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize(
    "words", ["", "好" * 101, *(f"他是{label}的孩子" for label in LABELS), "他身上有伤，说是被打的"]
)
def test_no_word_says_what_a_child_is_or_what_must_be_reported(words: str) -> None:
    with pytest.raises(WordInvalid):
        check_word(words, TODAY, TODAY)


def test_every_line_that_is_offered_may_be_sent() -> None:
    for pick in texts.PICKS:
        assert check_word(pick, TODAY, TODAY) == pick


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), date(2026, 10, 1)])
def test_a_word_goes_out_in_its_month(day: date) -> None:
    with pytest.raises(WordInvalid):
        check_word(SAID, day, TODAY)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [("9月20日19:30", 19, 30), ("9月20日晚上7点半", 19, 30), ("9月20日下午三点", 15, 0), ("9月20日八点一刻", 8, 15)],
)
def test_a_moment_is_read_from_what_people_write(text: str, hour: int, minute: int) -> None:
    assert moment_in(text, TODAY) == datetime(2026, 9, 20, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize("text", ["9月20日", "19:30", "随便", "9月20日25点"])
def test_a_moment_without_day_or_hour_is_none(text: str) -> None:
    assert moment_in(text, TODAY) is None


# ----------------------------------------------------------------------------------------------------- the month's word
async def test_the_word_goes_to_who_wants_it_once_a_month(families: Families) -> None:
    await families.wanted()
    await families.written()
    for _ in range(2):
        await families.words.send_due()
    row = await OutboxPush.get(reason=REASON)
    assert (str(row.person_id), row.not_before) == (families.mother.person_id, TONIGHT)
    [said] = await families.said()
    assert isinstance(said, Composed)
    assert SAID in said.text
    assert [label for label in LABELS if label in f"{said.text}{said.slots}"] == []
    with pytest.raises(WordSent):
        await families.written(words="又一句")
    await families.written(target=families.child, words="单给您的一句")
    await families.words.send_due()
    assert await OutboxPush.filter(reason=REASON).count() == 1, "two words of a month are one message"
    [said] = await families.said()
    assert isinstance(said, Composed)
    assert "单给您的一句" in said.text


async def test_the_database_holds_one_word_a_month_for_each(families: Families) -> None:
    await families.written()
    row = await ContactsWord.get()
    with pytest.raises(IntegrityError):
        async with transaction():
            await ContactsWord.create(
                school_id=row.school_id, class_id=row.class_id, author_id=row.author_id, month=row.month, words="x",
                send_on=row.send_on, target_key=row.target_key, created_at=NOW, updated_at=NOW,
            )  # fmt: skip


async def test_next_month_is_another_word(families: Families) -> None:
    await families.wanted()
    await families.written()
    await families.words.send_due()
    families.contacts.clock.set(datetime(2026, 10, 9, 9, tzinfo=SHANGHAI))
    await families.written(day=date(2026, 10, 9))
    await families.words.send_due()
    assert await OutboxPush.filter(reason=REASON).count() == 2


@pytest.mark.parametrize("lacking", ["wish", "consent"])
async def test_nothing_is_planned_without_both(families: Families, lacking: str) -> None:
    if lacking == "wish":
        await families.consent()
    else:
        assert not await families.wishes.say(families.mother, families.child, is_wanted=True)
    await families.written()
    assert await families.words.send_due() == 0
    assert await OutboxPush.filter(reason=REASON).count() == 0


async def test_who_withdrew_between_planning_and_sending_hears_nothing(families: Families) -> None:
    await families.wanted()
    await families.written()
    await families.words.send_due()
    assert [type(each) for each in await families.said()] == [Composed], "as long as both stand it is said"
    await families.wishes.say(families.mother, families.child, is_wanted=False)
    assert await families.said() == [NotNeeded("not_wanted")]
    families.contacts.clock.advance(timedelta(minutes=1))
    await families.wishes.say(families.mother, families.child, is_wanted=True)
    assert [type(each) for each in await families.said()] == [Composed]
    await families.consent(Decision.WITHDRAWN)
    assert await families.said() == [NotNeeded("not_wanted")]


async def test_another_guardian_against_it_stops_it(families: Families) -> None:
    await families.wanted()
    await families.written()
    await families.words.send_due()
    father = await guardian_of(families.contacts)
    await families.consent(Decision.REFUSED, person=str(father.person_id))
    assert await families.said() == [NotNeeded("not_wanted")]


async def test_who_has_no_custody_any_more_hears_nothing(families: Families) -> None:
    await families.wanted()
    await families.written()
    await families.words.send_due()
    await Guardianship.filter(person_id=families.mother.person_id).update(ended_on=TODAY)
    assert await families.said() == [NotNeeded("not_wanted")]


async def test_with_the_consent_goes_what_rests_on_it(families: Families) -> None:
    await families.wanted()
    await families.written(target=families.child)
    await families.calls.propose(families.contacts.people.teacher, families.child, str(families.mother.person_id), AT)
    records = families.contacts.machinery.services.get(FamilyRecords)
    given = await records.child_data(families.child, str(families.mother.person_id))
    assert set(given) == {texts.DATA_WISHES, texts.DATA_WORDS, texts.DATA_CALLS}
    assert await records.dependents([families.child], []) == {"contacts_family": 3}
    await records.erase_child(families.child, keep_duty=True)
    for table in (ContactsWish, ContactsWord, ContactsCall):
        assert await table.all().count() == 0
    assert await families.told() == [NotNeeded("changed")]


async def test_who_writes_for_whom(families: Families) -> None:
    people, room = families.contacts.people, str(families.contacts.room.id)
    await families.wanted()
    for actor in (people.teacher, people.colleague, people.foreign_teacher, people.lead):
        with pytest.raises(NotFound):
            await families.words.write(actor, room, SAID, TODAY)
    await families.words.write(people.teacher, families.child, SAID, TODAY)
    for actor in (people.colleague, people.foreign_lead, people.leader):
        with pytest.raises(NotFound):
            await families.words.write(actor, families.child, SAID, TODAY)
        with pytest.raises(NotFound):
            await families.wishes.of(actor, families.child)
    with pytest.raises(NotPermitted):
        await families.words.targets(people.admin)
    assert [(each.is_class, each.families) for each in await families.words.targets(people.head)] == [
        (True, 1), (False, 1),
    ]  # fmt: skip
    assert [each.id for each in await families.words.targets(people.teacher)] == [families.child]
    assert await families.words.targets(people.colleague) == []


async def test_a_teacher_enters_what_a_parent_said_and_the_parent_takes_it_back(families: Families) -> None:
    await families.consent()
    people, mother = families.contacts.people, str(families.mother.person_id)
    with pytest.raises(NotFound):
        await families.wishes.enter(people.teacher, families.child, mother, WishHow.CHAT, is_wanted=True)
    with pytest.raises(NotFound):
        stranger = str(people.lead.person_id)
        await families.wishes.enter(people.teacher, families.child, stranger, WishHow.BY_PHONE, is_wanted=True)
    await families.wishes.enter(people.teacher, families.child, mother, WishHow.BY_PHONE, is_wanted=True)
    assert await families.wishes.wanting([families.child]) == {families.child: frozenset({mother})}
    await families.wishes.say(families.mother, families.child, is_wanted=False)
    assert await families.wishes.wanting([families.child]) == {}
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsWish.all().update(is_wanted=True)


# ---------------------------------------------------------------------------------------------------------------- calls
async def test_a_call_is_proposed_agreed_and_both_are_reminded(families: Families) -> None:
    await families.wanted()
    teacher, mother = families.contacts.people.teacher, families.mother
    own = await families.calls.propose(teacher, families.child, str(mother.person_id), AT)
    assert [str(row.person_id) for row in await OutboxPush.filter(reason=TOLD)] == [mother.person_id]
    with pytest.raises(CallOver):
        await families.calls.agree(teacher, own)
    await families.calls.agree(mother, own)
    rows = await OutboxPush.filter(reason=SOON)
    assert {str(row.person_id) for row in rows} == {teacher.person_id, mother.person_id}
    assert {row.not_before for row in rows} == {AT - timedelta(hours=1)}
    families.contacts.clock.set(AT - timedelta(minutes=50))
    said = await families.told(SOON)
    assert [type(each) for each in said] == [Composed, Composed]
    to_teacher = next(each for each in said if isinstance(each, Composed) and each.path)
    assert families.contacts.children[0].name not in f"{to_teacher.text}{to_teacher.slots}"
    families.contacts.clock.set(AT + timedelta(minutes=1))
    assert set(await families.told(SOON)) == {NotNeeded("past")}


async def test_a_call_that_is_moved_or_called_off_reminds_nobody_of_the_old_hour(families: Families) -> None:
    await families.wanted()
    teacher, mother = families.contacts.people.teacher, families.mother
    own = await families.calls.propose(teacher, families.child, str(mother.person_id), AT)
    await families.calls.agree(mother, own)
    await families.calls.move(mother, own, AT + timedelta(days=1))
    assert set(await families.told(SOON)) == {NotNeeded("changed")}
    await families.calls.agree(teacher, own)
    assert sum(isinstance(each, Composed) for each in await families.told(SOON)) == 2
    await families.calls.cancel(teacher, own)
    assert set(await families.told(SOON)) == {NotNeeded("changed")}
    assert sum(isinstance(each, Composed) for each in await families.told(TOLD)) == 1
    with pytest.raises(CallOver):
        await families.calls.agree(mother, own)
    await families.calls.propose(teacher, families.child, str(mother.person_id), AT)


async def test_a_parent_asks_and_whoever_keeps_contact_answers(families: Families) -> None:
    with pytest.raises(NotWanted):
        await families.calls.ask(families.mother, families.child, AT)
    await families.wanted()
    own = await families.calls.ask(families.mother, families.child, AT)
    assert str((await ContactsCall.get()).teacher_id) == families.contacts.people.teacher.person_id
    assert [todo.count for todo in await families.calls.todos_of(families.contacts.people.teacher)] == [1]
    with pytest.raises(CallBooked):
        await families.calls.ask(families.mother, families.child, AT + timedelta(days=1))
    await families.calls.agree(families.contacts.people.teacher, own)
    [view] = await families.calls.of_guardian(families.mother)
    assert view.is_agreed


async def test_a_parent_of_any_child_asks_the_head_teacher(families: Families) -> None:
    contacts = families.contacts
    other = await guardian_of(contacts, 1)
    await families.consent(child=contacts.child(1), person=str(other.person_id))
    await families.wishes.say(other, contacts.child(1), is_wanted=True)
    await families.calls.ask(other, contacts.child(1), AT)
    assert str((await ContactsCall.get()).teacher_id) == contacts.people.head.person_id


@pytest.mark.parametrize(
    "at",
    [
        NOW - timedelta(hours=1),
        NOW + timedelta(days=61),
        AT.replace(hour=FIRST_HOUR.hour - 1),
        AT.replace(hour=LAST_HOUR.hour, minute=LAST_HOUR.minute + 1),
    ],
)
async def test_no_call_in_the_past_or_at_night(families: Families, at: datetime) -> None:
    await families.wanted()
    teacher = families.contacts.people.teacher
    with pytest.raises(CallInvalid):
        await families.calls.propose(teacher, families.child, str(families.mother.person_id), at)


async def test_calls_of_others_are_not_there(families: Families) -> None:
    await families.wanted()
    people, mother = families.contacts.people, str(families.mother.person_id)
    own = await families.calls.propose(people.teacher, families.child, mother, AT)
    stranger = await guardian_of(families.contacts, 1)
    for actor in (people.head, people.colleague, people.lead, stranger):
        for deed in (families.calls.agree(actor, own), families.calls.cancel(actor, own)):
            with pytest.raises(NotFound):
                await deed
    with pytest.raises(NotFound):
        await families.calls.propose(people.colleague, families.child, mother, AT)
    with pytest.raises(NotFound):
        await families.calls.ask(stranger, families.child, AT)


async def test_whoever_withdraws_is_called_and_reminded_no_more(families: Families) -> None:
    await families.wanted()
    teacher = families.contacts.people.teacher
    own = await families.calls.propose(teacher, families.child, str(families.mother.person_id), AT)
    await families.calls.agree(families.mother, own)
    await families.wishes.say(families.mother, families.child, is_wanted=False)
    assert (await ContactsCall.get()).state is CallState.CANCELLED
    assert set(await families.told(SOON)) == {NotNeeded("changed")}


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"way": Way.CALL, "met": frozenset({Met.PARENT})}, CallState.DONE),
        ({"way": Way.CALL, "met": frozenset(), "outcome": ContactOutcome.FAILED}, CallState.MISSED),
        ({"way": Way.VISIT, "met": frozenset({Met.PARENT})}, CallState.AGREED),
    ],
)
async def test_the_record_of_the_call_says_whether_it_took_place(
    families: Families, values: dict[str, Any], state: CallState
) -> None:
    await families.wanted()
    contacts, teacher = families.contacts, families.contacts.people.teacher
    own = await families.calls.propose(teacher, families.child, str(families.mother.person_id), AT)
    await families.calls.agree(families.mother, own)
    contacts.clock.set(AT + timedelta(minutes=30))
    assert [todo.count for todo in await families.calls.todos_of(teacher)] == [1]
    made = contact(happened_on=AT.date(), **values)
    record = await contacts.records.write(teacher, families.child, made)
    row = await ContactsCall.get()
    assert (row.state, row.record_id) == (state, UUID(record.id) if state is not CallState.AGREED else None)


# --------------------------------------------------------------------------------------------------- what parents do
async def test_what_parents_do_by_themselves_moves_no_clock(families: Families) -> None:
    contacts, teacher = families.contacts, families.contacts.people.teacher
    rules = contacts.machinery.services.get(ClockRules)
    first, second, third = SUGGESTED_STAGES
    new = NewClockRule(
        since=TODAY, cadence=SUGGESTED, steps=(first, second, third), daily_cap=1, clause="镇教办〔2026〕1号"
    )
    await rules.enact(contacts.people.admin, str(contacts.township.id), new)
    contacts.clock.advance(timedelta(days=10))
    before = await ContactsDue.get(pupil_id=families.child)
    heard = contacts.machinery.services.get(HeardService)
    told = Heard(
        holder=Holder.PARENT_1, way=HeardWay.VIDEO, happened_on=TODAY + timedelta(days=9), source=FactSource.CHILD
    )
    for _ in range(2):
        await heard.note(teacher, families.child, told)
    assert await heard.of(teacher, families.child) == [told]
    await contacts.machinery.services.get(ContactClock).recount_all()
    after = await ContactsDue.get(pupil_id=families.child)
    assert (after.due_on, after.counted_from) == (before.due_on, before.counted_from)
    assert before.due_on is not None
    made = contact(happened_on=TODAY + timedelta(days=10), way=Way.CALL, met=frozenset({Met.PARENT}))
    await contacts.records.write(teacher, families.child, made)
    moved = await ContactsDue.get(pupil_id=families.child)
    assert moved.due_on is not None
    assert moved.due_on > before.due_on, "the school's own contact does"


async def test_what_was_noted_stays_and_is_the_keepers(families: Families) -> None:
    contacts, people = families.contacts, families.contacts.people
    heard = contacts.machinery.services.get(HeardService)
    told = Heard(holder=Holder.PARENT_2, way=HeardWay.HOME, happened_on=TODAY, source=FactSource.PARENT)
    await heard.note(people.teacher, families.child, told)
    for actor in (people.colleague, people.foreign_lead, people.leader):
        with pytest.raises(NotFound):
            await heard.note(actor, families.child, told)
        with pytest.raises(NotFound):
            await heard.of(actor, families.child)
    for wrong in (
        {"holder": Holder.CARER}, {"source": FactSource.VILLAGE}, {"happened_on": TODAY + timedelta(days=1)},
        {"happened_on": TODAY - timedelta(days=61)},
    ):  # fmt: skip
        given = {"holder": Holder.PARENT_1, "way": HeardWay.CALL, "happened_on": TODAY, "source": FactSource.CHILD}
        with pytest.raises(HeardInvalid):
            await heard.note(people.teacher, families.child, Heard(**{**given, **wrong}))  # type: ignore[arg-type]
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsHeard.all().update(happened_on=TODAY - timedelta(days=1))
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsHeard.all().delete()
    await contacts.keeping.erase_child(families.child, keep_duty=False)
    assert await ContactsHeard.all().count() == 0


# ---------------------------------------------------------------------------------------------------------------- pages
async def test_the_pages_of_families(desk: Desk, clock: FrozenClock) -> None:
    contacts, people = desk.contacts, desk.contacts.people
    families = Families(contacts, await guardian_of(contacts))
    await families.consent()
    own, mother = f"/contacts/families/{contacts.child()}", str(families.mother.person_id)
    assert "还没有问过" in await desk.browser.get(own)
    await desk.browser.post(f"{own}/wish", {"person": mother, "wanted": "yes"})
    assert desk.browser.status == 422
    await desk.browser.post(f"{own}/wish", {"person": mother, "wanted": "yes", "how": "by_phone"})
    assert (desk.browser.status, desk.browser.location) == (303, own)
    page = await desk.browser.get("/contacts/words")
    assert contacts.children[0].name in page
    word = {"target": contacts.child(), "words": "他是留守儿童", "send_on": TODAY.isoformat()}
    assert "不要写孩子属于哪一类" in await desk.browser.post("/contacts/words", word)
    await desk.browser.post("/contacts/words", {**word, "words": "", "pick": texts.PICKS[0]})
    assert desk.browser.status == 303
    assert texts.PICKS[0] in (await ContactsWord.get()).words
    call = {"person": mother, "day": "2026-09-10", "hour": "19:30"}
    assert "请选哪天" in await desk.browser.post(f"{own}/call", {**call, "hour": ""})
    await desk.browser.post(f"{own}/call", call)
    assert (desk.browser.status, desk.browser.location) == (303, "/contacts/calls")
    assert "等家长答复" in await desk.browser.get("/contacts/calls")
    await families.calls.agree(families.mother, str((await ContactsCall.get()).id))
    clock.set(AT + timedelta(minutes=20))
    await desk.enter()
    page = await desk.browser.get("/contacts/today")
    assert "约好的通话打了吗" in page
    form = await desk.browser.get(f"{desk.own}/record?way=call&outcome=reached&met=parent&day=2026-09-10")
    assert 'value="parent" checked' in form
    row = await ContactsCall.get()
    await desk.browser.post(f"/contacts/calls/{row.id}/missed")
    assert desk.browser.status == 303
    assert "约好的通话打了吗" not in await desk.browser.get("/contacts/today")
    await desk.browser.get(f"{desk.own}/heard")
    noted = {"holder": "parent_1", "way": "call", "day": "2026-09-09", "source": "child"}
    await desk.browser.post(f"{desk.own}/heard", noted)
    assert desk.browser.status == 303
    assert "打电话" in await desk.browser.get(f"{desk.own}/heard")
    assert people.teacher.person_id
