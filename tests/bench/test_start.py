"""How soon a replica listens, and what it holds then."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.bench.figures import Board, at_most, require
from tests.bench.machine import slowness
from tests.bench.service import external, serving
from tests.servers import PostgresServer, RedisServer

STARTS = 5

pytestmark = pytest.mark.bench


def test_a_replica_listens_within_a_second(
    board: Board, postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """On PostgreSQL and Redis; waits for a core that something else keeps busy do not count."""
    stores = external(postgres, redis_server)
    starts, held = [], []
    slow = [slowness()]
    for _ in range(STARTS):
        with serving("start", stores, "safe", tmp_path) as server:
            starts.append((server.listening_s, server.start))
            held.append(server.listening_mib)
        slow.append(slowness())
    free_s = median(wall_s - spent.waited_s for wall_s, spent in starts)
    figure = board.add_scaled(
        "start to listening, PostgreSQL + Redis", free_s, "s", goal=at_most(1.0), slowness=median(slow)
    )
    board.add_median("  by the clock on the wall", [wall_s for wall_s, _ in starts], "s")
    board.add_median("  of it on a core", [spent.ran_s for _, spent in starts], "s")
    board.add_median("  memory when listening", held, "MiB")
    require(figure)
