"""Asking anew what a card knows, for a time: which facts are old, and how far it has come. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from bot.errors import Conflict, InvalidInput
from handlers.calendar.domain import SchoolCalendar, Term
from handlers.contacts.domain.card import CONFIDENTIAL, FactKind, Holder

OLDEST_ASKED: Final = 720
LONGEST: Final = timedelta(days=92)
MOST_BEFORE: Final = 60
PHASES: Final = 3
"""Everybody is told at the beginning, in the middle and near the end: never more often."""
_LAST_DAYS: Final = timedelta(days=3)
_WINTER: Final = frozenset({12, 1, 2})
"""In which months the term before the Spring Festival ends."""


class RefreshInvalid(InvalidInput):
    """What was filled in cannot be."""

    code = "contacts_refresh_invalid"
    default_message = f"天数请填1到{OLDEST_ASKED}，结束的日子要在今天以后、三个月以内，请改正后再试。"


class RefreshRunning(Conflict):
    """One goes on already."""

    code = "contacts_refresh_running"
    default_message = "已经有一次在进行，请先结束它，或等它到期。"


class RefreshOver(Conflict):
    """It is over."""

    code = "contacts_refresh_over"
    default_message = "这一次已经结束，请刷新看看。"


@dataclass(frozen=True, slots=True)
class Said:
    """A version of a fact. `asked_on`: when it was last said or confirmed."""

    id: str
    holder: Holder
    kind: FactKind
    value: str = field(repr=False)
    asked_on: date
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A campaign: what was last asked `older_than` days before it began, or longer ago, is asked anew."""

    begun_at: datetime
    begun_on: date
    ends_on: date
    older_than: int

    @property
    def asked_before(self) -> date:
        """What was asked on that day or earlier is old."""
        return self.begun_on - timedelta(days=self.older_than)


@dataclass(frozen=True, slots=True)
class Work:
    """What a campaign asks about one child: what is still to be asked, and how much is done."""

    waiting: tuple[Said, ...] = ()
    done: int = 0


def work_of(versions: Sequence[Said], span: Span) -> Work:
    """From all versions of a child's facts, in the order they were written down. What is the protection lead's alone is
    not asked. What was not known when it began is not asked either."""
    held: dict[tuple[Holder, FactKind], Said] = {}
    newest: dict[tuple[Holder, FactKind], Said] = {}
    for each in versions:
        if each.kind in CONFIDENTIAL:
            continue
        newest[each.holder, each.kind] = each
        if each.entered_at < span.begun_at:
            held[each.holder, each.kind] = each
    old = [key for key, each in held.items() if each.asked_on <= span.asked_before]
    waiting = tuple(newest[key] for key in old if newest[key] is held[key])
    return Work(waiting, len(old) - len(waiting))


def phase_of(span: Span, today: date) -> int:
    """Which of the three times somebody is told on a day, 1 to 3."""
    if today >= span.ends_on - _LAST_DAYS:
        return PHASES
    return 2 if today >= span.begun_on + (span.ends_on - span.begun_on) / 2 else 1


def check(today: date, ends_on: date, older_than: int) -> None:
    """Raises RefreshInvalid."""
    if not 1 <= older_than <= OLDEST_ASKED or not today < ends_on <= today + LONGEST:
        raise RefreshInvalid


def check_rule(days_before: int, older_than: int) -> None:
    """Raises RefreshInvalid."""
    if not 1 <= older_than <= OLDEST_ASKED or not 1 <= days_before <= MOST_BEFORE:
        raise RefreshInvalid(f"提前的上课日请填1到{MOST_BEFORE}，天数请填1到{OLDEST_ASKED}，再保存。")


def due_term(calendar: SchoolCalendar, today: date, days_before: int) -> Term | None:
    """The term before the winter holiday, from `days_before` school days before its end on; None: not yet, or not
    now."""
    term = calendar.term_of(today)
    if term is None or term.last_day.month not in _WINTER:
        return None
    days: Collection[date] = calendar.school_days(term.first_day, term.last_day)[-days_before:]
    return term if days and today >= min(days) else None
