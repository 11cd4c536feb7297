"""What is to be told, asked of those whose matter it is: nothing of it is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, PushSource

_LEFT_OUT: Final = NotNeeded("left_out")


async def composed_of(
    sources: Mapping[str, PushSource], pushes: Sequence[Push], now: datetime
) -> Mapping[str, Composed | NotNeeded | NotYet]:
    """The words by the id of the push. Of a source that is not there (any more) nothing is known: left out."""
    by_source: dict[str, list[Push]] = defaultdict(list)
    for push in pushes:
        by_source[push.reason.partition(":")[0]].append(push)
    found: dict[str, Composed | NotNeeded | NotYet] = {}
    for name, own in by_source.items():
        if source := sources.get(name):
            words = await source.compose(own, now)
            found.update({push.id: words.get(push.id, _LEFT_OUT) for push in own})
    return found
