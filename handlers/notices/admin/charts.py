"""Charts as drawings in the page: bars that say in words, and by pattern, what they say in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from bot.web.admin_pages import Drawing

# As wide as an old phone shows it, so that the letters are as large as those around them.
_WIDTH: Final = 340
_ROW: Final = 52
_BAR: Final = 18
_LEGEND: Final = 28
_SQUARE: Final = 16


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of all bars: its name, and which of the styles c1…c4 it is drawn in."""

    name: str
    style: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One line: the numbers of its parts, in the order of the parts."""

    title: str
    numbers: Sequence[int]

    @property
    def total(self) -> int:
        """Of the line."""
        return sum(self.numbers)


def stacked(ident: str, title: str, parts: Sequence[Part], bars: Sequence[Bar]) -> Drawing:
    """Shares of each line, each line as long as the others. `ident` is unique on the page. The numbers themselves
    belong in a table beside it."""
    legend, head = _legend(ident, parts)
    height = head + _ROW * len(bars)
    said = "；".join(
        f"{bar.title}：" + "，".join(f"{part.name}{n}" for part, n in zip(parts, bar.numbers, strict=True))
        for bar in bars
    )
    body = [legend, *(_line(ident, parts, bar, head + _ROW * at) for at, bar in enumerate(bars))]
    return Drawing(
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {height}" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(said)}</desc>'
        f"{_patterns(ident)}{''.join(body)}</svg>"
    )


def _patterns(ident: str) -> str:
    """Stripes for the second style, dots for the third: told apart without colour, and on paper."""
    return (
        f'<defs><pattern id="{ident}-p2" width="7" height="7" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        '<rect class="p2" width="7" height="7"/><rect class="p2-mark" width="3" height="7"/></pattern>'
        f'<pattern id="{ident}-p3" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<rect class="p3" width="8" height="8"/><circle class="p3-mark" cx="4" cy="4" r="1.8"/></pattern></defs>'
    )


def _fill(ident: str, style: str) -> str:
    return f' fill="url(#{ident}-{style.replace("c", "p")})"' if style in {"c2", "c3"} else ""


def _legend(ident: str, parts: Sequence[Part]) -> tuple[str, int]:
    """What each part looks like, and how much room that took."""
    drawn, left, top = [], 0, 0
    for part in parts:
        needed = _SQUARE + 6 + _wide(part.name)
        if left and left + needed > _WIDTH:
            left, top = 0, top + _LEGEND
        drawn.append(
            f'<rect class="{part.style} edge" x="{left + 1}" y="{top + 3}" width="{_SQUARE}" height="{_SQUARE}"'
            f'{_fill(ident, part.style)}/><text x="{left + _SQUARE + 7}" y="{top + 17}">{escape(part.name)}</text>'
        )
        left += needed + 14
    return "".join(drawn), top + _LEGEND + 4


def _line(ident: str, parts: Sequence[Part], bar: Bar, top: int) -> str:
    left, drawn = 0.0, []
    for part, number in zip(parts, bar.numbers, strict=True):
        width = _WIDTH * number / bar.total if bar.total else 0.0
        if width:
            drawn.append(
                f'<rect class="{part.style} edge" x="{left:.1f}" y="{top + 24}" width="{width:.1f}" height="{_BAR}"'
                f"{_fill(ident, part.style)}/>"
            )
        left += width
    if not bar.total:
        drawn.append(f'<rect class="c4 edge" x="0" y="{top + 24}" width="{_WIDTH}" height="{_BAR}"/>')
    share = f"{bar.numbers[0]}/{bar.total}" if bar.total else "—"
    return (
        f'<text x="0" y="{top + 18}">{escape(_shortened(bar.title))}</text>{"".join(drawn)}'
        f'<text x="{_WIDTH - 1}" y="{top + 18}" text-anchor="end">{share}</text>'
    )


def _shortened(title: str) -> str:
    kept = ""
    for character in title:
        if _wide(kept + character) > _WIDTH - 90:
            return f"{kept}…"
        kept += character
    return kept


def _wide(text: str) -> int:
    return sum(16 if character > "\u2e7f" else 9 for character in text)
