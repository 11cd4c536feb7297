"""Asking anew what the cards know: what is asked, of whom, how far it is, and how often somebody is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.clock import SHANGHAI, local_date
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push
from bot.errors import NotFound, NotPermitted
from handlers.calendar.domain import Facts, SchoolCalendar, Term
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.refreshing import (
    PHASES,
    RefreshInvalid,
    RefreshOver,
    RefreshRunning,
    Said,
    Span,
    due_term,
    phase_of,
    work_of,
)
from handlers.contacts.models import ContactsFact, ContactsRefresh
from handlers.contacts.service.refreshing.campaigns import Campaigns
from handlers.contacts.service.refreshing.telling import REASON, RefreshTelling
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.handlers.contacts.test_admin_recording import Desk, desk
from tests.handlers.contacts.test_cards import stated

__all__ = ["desk"]

LATER = NOW + timedelta(days=100)
TERM = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")


def campaigns_of(contacts: Contacts) -> Campaigns:
    return contacts.machinery.services.get(Campaigns)


def telling_of(contacts: Contacts) -> RefreshTelling:
    return contacts.machinery.services.get(RefreshTelling)


async def known(contacts: Contacts, number: int = 0) -> list[str]:
    """Three facts of a child that is paired with the teacher, told on the first day; gives the two a teacher sees."""
    await contacts.paired(number)
    child, teacher, lead = contacts.child(number), contacts.people.teacher, contacts.people.lead
    facts = [
        await contacts.cards.state(teacher, child, stated()),
        await contacts.cards.state(teacher, child, stated(FactKind.WORKPLACE, "广东", holder=Holder.PARENT_1)),
    ]
    await contacts.cards.state(lead, child, stated(FactKind.HEALTH, "有慢性病"))
    return facts


async def begun(contacts: Contacts, days: int = 30) -> str:
    """A hundred days later everything older than ninety is asked anew at the school."""
    contacts.clock.set(LATER)
    ends_on = local_date(LATER) + timedelta(days=days)
    return await campaigns_of(contacts).begin(contacts.people.lead, ends_on, 90)


async def progress(contacts: Contacts) -> tuple[int | None, int | None]:
    [line] = await campaigns_of(contacts).lines(contacts.people.lead)
    return line.waiting, line.done


async def waiting(contacts: Contacts) -> list[str]:
    return [fact.id for row in await campaigns_of(contacts).own(contacts.people.teacher) for fact in row.facts]


async def composed(contacts: Contacts) -> dict[str, Composed | NotNeeded]:
    """What each promise says now, by its number."""
    rows = await OutboxPush.filter(reason=REASON)
    pushes = [
        Push(
            str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class, (),
            row.not_before, row.expires_at,
        )
        for row in rows
    ]  # fmt: skip
    found = await telling_of(contacts).compose(pushes, contacts.clock.now())
    said = {push.occurrence.rpartition(":")[2]: found[push.id] for push in pushes}
    return {number: each for number, each in said.items() if isinstance(each, Composed | NotNeeded)}


# ---------------------------------------------------------------------------------------------------------------- rules
def said(own: str, asked_on: date, entered: int, kind: FactKind = FactKind.PHONE) -> Said:
    return Said(own, Holder.CARER, kind, "19900001111", asked_on, NOW + timedelta(days=entered))


SPAN = Span(NOW, TODAY, TODAY + timedelta(days=30), 90)
OLD = TODAY - timedelta(days=90)


def test_what_is_old_is_asked_and_what_was_said_since_is_done() -> None:
    fresh = said("c", OLD + timedelta(days=1), -1, FactKind.NAME)
    assert [each.id for each in work_of([said("a", OLD, -2), fresh], SPAN).waiting] == ["a"]
    assert work_of([said("a", OLD, -2), said("b", TODAY, 1)], SPAN).done == 1
    assert work_of([said("a", OLD, -2), said("b", TODAY - timedelta(days=2), -1)], SPAN).done == 0, "it was not old"
    assert work_of([said("a", OLD, 1)], SPAN).waiting == (), "nobody knew it when it began"
    assert work_of([said("a", OLD, -2, FactKind.HEALTH)], SPAN).waiting == (), "the lead's alone"


def test_somebody_is_told_at_the_beginning_in_the_middle_and_near_the_end() -> None:
    days = [SPAN.begun_on + timedelta(days=n) for n in range(31)]
    phases = [phase_of(SPAN, day) for day in days]
    assert phases == sorted(phases)
    assert (phases[0], phases[14], phases[15], phases[26], phases[27], phases[30]) == (1, 1, 2, 2, PHASES, PHASES)


def test_it_begins_by_itself_so_many_school_days_before_the_winter_holiday() -> None:
    calendar = SchoolCalendar(Facts(terms=(TERM, Term(date(2027, 3, 1), date(2027, 7, 9), "春季学期"))))
    assert due_term(calendar, date(2027, 1, 8), 10) is None, "a Friday with eleven school days left"
    assert due_term(calendar, date(2027, 1, 11), 10) == TERM
    assert due_term(calendar, date(2027, 1, 25), 10) is None
    assert due_term(calendar, date(2027, 7, 1), 30) is None, "no winter"


# -------------------------------------------------------------------------------------------------------------- service
async def test_a_tap_says_that_nothing_has_changed_and_keeps_what_was_written(contacts: Contacts) -> None:
    facts = await known(contacts)
    await begun(contacts)
    assert set(await waiting(contacts)) == set(facts)
    assert await progress(contacts) == (2, 0)
    for _ in range(2):
        await contacts.cards.confirm(contacts.people.teacher, facts[0])
    assert await waiting(contacts) == [facts[1]]
    assert await progress(contacts) == (1, 1)
    rows = await ContactsFact.filter(kind=FactKind.PHONE).order_by("entered_at")
    assert [(row.stated_on, row.confirmed_at, row.value) for row in rows] == [
        (TODAY, None, "19900001111"),
        (TODAY, LATER, "19900001111"),
    ]
    assert rows[1].entered_by is not None
    card = await contacts.cards.card(contacts.people.teacher, contacts.child())
    assert [fact.age for fact in card.of(Holder.CARER)] == [0]


async def test_what_has_changed_is_done_too(contacts: Contacts) -> None:
    await known(contacts)
    await begun(contacts)
    today = local_date(LATER)
    moved = stated(FactKind.WORKPLACE, "浙江", holder=Holder.PARENT_1, stated_on=today, source=FactSource.PARENT)
    await contacts.cards.state(contacts.people.teacher, contacts.child(), moved)
    assert await progress(contacts) == (1, 1)


async def test_the_head_teacher_asks_where_nobody_keeps_contact(contacts: Contacts) -> None:
    await known(contacts)
    await begun(contacts)
    pair = (await contacts.pairing.pairs(contacts.people.lead, contacts.child()))[0].id
    await contacts.pairing.end(contacts.people.lead, pair)
    [row] = await campaigns_of(contacts).own(contacts.people.head)
    assert (row.ward.id, len(row.facts)) == (contacts.child(), 2)
    assert await waiting(contacts) == []
    for actor in (contacts.people.colleague, contacts.people.foreign_teacher):
        assert await campaigns_of(contacts).own(actor) == []


async def test_who_begins_and_who_sees_how_far_it_is(contacts: Contacts) -> None:
    await known(contacts)
    people, campaigns = contacts.people, campaigns_of(contacts)
    own = await begun(contacts)
    ends_on = local_date(LATER) + timedelta(days=20)
    with pytest.raises(RefreshRunning):
        await campaigns.begin(people.lead, ends_on, 90)
    for actor in (people.head, people.teacher, people.leader):
        for deed in (campaigns.begin(actor, ends_on, 90), campaigns.lines(actor), campaigns.end(actor, own)):
            with pytest.raises(NotPermitted):
                await deed
    with pytest.raises(NotFound):
        await campaigns.end(people.foreign_lead, own)
    assert await campaigns.lines(people.foreign_lead) == []
    contacts.clock.advance(timedelta(minutes=1))
    await campaigns.begin(people.admin, ends_on, 30)
    school, town = await campaigns.lines(people.admin)
    assert (school.people, town.people, town.waiting) == (None, None, None), "numbers are the schools' own"
    lines = await campaigns.lines(people.lead)
    assert [(line.waiting, line.may_end) for line in lines] == [(2, True), (2, False)]
    assert [line.waiting for line in await campaigns.lines(people.foreign_lead)] == [0]
    await campaigns.end(people.lead, own)
    with pytest.raises(RefreshOver):
        await campaigns.end(people.lead, own)


@pytest.mark.parametrize(("days", "older_than"), [(0, 90), (93, 90), (30, 0), (30, 721)])
async def test_what_cannot_be_is_refused(contacts: Contacts, days: int, older_than: int) -> None:
    with pytest.raises(RefreshInvalid):
        await campaigns_of(contacts).begin(contacts.people.lead, TODAY + timedelta(days=days), older_than)


async def test_nobody_is_told_more_than_three_times_and_nobody_who_is_done(contacts: Contacts) -> None:
    facts = await known(contacts)
    await begun(contacts)
    for _ in range(34):
        await telling_of(contacts).tick()
        await telling_of(contacts).tick()
        contacts.clock.advance(timedelta(days=1))
    rows = await OutboxPush.filter(reason=REASON)
    assert sorted(row.occurrence.rpartition(":")[2] for row in rows) == ["1", "2", "3"]
    assert {str(row.person_id) for row in rows} == {contacts.people.teacher.person_id}
    assert (await ContactsRefresh.get()).ended_at is not None, "it ended by itself"
    assert set((await composed(contacts)).values()) == {NotNeeded("over")}
    assert facts


async def test_a_message_says_how_many_and_nothing_of_whom(contacts: Contacts) -> None:
    facts = await known(contacts)
    await begun(contacts)
    await telling_of(contacts).tick()
    said = (await composed(contacts))["1"]
    assert isinstance(said, Composed)
    assert "2项" in said.text
    for planted in (contacts.children[0].name, "19900001111", "广东", contacts.child()):
        assert planted not in f"{said.text}{said.line}{said.slots}{said.path}"
    assert [todo.count for todo in await telling_of(contacts).todos_of(contacts.people.teacher)] == [2]
    for fact in facts:
        await contacts.cards.confirm(contacts.people.teacher, fact)
    assert await composed(contacts) == {"1": NotNeeded("done")}
    assert await telling_of(contacts).todos_of(contacts.people.teacher) == []


async def test_on_a_day_without_school_nobody_is_told(contacts: Contacts) -> None:
    await known(contacts)
    await begun(contacts)
    contacts.clock.set(datetime(2026, 12, 19, 9, tzinfo=SHANGHAI))
    await telling_of(contacts).tick()
    assert await OutboxPush.filter(reason=REASON).count() == 0
    contacts.clock.set(datetime(2026, 12, 21, 9, tzinfo=SHANGHAI))
    await telling_of(contacts).tick()
    assert await OutboxPush.filter(reason=REASON).count() == 1


async def test_by_the_townships_rule_it_begins_once_a_term(contacts: Contacts) -> None:
    await known(contacts)
    campaigns, telling = campaigns_of(contacts), telling_of(contacts)
    contacts.clock.set(datetime(2027, 1, 11, 9, tzinfo=SHANGHAI))
    await telling.tick()
    assert await ContactsRefresh.all().count() == 0, "without a rule nothing begins"
    with pytest.raises(NotFound):
        await campaigns.enact(contacts.people.lead, 10, 90)
    with pytest.raises(RefreshInvalid):
        await campaigns.enact(contacts.people.admin, 61, 90)
    await campaigns.enact(contacts.people.admin, 10, 90)
    for _ in range(3):
        await telling.tick()
    row = await ContactsRefresh.get()
    assert (row.school_id, row.begun_by, row.ends_on) == (None, None, TERM.last_day)
    await campaigns.end(contacts.people.admin, str(row.id))
    await telling.tick()
    assert await ContactsRefresh.all().count() == 1, "ended by hand it does not begin again"
    await campaigns.enact(contacts.people.admin, None, 0)
    rule = await campaigns.rule(contacts.people.admin)
    assert rule is not None
    assert rule.days_before is None


# ---------------------------------------------------------------------------------------------------------------- pages
async def test_the_pages_of_a_campaign(desk: Desk) -> None:
    contacts = desk.contacts
    fact = await contacts.cards.state(contacts.people.teacher, contacts.child(), stated())
    await begun(contacts)
    await desk.enter()
    page = await desk.browser.get("/contacts/refresh")
    assert "19900001111" in page
    assert "留守" not in page
    await desk.browser.post(f"/contacts/facts/{fact}/confirm", {"back": "refresh"})
    assert desk.browser.location == "/contacts/refresh"
    assert "没有要重新问的" in await desk.browser.get("/contacts/refresh")
    await desk.enter(contacts.people.lead)
    page = await desk.browser.get("/contacts/refreshing")
    assert '问好了<span class="number">1</span>项' in page
    assert contacts.children[0].name not in page
    await desk.browser.post("/contacts/refreshing", {"older_than": "many", "ends_on": "2027-01-10"})
    assert desk.browser.status == 422
    await desk.enter(contacts.people.admin)
    await desk.browser.get("/contacts/refreshing")
    await desk.browser.post("/contacts/refreshing/rule", {"days_before": "10", "rule_older_than": "90"})
    assert desk.browser.status == 303
    assert "寒假前10个上课日" in await desk.browser.get("/contacts/refreshing")
