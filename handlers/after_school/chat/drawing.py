"""Why a draw came so, in the chat of families."""

from __future__ import annotations

from bot.dialogue.context import ChatContext
from bot.dialogue.router import Route, Tier, both
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.after_school.chat.sign_up import FAMILIES, asks
from handlers.after_school.domain.words import Wanted
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.drawing.wording import reply
from handlers.after_school.service.family import FamilyService
from handlers.after_school.texts import drawing as texts


class DrawChat:
    """The handler, over the services."""

    def __init__(self, family: FamilyService, draws: DrawReading) -> None:
        self._family = family
        self._draws = draws

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="after_school.draw", tier=Tier.KEYWORD, of=TextMessage, when=both(FAMILIES, asks(Wanted.DRAWN)),
                handle=self.drawn, action=Action.SERVICE_SIGN_UP, changes=False, protected=True,
            ),
        )  # fmt: skip

    async def drawn(self, context: ChatContext, message: TextMessage) -> Reply:
        """抽签结果: of the last draw of each child."""
        children = await self._family.children(context.actor)
        told = await self._draws.of_children({child.id for child in children})
        found = [(child.name, told[child.id]) for child in children if child.id in told]
        return TextReply(reply(found) if found else texts.NOTHING)
