"""The callback against a bare echo: what checking, finding and sending an answer costs beside reading a message."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import pytest

from knowledge.base import KnowledgeBase
from tests.bench.figures import Board, Figure, Goal, at_least, at_most, require
from tests.bench.load import CONNECTIONS, PEOPLE, Load, Pushes, Question, drive
from tests.bench.machine import Moment, cores, others_since, pin, pinned_to, spent
from tests.bench.questions import policy_questions
from tests.bench.service import Server, Stores, account, echoing, embedded, external, serving
from tests.servers import PostgresServer, RedisServer

ROUNDS = 7
REQUESTS = 1_500
# Few at a time: everybody's profile is read from the database once, and nobody should give up waiting for theirs.
WARM_UP_CONNECTIONS = 8
WARM_UP = len(PEOPLE)
# Less than this taken by others, and requests a second mean something.
QUIET_CORES = 0.1
# People nobody knows yet.
STRANGERS = range(PEOPLE.stop, PEOPLE.stop + REQUESTS)

EMBEDDED, EXTERNAL = "SQLite", "PostgreSQL + Redis"

pytestmark = pytest.mark.bench


@dataclass(frozen=True, slots=True)
class Rival:
    """A server and what it is asked in which mode."""

    server: Server
    pushes: Pushes
    questions: Sequence[Question]

    def run(
        self,
        seed: int,
        *others: Server,
        requests: int = REQUESTS,
        connections: int = CONNECTIONS,
        people: range = PEOPLE,
    ) -> Load:
        """One run, all replies judged; the servers share it."""
        pushes = self.pushes.build(self.questions, requests, seed=seed, people=people)
        servers = (self.server, *others)
        load = drive(
            pushes,
            [server.port for server in servers],
            [server.process.pid for server in servers],
            connections=connections,
        )
        self.pushes.judge(pushes, load.replies)
        return load

    def warm_up(self, *others: Server) -> None:
        """Every question gets into the cache, everybody's profile into the store."""
        self.run(0, *others, requests=WARM_UP, connections=WARM_UP_CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Arena:
    """The servers: the echo, and the service over both kinds of stores, in both modes."""

    echo: dict[str, Rival]
    service: dict[tuple[str, str], Rival]
    second: Server
    stores: tuple[int, ...]


@pytest.fixture(scope="module")
def arena(
    knowledge: KnowledgeBase,
    postgres: PostgresServer,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Arena]:
    """Everything started and ready, nothing asked yet."""
    folder = tmp_path_factory.mktemp("callback")
    asked = policy_questions(knowledge)
    echoed = [Question(question.text, question.text) for question in asked]
    shared = external(postgres, redis_server)
    places: dict[str, Callable[[], Stores]] = {
        EMBEDDED: lambda: embedded(folder),
        EXTERNAL: lambda: external(postgres, redis_server),
    }
    processes = (postgres.process, redis_server.process)
    with ExitStack() as stack:
        echo, service = {}, {}
        for mode in ("plain", "safe"):
            pushes = Pushes(account(mode))
            echo[mode] = Rival(stack.enter_context(echoing(f"echo {mode}", mode, folder)), pushes, echoed)
            for name, place in places.items():
                stores = shared if (mode, name) == ("safe", EXTERNAL) else place()
                server = stack.enter_context(serving(f"{name} {mode}", stores, mode, folder))
                service[mode, name] = Rival(server, pushes, asked)
        second = stack.enter_context(serving("second replica", shared, "safe", folder))
        for server in (*(rival.server for rival in service.values()), second):
            server.wait_until_ready()
        yield Arena(echo, service, second, tuple(process.pid for process in processes if process is not None))


def test_a_replica_stays_small_after_its_first_question(arena: Arena, board: Board) -> None:
    """In safe mode, as deployed."""
    figures = []
    for name, goal in ((EXTERNAL, at_most(170)), (EMBEDDED, at_most(200))):
        rival = arena.service["safe", name]
        rival.run(0, requests=1, connections=1)
        held = rival.server.resident_mib
        figures.append(board.add(f"memory after the first question, {name}", held, "MiB", goal=goal))
    require(*figures)


@pytest.mark.parametrize(("mode", "goal"), [("plain", at_least(0.6)), ("safe", at_least(0.8))])
def test_the_callback_keeps_up_with_an_echo(arena: Arena, board: Board, mode: str, goal: Goal) -> None:
    server_core, client_core = cores()
    rivals = {"echo": arena.echo[mode], **{name: arena.service[mode, name] for name in (EMBEDDED, EXTERNAL)}}
    for rival in rivals.values():
        pin(rival.server.process.pid, server_core)
    with pinned_to(client_core):
        for rival in rivals.values():
            rival.warm_up()
        known = {name: rivals[name].server.counts("answer_cache") for name in (EMBEDDED, EXTERNAL)}
        moment, stores = Moment.now(), spent(*arena.stores)
        runs = {name: [rival.run(0)] for name, rival in rivals.items()}
        for number in range(1, ROUNDS):
            for name, rival in rivals.items():
                runs[name].append(rival.run(number))
        stores = spent(*arena.stores) - stores
        others = others_since(moment)
        first = rivals[EXTERNAL].run(ROUNDS, people=STRANGERS)
    figures = []
    board.add_median(f"echo, {mode}", [load.micros for load in runs["echo"]], "µs")
    for name in (EMBEDDED, EXTERNAL):
        figures += _compared(board, f"{mode}, {name}", runs["echo"], runs[name], goal, others)
        _hit_rate(board, rivals[name].server, known[name])
    board.add("  processor a first message of a person", first.micros, "µs")
    board.add("  PostgreSQL and Redis themselves", stores.ran_s / (ROUNDS * REQUESTS) * 1e6, "µs", note="a request")
    require(*figures)


def _compared(
    board: Board, name: str, echo: Sequence[Load], ours: Sequence[Load], goal: Goal, others: float
) -> list[Figure]:
    pairs = list(zip(echo, ours, strict=True))
    processor = [theirs.micros / own.micros for theirs, own in pairs]
    rate = [own.per_second / theirs.per_second for theirs, own in pairs]
    micros = median(load.micros for load in ours)
    quiet = others < QUIET_CORES
    return [
        board.add_median(f"{name} / echo: requests a second of processor", processor, goal=goal),
        board.add("  processor a request", micros, "µs"),
        board.add_median(
            "  requests a second by the clock on the wall",
            rate,
            goal=goal if quiet else None,
            note="" if quiet else f"others kept {others:.1f} cores busy",
        ),
    ]


def _hit_rate(board: Board, server: Server, before: dict[str, float]) -> None:
    now = server.counts("answer_cache")
    looked = {label: now[label] - before.get(label, 0) for label in now}
    board.add("  hit rate of the answer cache", looked['{result="hit"}'] / sum(looked.values()))


def test_two_replicas_do_nearly_twice_the_work_of_one(arena: Arena, board: Board) -> None:
    """On the same PostgreSQL and Redis, in safe mode; what is counted leaves out waiting for a core."""
    rival = arena.service["safe", EXTERNAL]
    everywhere = os.sched_getaffinity(0)
    for server in (rival.server, arena.second):
        pin(server.process.pid, *everywhere)
    rival.warm_up(arena.second)
    pairs = [(rival.run(2 * n), rival.run(2 * n + 1, arena.second)) for n in range(ROUNDS)]
    free = [two.per_free_second / one.per_free_second for one, two in pairs]
    figure = board.add_median("two replicas / one: requests a second", free, goal=at_least(1.7))
    board.add_median(
        "  by the clock on the wall",
        [two.per_second / one.per_second for one, two in pairs],
        note=f"{len(everywhere)} cores for replicas, client and stores",
    )
    board.add_median("  processor a request, two / one", [two.micros / one.micros for one, two in pairs])
    require(figure)
