"""The callback against a bare echo: what checking, finding and sending an answer costs beside reading a message."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from knowledge.base import KnowledgeBase
from tests.bench.figures import Board, Figure, Goal, at_least, at_most, require
from tests.bench.load import CONNECTIONS, PEOPLE, Load, Pushes, Question, drive
from tests.bench.machine import Moment, Spent, cores, others_since, pin, pinned_to, spent
from tests.bench.questions import policy_questions
from tests.bench.service import Server, Stores, account, echoing, embedded, external, serving
from tests.servers import PostgresServer, RedisServer

ROUNDS = 6
REQUESTS = 2_000
# Two replicas share the machine with the client: longer runs, so that the two get going.
SHARED_ROUNDS, SHARED_REQUESTS = 5, 4_000
# Few at a time: everybody's profile is read from the database once, and nobody should give up waiting for theirs.
WARM_UP_CONNECTIONS = 8
# What is left for later (the log of questions) has been done by then, and is counted.
SETTLE_S = 3.0
# Less than this taken by others, and requests a second mean something.
QUIET_CORES = 0.15
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
        self.run(0, *others, requests=len(PEOPLE), connections=WARM_UP_CONNECTIONS)

    def spent(self) -> Spent:
        """What the server has spent so far."""
        return spent(self.server.process.pid)


@dataclass(frozen=True, slots=True)
class Race:
    """What came of one server's runs; `micros` of processor a request, what was left for later included."""

    loads: list[Load]
    micros: float


@dataclass(frozen=True, slots=True)
class Arena:
    """The servers: the echo, and the service over both kinds of stores, in both modes; and a second one of each."""

    echo: dict[str, Rival]
    service: dict[tuple[str, str], Rival]
    second_echo: Server
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
    common = external(postgres, redis_server)
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
                place_of = common if (mode, name) == ("safe", EXTERNAL) else place()
                server = stack.enter_context(serving(f"{name} {mode}", place_of, mode, folder))
                service[mode, name] = Rival(server, pushes, asked)
        second_echo = stack.enter_context(echoing("second echo", "safe", folder))
        second = stack.enter_context(serving("second replica", common, "safe", folder))
        for server in (*(rival.server for rival in service.values()), second):
            server.wait_until_ready()
        stores = tuple(process.pid for process in processes if process is not None)
        yield Arena(echo, service, second_echo, second, stores)


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
        time.sleep(SETTLE_S)
        known = {name: rivals[name].server.counts("answer_cache") for name in (EMBEDDED, EXTERNAL)}
        moment, before = Moment.now(), spent(*arena.stores)
        races = _race(rivals)
        stores, others = spent(*arena.stores) - before, others_since(moment)
        first = rivals[EXTERNAL].run(ROUNDS, people=STRANGERS)
    board.add(f"echo, {mode}: processor a request", races["echo"].micros, "µs")
    figures = []
    for name in (EMBEDDED, EXTERNAL):
        figures += _compared(board, f"{mode}, {name}", races["echo"], races[name], goal, others)
        _hit_rate(board, rivals[name].server, known[name])
    board.add("  processor a first message of a person", first.micros, "µs")
    board.add("  PostgreSQL and Redis themselves", stores.ran_s / (ROUNDS * REQUESTS) * 1e6, "µs", note="a request")
    require(*figures)


def _race(rivals: dict[str, Rival]) -> dict[str, Race]:
    """All in turn, several times."""
    before = {name: rival.spent() for name, rival in rivals.items()}
    loads: dict[str, list[Load]] = {name: [] for name in rivals}
    for number in range(ROUNDS):
        for name, rival in rivals.items():
            loads[name].append(rival.run(number))
    time.sleep(SETTLE_S)
    micros = {name: (rival.spent() - before[name]).ran_s / (ROUNDS * REQUESTS) * 1e6 for name, rival in rivals.items()}
    return {name: Race(loads[name], micros[name]) for name in rivals}


def _compared(board: Board, name: str, echo: Race, ours: Race, goal: Goal, others: float) -> list[Figure]:
    pairs = list(zip(echo.loads, ours.loads, strict=True))
    rate = [own.per_second / theirs.per_second for theirs, own in pairs]
    quiet = others < QUIET_CORES
    return [
        board.add(f"{name} / echo: requests a second of processor", echo.micros / ours.micros, goal=goal),
        board.add("  processor a request", ours.micros, "µs"),
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
    """On the same PostgreSQL and Redis, in safe mode, nobody kept to a core.

    Beside it what two echoes do, which share nothing but the machine: more than that is not to be had here.
    """
    everywhere = os.sched_getaffinity(0)
    pairs = ((arena.service["safe", EXTERNAL], arena.second), (arena.echo["safe"], arena.second_echo))
    for rival, second in pairs:
        pin(rival.server.process.pid, *everywhere)
        pin(second.process.pid, *everywhere)
        rival.warm_up(second)
    moment = Moment.now()
    gains: list[list[float]] = [[], []]
    for number in range(SHARED_ROUNDS):
        for gain, (rival, second) in zip(gains, pairs, strict=True):
            one = rival.run(2 * number, requests=SHARED_REQUESTS)
            two = rival.run(2 * number + 1, second, requests=SHARED_REQUESTS)
            gain.append(two.per_second / one.per_second)
    others = others_since(moment)
    quiet = others < QUIET_CORES
    note = f"{len(everywhere)} cores for replicas, client and stores" + ("" if quiet else f", {others:.1f} for others")
    goal = at_least(1.7)
    apart = [2 * ours / min(echoes, 2) for ours, echoes in zip(*gains, strict=True)]
    figures = [
        board.add_median("two replicas / one: requests a second", gains[0], goal=goal if quiet else None, note=note),
        board.add_median("  the same, were two echoes twice as fast as one", apart, goal=None if quiet else goal),
    ]
    board.add_median("  two echoes / one", gains[1])
    require(*figures)
