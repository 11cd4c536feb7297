"""GET /children against a server that does nothing but look up the token and the children, in one query."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.bench.families import Parent, is_answer, settle
from tests.bench.figures import Board, at_least, require
from tests.bench.load import Load, Push, Question, drive
from tests.bench.machine import Moment, cores, others_since, pin, pinned_to
from tests.bench.rest import PATH
from tests.bench.service import Server, external, resting, serving
from tests.servers import PostgresServer, RedisServer

ROUNDS = 6
REQUESTS = 3_000
CONNECTIONS = 32
WARM_UP = 5_000
# Less than this taken by others, and requests a second mean something.
QUIET_CORES = 0.15

pytestmark = pytest.mark.bench


@dataclass(frozen=True, slots=True)
class Arena:
    """Both servers over one database, and who is logged in at both."""

    parents: Sequence[Parent]
    baseline: Server
    service: Server


@pytest.fixture(scope="module")
def arena(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("children")
    stores = external(postgres, redis_server)
    parents = asyncio.run(settle(stores.database_url))
    with ExitStack() as stack:
        baseline = stack.enter_context(resting("one query", stores, folder))
        service = stack.enter_context(serving("service", stores, "safe", folder))
        service.wait_until_ready()
        yield Arena(parents, baseline, service)


def ask(arena: Arena, server: Server, count: int, seed: int) -> Load:
    """One run, all answers judged."""
    chance = random.Random(seed)
    asked = [chance.choice(arena.parents) for _ in range(count)]
    raw = [
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {parent.token}\r\n\r\n".encode()
        for parent in asked
    ]
    pushes = [Push(each, "", Question("", "")) for each in raw]
    load = drive(pushes, [server.port], [server.process.pid], connections=CONNECTIONS)
    for parent, reply in zip(asked, load.replies, strict=True):
        assert reply.status == 200, reply
        assert is_answer(parent, reply.body), reply
    return load


def test_children_are_read_nearly_as_fast_as_by_one_query(arena: Arena, board: Board) -> None:
    server_core, client_core = cores()
    rivals = (arena.baseline, arena.service)
    for server in rivals:
        pin(server.process.pid, server_core)
    with pinned_to(client_core):
        for server in rivals:
            ask(arena, server, WARM_UP, 0)
        moment = Moment.now()
        pairs = [[ask(arena, server, REQUESTS, number) for server in rivals] for number in range(1, ROUNDS + 1)]
        others = others_since(moment)
    micros = [sum(pair[which].micros for pair in pairs) / ROUNDS for which in (0, 1)]
    quiet = others < QUIET_CORES
    board.add("children, one query: processor a request", micros[0], "µs")
    goal = at_least(0.5)
    require(
        board.add("children / one query: requests a second of processor", micros[0] / micros[1], goal=goal),
        board.add("  processor a request", micros[1], "µs"),
        board.add_median(
            "  requests a second by the clock on the wall",
            [ours.per_second / theirs.per_second for theirs, ours in pairs],
            goal=goal if quiet else None,
            note="" if quiet else f"others kept {others:.1f} cores busy",
        ),
    )
