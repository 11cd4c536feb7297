"""The callback while a notice goes out to a whole township from the same process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

import asyncpg
import pytest

from knowledge.base import KnowledgeBase
from tests.bench.figures import Board, Figure, at_most, percentile, require
from tests.bench.load import PEOPLE, Pushes, Question, drive
from tests.bench.machine import Moment, Spent, cores, others_since, pin, pinned_to, slowness, spent
from tests.bench.open_loop import Run, drive_at
from tests.bench.questions import policy_questions
from tests.bench.service import Server, account, external, serving
from tests.bench.township import Settled, announce, settle
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.bench

PER_SECOND = 500
SECONDS = 12
ROUNDS = 3
# At the fifty messages a second of the settings as they come: longer than a run.
PARENTS = 1_000
PAUSE_MS = 30
# With more than this taken by others, a time tells of them.
QUIET_CORES = 0.3
BEGINS_WITHIN_S = 60.0
ENDS_WITHIN_S = 120.0
_SLOTS = {"subject": "thing1", "when": "time2", "sender": "thing3"}
TEMPLATES = [{"purpose": "notice", "kind": "template", "id": "template", "slots": _SLOTS}]


@dataclass(frozen=True, slots=True)
class Asked:
    """One run, and what the server spent on it."""

    run: Run
    work: Spent

    @property
    def p99_ms(self) -> float:
        """99 of 100 replies came sooner."""
        return percentile(list(self.run.seconds), 0.99) * 1_000


@dataclass(frozen=True, slots=True)
class Stage:
    """The service over PostgreSQL and Redis, the platform it sends to, and who is told."""

    server: Server
    platform: str
    pushes: Pushes
    questions: Sequence[Question]
    settled: Settled

    def ask(self, seed: int) -> Asked:
        """One run at the rate, all replies judged."""
        pushes = self.pushes.build(self.questions, PER_SECOND * SECONDS, seed=seed)
        before = spent(self.server.process.pid)
        run = drive_at([push.raw for push in pushes], self.server.port, PER_SECOND)
        work = spent(self.server.process.pid) - before
        self.pushes.judge(pushes, run.replies)
        return Asked(run, work)

    def taken(self) -> list[float]:
        """When the platform took messages, since the last look."""
        with urllib.request.urlopen(f"{self.platform}/taken", timeout=10) as response:  # noqa: S310 - our own
            told: dict[str, list[float]] = json.loads(response.read())
        return told["at"]

    def announce(self, number: int) -> UUID:
        """A notice to everybody; returns when the first messages are on their way."""
        self.taken()
        notice = asyncio.run(announce(self.settled, number))
        self._wait(lambda: bool(self.taken()), BEGINS_WITHIN_S)
        return notice

    def finish(self, notice: UUID) -> None:
        """Returns when everybody has been told."""
        self._wait(lambda: asyncio.run(self._sent(notice)) == self.settled.parents, ENDS_WITHIN_S)

    async def _sent(self, notice: UUID) -> int:
        connection = await asyncpg.connect(self.settled.database_url.replace("postgres://", "postgresql://"))
        try:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM outbox_push WHERE reason = $1 AND status = 'sent'", f"notice:{notice}"
                )
            )
        finally:
            await connection.close()

    @staticmethod
    def _wait(condition: object, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        assert callable(condition)
        while not condition():
            assert time.monotonic() < deadline, "the broadcast did not get as far as that"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    """The address of a platform in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.platform", str(PAUSE_MS)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def stage(
    knowledge: KnowledgeBase,
    platform: str,
    postgres: PostgresServer,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Everything started, everybody's profile and every question known."""
    stores = external(postgres, redis_server)
    settled = asyncio.run(settle(stores.database_url, PARENTS))
    wechat = {"api_base": platform, "templates": json.dumps(TEMPLATES)}
    asked = policy_questions(knowledge)
    with serving("broadcast", stores, "safe", tmp_path_factory.mktemp("broadcast"), wechat=wechat) as server:
        server.wait_until_ready()
        stage = Stage(server, platform, Pushes(account("safe")), asked, settled)
        warm = stage.pushes.build(asked, len(PEOPLE), seed=0)
        drive(warm, [server.port], [server.process.pid], connections=8)
        yield stage


def test_a_broadcast_keeps_nobody_waiting(stage: Stage, board: Board) -> None:
    server_core, client_core = cores()
    pin(stage.server.process.pid, server_core)
    calm: list[Asked] = []
    busy: list[Asked] = []
    rates: list[float] = []
    moment, slow = Moment.now(), slowness()
    with pinned_to(client_core):
        for number in range(ROUNDS):
            calm.append(stage.ask(2 * number + 1))
            notice = stage.announce(number + 1)
            began = time.monotonic()
            busy.append(stage.ask(2 * number + 2))
            took = time.monotonic() - began
            rates.append(len([at for at in stage.taken() if at >= began]) / took)
            stage.finish(notice)
    others = others_since(moment)
    board.add_median("broadcast beside the callback", rates, "messages/s", note=f"{PER_SECOND} callbacks a second")
    figures = _judged(board, busy, slow, others)
    _compared(board, calm, busy)
    # Otherwise something else was measured.
    assert min(rates) > 5
    require(*figures)


def _judged(board: Board, busy: Sequence[Asked], slow: float, others: float) -> list[Figure]:
    """Judged on a quiet machine only: beside others a time tells how long they had the cores."""
    p99 = [asked.p99_ms for asked in busy]
    here, note = f"{min(p99):.0f}–{max(p99):.0f} ms here", f"others kept {others:.1f} cores busy"
    slowest = max(max(asked.run.seconds) for asked in busy)
    name = "callback p99 while a broadcast runs"
    if others < QUIET_CORES:
        return [
            board.add_scaled(name, median(p99), "ms", goal=at_most(100), slowness=slow, note=here),
            board.add("  slowest reply", slowest, "s", goal=at_most(5), note=note),
        ]
    return [
        board.add(name, median(p99) / slow, "ms", note=f"{here}, {slow:.1f} times slower; not judged: {note}"),
        board.add("  slowest reply", slowest, "s", note=f"not judged: {note}"),
    ]


def _compared(board: Board, calm: Sequence[Asked], busy: Sequence[Asked]) -> None:
    ratios = [own.p99_ms / before.p99_ms for before, own in zip(calm, busy, strict=True)]
    board.add_median("  callback p99 without it", [asked.p99_ms for asked in calm], "ms")
    board.add("  slowest reply without it", max(max(asked.run.seconds) for asked in calm), "s")
    board.add_median("  p99 with / without", ratios)
    for name, runs in (("without", calm), ("with", busy)):
        waited = max(asked.work.waited_s / SECONDS for asked in runs)
        board.add_median(f"  median reply {name}", [median(asked.run.seconds) * 1_000 for asked in runs], "ms")
        micros = [asked.work.ran_s / len(asked.run.seconds) * 1e6 for asked in runs]
        note = f"and up to {waited:.2f} cores waited for"
        board.add_median(f"  processor of the server a callback {name}", micros, "µs", note=note)
