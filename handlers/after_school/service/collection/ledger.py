"""Everything said and signed up for in a plan, child by child, as it was known at a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tortoise.expressions import Q, Subquery

from handlers.after_school.domain.ledger import Heard, SignUp, Standing, Voice, heard
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolEnrolmentEvent, AfterSchoolStatement

NOTHING = Heard(Standing.UNANSWERED)


class _Event(NamedTuple):
    at: datetime
    before: EnrolmentState | None
    after: EnrolmentState
    via: Source


async def ledger(
    plan_id: str, child_ids: Collection[str] | None = None, until: datetime | None = None
) -> Mapping[str, Heard]:
    """By child; of some children only when they are named. `until`: what came in at that moment or later does not
    count, nor that something was taken back then; None: all. Of whom nothing is known, nothing is in it."""
    voices = await _statements(plan_id, child_ids, until)
    sign_ups = await _sign_ups(plan_id, child_ids, until)
    return {child: heard(voices.get(child, ()), sign_ups.get(child, ())) for child in {*voices, *sign_ups}}


async def _statements(
    plan_id: str, child_ids: Collection[str] | None, until: datetime | None
) -> Mapping[str, list[Voice]]:
    rows = AfterSchoolStatement.filter(plan_id=UUID(plan_id))
    if until is None:
        rows = rows.filter(taken_back_at=None)
    else:
        rows = rows.filter(Q(taken_back_at=None) | Q(taken_back_at__gte=until), created_at__lt=until)
    if child_ids is not None:
        rows = rows.filter(pupil_id__in=[UUID(each) for each in child_ids])
    found: dict[str, list[Voice]] = defaultdict(list)
    # Without the reason: the family's words are read where they are wanted.
    for row in await rows.only(
        "id", "pupil_id", "wish", "source", "said_at", "created_at", "settles", "programme_id", "entered_by",
        "consent_how",
    ):  # fmt: skip
        found[str(row.pupil_id)].append(
            Voice(
                row.wish,
                row.source,
                row.said_at,
                row.created_at,
                settles=row.settles,
                programme_id=str(row.programme_id) if row.programme_id else None,
                entered_by=str(row.entered_by) if row.entered_by else None,
                consent_how=row.consent_how,
                id=str(row.id),
            )
        )
    return found


async def _sign_ups(
    plan_id: str, child_ids: Collection[str] | None, until: datetime | None
) -> Mapping[str, list[SignUp]]:
    rows = AfterSchoolEnrolment.filter(plan_id=UUID(plan_id))
    if child_ids is not None:
        rows = rows.filter(pupil_id__in=[UUID(each) for each in child_ids])
    events = AfterSchoolEnrolmentEvent.filter(enrolment_id__in=Subquery(rows.values("id")))
    if until is not None:
        events = events.filter(at__lt=until)
    history: dict[UUID, list[_Event]] = defaultdict(list)
    columns = ("enrolment_id", "at", "from_state", "to_state", "via")
    for own, at, before, after, via in await events.order_by("at").values_list(*columns):
        before = EnrolmentState(before) if before else None
        history[own].append(_Event(at, before, EnrolmentState(after), Source(via)))
    found: dict[str, list[SignUp]] = defaultdict(list)
    enrolments = await rows.values_list("id", "pupil_id", "programme_id", "source", "entered_by", "created_at")
    for own, pupil, programme, source, entered_by, begun in enrolments:
        last = _last(history.get(own, ()))
        if last is not None:
            by = str(entered_by) if entered_by else None
            sign_up = SignUp(str(programme), last.after, Source(source), begun, last.at, last.via, by)
            found[str(pupil)].append(sign_up)
    return found


def _last(events: Iterable[_Event]) -> _Event | None:
    """The end of the chain: of what happened at one moment, each follows on the state before it."""
    waiting, last = list(events), None
    while waiting:
        state = last.after if last else None
        following = next((each for each in waiting if each.before is state), waiting[0])
        waiting.remove(following)
        last = following
    return last
