"""The chat of those who are told of an alarm: 紧急事项 lists them, 接手 12 takes one on."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from bot.clock import to_local
from bot.dialogue.context import ChatContext
from bot.dialogue.router import Route, Tier, both, has_role, pattern, words
from bot.errors import NotFound
from bot.rights import Action, roles_for
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.alarms import texts
from handlers.alarms.domain import AlarmClosed
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.sheets import SheetService

LISTED: Final = 8
_ANSWERS: Final = has_role(*roles_for(Action.ALARM_ANSWER))
_NUMBER: Final = re.compile(r"\d+")
_WIDE: Final = str.maketrans("０１２３４５６７８９", "0123456789")


class AlarmChat:
    """The handlers, over the services. Their words mean something to those on the ladder only."""

    def __init__(self, alarms: AlarmService, sheets: SheetService) -> None:
        self._alarms = alarms
        self._sheets = sheets

    def routes(self) -> tuple[Route, ...]:
        """All of them. 接手 12 works in every dialogue: nothing is more urgent. Not 收到 12, which confirms a notice:
        whoever has read one must not stop an alarm of the same number."""
        return (
            Route(
                name="alarms.acknowledge", tier=Tier.GLOBAL, of=TextMessage,
                when=both(_ANSWERS, pattern(r"(?:接手|我接手|我来处理)\D{0,4}\d{1,9}\D{0,2}")),
                handle=self.acknowledge, action=Action.ALARM_ANSWER, changes=True,
            ),
            Route(
                name="alarms.list", tier=Tier.KEYWORD, of=TextMessage,
                when=both(_ANSWERS, words("紧急事项", "紧急", "警报")),
                handle=self.show, action=Action.ALARM_VIEW, changes=False, protected=True,
            ),
        )  # fmt: skip

    async def acknowledge(self, context: ChatContext, message: TextMessage) -> Reply:
        """接手 12."""
        found = _NUMBER.search(message.content.translate(_WIDE))
        number = int(found[0]) if found else 0
        try:
            await self._alarms.acknowledge_number(context.actor, number)
        except AlarmClosed:
            return TextReply(texts.CHAT_CLOSED.format(number=number))
        except NotFound as error:
            raise NotFound(texts.NOT_THERE) from error
        return TextReply(texts.CHAT_ACKNOWLEDGED.format(number=number))

    async def show(self, context: ChatContext, message: TextMessage) -> Reply:
        """紧急事项: those that are not closed, by number."""
        lines, _ = await self._sheets.lines(context.actor, limit=LISTED)
        if not lines:
            return TextReply(texts.NONE_OPEN)
        shown = [
            texts.LISTED_LINE.format(number=line.number, when=_when(line.raised_at), state=texts.STATES[line.state])
            for line in lines
        ]
        return TextReply("\n".join([texts.LISTED, *shown, texts.LISTED_TAIL]))


def _when(moment: datetime) -> str:
    local = to_local(moment)
    return texts.WHEN.format(month=local.month, day=local.day, time=f"{local:%H:%M}")
