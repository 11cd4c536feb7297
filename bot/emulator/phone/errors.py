"""What a visitor can do wrong, by name."""

from typing import ClassVar

from bot.emulator.phone import texts
from bot.errors import Conflict, InvalidInput, LimitReached, NotFound, NotPermitted


class UnknownPersona(NotFound):
    """The demo has no phone of this id."""

    code: ClassVar[str] = "unknown_persona"
    default_message: ClassVar[str] = texts.NO_PERSONA


class UnknownMessage(NotFound):
    """There is no such message in this chat."""

    code: ClassVar[str] = "unknown_message"
    default_message: ClassVar[str] = texts.NO_MESSAGE


class ForeignPage(NotPermitted):
    """The request comes from a page of another site."""

    code: ClassVar[str] = "foreign_page"
    default_message: ClassVar[str] = texts.FOREIGN_PAGE


class NotNow(Conflict):
    """The phone is in another state than the page believed."""

    code: ClassVar[str] = "not_now"


class UnreadableAct(InvalidInput):
    """Neither a message nor a button, or a message WeChat would not take."""

    code: ClassVar[str] = "unreadable_act"
    default_message: ClassVar[str] = texts.UNREADABLE


class StillWaiting(LimitReached):
    """Too many messages of this phone are on their way."""

    code: ClassVar[str] = "still_waiting"
    default_message: ClassVar[str] = texts.TOO_MUCH
