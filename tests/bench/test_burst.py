"""Two thousand guardians sign up for 45 places at once, against a server that answers everybody the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import time, timedelta

import pytest

from bot.audit.log import Audit
from bot.clock import SystemClock
from bot.config import Settings
from bot.identity import SYSTEM
from bot.storage.database import open_database
from handlers.accounts.models import Township
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.calendar.service.calendars import CalendarService
from tests.bench.constant import PATH
from tests.bench.figures import Board, at_most, require
from tests.bench.load import Load, Push, Question, drive
from tests.bench.machine import Moment, others_since
from tests.bench.service import Server, Stores, constant, external, serving
from tests.handlers.after_school.burst import Claim, judge, settle
from tests.servers import PostgresServer, RedisServer
from tests.settings import make_settings

FAMILIES = 2_000
ROUNDS = 5
# Less than this taken by others (PostgreSQL among them), and a time by the clock on the wall means something.
QUIET_CORES = 0.8
WAYS = {"200 connections": 200, "all at once": FAMILIES}

pytestmark = pytest.mark.bench


@dataclass(frozen=True, slots=True)
class Arena:
    """Both servers, who signs up, and what for: a programme a round, each at an hour of its own."""

    baseline: Server
    replicas: Sequence[Server]
    claims: Sequence[Claim]
    programmes: Iterator[str]


async def offer(settings: Settings, count: int) -> list[str]:
    """Programmes of 45 places, none at the hour of another."""
    clock = SystemClock()
    now, places = clock.now(), PlaceService()
    async with open_database(settings):
        offers = OffersService(places, CalendarService(places), Audit(clock), clock)
        hours = [Hours(frozenset({day}), time(hour), time(hour, 30)) for day in range(1, 8) for hour in range(6, 14)]
        draft = PlanDraft(
            township_id=str((await Township.get()).id),
            school_id=None,
            term="量",
            title="量",
            first_day=now.date(),
            last_day=now.date() + timedelta(days=30),
            window=Window(now - timedelta(hours=1), now + timedelta(days=1)),
            pools=tuple(
                PoolDraft(
                    title=f"{number}",
                    places=45,
                    programmes=(ProgrammeDraft(title=f"{number}", grades=Grades(-2, 9), hours=hours[number]),),
                )
                for number in range(count)
            ),
        )
        written = await offers.write(SYSTEM, draft)
        published = await offers.publish(SYSTEM, written.id, written.version)
        return [own for pool in published.pools for own, _ in pool.programmes]


@pytest.fixture(scope="module")
def arena(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("burst")
    stores: Stores = external(postgres, redis_server)
    settings = make_settings(database={"url": stores.database_url}, redis={"url": stores.redis_url})
    claims = asyncio.run(settle(settings, FAMILIES))
    programmes = asyncio.run(offer(settings, (ROUNDS + 1) * 2 * len(WAYS)))
    with ExitStack() as stack:
        baseline = stack.enter_context(constant("constant", folder))
        replicas = [stack.enter_context(serving(name, stores, "safe", folder)) for name in ("one", "two")]
        for replica in replicas:
            replica.wait_until_ready()
        yield Arena(baseline, replicas, claims, iter(programmes))


def burst(arena: Arena, servers: Sequence[Server], connections: int) -> Load:
    """One of them, judged unless it is the baseline's."""
    programme = next(arena.programmes) if arena.baseline not in servers else arena.claims[0].programme
    pushes = [_push(Claim(claim.token, claim.child, programme)) for claim in arena.claims]
    ports, processes = [each.port for each in servers], [each.process.pid for each in servers]
    load = drive(pushes, ports, processes, connections=connections)
    answers = [(reply.status, json.loads(reply.body)) for reply in load.replies]
    if arena.baseline not in servers:
        assert judge(answers) == []
    return load


def _push(claim: Claim) -> Push:
    body = json.dumps(claim.body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in claim.headers.items())
    raw = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    return Push(raw, "", Question("", ""))


@pytest.mark.parametrize("way", WAYS)
def test_a_burst_costs_little_more_than_answering_everybody_the_same(arena: Arena, board: Board, way: str) -> None:
    connections = WAYS[way]
    rivals = ([arena.baseline], arena.replicas[:1], list(arena.replicas))
    for servers in rivals:
        burst(arena, servers, connections)
    moment = Moment.now()
    rounds = [[burst(arena, servers, connections) for servers in rivals] for _ in range(ROUNDS)]
    others = others_since(moment)
    board.add_median(f"burst, {way}: constant endpoint", [each[0].seconds for each in rounds], unit="s")
    board.add_median(f"  processor a request, one replica ({way})", [each[1].micros for each in rounds], unit="µs")
    figures = [
        board.add_median(
            f"  {name} / constant endpoint, by the clock on the wall ({way})",
            [each[place].seconds / each[0].seconds for each in rounds],
            goal=goal,
            note="" if others < QUIET_CORES else f"others kept {others:.1f} cores busy",
        )
        for place, name in ((1, "one replica"), (2, "two replicas"))
        for goal in (at_most(4) if others < QUIET_CORES else None,)
    ]
    require(*(figure for figure in figures if figure.goal is not None))
