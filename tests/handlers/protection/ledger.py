"""What was planted, and how it is found again in whatever somebody is shown.

A planted text carries a word of its own that stands nowhere else. What cannot carry one (a number of a phone, a day, a
choice of ours) is found by itself: it is chosen so that nothing else says the same.
"""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Final

from python_calamine import CalamineWorkbook

_WORD: Final = re.compile(r"zq\d{5}z")
_FIRST_DAY: Final = date(2024, 2, 3)
_OPTION: Final = re.compile(r"<option\b(?![^>]*\bselected\b)[^>]*>[^<]*</option>")
_TICK: Final = re.compile(r'<label class="tick">\s*<input\b(?![^>]*\bchecked\b)[^>]*>.*?</label>', re.S)
_ZIP: Final = b"PK\x03\x04"
_CELLS: Final = ("xl/worksheets/", "xl/sharedStrings")


@dataclass(frozen=True, slots=True, order=True)
class Planted:
    """A value of a field, of one child. `by`: who wrote it down, "" where that makes no difference."""

    field: str
    child: str
    by: str = ""


@dataclass
class Ledger:
    """Everything planted."""

    words: dict[str, Planted] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], Planted]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    # -------------------------------------------------------------------------------------------------------- planting
    def text(self, name: str, child: str, text: str = "", *, by: str = "") -> str:
        """A text that holds a word of its own."""
        word = f"zq{next(self._numbers):05d}z"
        self.words[word] = Planted(name, child, by)
        return text + word

    def phone(self, name: str, child: str) -> str:
        """A number of a mobile phone that nobody else has."""
        number = f"1760{next(self._numbers):07d}"
        self.phrase(name, child, number)
        return number

    def day(self, name: str, child: str) -> str:
        """A day on which nothing else was."""
        day = (_FIRST_DAY + timedelta(days=next(self._numbers))).isoformat()
        self.phrase(name, child, day)
        return day

    def picture(self, name: str, child: str) -> bytes:
        """The bytes of a picture."""
        return b"\xff\xd8\xff" + self.text(name, child).encode()

    def phrase(self, name: str, child: str, pattern: str) -> None:
        """What is said of this child alone in such words."""
        self.patterns.append((re.compile(pattern), Planted(name, child)))

    # --------------------------------------------------------------------------------------------------------- finding
    def found(self, text: str) -> set[Planted]:
        """What of it stands in a text."""
        found = {self.words[word] for word in _WORD.findall(text) if word in self.words}
        return found | {planted for pattern, planted in self.patterns if pattern.search(text)}

    @property
    def fields(self) -> frozenset[str]:
        """What there is of each."""
        return frozenset(planted.field for planted in (*self.words.values(), *(one for _, one in self.patterns)))

    def by_field(self) -> dict[str, set[str]]:
        """Of which children each field was planted."""
        found: dict[str, set[str]] = defaultdict(set)
        for planted in (*self.words.values(), *(one for _, one in self.patterns)):
            found[planted.field].add(planted.child)
        return found


def plain(content: bytes, content_type: str = "") -> str:
    """What somebody can read in an answer. What a form only offers to choose from says nothing of anybody."""
    if content.startswith(_ZIP):
        return _unpacked(content)
    text = content.decode("utf-8", "replace")
    if "json" in content_type:
        return json.dumps(json.loads(text), ensure_ascii=False) if text else ""
    if "html" in content_type:
        return html.unescape(_TICK.sub("", _OPTION.sub("", text)))
    return text


def _unpacked(content: bytes) -> str:
    """Every row of a workbook, and whatever else its parts say."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name).decode("utf-8", "replace") for name in file.namelist()}
    said = [f"{name}\n{html.unescape(part)}" for name, part in parts.items() if not name.startswith(_CELLS)]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python()
        said += [name, *("<row>" + "".join(f"<t>{cell}</t>" for cell in row) + "</row>" for row in rows)]
    return "\n".join(said)
