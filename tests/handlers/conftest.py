"""What a test has counted stands at the end of the run, whether it passed or not."""

from __future__ import annotations

from typing import Final

import pytest

COUNTS: Final = "counts"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [str(said) for report in reports for name, said in report.user_properties if name == COUNTS]
    if lines:
        terminalreporter.section("counts")
        for line in lines:
            terminalreporter.write_line(line)
