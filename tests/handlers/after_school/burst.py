"""Everybody signs up at once, over HTTP, at replicas as an operator starts them; and what must come of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from bot.clock import SHANGHAI, SystemClock
from bot.config import Settings
from bot.config_values import decode_key
from bot.demo_township.build import plan_township
from bot.demo_township.families import guardian_key
from bot.demo_township.fill import fill
from bot.storage.base import blind_index
from bot.storage.database import open_database, transaction
from handlers.accounts.domain import Account
from handlers.accounts.models import Guardianship, WeChatIdentity
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolStatement,
)
from tests.bench.service import Server
from tests.handlers.after_school.stage import check

TITLE = "满额测试班"
PLACES = 45
PATH = "/api/v1/after-school/enrolments"
# Whoever is not answered by then never is.
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One guardian's request: the key is the same however often it is sent."""

    token: str
    child: str
    programme: str
    key: str = field(default_factory=lambda: uuid4().hex)

    @property
    def headers(self) -> dict[str, str]:
        """As the mini-program sends them."""
        return {"Authorization": f"Bearer {self.token}", "Idempotency-Key": self.key}

    @property
    def body(self) -> dict[str, str]:
        """As the contract says."""
        return {"student_id": self.child, "programme_id": self.programme}


Answer = tuple[int, dict[str, Any]]


async def settle(settings: Settings, families: int) -> list[Claim]:
    """The made-up township of today with everybody logged in; one claim a guardian, for the first of their children."""
    now = SystemClock().now()
    plan = plan_township(now.astimezone(SHANGHAI).date(), families=families)
    async with open_database(settings):
        ids = await fill(plan, settings)
        programme = await AfterSchoolProgramme.get(title=TITLE)
        key = decode_key(settings.security.session_key.get_secret_value())
        sessions = SessionService(SystemClock(), key)
        claims = []
        async with transaction():
            for number in range(1, families + 1):
                index = blind_index("openid", f"mp_demo_g_{number:06d}")
                identity = await WeChatIdentity.get(account=Account.MINI_PROGRAM, openid_index=index)
                opened = await sessions.open_api(identity.id)
                tie = await Guardianship.filter(person_id=ids[guardian_key(number)]).order_by("pupil_id").first()
                assert tie is not None
                claims.append(Claim(opened.secret, str(tie.pupil_id), str(programme.id)))
        return claims


async def rush(
    claims: Sequence[Claim], servers: Sequence[Server], answered: Callable[[int], None] = lambda count: None
) -> list[Answer]:
    """All at once, the replicas in turn; whoever is hung up on asks the next replica again, with the same key.
    `answered` hears how many have their answer."""
    count = 0

    async def one(session: aiohttp.ClientSession, number: int, claim: Claim) -> Answer:
        nonlocal count
        at = number
        while True:
            url = f"http://127.0.0.1:{servers[at % len(servers)].port}{PATH}"
            at += 1
            try:
                async with session.post(url, json=claim.body, headers=claim.headers) as response:
                    answer = response.status, await response.json()
            except aiohttp.ClientError:
                continue
            if answer[0] != 503:
                count += 1
                answered(count)
                return answer

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*(one(session, number, claim) for number, claim in enumerate(claims)))


def judge(answers: Sequence[Answer], places: int = PLACES) -> list[str]:
    """What is wrong with the answers; [] when every place was given out once and the list has no holes."""
    faults = [json.dumps(body, ensure_ascii=False) for status, body in answers if status != 201]
    counts = Counter(body["status"] for status, body in answers if status == 201)
    wanted = {"enrolled": min(places, len(answers)), "waitlisted": max(0, len(answers) - places)}
    faults += [f"{state}: {counts[state]}, not {number}" for state, number in wanted.items() if counts[state] != number]
    positions = sorted(body["position"] for status, body in answers if status == 201 and body["position"] is not None)
    if positions != list(range(1, wanted["waitlisted"] + 1)):
        faults.append("the waiting list has holes, or a number twice")
    if len({body.get("id") for _, body in answers}) != len(answers):
        faults.append("two were answered the same")
    return faults[:5]


async def inspect(settings: Settings, claims: Sequence[Claim]) -> None:
    """The tables afterwards: as many as there are children, each once, with counts, history and what was said."""
    async with open_database(settings):
        await check()
        programme = UUID(claims[0].programme)
        rows = await AfterSchoolEnrolment.filter(programme_id=programme)
        assert sorted(str(row.pupil_id) for row in rows) == sorted(claim.child for claim in claims)
        states = Counter(row.state for row in rows)
        assert states[EnrolmentState.ENROLLED] == min(PLACES, len(claims))
        pool = await AfterSchoolPool.get(title=TITLE)
        assert (pool.taken, pool.waiting) == (states[EnrolmentState.ENROLLED], states[EnrolmentState.WAITLISTED])
        assert await AfterSchoolEnrolmentEvent.all().count() == len(claims)
        assert await AfterSchoolStatement.all().count() == len(claims)
