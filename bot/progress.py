"""How far long work of a command has come: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

# Plain lines: at most this many for one piece of work.
_LINES: Final = 10


class Progress:
    """Told `done` of `total`, as often as one likes; says so on standard error. To be closed."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream or sys.stderr
        self._told = -1
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Nothing is said of nothing."""
        if not total:
            return
        if self._stream.isatty():
            self._show(done, total)
        else:
            self._say(done, total)

    def _show(self, done: int, total: int) -> None:
        if self._bar is None or self._task is None:
            self._bar = _bar(self._stream)
            self._task = self._bar.add_task(self._title, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)

    def _say(self, done: int, total: int) -> None:
        step = done * _LINES // total
        if step == self._told:
            return
        self._told = step
        self._stream.write(f"{self._title}：{done}/{total}（{done * 100 // total}%）\n")
        self._stream.flush()

    def close(self) -> None:
        """Leaves the bar as it stands and gives the terminal back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(stream: TextIO) -> Bar:
    # Only commands that work long come here: the others start without it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=stream))
