"""What families said, on which way it came, and how it is known that they said it."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Which way something came in."""

    CHAT = "chat"
    MINIPROGRAM = "miniprogram"
    PAPER = "paper"
    PHONE = "phone"
    IMPORT = "import"
    SYSTEM = "system"
    """Nobody said it: a moment passed, or a place became free."""


class ConsentHow(StrEnum):
    """How whoever entered it for a family knows that the family wants it."""

    SIGNED_PAPER = "signed_paper"
    BY_PHONE = "by_phone"
    IN_PERSON = "in_person"


class Wish(StrEnum):
    """What a family wants for a child: the service, not the service, or a course of it."""

    JOIN = "join"
    NOT_JOIN = "not_join"
    COURSE = "course"


class TallyMove(StrEnum):
    """A class's list is closed with a signature, or opened again with a reason."""

    CLOSED = "closed"
    REOPENED = "reopened"
