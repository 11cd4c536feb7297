"""Declarations of jobs: what a capability lists, without knowing who runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Every:
    """At a steady pace, first after one span."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day at a time of the clock in China."""

    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Once a week; `weekday` 1 is Monday, 7 Sunday."""

    weekday: int
    at: time


Trigger = Every | Daily | Weekly


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a rehearsal runs a job that promises messages.

    `pace`: so far apart its ticks may be there, counted from midnight, and every message still goes out at its moment,
    because whatever the job promises, it promises that much ahead, or knows from the beginning of the day. `next_due`:
    for a job that acts on the minute, the next moment at which its tables want something of it; None for nothing.
    """

    pace: timedelta
    next_due: Callable[[], Awaitable[datetime | None]] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again.

    Every replica ticks, ticks may come late or be left out, and a run may be cut at any point: `run` does what is due
    according to its tables, and doing it twice equals doing it once. A tick more than `grace` late is left out. While a
    run goes on, further ticks of the job are left out too. `rehearsed`: how a rehearsal runs it; None: it promises no
    messages, and is not run there.
    """

    id: str
    trigger: Trigger
    run: Callable[[], Awaitable[object]]
    grace: timedelta = timedelta(minutes=1)
    rehearsed: Rehearsed | None = None
