"""What every measurement uses; and the table at the end of the run, on the screen and in build/bench.json."""

from __future__ import annotations

import faulthandler
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.memory import settle_collector
from knowledge.base import KnowledgeBase
from knowledge.snapshot import default_folder
from tests.bench.figures import Board
from tests.bench.machine import Moment, others_since

RESULT = Path(__file__).parents[2] / "build" / "bench.json"
_BOARD = pytest.StashKey[Board]()
_START = pytest.StashKey[Moment]()


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> Board:
    """Where the figures of the run go."""
    pytestconfig.stash[_START] = Moment.now()
    return pytestconfig.stash.setdefault(_BOARD, Board())


@pytest.fixture(scope="session")
def knowledge() -> KnowledgeBase:
    """The shipped knowledge. Its built index is on disk from then on, as it is for every start but the first."""
    return KnowledgeBase.load(snapshots=default_folder())


@pytest.fixture
def as_in_service() -> Iterator[None]:
    """The collector as the service sets it, which decides how long a collection holds everybody up."""
    before = gc.get_threshold()
    settle_collector()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.fixture(autouse=True)
def no_alarm() -> None:
    """A measurement may take longer than a test should."""
    faulthandler.cancel_dump_traceback_later()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    board = config.stash.get(_BOARD, None)
    if board is None:
        return
    board.add("busy with something else, of all cores", others_since(config.stash[_START]), "cores")
    board.write(RESULT)
    missed = board.missed()
    terminalreporter.section("bench")
    terminalreporter.write_line(board.table())
    terminalreporter.write_line(f"{len(missed)} of {len(board.with_goal())} goals missed; written to {RESULT}")
