"""Consent on paper: who may enter it, what it does, and whom it never overrules unasked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.models import OutboxMessage
from bot.delivery.outbox import Outbox, text_of
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.metrics import Metrics
from handlers.accounts.models import Bar, Guardianship, Person
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.notices import BindingNotices
from handlers.consent.domain.decisions import AskFirst, Decision, FormInvalid, NoticeChanged, Standing
from handlers.consent.domain.register import ItemName
from handlers.consent.models import ConsentEvent
from handlers.consent.service.paper import PAPER, RECORDED, PaperService, SignedForm
from tests import factories
from tests.factories import LONG_AGO
from tests.handlers.consent.conftest import Family, Stage, guardian, head_teacher, statement

GIVEN, REFUSED, WITHDRAWN = Decision.GIVEN, Decision.REFUSED, Decision.WITHDRAWN
TODAY = date(2026, 9, 1)
ITEM = ItemName.CHILD_REMINDERS


@pytest.fixture
def paper(stage: Stage) -> PaperService:
    clock, outbox = stage.clock, Outbox(stage.clock, Metrics())
    return PaperService(
        stage.people, Custody(clock), stage.erasure, stage.notice,
        notices=BindingNotices(outbox, clock), audit=Audit(clock), clock=clock,
    )  # fmt: skip


@pytest.fixture
async def teacher(family: Family) -> Actor:
    return head_teacher(await factories.make_person(name="李班主任"), family.school_class)


def signed(stage: Stage, family: Family, person: Person | None = None, **values: Any) -> SignedForm:
    """The grandmother agreed today, unless told otherwise."""
    form = SignedForm(
        child_id=family.child_id,
        person_id=str((person or family.grandmother).id),
        decision=GIVEN,
        signed_on=TODAY,
        version=stage.notice.version,
    )
    return replace(form, **values)


async def decide(stage: Stage, family: Family, person: Person, decision: Decision) -> None:
    actor = guardian(person, family.child_id)
    await stage.consents.decide(actor, family.child_id, decision, stage.notice.version, "chat")


async def purposes() -> list[str | None]:
    return [row.purpose for row in await AuditRow.filter(action="consent.record").order_by("id")]


async def test_what_a_guardian_without_a_phone_signed_counts(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await paper.record(teacher, signed(stage, family))
    assert await stage.consents.allows(family.child_id, ITEM)
    (event,) = await ConsentEvent.all()
    assert (event.channel, event.person_id, str(event.entered_by)) == (PAPER, family.grandmother.id, teacher.person_id)
    assert (event.signed_on, event.notice_version) == (TODAY, stage.notice.version)
    (row,) = await AuditRow.filter(action="consent.record")
    assert (row.actor, row.subject, row.purpose) == (teacher.person_id, f"child:{family.child_id}", "given")
    assert not await OutboxMessage.exists()
    await paper.record(teacher, signed(stage, family))
    assert await ConsentEvent.all().count() == 1


async def test_a_refusal_on_paper_stops_and_erases(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await decide(stage, family, family.mother, GIVEN)
    stage.diary.consented[family.child_id] = "照片"
    await paper.record(teacher, signed(stage, family, decision=REFUSED))
    assert stage.diary.consented == {}
    assert (await stage.consents.standings([family.child_id]))[family.child_id] is Standing.REFUSED


async def test_a_bound_guardian_is_told_and_others_are_not(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await factories.make_identity("demo_g_000001", family.mother)
    await factories.make_identity("demo_g_000002", family.father)
    await factories.make_identity("demo_g_000003", family.grandmother)
    await paper.record(teacher, signed(stage, family, family.mother))
    await paper.record(teacher, signed(stage, family))
    (message,) = await OutboxMessage.all()
    assert message.recipient == "demo_g_000001"
    text = text_of(message.payload)
    assert family.child.name in text
    assert "儿童信息授权" in text
    assert await paper.is_needed(RECORDED, message.occurrence, message.openid_index)
    await decide(stage, family, family.mother, WITHDRAWN)
    assert not await paper.is_needed(RECORDED, message.occurrence, message.openid_index)


@pytest.mark.parametrize("days", [0, 1])
async def test_paper_never_overrules_a_later_decision_unasked(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor, clock: FrozenClock, days: int
) -> None:
    await decide(stage, family, family.mother, REFUSED)
    clock.advance(timedelta(days=3))
    form = signed(stage, family, family.mother, signed_on=TODAY - timedelta(days=days))
    with pytest.raises(AskFirst):
        await paper.record(teacher, form)
    assert not await stage.consents.allows(family.child_id, ITEM)
    assert await purposes() == ["ask_first"]
    await paper.record(teacher, replace(form, has_asked=True))
    assert await stage.consents.allows(family.child_id, ITEM)
    assert await purposes() == ["ask_first", "given"]


async def test_a_form_signed_after_the_refusal_counts_at_once(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor, clock: FrozenClock
) -> None:
    await decide(stage, family, family.mother, REFUSED)
    clock.advance(timedelta(days=1))
    await paper.record(teacher, signed(stage, family, family.mother, signed_on=TODAY + timedelta(days=1)))
    assert await stage.consents.allows(family.child_id, ITEM)


async def test_of_two_forms_the_day_of_signing_tells_which_is_later(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=9))
    await paper.record(teacher, signed(stage, family, decision=REFUSED))
    with pytest.raises(AskFirst):
        await paper.record(teacher, signed(stage, family, signed_on=TODAY - timedelta(days=2)))
    await paper.record(teacher, signed(stage, family, signed_on=TODAY + timedelta(days=2)))
    assert await stage.consents.allows(family.child_id, ITEM)


async def test_another_guardian_s_refusal_stands(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await decide(stage, family, family.father, REFUSED)
    await paper.record(teacher, signed(stage, family))
    assert not await stage.consents.allows(family.child_id, ITEM)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"decision": WITHDRAWN}, FormInvalid),
        ({"signed_on": TODAY + timedelta(days=1)}, FormInvalid),
        ({"signed_on": TODAY - timedelta(days=400)}, FormInvalid),
        ({"person_id": "00000000-0000-4000-8000-000000000000"}, FormInvalid),
        ({"person_id": ""}, FormInvalid),
        ({"version": "0.0000.0000"}, NoticeChanged),
        ({"child_id": "00000000-0000-4000-8000-000000000000"}, NotFound),
    ],
)
async def test_what_cannot_stand_on_a_form_is_not_taken(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await paper.record(teacher, signed(stage, family, **values))
    assert not await ConsentEvent.exists()


async def test_whose_guardianship_ended_signs_for_nobody(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await Guardianship.filter(person_id=family.grandmother.id).update(ended_on=date(2026, 8, 31))
    with pytest.raises(FormInvalid):
        await paper.record(teacher, signed(stage, family))


async def test_who_is_kept_away_changes_nothing_and_is_told_nothing(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    """And whoever enters it sees no difference: of a bar nothing is to be seen."""
    await factories.make_identity("demo_g_000002", family.father)
    await Bar.create(
        pupil_id=family.child.id, person_id=family.father.id, reason="法院裁定", since=date(2026, 8, 1),
        created_at=LONG_AGO, updated_at=LONG_AGO,
    )  # fmt: skip
    await decide(stage, family, family.mother, GIVEN)
    stage.diary.consented[family.child_id] = "照片"
    await paper.record(teacher, signed(stage, family, family.father, decision=REFUSED))
    assert await stage.consents.allows(family.child_id, ITEM)
    assert stage.diary.consented
    assert not await OutboxMessage.exists()


async def test_each_enters_only_what_is_within_reach(stage: Stage, family: Family, paper: PaperService) -> None:
    elsewhere = await factories.make_class(await factories.make_school(name="外乡小学"))
    person = await factories.make_person()

    def of(role: Role, **grant: frozenset[str]) -> Actor:
        return Actor(
            roles=frozenset({role}), person_id=str(person.id), grants=(Grant(role, **grant),), hat=Hat.STAFF,
            door=Door.CONSOLE,
        )  # fmt: skip

    school, town = frozenset({str(family.school.id)}), frozenset({str(family.township.id)})
    for actor in (of(Role.SCHOOL_LEADER, schools=school), of(Role.ADMINISTRATOR, townships=town)):
        assert await paper.guardians(actor, family.child_id)
        assert [child.id for child in await paper.children(actor, str(family.school_class.id))] == [family.child_id]
    uses: list[Callable[[Actor], Awaitable[object]]] = [
        lambda actor: paper.record(actor, signed(stage, family)),
        lambda actor: paper.guardians(actor, family.child_id),
    ]
    for use in uses:
        with pytest.raises(NotFound):
            await use(head_teacher(person, elsewhere))
        for role in (Role.TEACHER, Role.PROTECTION_LEAD):
            with pytest.raises(NotPermitted):
                await use(of(role, schools=school))
        with pytest.raises(NotPermitted):
            await use(guardian(family.mother, family.child_id))
    assert await paper.children(head_teacher(person, elsewhere), str(family.school_class.id)) == []


async def test_the_family_s_copy_says_it_came_from_paper(
    stage: Stage, family: Family, paper: PaperService, teacher: Actor
) -> None:
    await statement(family.child, family.mother)
    await paper.record(teacher, signed(stage, family, family.mother))
    data = await stage.downloads.download(guardian(family.mother, family.child_id), family.child_id)
    (record,) = next(section.records for section in data.sections if section.title == "您的授权决定")
    assert "纸质表" in dict(record)["渠道"]
