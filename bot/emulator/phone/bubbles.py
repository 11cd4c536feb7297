"""The text of a message as a phone shows it: plain text, links, and numbers that can be tapped.

Tapping a number is the demo's convenience: a real phone makes the person type it.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.emulator.screen import Option

_LINK: Final = re.compile(
    r"""<a\s[^>]*?href=(?P<quote>["'])(?P<href>.*?)(?P=quote)[^>]*>(?P<label>.*?)</a>"""
    r"""|(?P<bare>https?://[A-Za-z0-9\-._~:/?\#\[\]@!$&'()*+,;=%]+)""",
    re.DOTALL | re.IGNORECASE,
)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"\s*(\d{1,2})[.．、]\s*\S.*")
# Only a message that asks for a number has options; other numbered lines are steps or lists.
_ASKS: Final = re.compile(r"回复(?:前面的)?(?:数字|序号|编号)")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text. At most one of the three is set.

    `href`: a web address it leads to; `answer`: what tapping it sends; `option_id`: the line of a menu message it is.
    """

    text: str
    href: str = ""
    answer: str = ""
    option_id: str = ""


def is_web(address: str) -> bool:
    """Whether it leads anywhere in a browser."""
    return _WEB.match(address) is not None


def parts_of(text: str, options: Sequence[Option] = (), *, can_be_tapped: bool = True) -> list[Part]:
    """The text in order, line breaks included. Without `can_be_tapped` there are links, but no options."""
    lines = text.split("\n")
    choices: dict[int, Part] = {}
    if can_be_tapped:
        choices = _menu_lines(lines, options) if options else _numbered_lines(text, lines)
    parts: list[Part] = []
    for number, line in enumerate(lines):
        ending = "\n" if number + 1 < len(lines) else ""
        if number in choices:
            parts.append(choices[number])
        else:
            parts += _linked(line + ending)
    return parts


def _menu_lines(lines: Sequence[str], options: Sequence[Option]) -> dict[int, Part]:
    ids = {option.content: option.id for option in options}
    return {number: Part(line, option_id=ids[line]) for number, line in enumerate(lines) if line in ids}


def _numbered_lines(text: str, lines: Sequence[str]) -> dict[int, Part]:
    """The last run of lines numbered 1, 2, 3 …, when the message asks for a number."""
    if not _ASKS.search(text):
        return {}
    found: dict[int, Part] = {}
    for number, line in enumerate(lines):
        match = _NUMBERED.fullmatch(line)
        if match is None:
            continue
        if int(match[1]) == 1:
            found = {}
        if int(match[1]) == len(found) + 1:
            found[number] = Part(line.strip(), answer=match[1])
    return found


def _linked(text: str) -> Iterator[Part]:
    end = 0
    for match in _LINK.finditer(text):
        if match.start() > end:
            yield Part(text[end : match.start()])
        end = match.end()
        href = match["bare"] or html.unescape(match["href"])
        label = match["bare"] or match["label"]
        # Anything but a web address (a mini-program, a script) is a label that leads nowhere in a browser.
        yield Part(label, href=href if is_web(href) else "")
    if end < len(text):
        yield Part(text[end:])
