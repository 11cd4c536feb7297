"""Ways to a person's phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bot.clock import Clock
from bot.delivery.limiter import Limiter
from bot.delivery.pushes import ChannelName
from bot.wechat.client import CUSTOM_SEND, WeChatClient
from bot.wechat.errors import AllowanceUsedUp, WindowClosed
from bot.wechat.window import WindowLedger


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as a channel needs it."""

    openid: str = field(repr=False)
    openid_index: str
    text: str = field(repr=False)


class Channel(Protocol):
    """Hands messages over to a platform."""

    async def send(self, letter: Letter) -> str | None:
        """The platform's id of the message, None when it gives none. Raises WeChatError."""
        ...


class CustomerServiceChannel:
    """Messages into the open chat, for as long as the person's window is open."""

    def __init__(
        self, client: WeChatClient, ledger: WindowLedger, clock: Clock, limiter: Limiter | None = None
    ) -> None:
        """`limiter`: how fast messages go out, with those of all other workers; None as fast as they come."""
        self._limiter = limiter
        self._client = client
        self._ledger = ledger
        self._clock = clock

    async def send(self, letter: Letter) -> str | None:
        """Sends, unless the window is known to be closed. Raises WeChatError, and Unavailable before anything went
        out."""
        state = await self._ledger.state(letter.openid_index, self._clock.now())
        if state.is_open is False:
            raise WindowClosed(CUSTOM_SEND, note="known before calling")
        if self._limiter is not None:
            await self._limiter.pace(ChannelName.CUSTOMER_SERVICE)
        try:
            await self._client.send_text(letter.openid, letter.text)
        except (WindowClosed, AllowanceUsedUp):
            await self._ledger.close(letter.openid_index, self._clock.now())
            raise
        await self._ledger.spend(letter.openid_index, state)
        return None


class NullChannel:
    """Keeps what it is given: for rehearsals and tests."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []

    async def send(self, letter: Letter) -> str | None:
        """Always succeeds."""
        self.sent.append(letter)
        return f"null-{len(self.sent)}"
