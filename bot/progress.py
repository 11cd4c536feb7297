"""How far long work of a command has come: one line that moves on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from typing import Final, TextIO

# Plain lines: at most this many for one piece of work.
_LINES: Final = 10


class Progress:
    """Told `done` of `total`, as often as one likes; says so on standard error."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._told = -1

    def __call__(self, done: int, total: int) -> None:
        """Nothing is said of nothing."""
        if not total:
            return
        share = done * 100 // total
        step = share if self._moves else share * _LINES // 100
        if step == self._told:
            return
        self._told = step
        line = f"{self._title}：{done}/{total}（{share}%）"
        self._stream.write(f"\r{line}" if self._moves else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Ends the line that moved."""
        if self._moves and self._told >= 0:
            self._stream.write("\n")
            self._stream.flush()
