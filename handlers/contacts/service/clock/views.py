"""What is shown of the rules of the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.contacts.domain.clock import ClockRule


@dataclass(frozen=True, slots=True)
class RuleView:
    """A version of a township's rule. `by`: who entered it, "" for somebody who is not there any more."""

    rule: ClockRule
    clause: str
    entered_at: datetime
    by: str = field(default="", repr=False)
    is_current: bool = False
    is_coming: bool = False


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What another rule would change on its first day, in numbers of children: the next contact or visit due sooner,
    later, due by that day at once, and how many are counted at all. A number too small to be told is None."""

    since: date
    children: int | None
    sooner: int | None
    later: int | None
    due_at_once: int | None
