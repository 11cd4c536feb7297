"""How a notice fares: counts by class and school, families one by one, what was done when, and a sheet to take away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from bot.audit.log import Audit
from bot.clock import to_local
from bot.delivery.outbox import Outbox
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.notices import texts
from handlers.notices.domain import NoticeState, QuestionKind
from handlers.notices.models import Notice
from handlers.notices.service.outcomes import Outcomes
from handlers.notices.service.rows import questions_of, reason_of, reported, subject_of
from handlers.notices.service.sending import FIRST
from handlers.notices.service.showing import Showing
from handlers.notices.service.views import ChildOutcome, Count, Exported, NoticeView, PersonOutcome, Report, Sent, Step

_EXPORT: Final = "export"
_FAMILIES: Final = "families"


class NoticeReports:
    """For those who answer for the places a notice went to; each sees no further than their own."""

    def __init__(self, outcomes: Outcomes, showing: Showing, offices: Offices, *, outbox: Outbox, audit: Audit) -> None:
        self._outcomes = outcomes
        self._outbox = outbox
        self._showing = showing
        self._offices = offices
        self._audit = audit

    async def report(self, actor: Actor, notice_id: str) -> Report:
        """The counts. Raises NotFound."""
        row, reach = await reported(actor, notice_id)
        children = await self._outcomes.children(row, reach, is_named=False)
        staff = await self._outcomes.staff(row)
        people = {each.person_id: each for child in children for each in child.people}
        people |= {each.person_id: each for each in staff}
        return Report(
            notice=await self._showing.view(actor, row),
            total=_count("", "", "", children),
            schools=_grouped(children, lambda each: (each.school, each.school, "")),
            classes=_grouped(children, lambda each: (each.class_name, each.school, each.class_id)),
            staff=staff,
            by_channel=Counter(each.channel for each in people.values() if each.told_at is not None),
            by_status=Counter(each.status for each in people.values() if each.status),
            by_way=_ways(children, people.values()),
            choices=_choices(row, people.values()),
        )

    async def notice(self, actor: Actor, notice_id: str) -> NoticeView:
        """The notice alone. Raises NotFound."""
        row, _ = await reported(actor, notice_id)
        return await self._showing.view(actor, row)

    async def sent(self, actor: Actor, notice_id: str) -> Sent:
        """How far sending is, from one count: for a page that asks every other second. Raises NotFound."""
        row, _ = await reported(actor, notice_id)
        found = await self._outbox.progress(reason_of(row.id), FIRST)
        # Where everything has its outcome, the notice itself ends with the next tick.
        is_moving = row.state is NoticeState.SENDING and (found.moving > 0 or not found.unsettled)
        return Sent(row.state, {status.value: count for status, count in found.by_status.items()}, is_moving)

    async def families(self, actor: Actor, notice_id: str, *, class_id: str | None = None) -> list[ChildOutcome]:
        """Child by child: the list of calls, and of who answered what; looking at it is written down."""
        row, reach = await reported(actor, notice_id)
        children = await self._outcomes.children(row, reach, class_id)
        await self._note(actor, row, _FAMILIES)
        return children

    async def timeline(self, actor: Actor, notice_id: str) -> list[Step]:
        """What was done, the earliest first."""
        row, _ = await reported(actor, notice_id)
        people = await self._offices.people([str(each) for each in (row.written_by, row.approved_by) if each])
        names = {person: caller.name for person, caller in people.items()}
        author, second = names.get(str(row.written_by), ""), names.get(str(row.approved_by), "")
        is_over = texts.STATES[row.state]
        steps: list[tuple[datetime | None, str, str]] = [
            (row.created_at, texts.STEP_WRITTEN, author),
            (row.approved_at, texts.STEP_APPROVED, second),
            (row.begun_at, texts.STEP_BEGUN, ""),
            (row.sent_at, texts.STEP_SENT, ""),
            (row.reminded_at, texts.STEP_REMINDED.format(count=row.reminded), ""),
            (row.escalated_at, texts.STEP_ESCALATED, ""),
            (row.closed_at, is_over if row.state in (NoticeState.CLOSED, NoticeState.RECALLED) else "", ""),
        ]
        found = [Step(at, what, who) for at, what, who in steps if at is not None and what]
        return sorted(found, key=lambda each: each.at)

    async def sheet(self, actor: Actor, notice_id: str) -> Exported:
        """Every child with what became of it, as text; taking it away is written down."""
        row, reach = await reported(actor, notice_id)
        children = await self._outcomes.children(row, reach)
        questions = questions_of(row)
        await self._note(actor, row, _EXPORT)
        rows = [(*_line(each), *_answers(each, [question.key for question in questions])) for each in children]
        head = (*texts.SHEET_HEAD, *(question.text for question in questions))
        return Exported(await self._showing.view(actor, row), head, rows)

    async def _note(self, actor: Actor, row: Notice, purpose: str) -> None:
        async with transaction():
            await self._audit.record(
                actor, Action.NOTICE_REPORT, f"notice:{row.id}", whose=subject_of(row), purpose=purpose
            )


# --------------------------------------------------------------------------------------------------------------- counts
def _count(title: str, school: str, class_id: str, children: Sequence[ChildOutcome]) -> Count:
    return Count(
        title=title,
        school=school,
        class_id=class_id,
        children=len(children),
        told=sum(each.is_told for each in children),
        opened=sum(each.is_opened for each in children),
        confirmed=sum(each.is_confirmed for each in children),
        by_hand=sum(each.by_hand is not None for each in children),
        not_reached=sum(not each.is_reached for each in children),
    )


def _grouped(children: Sequence[ChildOutcome], key: Callable[[ChildOutcome], tuple[str, str, str]]) -> list[Count]:
    groups: dict[tuple[str, str, str], list[ChildOutcome]] = defaultdict(list)
    for child in children:
        groups[key(child)].append(child)
    return [_count(*place, members) for place, members in groups.items()]


def _ways(children: Iterable[ChildOutcome], people: Iterable[PersonOutcome]) -> Counter[str]:
    """How confirmations came, and how families were told by hand."""
    ways = Counter(each.how.value for each in people if each.confirmed_at is not None and each.how is not None)
    ways.update(each.by_hand.value for each in children if each.by_hand is not None and not each.is_told)
    return ways


def _choices(row: Notice, people: Iterable[PersonOutcome]) -> dict[str, Counter[str]]:
    answers = [each.answers for each in people if each.answers]
    return {
        question.key: Counter(said[question.key] for said in answers if question.key in said)
        for question in questions_of(row)
        if question.kind is QuestionKind.CHOICE
    }


# ---------------------------------------------------------------------------------------------------------------- sheet
def _line(child: ChildOutcome) -> tuple[str, ...]:
    told = next((each for each in child.people if each.told_at is not None), None)
    done = next((each for each in child.people if each.confirmed_at is not None), None)
    hand = texts.HOW[child.by_hand] if child.by_hand else ""
    return (
        child.school,
        child.class_name,
        child.name,
        texts.YES if child.is_reached else texts.NO,
        texts.CHANNELS.get(told.channel, told.channel) if told else hand,
        texts.YES if child.is_opened else texts.NO,
        texts.YES if child.is_confirmed else texts.NO,
        f"{done.name}（{done.relation}）" if done else "",
        texts.HOW[done.how] if done and done.how else "",
        f"{to_local(done.confirmed_at):%Y-%m-%d %H:%M}" if done and done.confirmed_at else "",
        f"{hand} {child.by_hand_by}".strip() if hand else "",
    )


def _answers(child: ChildOutcome, keys: Sequence[str]) -> tuple[str, ...]:
    """Of several guardians, each answer."""
    return tuple(
        texts.COMMA.join(dict.fromkeys(each.answers[key] for each in child.people if key in each.answers))
        for key in keys
    )
