"""The chat of head teachers: 统计 gives the class in one message, 未报名 whom to ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.clock import to_local
from bot.dialogue.context import ChatContext
from bot.dialogue.router import Route, Tier, both, has_role, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.after_school.domain.ledger import Standing
from handlers.after_school.service.collection.chasing import Chasing
from handlers.after_school.service.collection.tallies import TallyService
from handlers.after_school.service.collection.views import ClassTally, ToRing
from handlers.after_school.texts import collection as texts

_HEADS: Final = has_role(Role.HEAD_TEACHER)
# A message takes 2,048 bytes; so many lines with a phone each always fit.
_MOST: Final = 12


class CollectionChat:
    """The handlers, over the services."""

    def __init__(self, tallies: TallyService, chasing: Chasing) -> None:
        self._tallies = tallies
        self._chasing = chasing

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        view, text = Action.TALLY_VIEW, TextMessage
        return (
            Route(
                name="after_school.tally", tier=Tier.KEYWORD, of=text,
                when=both(_HEADS, words("统计", "报名统计", "课后服务统计")),
                handle=self.tally, action=view, changes=False, protected=True,
            ),
            Route(
                # Phones are shown, and that is written down: once for each message.
                name="after_school.ring", tier=Tier.KEYWORD, of=text,
                when=both(_HEADS, words("未报名", "没报名", "谁没报名", "未答复", "没答复")),
                handle=self.ring, action=view, changes=True,
            ),
        )  # fmt: skip

    async def tally(self, context: ChatContext, message: TextMessage) -> Reply:
        """统计."""
        found = await self._tallies.own_classes(context.actor)
        return TextReply("\n\n".join(map(_counted, found)) or texts.CHAT_NO_CLASS)

    async def ring(self, context: ChatContext, message: TextMessage) -> Reply:
        """未报名."""
        parts, left = [], _MOST
        for tally in await self._tallies.own_classes(context.actor):
            rings = await self._chasing.rings(tally)
            shown = rings[:left]
            left -= len(shown)
            phones = await self._chasing.phones(context.actor, tally, shown)
            parts.append(_ringed(tally, rings, shown, phones))
        return TextReply("\n\n".join(parts) or texts.CHAT_NO_CLASS)


def _head(tally: ClassTally) -> dict[str, object]:
    return {"school": tally.room.school, "room": tally.room.name, "title": tally.plan.title}


def _counted(tally: ClassTally) -> str:
    counts = [
        texts.CHAT_COUNT.format(words=texts.STANDINGS[name], count=count)
        for name, count in tally.counts.items()
        if count
    ]
    head = texts.CHAT_HEAD.format(**_head(tally), children=len(tally.lines))
    return "\n".join([head + texts.COMMA.join(counts), _state(tally) + _next(tally)])


def _state(tally: ClassTally) -> str:
    if tally.mark is None or not tally.is_closed:
        return texts.CHAT_OPEN
    local = to_local(tally.mark.at)
    closed = texts.CHAT_CLOSED.format(day=f"{local.month}月{local.day}日")
    return closed + (texts.CHAT_MOVED if tally.has_moved else "")


def _next(tally: ClassTally) -> str:
    if tally.counts[Standing.UNANSWERED.value] or tally.counts[Standing.DISAGREEING.value]:
        return texts.CHAT_NEXT_RING
    return texts.CHAT_NEXT_DONE if tally.is_closed and not tally.has_moved else texts.CHAT_NEXT_SIGN


def _ringed(tally: ClassTally, rings: Sequence[ToRing], shown: Sequence[ToRing], phones: Mapping[str, str]) -> str:
    if not rings:
        return texts.CHAT_RING_NONE.format(**_head(tally))
    lines = [texts.CHAT_RING_HEAD.format(**_head(tally), count=len(rings))]
    lines += [_line(ring, phones) for ring in shown]
    if len(rings) > len(shown):
        lines.append(texts.CHAT_RING_MORE.format(count=len(rings) - len(shown)))
    return "\n".join([*lines, texts.CHAT_RING_NEXT])


def _line(ring: ToRing, phones: Mapping[str, str]) -> str:
    whom = texts.CHAT_RING_NOBODY
    if ring.whom:
        first = ring.whom[0]
        phone = phones.get(first.person_id) or texts.NO_PHONE
        whom = texts.CHAT_RING_WHOM.format(relation=first.relation, name=first.name, phone=phone)
    return texts.CHAT_RING_LINE.format(name=ring.seat.name, why=texts.STANDINGS[ring.standing.value], whom=whom)
