"""What pages and the chat show of duties."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.accounts.domain import AppointmentKind
from handlers.duties.domain import Holders, Schedule, TaskState


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task. `place`: the class, school or township it is about; `holders`: whose it is now. `note` and `done_by`
    ("" for unknown) only once it is done."""

    id: str
    title: str
    detail: str
    place: str
    owner: AppointmentKind
    holders: Holders
    due_on: date
    state: TaskState
    is_provisional: bool
    done_by: str = field(default="", repr=False)
    done_at: datetime | None = None
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some of many."""

    tasks: list[TaskView]
    total: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule of a township. `unfinished` counts what is still to be done for it."""

    id: str
    township_id: str
    township: str
    title: str
    detail: str
    owner: AppointmentKind
    schedule: Schedule
    version: int
    unfinished: int = 0
    is_stopped: bool = False
