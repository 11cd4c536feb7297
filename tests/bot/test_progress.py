"""Long work tells how far it has come: a bar where somebody looks, a few lines where a file is written."""

from __future__ import annotations

import io

from bot.progress import Progress


class Terminal(io.StringIO):
    """A stream somebody looks at."""

    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *, total: int = 1_000) -> str:
    progress = Progress("备份", stream)
    for done in range(total + 1):
        progress(done, total)
    progress.close()
    return stream.getvalue()


def test_a_file_gets_ten_lines_and_no_control_characters() -> None:
    lines = told(io.StringIO()).splitlines()
    assert lines[0] == "备份：0/1000（0%）"
    assert lines[-1] == "备份：1000/1000（100%）"
    assert len(lines) == 11
    assert all(line.isprintable() for line in lines)


def test_a_terminal_gets_a_bar_that_ends_full() -> None:
    text = told(Terminal())
    assert "1000/1000" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is shown again"


def test_nothing_is_said_of_nothing() -> None:
    assert told(io.StringIO(), total=0) == ""
    assert told(Terminal(), total=0) == ""


def test_work_that_is_told_less_than_the_whole_still_gives_the_terminal_back() -> None:
    stream = Terminal()
    progress = Progress("备份", stream)
    progress(1, 10)
    progress.close()
    progress.close()
    assert "1/10" in stream.getvalue()
