"""The channels of pushes: each hands one message over to the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote

from bot.clock import Clock
from bot.delivery import texts
from bot.delivery.parcels import Outgoing, values_of
from bot.delivery.pushes import ChannelName, Composed
from bot.wechat.client import CUSTOM_SEND, MASS_SEND, SUBSCRIPTION_NOTICE_SEND, TEMPLATE_SEND, WeChatClient
from bot.wechat.errors import AllowanceUsedUp, WindowClosed
from bot.wechat.miniprogram import SUBSCRIPTION_SEND, MiniProgramClient
from bot.wechat.outgoing import MassMessage, OpenIds, SubscriptionMessage, SubscriptionNotice, TemplateMessage
from bot.wechat.window import WindowLedger

SENDING_APIS: Final = frozenset({CUSTOM_SEND, TEMPLATE_SEND, SUBSCRIPTION_NOTICE_SEND, MASS_SEND, SUBSCRIPTION_SEND})


class Sender(Protocol):
    """Hands messages over through one channel."""

    async def send(self, message: Outgoing) -> str | None:
        """The platform's id of the message, None when it gives none. Raises WeChatError, and UnfitValue for words that
        no rule makes fit."""
        ...


class Pages:
    """Where a message leads."""

    def __init__(self, public_url: str, push_page: str) -> None:
        """`push_page`: the page of the mini-program that shows a page of ours, "" for its first page."""
        self._public_url = public_url.rstrip("/")
        self._push_page = push_page.strip("/")

    def address(self, words: Composed) -> str:
        """The address of its page, "" when it leads nowhere."""
        return self._public_url + words.path if words.path and self._public_url else ""

    def mini_program(self, words: Composed) -> str:
        """The page of the mini-program."""
        return f"{self._push_page}?path={quote(words.path, safe='')}" if self._push_page and words.path else ""

    def text(self, words: Composed) -> str:
        """The whole, for the chat."""
        address = self.address(words)
        return texts.LINK.format(text=words.text, url=address) if address else words.text


class TemplateSender:
    """Template messages of the 服务号."""

    def __init__(self, client: WeChatClient, pages: Pages, clock: Clock) -> None:
        self._client, self._pages, self._clock = client, pages, clock

    async def send(self, message: Outgoing) -> str | None:
        """See `Sender`."""
        template = message.way.template
        assert template is not None
        values = values_of(template, message.words, self._clock.now())
        url = self._pages.address(message.words)
        ready = TemplateMessage(template_id=template.id, values=values, url=url, client_msg_id=message.key)
        return await self._client.send_template(message.way.openid, ready)


class NoticeSender:
    """订阅通知 of the 服务号."""

    def __init__(self, client: WeChatClient, pages: Pages, clock: Clock) -> None:
        self._client, self._pages, self._clock = client, pages, clock

    async def send(self, message: Outgoing) -> str | None:
        """See `Sender`."""
        template = message.way.template
        assert template is not None
        values = values_of(template, message.words, self._clock.now())
        ready = SubscriptionNotice(template_id=template.id, values=values, url=self._pages.address(message.words))
        await self._client.send_subscription_notice(message.way.openid, ready)
        return None


class MiniProgramSender:
    """订阅消息 of the mini-program."""

    def __init__(self, client: MiniProgramClient, pages: Pages, clock: Clock) -> None:
        self._client, self._pages, self._clock = client, pages, clock

    async def send(self, message: Outgoing) -> str | None:
        """See `Sender`."""
        template = message.way.template
        assert template is not None
        values = values_of(template, message.words, self._clock.now())
        page = self._pages.mini_program(message.words)
        ready = SubscriptionMessage(template_id=template.id, values=values, page=page)
        return await self._client.send_subscription(message.way.openid, ready)


class ChatSender:
    """Messages into the open chat."""

    def __init__(self, client: WeChatClient, pages: Pages, clock: Clock, ledger: WindowLedger) -> None:
        self._client, self._pages, self._clock, self._ledger = client, pages, clock, ledger

    async def send(self, message: Outgoing) -> str | None:
        """See `Sender`."""
        way = message.way
        state = await self._ledger.state(way.recipient_index, self._clock.now())
        if state.is_open is False:
            raise WindowClosed(CUSTOM_SEND, errcode=45015, note="known before calling")
        try:
            await self._client.send_text(way.openid, self._pages.text(message.words))
        except (WindowClosed, AllowanceUsedUp):
            await self._ledger.close(way.recipient_index, self._clock.now())
            raise
        await self._ledger.spend(way.recipient_index, state)
        return None


class MassSender:
    """A text to many followers at once."""

    def __init__(self, client: WeChatClient, pages: Pages) -> None:
        self._client, self._pages = client, pages

    async def send(self, message: Outgoing) -> str | None:
        """See `Sender`."""
        audience = OpenIds([way.openid for way in message.ways])
        text = self._pages.text(message.words)
        job = await self._client.mass_send(MassMessage(audience=audience, text=text, clientmsgid=message.key))
        return job.message_id


def senders_of(
    wechat: WeChatClient, miniprogram: MiniProgramClient, pages: Pages, clock: Clock, ledger: WindowLedger
) -> Mapping[ChannelName, Sender]:
    """All channels over the clients."""
    return {
        ChannelName.TEMPLATE: TemplateSender(wechat, pages, clock),
        ChannelName.SUBSCRIPTION_NOTICE: NoticeSender(wechat, pages, clock),
        ChannelName.MINI_PROGRAM: MiniProgramSender(miniprogram, pages, clock),
        ChannelName.CUSTOMER_SERVICE: ChatSender(wechat, pages, clock, ledger),
        ChannelName.MASS: MassSender(wechat, pages),
    }
