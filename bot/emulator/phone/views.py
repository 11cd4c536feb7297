"""Lines and menus in the form the templates show them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.clock import to_local
from bot.emulator.phone.bubbles import Part, is_web, parts_of
from bot.emulator.phone.chat import Channel, Line
from bot.emulator.screen import Card

# A phone shows the time again after a pause of this length.
PAUSE: Final = timedelta(minutes=3)
ANSWERS: Final = frozenset({Channel.REPLY, Channel.SERVICE})
CARDS: Final = frozenset({Channel.TEMPLATE, Channel.SUBSCRIPTION})
FROM_ACCOUNT: Final = ANSWERS | CARDS | {Channel.MASS}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """`pause_time` is shown above the line, "" when it follows closely on the one before; `is_answer`: the options of
    earlier lines are over with it; `card` stands in the place of `parts`."""

    number: int
    channel: str
    time: str
    pause_time: str
    parts: Sequence[Part]
    has_traffic: bool
    is_from_account: bool
    is_answer: bool
    card: "CardView | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A message made from a template. `href`: where a tap leads in a browser, "" when nowhere; `page`: what it would
    open in the mini-program instead."""

    title: str
    rows: Sequence[tuple[str, str]]
    href: str
    page: str


def line_views(lines: Sequence[Line], first: int, now: datetime) -> list[LineView]:
    """The lines from number `first` on. Only the account's latest answer has options to tap."""
    latest = max((line.number for line in lines if line.channel in ANSWERS), default=-1)
    return [_line_view(line, lines[line.number - 1] if line.number else None, latest, now) for line in lines[first:]]


def _line_view(line: Line, before: Line | None, latest: int, now: datetime) -> LineView:
    time = time_of_day(line.at, now)
    return LineView(
        number=line.number,
        channel=line.channel,
        time=time,
        pause_time=time if before is None or line.at - before.at >= PAUSE else "",
        parts=parts_of(line.text, line.options, can_be_tapped=line.number == latest),
        has_traffic=line.has_traffic,
        is_from_account=line.channel in FROM_ACCOUNT,
        is_answer=line.channel in ANSWERS,
        card=None if line.card is None else _card_view(line.card),
    )


def _card_view(card: Card) -> CardView:
    return CardView(title=card.title, rows=card.rows, href=card.url if is_web(card.url) else "", page=card.page)


def time_of_day(at: datetime, now: datetime, *, form: str = "%H:%M") -> str:
    """The time as a chat shows it: with the day only when it is another one."""
    local = to_local(at)
    time = local.strftime(form)
    return time if local.date() == to_local(now).date() else f"{local.month}月{local.day}日 {time}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonView:
    """A menu button; one with `below` only opens those."""

    name: str
    key: str = ""
    below: Sequence["ButtonView"] = ()


def menu_view(menu: Mapping[str, Any] | None) -> list[ButtonView]:
    """The buttons of a menu, [] when there is none."""
    return [_button_view(button) for button in (menu or {}).get("button", ())]


def _button_view(button: Mapping[str, Any]) -> ButtonView:
    below = [_button_view(each) for each in button.get("sub_button") or ()]
    key = str(button.get("key") or button.get("url") or "")
    return ButtonView(name=str(button["name"]), key="" if below else key, below=below)


def menu_version(menu: Mapping[str, Any] | None) -> str:
    """Changes with the menu."""
    return hashlib.blake2b(json.dumps(menu, sort_keys=True).encode(), digest_size=6).hexdigest()
