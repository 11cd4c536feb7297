"""Rules of handing over: the states of a record, who owns it, how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.errors import Conflict, NotFound

MAX_ASKED = 1000
"""Characters of what a person hands over; WeChat takes some 680 Chinese ones in a message."""

MAX_ANSWER = 400
"""Characters of what an owner answers: fits into one bubble with what stands around it."""

PAGE = 450
"""Characters of a matter shown at a time."""

TAG_LENGTH = 4


class HandOverState(StrEnum):
    """How far a hand-over has come."""

    OPEN = "open"
    URGENT = "urgent"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


class HandOverEvent(StrEnum):
    """What an owner does with one."""

    CLAIM = "claim"
    ANSWER = "answer"
    CLOSE = "close"


_S, _E = HandOverState, HandOverEvent
MOVES: Mapping[tuple[HandOverState, HandOverEvent], HandOverState] = {
    (_S.OPEN, _E.CLAIM): _S.CLAIMED,
    (_S.URGENT, _E.CLAIM): _S.CLAIMED,
    (_S.CLAIMED, _E.CLAIM): _S.CLAIMED,
    (_S.ANSWERED, _E.CLAIM): _S.ANSWERED,
    (_S.OPEN, _E.ANSWER): _S.ANSWERED,
    (_S.URGENT, _E.ANSWER): _S.ANSWERED,
    (_S.CLAIMED, _E.ANSWER): _S.ANSWERED,
    (_S.ANSWERED, _E.ANSWER): _S.ANSWERED,
    (_S.OPEN, _E.CLOSE): _S.CLOSED,
    (_S.URGENT, _E.CLOSE): _S.CLOSED,
    (_S.CLAIMED, _E.CLOSE): _S.CLOSED,
    (_S.ANSWERED, _E.CLOSE): _S.CLOSED,
}
UNFINISHED = frozenset(HandOverState) - {HandOverState.CLOSED}
UNANSWERED = UNFINISHED - {HandOverState.ANSWERED}


class HandOverClosed(Conflict):
    """The hand-over is closed, and nothing moves it any more."""

    code = "hand_over_closed"


class HandOverNotFound(NotFound):
    """No such number, or not the owner's."""

    code = "hand_over_not_found"


def advance(current: HandOverState, event: HandOverEvent) -> HandOverState:
    """The state after an event. Raises HandOverClosed, the only one that takes none."""
    try:
        return MOVES[current, event]
    except KeyError:
        raise HandOverClosed from None


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody on duty. No `places`: every place."""

    index: str
    openid: str = field(repr=False)
    name: str = field(repr=False)
    places: tuple[str, ...] = ()

    def covers(self, place: str | None) -> bool:
        """Whether the place is named as theirs, as a part of theirs, or as what theirs is a part of."""
        return place is not None and any(own in place or place in own for own in self.places)


def owner_for(owners: Sequence[Owner], place: str | None, load: Mapping[str, int]) -> Owner | None:
    """Who takes a matter of a place: of those named for it, else of those for everywhere, else of all, the one with
    the least unfinished; among equals the first. None when nobody is on duty."""
    candidates = [owner for owner in owners if owner.covers(place)]
    candidates = candidates or [owner for owner in owners if not owner.places] or list(owners)
    return min(candidates, key=lambda owner: load.get(owner.index, 0), default=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """An owner's answer. `is_told`: the asker has got it."""

    id: str
    text: str = field(repr=False)
    is_told: bool


@dataclass(frozen=True, slots=True)
class HandOver:
    """A matter handed to people. `asker_tag` tells askers apart without naming them, None when they have left;
    `alarm` is what the guard recognised, None for an ordinary matter."""

    number: int
    state: HandOverState
    text: str = field(repr=False)
    created_at: datetime
    asker_tag: str | None
    place: str | None = None
    alarm: str | None = None
    owner_name: str | None = field(default=None, repr=False)
    replies: tuple[Reply, ...] = ()

    @property
    def is_urgent(self) -> bool:
        """Whether it was made because a child may be in danger."""
        return self.alarm is not None


def tag_of(openid_index: str) -> str:
    """A few characters that tell one asker from another in a list."""
    letters = [letter for letter in openid_index if letter.isalnum()]
    return "".join(letters[:TAG_LENGTH]).lower()


def shortened(text: str, length: int) -> str:
    """The text in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def page_of(text: str, page: int) -> tuple[str, bool]:
    """The part of a text on a page (from 1), and whether more follows. Beyond the end: nothing."""
    start = (page - 1) * PAGE
    return text[start : start + PAGE], len(text) > start + PAGE


def age(created_at: datetime, now: datetime) -> timedelta:
    """How long ago; never negative, whatever the clocks say."""
    return max(timedelta(0), now - created_at)
