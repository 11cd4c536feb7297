"""What a failed try to send means: settled for good, or to be tried again, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from bot.clock import SHANGHAI, to_local, to_utc
from bot.delivery.models import DeliveryStatus
from bot.wechat.client import CUSTOM_SEND
from bot.wechat.errors import OutcomeUnknown, Reaction, RecipientUnreachable, WeChatError

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
OPERATOR_PAUSE = timedelta(minutes=10)
MAX_ATTEMPTS = 8
_SENDING_APIS = frozenset({CUSTOM_SEND})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` PLANNED means to be tried again, not before `not_before`."""

    status: DeliveryStatus
    not_before: datetime | None = None
    error: str | None = None


SENT = Verdict(DeliveryStatus.SENT)


def verdict_on(error: WeChatError, attempts: int, now: datetime, random: Random) -> Verdict:
    """What becomes of a message whose try number `attempts` ended with `error`."""
    if isinstance(error, RecipientUnreachable):
        return Verdict(DeliveryStatus.UNREACHABLE, error=error.code)
    if error.reaction is Reaction.TREAT_AS_SENT:
        return Verdict(DeliveryStatus.SENT, error=error.code)
    if isinstance(error, OutcomeUnknown) and error.api in _SENDING_APIS:
        # It may have arrived: sending again could tell somebody twice.
        return Verdict(DeliveryStatus.UNKNOWN, error=error.code)
    if error.reaction in (Reaction.FIX_DATA, Reaction.DROP_RECIPIENT, Reaction.ASK_OPERATOR):
        return Verdict(DeliveryStatus.FAILED, error=error.code)
    if error.reaction is Reaction.STOP_AND_ALERT:
        return Verdict(DeliveryStatus.PLANNED, now + _jittered(OPERATOR_PAUSE, random), error.code)
    if attempts >= MAX_ATTEMPTS:
        return Verdict(DeliveryStatus.FAILED, error=error.code)
    return Verdict(DeliveryStatus.PLANNED, _next_try(error.reaction, attempts, now, random), error.code)


def _next_try(reaction: Reaction, attempts: int, now: datetime, random: Random) -> datetime:
    if reaction is Reaction.RETRY_NEXT_DAY:
        midnight = datetime.combine(to_local(now).date() + timedelta(days=1), time(), SHANGHAI)
        return to_utc(midnight) + random.random() * timedelta(minutes=20)
    if reaction is Reaction.RETRY_NEXT_MINUTE:
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1) + random.random() * timedelta(seconds=20)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1))
    return now + _jittered(pause, random)


def _jittered(pause: timedelta, random: Random) -> timedelta:
    return pause * random.uniform(0.75, 1.25)
