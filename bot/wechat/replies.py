"""What we answer: the reply values, their fitting into WeChat's limits, and their form in the store."""

import re
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from bot.wechat.errors import MalformedMessage
from bot.wechat.xml import printable

MAX_TEXT_BYTES = 2048
NOTHING = b"success"

_ELLIPSIS = "…"
_SENTENCE_END = re.compile(r"[。！？；!?;\n]+[」』”’）)]*")
_CLAUSE_END = re.compile(r"[，、,：:\s]+")
_ZERO_WIDTH_JOINER = "\u200d"
_OPEN_LINK = re.compile(r"<a\b(?:(?!</a>).)*\Z", re.S)


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing is shown to the user; WeChat does not deliver the message again."""


@dataclass(frozen=True, slots=True)
class TextReply:
    """A text bubble. `text` may have any length; it is shortened when it is rendered."""

    text: str


Reply: TypeAlias = TextReply | NoReply
NO_REPLY = NoReply()

_STORED_NOTHING = b"-"
_STORED_TEXT = b"t"


def to_stored(reply: Reply) -> bytes:
    """The reply as remembered for a repetition of the same message; `from_stored` reads it back."""
    if isinstance(reply, TextReply):
        return _STORED_TEXT + printable(reply.text).encode()
    return _STORED_NOTHING


def from_stored(stored: bytes) -> Reply:
    """Raises MalformedMessage when `stored` is not the work of `to_stored`."""
    if stored == _STORED_NOTHING:
        return NO_REPLY
    try:
        text = stored.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessage("a remembered reply is not readable") from None
    if not stored.startswith(_STORED_TEXT):
        raise MalformedMessage("a remembered reply is of an unknown kind")
    return TextReply(text[1:])


def fit_text(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """`text` as it may be sent: without forbidden characters and at most `limit` bytes of UTF-8.

    What is too long ends with "…" after the last whole sentence, else after the last clause, else between
    two characters as the reader sees them; a link is left out whole rather than cut.
    """
    text = printable(text)
    if len(text) * 4 <= limit or len(text.encode()) <= limit:
        return text
    room = limit - len(_ELLIPSIS.encode())
    longest = text.encode()[:room].decode("utf-8", "ignore")
    end = _character_border(text, len(longest))
    open_link = _OPEN_LINK.search(text, 0, end)
    if open_link and open_link.start():
        end = open_link.start()
    for border in (_SENTENCE_END, _CLAUSE_END):
        ends = [match.end() for match in border.finditer(text, 0, end)]
        # A border in the first half would throw away more than it tidies.
        if ends and ends[-1] * 2 >= end:
            end = ends[-1]
            break
    return text[:end].rstrip() + _ELLIPSIS


def _character_border(text: str, end: int) -> int:
    """The nearest place at or before `end` that does not part a letter from its marks or a joined emoji."""
    while 0 < end < len(text) and (_belongs_to_previous(text[end]) or text[end - 1] == _ZERO_WIDTH_JOINER):
        end -= 1
    return end


def _belongs_to_previous(character: str) -> bool:
    return (
        character == _ZERO_WIDTH_JOINER
        or unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
