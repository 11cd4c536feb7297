"""How soon a replica listens, and what it holds then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.figures import Board, at_most, require
from tests.bench.service import external, serving
from tests.servers import PostgresServer, RedisServer

STARTS = 5

pytestmark = pytest.mark.bench


def test_a_replica_listens_within_a_second(
    board: Board, postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """On PostgreSQL and Redis; waits for a core that something else keeps busy do not count."""
    stores = external(postgres, redis_server)
    wall, free, ran, held = [], [], [], []
    for _ in range(STARTS):
        with serving("start", stores, "safe", tmp_path) as server:
            wall.append(server.listening_s)
            free.append(server.listening_s - server.start.waited_s)
            ran.append(server.start.ran_s)
            held.append(server.listening_mib)
    figure = board.add_median("start to listening, PostgreSQL + Redis", free, "s", goal=at_most(1.0))
    board.add_median("  by the clock on the wall", wall, "s")
    board.add_median("  of it on a core", ran, "s")
    board.add_median("  memory when listening", held, "MiB")
    require(figure)
