"""The words of a notice as they go to a phone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from bot.clock import to_local
from bot.delivery.pushes import Composed, Slot
from handlers.notices import texts
from handlers.notices.domain import Confirmation, Link
from handlers.notices.service.content import notes_on, spoken

# A text of 2,048 bytes is what the platform takes; a little is left for what a channel puts around it.
MOST_BYTES: Final = 2000
_NEXT: Final[Mapping[Confirmation, str]] = {
    Confirmation.NONE: texts.NEXT_NONE,
    Confirmation.OPENED: texts.NEXT_OPENED,
    Confirmation.BUTTON: texts.NEXT_BUTTON,
    Confirmation.FORM: texts.NEXT_FORM,
}
_HEADS: Final = {"first": texts.PUSH_HEAD, "again": texts.PUSH_AGAIN, "correction": texts.PUSH_CORRECTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is to be told to one person. `kind`: `first`, `again` or `correction` (then `corrects` is the number of the
    original); `children`: names, of those who may be named; `address`: where to read it all, "" for nowhere."""

    number: int
    kind: str
    title: str
    text: str
    sender: str
    written_on: date
    confirmation: Confirmation
    deadline: datetime | None = None
    links: Sequence[Link] = ()
    children: Sequence[str] = field(default=(), repr=False)
    corrects: int | None = None
    path: str = field(default="", repr=False)
    address: str = field(default="", repr=False)


def composed(words: Words) -> Composed:
    """As delivery wants it."""
    when = moment(words.deadline) if words.deadline else ""
    slots: dict[Slot, str | date | datetime] = {Slot.SUBJECT: words.title, Slot.SENDER: words.sender}
    if words.deadline:
        slots[Slot.WHEN] = words.deadline
    slots[Slot.NOTE] = texts.COMMA.join(words.children) or words.text
    return Composed(
        text=_text(words, when),
        line=texts.LINE.format(
            sender=words.sender,
            title=words.title,
            deadline=texts.LINE_DEADLINE.format(when=when)
            if when and words.confirmation is not Confirmation.NONE
            else "",
        ),
        slots=slots,
        path=words.path,
    )


def moment(at: datetime) -> str:
    """9月10日（星期四）下午6点, as people say it: no clock of 24 hours."""
    local = to_local(at)
    part, off = next((part, off) for hour, part, off in texts.PARTS_OF_DAY if local.hour >= hour)
    minute = texts.MINUTE.format(minute=local.minute) if local.minute else ""
    return texts.MOMENT.format(day=spoken(local.date()), part=part, hour=local.hour - off, minute=minute)


def _text(words: Words, when: str) -> str:
    head = _HEADS[words.kind].format(sender=words.sender, title=words.title, number=words.corrects)
    tail = [
        *notes_on(f"{words.title} {words.text}", words.written_on),
        *([texts.PUSH_CHILDREN.format(children=texts.COMMA.join(words.children))] if words.children else []),
        *([texts.PUSH_DEADLINE.format(when=when)] if when else []),
        *(
            [texts.PUSH_LINKS.format(titles=texts.COMMA.join(each.title for each in words.links))]
            if words.links
            else []
        ),
        *([texts.PUSH_PAGE.format(address=words.address)] if words.address else []),
        _NEXT[words.confirmation].format(number=words.number),
    ]
    left = MOST_BYTES - len("\n".join([head, *tail]).encode()) - 1
    body = shortened(words.text, left, texts.PUSH_CUT.format(number=words.number))
    # A short notice is its own title: nobody is told the same twice.
    return "\n".join([head, *([] if words.text == words.title else [body]), *tail])


def shortened(text: str, most: int, sign: str) -> str:
    """The text in at most so many bytes of UTF-8, ending in the sign when something is left out."""
    if len(text.encode()) <= most:
        return text
    room = max(0, most - len(sign.encode()))
    return text.encode()[:room].decode(errors="ignore") + sign
