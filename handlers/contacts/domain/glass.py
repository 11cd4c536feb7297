"""Looking past what is one's own: on what ground, for how long, and who watches over it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

LASTS: Final = timedelta(hours=2)
"""Then it is over by itself: long enough for a night's telephone calls, too short to be a habit."""
LEAST_REASON: Final = 10
LONGEST_REASON: Final = 300


class Ground(StrEnum):
    """Why somebody has to look."""

    DANGER = "danger"
    """The child may be in danger now."""
    MISSING = "missing"
    """The child cannot be found, or did not come to school."""
    FAMILY = "family"
    """Something has happened to the family."""
    AUTHORITY = "authority"
    """The police, a court or the township asks, and the lead is not there."""
    OTHER = "other"


class ReasonMissing(InvalidInput):
    """Without a ground and words for it nothing is opened."""

    code = "contacts_glass_reason_missing"
    default_message = f"请选一种情况，并写清为什么现在要看（{LEAST_REASON}到{LONGEST_REASON}个字），再打开。"


class GlassOver(Conflict):
    """Its time is over."""

    code = "contacts_glass_over"
    default_message = "这次查看的时间已经到了。还要看的话，请重新写明理由。"


class NobodyWatches(Conflict):
    """There is nobody who could be told, so nothing is opened."""

    code = "contacts_glass_nobody_watches"
    default_message = (
        "学校没有儿童保护负责人，也没有别人可以通知，暂时不能查看。孩子有危险请打110，再请乡镇安排负责人。"
    )


class NotWatched(Conflict):
    """It is somebody else's to say that they have seen it."""

    code = "contacts_glass_not_watched"
    default_message = "这一次由别人确认：先是儿童保护负责人，没有时是校领导、乡镇；自己打开的，自己不能确认。"


def checked_reason(words: str) -> str:
    """In one line. Raises ReasonMissing."""
    said = " ".join(words.split())
    if not LEAST_REASON <= len(said) <= LONGEST_REASON:
        raise ReasonMissing
    return said


def watchers(opener: str, levels: Sequence[Collection[str]], told: Collection[str] = ()) -> tuple[str, ...]:
    """Who watches over a glass: of the first level (leads, leaders, township) that has anybody but whoever opened it
    and those who were told in vain. Nobody: ()."""
    for level in levels:
        found = tuple(person for person in level if person != opener and person not in told)
        if found:
            return found
    return ()
