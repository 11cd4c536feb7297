"""What each answer of the platform means for a push: one table of error codes, states and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from bot.clock import SHANGHAI, to_local, to_utc
from bot.delivery.models import DeliveryStatus
from bot.delivery.pushes import ChannelName
from bot.wechat.errors import OutcomeUnknown, Reaction, WeChatError, WeChatUnreachable

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=30)
OPERATOR_PAUSE: Final = timedelta(minutes=10)
MAX_ATTEMPTS: Final = 8
# Channels where the platform itself refuses to take the same message twice.
KEYED: Final = frozenset({ChannelName.TEMPLATE, ChannelName.MASS})


class After(StrEnum):
    """What is done besides settling the push."""

    NOTHING = "nothing"
    RETRY = "retry"
    """The same again, after a pause that grows."""
    NEXT_MINUTE = "next_minute"
    """Nothing through this channel before the next minute."""
    NEXT_DAY = "next_day"
    """Nothing through this channel before midnight in China."""
    OTHER_CHANNEL = "other_channel"
    """This channel does not reach the person: another at once."""
    USED_UP = "used_up"
    """The consent is gone, in the ledger too: another channel."""
    CLOSE_WINDOW = "close_window"
    """The chat is closed, in the ledger too: another channel."""
    STOP_TEMPLATE = "stop_template"
    """An operator must act: nothing with this template for a while, other channels instead."""
    STOP_CHANNEL = "stop_channel"
    """An operator must act: nothing through this channel for a while."""
    REVIEW = "review"
    """Never again as it stands: a person looks at it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state a push gets, and what follows."""

    status: DeliveryStatus
    after: After = After.NOTHING


_S = DeliveryStatus
_SENT = Outcome(_S.SENT)
_RETRY = Outcome(_S.PLANNED, After.RETRY)
_ELSEWHERE = Outcome(_S.PLANNED, After.OTHER_CHANNEL)
_NO_TEMPLATE = Outcome(_S.PLANNED, After.STOP_TEMPLATE)
_NO_CHANNEL = Outcome(_S.PLANNED, After.STOP_CHANNEL)
_BAD = Outcome(_S.FAILED, After.REVIEW)

OUTCOMES: Final[Mapping[int, Outcome]] = {
    -1: _RETRY,
    0: _SENT,
    40001: _RETRY,  # the client has renewed the token and repeated once already
    40003: _ELSEWHERE,
    40013: _NO_CHANNEL,
    40014: _RETRY,
    40035: _BAD,
    40037: _NO_TEMPLATE,
    40102: _NO_TEMPLATE,
    40125: _NO_CHANNEL,
    40130: _ELSEWHERE,  # a mass message for fewer than two
    40164: _NO_CHANNEL,
    40241: _SENT,  # the same within a minute: it was taken before
    40243: _NO_CHANNEL,
    40249: _BAD,
    40250: _BAD,
    40251: _NO_CHANNEL,
    40252: _SENT,  # under review: the platform sends it by itself
    41030: _BAD,
    42001: _RETRY,
    43004: _ELSEWHERE,
    43019: _ELSEWHERE,
    43101: Outcome(_S.PLANNED, After.USED_UP),
    43106: _NO_TEMPLATE,
    43116: _NO_TEMPLATE,
    45002: _BAD,
    45009: Outcome(_S.PLANNED, After.NEXT_DAY),
    45011: Outcome(_S.PLANNED, After.NEXT_MINUTE),
    45015: Outcome(_S.PLANNED, After.CLOSE_WINDOW),
    45026: _NO_TEMPLATE,
    45027: _NO_TEMPLATE,
    45028: _ELSEWHERE,  # the month's mass messages are used up
    45047: Outcome(_S.PLANNED, After.CLOSE_WINDOW),
    45065: _SENT,  # the same clientmsgid: it was taken before
    45066: Outcome(_S.PLANNED, After.NEXT_MINUTE),
    45067: _BAD,
    45083: _BAD,
    45084: _BAD,
    45109: _NO_CHANNEL,
    47001: _BAD,
    47003: _BAD,
    48001: _NO_CHANNEL,
    48002: _ELSEWHERE,
    48003: _NO_CHANNEL,
    48004: _NO_CHANNEL,
    48008: _NO_CHANNEL,
    87014: _BAD,
}

# For a code that is not in the table: what the client's error says should be done.
_BY_REACTION: Final[Mapping[Reaction, Outcome]] = {
    Reaction.RETRY_LATER: _RETRY,
    Reaction.RETRY_NEXT_MINUTE: Outcome(_S.PLANNED, After.NEXT_MINUTE),
    Reaction.RETRY_NEXT_DAY: Outcome(_S.PLANNED, After.NEXT_DAY),
    Reaction.RENEW_TOKEN: _RETRY,
    Reaction.DROP_RECIPIENT: _ELSEWHERE,
    Reaction.OTHER_CHANNEL: _ELSEWHERE,
    Reaction.WINDOW_CLOSED: Outcome(_S.PLANNED, After.CLOSE_WINDOW),
    Reaction.TREAT_AS_SENT: _SENT,
    Reaction.STOP_AND_ALERT: _NO_CHANNEL,
    Reaction.STOP_TEMPLATE: _NO_TEMPLATE,
    Reaction.ASK_OPERATOR: _BAD,
    Reaction.FIX_DATA: _BAD,
}


def outcome_of(error: WeChatError, channel: ChannelName, sending_apis: frozenset[str]) -> Outcome:
    """What an error means for a push through a channel. `sending_apis`: the calls that hand messages over; when another
    one fails (for a token, say), nothing has gone out."""
    if isinstance(error, OutcomeUnknown) and not isinstance(error, WeChatUnreachable):
        # It may have arrived: sending again could tell somebody twice.
        return Outcome(_S.UNKNOWN) if error.api in sending_apis else _RETRY
    outcome = None if error.errcode is None else OUTCOMES.get(error.errcode)
    outcome = outcome or _BY_REACTION[error.reaction]
    if error.errcode == -1 and error.api in sending_apis and channel not in KEYED:
        # Busy, and nothing at the platform that would recognise a second one.
        return Outcome(_S.UNKNOWN)
    return outcome


def again_at(after: After, attempts: int, now: datetime, random: Random) -> datetime:
    """When a push is tried again."""
    if after is After.NEXT_DAY:
        midnight = datetime.combine(to_local(now).date() + timedelta(days=1), time(), SHANGHAI)
        return to_utc(midnight) + random.random() * timedelta(minutes=20)
    if after is After.NEXT_MINUTE:
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1) + random.random() * timedelta(seconds=20)
    if after is After.STOP_CHANNEL:
        return now + OPERATOR_PAUSE * random.uniform(0.75, 1.25)
    if after is After.RETRY:
        pause: timedelta = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1))
        return now + pause * random.uniform(0.75, 1.25)
    return now
