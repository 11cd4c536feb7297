"""Everything said and signed up for in a plan, child by child, as it was known at a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from tortoise.expressions import Q, Subquery

from handlers.after_school.domain.ledger import Heard, SignUp, Standing, Voice, heard
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolEnrolmentEvent, AfterSchoolStatement

NOTHING: Final = Heard(Standing.UNANSWERED)
_SLICE: Final = 200


class _Event(NamedTuple):
    at: datetime
    before: EnrolmentState | None
    after: EnrolmentState
    via: Source


async def ledger(plan_id: str, child_ids: Collection[str], until: datetime | None = None) -> Mapping[str, Heard]:
    """By child. `until`: what came in at that moment or later does not count, nor that something was taken back then;
    None: all. Of whom nothing is known, nothing is in it."""
    wanted = list(child_ids)
    found: dict[str, Heard] = {}
    # A township's children at once would keep everybody else waiting while they are put together.
    for start in range(0, len(wanted), _SLICE):
        some = [UUID(each) for each in wanted[start : start + _SLICE]]
        voices = await _statements(plan_id, some, until)
        sign_ups = await _sign_ups(plan_id, some, until)
        found |= {child: heard(voices.get(child, ()), sign_ups.get(child, ())) for child in {*voices, *sign_ups}}
    return found


async def _statements(plan_id: str, child_ids: Sequence[UUID], until: datetime | None) -> Mapping[str, list[Voice]]:
    rows = AfterSchoolStatement.filter(plan_id=UUID(plan_id), pupil_id__in=child_ids)
    if until is None:
        rows = rows.filter(taken_back_at=None)
    else:
        rows = rows.filter(Q(taken_back_at=None) | Q(taken_back_at__gte=until), created_at__lt=until)
    found: dict[str, list[Voice]] = defaultdict(list)
    # Without the reason: the family's words are read where they are wanted.
    columns = (
        "id", "pupil_id", "wish", "source", "said_at", "created_at", "settles", "programme_id", "entered_by",
        "consent_how",
    )  # fmt: skip
    for own, pupil, wish, source, said_at, known_at, settles, programme, by, how in await rows.values_list(*columns):
        found[str(pupil)].append(
            Voice(
                Wish(wish),
                Source(source),
                said_at,
                known_at,
                settles=bool(settles),
                programme_id=str(programme) if programme else None,
                entered_by=str(by) if by else None,
                consent_how=ConsentHow(how) if how else None,
                id=str(own),
            )
        )
    return found


async def _sign_ups(plan_id: str, child_ids: Sequence[UUID], until: datetime | None) -> Mapping[str, list[SignUp]]:
    rows = AfterSchoolEnrolment.filter(plan_id=UUID(plan_id), pupil_id__in=child_ids)
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
