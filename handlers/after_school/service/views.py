"""What the services give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.offers import ProgrammeStatus
from handlers.after_school.domain.plans import PlanState, Selection
from handlers.after_school.domain.states import EnrolmentState


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme as the family of a child sees it. `places` and `places_left` None: as many as come; a place that is
    offered to somebody is not left. `opens_at`, `closes_at`: for the child's grade. `enrolment_id`: the child's own
    sign-up."""

    id: str
    plan_id: str
    plan_title: str
    title: str
    weekdays: tuple[int, ...]
    starts_at: str
    ends_at: str
    room: str
    pick_up_point: str
    places: int | None
    places_left: int | None
    selection: Selection
    fee_basis: FeeBasis
    fee_fen: int
    fee_clause: str
    complaint_phone: str
    opens_at: datetime
    closes_at: datetime
    status: ProgrammeStatus
    enrolment_id: str | None = None
    enrolment_state: EnrolmentState | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """A sign-up. `position`: where it stands in the line now (right after signing up: as told), None when it does not
    wait. `offered_until`: until when a place is kept."""

    id: str
    child_id: str
    programme_id: str
    programme: str
    state: EnrolmentState
    position: int | None = None
    offered_until: datetime | None = None
    rank: int | None = None
    together_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as those see it who write it."""

    id: str
    version: int
    state: PlanState
    title: str
    term: str
    township_id: str
    school_id: str | None
    pools: tuple[PoolView, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolView:
    """Places that programmes share."""

    id: str
    title: str
    places: int | None
    taken: int
    waiting: int
    programmes: tuple[tuple[str, str], ...]
