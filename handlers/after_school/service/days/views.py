"""What the services of every day give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.after_school.domain.days import CollectBy, DutyRole, Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group that has a lesson on a day. `class_id` None: the programme is one group. `taken_at` None: nobody has
    taken the roster yet; `is_held` False: it did not take place."""

    programme_id: str
    class_id: str | None
    title: str
    class_name: str
    starts_at: str
    ends_at: str
    room: str
    pick_up_point: str
    teacher: str = field(repr=False)
    expected: int
    on_leave: int
    here: int
    missing: int
    is_held: bool
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A child on a roster. `presence` None: not said yet. `collector`, `collector_phone`: who was named for the day, ""
    for whoever collects the child as usual."""

    child_id: str
    name: str = field(repr=False)
    class_name: str
    presence: Presence | None
    on_leave: bool
    how: CollectBy | None = None
    collector: str = field(default="", repr=False)
    collector_phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Roster:
    """A group's list on a day."""

    group: GroupLine
    day: date
    lines: Sequence[RosterLine]
    may_take: bool


@dataclass(frozen=True, slots=True)
class Alarmed:
    """A child is looked for: the alarm's key, which its page stands under."""

    child_id: str
    alarm_key: str
    number: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a roster that was handed in has changed."""

    changed: int
    missing: Sequence[Alarmed] = ()


@dataclass(frozen=True, slots=True)
class LeaveView:
    """A leave that stands. `programme_id` None: from everything."""

    id: str
    child_id: str
    child: str = field(repr=False)
    first_day: date
    last_day: date
    programme_id: str | None = None
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class CollectionView:
    """Who collects a child on a day."""

    child_id: str
    child: str = field(repr=False)
    day: date
    how: CollectBy
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty on a day."""

    id: str
    day: date
    role: DutyRole
    person_id: str
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
