"""Greeting, the words that work everywhere, leaving, and media nobody here can read."""

from __future__ import annotations

from bot.dialogue.context import ChatContext
from bot.dialogue.router import Handler, Route, Tier, always, both, event, idle, in_dialogue, menu_key, words
from bot.identity import Role
from bot.rights import Action, roles_for
from bot.wechat.messages import (
    NO_REPLY,
    Event,
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationMessage,
    Reply,
    TextMessage,
    TextReply,
    VideoMessage,
    VoiceMessage,
)
from handlers.support import texts
from handlers.support.service.leaving import LeavingService

HELP = "support.help"
REVOKED = frozenset({"user_authorization_revoke", "user_authorization_cancellation"})

_MENU_WORDS = ("菜单", "目录", "menu")
_HELP_WORDS = ("帮助", "怎么用", "使用说明", "help")
_LEAVE_WORDS = ("退出", "取消", "不办了", "算了")
_MEDIA: tuple[tuple[str, type[Inbound], str], ...] = (
    ("picture", ImageMessage, texts.PICTURE),
    ("voice", VoiceMessage, texts.VOICE),
    ("video", VideoMessage, texts.VIDEO),
    ("location", LocationMessage, texts.LOCATION),
    ("link", LinkMessage, texts.LINK),
)


class Greeting:
    """The handlers, over the service of leaving."""

    def __init__(self, leaving: LeavingService) -> None:
        self._leaving = leaving

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (*_word_routes(), *_event_routes(), self._leaving_route(), *_media_routes())

    def _leaving_route(self) -> Route:
        return Route(
            name="support.leaving", tier=Tier.MENU, of=Event, when=event("unsubscribe", *REVOKED),
            handle=self.leave_account, action=Action.CHAT_USE, changes=True, must_happen=True,
        )  # fmt: skip

    async def leave_account(self, context: ChatContext, message: Event) -> Reply:
        """The person unfollows, or takes back what they had allowed: then the event names whose permission it was."""
        given = message.fields.get("OpenID")
        openid = given if message.name in REVOKED and isinstance(given, str) and given else message.openid
        context.erase(await self._leaving.leave(openid))
        return NO_REPLY


def _word_routes() -> tuple[Route, ...]:
    return (
        Route(
            name="support.menu", tier=Tier.GLOBAL, of=TextMessage, when=words(*_MENU_WORDS),
            handle=_says(texts.MENU), action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.help", tier=Tier.GLOBAL, of=TextMessage, when=words(*_HELP_WORDS),
            handle=show_help, action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.nothing_to_quit", tier=Tier.GLOBAL, of=TextMessage, when=both(idle, words("退出")),
            handle=_says(texts.NOTHING_TO_LEAVE), action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.quit", tier=Tier.GLOBAL, of=TextMessage, when=both(in_dialogue, words(*_LEAVE_WORDS)),
            handle=quit_dialogue, action=Action.CHAT_USE, changes=True,
        ),
    )  # fmt: skip


def _event_routes() -> tuple[Route, ...]:
    return (
        Route(
            name="support.help.tapped", tier=Tier.MENU, of=Event, when=menu_key(HELP),
            handle=show_help, action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.follow", tier=Tier.MENU, of=Event, when=event("subscribe"),
            handle=_says(texts.GREETING), action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.tapped", tier=Tier.LAST, of=Event, when=event("click"),
            handle=_says(texts.MENU), action=Action.CHAT_USE, changes=False,
        ),
        Route(
            name="support.scan", tier=Tier.MENU, of=Event, when=event("scan", "scancode_waitmsg"),
            handle=_says(texts.BACK_AGAIN), action=Action.CHAT_USE, changes=False,
        ),
    )  # fmt: skip


def _media_routes() -> tuple[Route, ...]:
    return tuple(
        Route(
            name=f"support.media.{name}", tier=Tier.LAST, of=kind, when=always,
            handle=_says(sentence), action=Action.CHAT_USE, changes=False,
        )
        for name, kind, sentence in _MEDIA
    )  # fmt: skip


def _says(sentence: str) -> Handler:
    """A handler that says one sentence."""
    reply = TextReply(sentence)

    async def say(context: ChatContext, message: Inbound) -> Reply:
        return reply

    return say


async def show_help(context: ChatContext, message: Inbound) -> Reply:
    """帮助, by role."""
    actor = context.actor
    own = texts.HELP_DUTY if actor.has(Role.DUTY) else ""
    own += texts.HELP_DECIDING if actor.has(*roles_for(Action.BINDING_DECIDE)) else ""
    own += texts.HELP_TASKS if actor.has(*roles_for(Action.DUTY_DO)) else ""
    own += texts.HELP_ALARMS if actor.has(*roles_for(Action.ALARM_ANSWER)) else ""
    own += texts.HELP_HATS if len(actor.hats) > 1 else ""
    return TextReply(own + texts.HELP)


async def quit_dialogue(context: ChatContext, message: Inbound) -> Reply:
    """退出."""
    context.leave()
    return TextReply(texts.LEFT)
