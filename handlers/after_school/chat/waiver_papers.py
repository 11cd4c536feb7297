"""The chat of families: the papers for a waiver, as pictures sent into the chat.

A picture is taken only where one was asked for: after 申请减免 or 交材料, for half an hour. It is kept like one that
comes through the mini-program. The one in the chat stays there: only the family can take it away, which they are told.
"""

from __future__ import annotations

from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.router import Route, Tier, both, has_role, in_step, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import ImageMessage, Reply, TextMessage, TextReply
from handlers.after_school.domain.waivers import MOST_PICTURES, IllegalWaiverMove, WaiverState
from handlers.after_school.service.waivers.asking import WaiverAsking
from handlers.after_school.service.waivers.fetching import Fetched, PictureFetching
from handlers.after_school.texts import waivers as texts

DIALOGUE: Final = "after_school.waiver"
PAPER: Final = "paper"
"""The step that waits for pictures; its answers name the case."""
_FAMILY: Final = has_role(Role.GUARDIAN)
_GO_ON: Final = ("交材料", "补材料", "补交材料", "交减免材料", "交照片")
_DONE: Final = ("提交", "交了", "交好了", "发完了", "发好了", "好了")
_TAKING: Final = frozenset({WaiverState.DRAFT, WaiverState.SUBMITTED, WaiverState.APPEALED})


class WaiverPapers:
    """The handlers, over the service."""

    def __init__(self, asking: WaiverAsking, fetching: PictureFetching) -> None:
        self._asking = asking
        self._fetching = fetching

    def routes(self) -> tuple[Route, ...]:
        """All of them. Other words said meanwhile are answered as ever."""
        own, here = Action.WAIVER_OWN, in_step(DIALOGUE, PAPER)
        return (
            Route(
                name="after_school.waiver.picture", tier=Tier.STEP, of=ImageMessage, when=here,
                handle=self.picture, action=own, changes=True, prepare=self.fetch,
            ),
            Route(
                name="after_school.waiver.handed_in", tier=Tier.STEP, of=TextMessage, when=both(here, words(*_DONE)),
                handle=self.hand_in, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.go_on", tier=Tier.KEYWORD, of=TextMessage,
                when=both(_FAMILY, words(*_GO_ON)), handle=self.go_on, action=own, changes=True,
            ),
        )  # fmt: skip

    async def go_on(self, context: ChatContext, message: TextMessage) -> Reply:
        """交材料: for the case that still takes some."""
        found = [each for each in await self._asking.own(context.actor) if each.state in _TAKING]
        waiting = [each for each in found if each.state is WaiverState.DRAFT] or found
        if len(waiting) != 1:
            return TextReply(texts.PAPER_SEVERAL if waiting else texts.PAPER_NOTHING)
        context.enter(DIALOGUE, PAPER, {"waiver": waiting[0].id})
        return TextReply(asked_for())

    async def fetch(self, context: ChatContext, message: ImageMessage) -> Fetched:
        """What is done before anything is locked."""
        return await self._fetching.fetch(message.media_id)

    async def picture(self, context: ChatContext, message: ImageMessage) -> Reply:
        """A picture of a paper."""
        if not isinstance(context.prepared, Fetched):
            return TextReply(texts.PAPER_AGAIN)  # when it came, the step that waits for it was not yet known
        own = context.session.answers["waiver"]
        try:
            shown = await self._asking.show_prepared(context.actor, own, context.prepared.picture)
        except IllegalWaiverMove:
            context.leave()
            return TextReply(texts.PAPER_OVER)
        context.enter(DIALOGUE, PAPER, {"waiver": own})
        said = texts.PICTURE_KEPT if shown.state is WaiverState.DRAFT else texts.PICTURE_ADDED
        return TextReply(said.format(count=shown.pictures))

    async def hand_in(self, context: ChatContext, message: TextMessage) -> Reply:
        """提交: it goes to the school. What is there already only got more papers."""
        own = context.session.answers["waiver"]
        if (await self._asking.one(context.actor, own)).state is WaiverState.DRAFT:
            await self._asking.submit(context.actor, own)
        context.leave()
        return TextReply(texts.PAPER_SUBMITTED)


def asked_for() -> str:
    """What is said where pictures are awaited."""
    return texts.SEND_PICTURE.format(most=MOST_PICTURES, stays=texts.STAYS)
