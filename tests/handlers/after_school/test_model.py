"""Families, the school and time do whatever they like, in any order: what must always hold, holds.

Beside what `check` looks at after every step: no place stands empty while somebody waits who fits into it, and nobody
is passed in the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.clock import FrozenClock
from bot.config import Settings
from bot.errors import AppError
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from handlers.after_school.domain.offers import ProgrammesClash, Window
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import (
    ACTIVE,
    AlreadyEnrolled,
    EnrolmentState,
    IllegalEnrolmentMove,
    OfferLapsed,
)
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolPool
from handlers.after_school.service.leaving import OptOut
from handlers.after_school.service.offers import PoolDraft
from handlers.after_school.service.sign_up import SignUp, Wanted
from tests.handlers.after_school.stage import NOW, Stage, check, course, hours, pool

pytestmark = pytest.mark.slow
S, VIA = EnrolmentState, Source.MINIPROGRAM
FAMILIES = 7
# The last two families have two children each, the second one a child of the family's before.
PAIRS = (4, 6)
COURSES = ("围棋", "象棋", "篮球", "跳绳")
POOLS = ("围棋", "象棋", "操场")
Result = TypeVar("Result")
LIMITED = (AlreadyEnrolled, ProgrammesClash, IllegalEnrolmentMove, OfferLapsed)


class Term(RuleBasedStateMachine):
    """One plan of courses, as long as the machine likes. `stage` and `runner` are set by the test."""

    stage: Stage
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.cut: set[str] = set()
        self.before: dict[UUID, EnrolmentState] = {}

    def do(self, act: Coroutine[Any, Any, Result]) -> Result | None:
        """None when it was refused for a reason the rules know."""
        try:
            return self.runner.run(act)
        except LIMITED:
            return None

    @initialize(places=st.tuples(*[st.integers(0, 3)] * 3))
    def publish(self, places: tuple[int, int, int]) -> None:
        now = self.stage.clock.now()
        shared = PoolDraft(
            title="操场",
            places=places[2],
            programmes=(course("篮球", hours=hours("2")), course("跳绳", hours=hours("3"))),
        )
        pools = (pool("围棋", places[0], hours=hours("2")), pool("象棋", places[1], hours=hours("1")), shared)
        window = Window(now - timedelta(days=1), now + timedelta(days=3650))
        last = {"last_day": now.date() + timedelta(days=3650), "first_day": now.date()}
        self.runner.run(self.stage.publish(*pools, window=window, **last))

    # -------------------------------------------------------------------------------------------------------- families
    @rule(child=st.integers(0, FAMILIES - 1), title=st.sampled_from(COURSES))
    def sign_up(self, child: int, title: str) -> None:
        self.do(self.stage.sign_up(child, title))

    @rule(wanted=st.lists(st.tuples(st.integers(0, FAMILIES - 1), st.sampled_from(COURSES)), min_size=2, max_size=6))
    def several_at_once(self, wanted: Sequence[tuple[int, str]]) -> None:
        outcomes = self.do(self.stage.signing.sign_up_all([self.stage.asked(child, title) for child, title in wanted]))
        for each in outcomes or ():
            assert not isinstance(each, AppError) or isinstance(each, LIMITED)

    @rule(second=st.sampled_from(PAIRS), titles=st.tuples(st.sampled_from(COURSES), st.sampled_from(COURSES)))
    def siblings(self, second: int, titles: tuple[str, str]) -> None:
        children = (self.stage.children[second - 1], self.stage.children[second])
        wanted = tuple(
            Wanted(str(child.id), self.stage.programmes[title]) for child, title in zip(children, titles, strict=True)
        )
        views = self.do(
            self.stage.signing.sign_up(SignUp(actor=self.stage.guardians[second], wanted=wanted, source=VIA))
        )
        assert views is None or views[0].state is views[1].state

    @rule(choice=st.integers(0, 99))
    def withdraw(self, choice: int) -> None:
        row = self.one_of(choice, ACTIVE)
        if row is not None:
            self.do(self.stage.leaving.withdraw(self.guardian_of(row), str(row.id), VIA))

    @rule(choice=st.integers(0, 99), is_wanted=st.booleans())
    def answer(self, choice: int, is_wanted: bool) -> None:
        row = self.one_of(choice, {S.OFFERED})
        if row is not None:
            act = self.stage.leaving.accept if is_wanted else self.stage.leaving.decline
            self.do(act(self.guardian_of(row), str(row.id), VIA))

    @rule(child=st.integers(0, FAMILIES - 1))
    def opt_out(self, child: int) -> None:
        asked = OptOut(child_id=str(self.stage.children[child].id), source=VIA)
        self.do(self.stage.leaving.opt_out(self.stage.guardians[child], asked))

    # ------------------------------------------------------------------------------------------------ school and time
    @rule(title=st.sampled_from(POOLS), places=st.none() | st.integers(0, 4))
    def resize(self, title: str, places: int | None) -> None:
        own = self.stage.pools[title]
        self.do(self.stage.leaving.set_places(self.stage.admin, own, places))
        self.cut.add(own)

    @rule(days=st.integers(0, 4))
    def time_passes(self, days: int) -> None:
        self.do(self.stage.later(days=days, hours=1))

    # ---------------------------------------------------------------------------------------------------------- always
    @invariant()
    @precondition(lambda self: self.stage.plan_id)
    def everything_adds_up(self) -> None:
        self.runner.run(self.look())

    async def look(self) -> None:
        pools = {row.id: row for row in await AfterSchoolPool.filter(plan_id=self.stage.plan_id)}
        over = {str(row.id) for row in pools.values() if row.places is not None and row.taken > row.places}
        self.cut &= over
        await check(self.cut, self.stage.plan_id)
        rows = await AfterSchoolEnrolment.filter(plan_id=self.stage.plan_id).order_by("turn", "id")
        waiting = [row for row in rows if row.state is S.WAITLISTED]
        sizes = {row.party_id: sum(other.party_id == row.party_id for other in waiting) for row in waiting}
        for row in waiting:
            own = pools[row.pool_id]
            is_free = own.places is None or own.taken < own.places
            assert not (is_free and sizes[row.party_id] == 1), "a place stands empty"
        for row in rows:
            if row.state is S.OFFERED and self.before.get(row.id) is S.WAITLISTED:
                passed = [
                    other
                    for other in waiting
                    if other.pool_id == row.pool_id
                    and other.turn < row.turn
                    and sizes[other.party_id] == 1
                    and self.before.get(other.id) is S.WAITLISTED
                ]
                assert not passed, "somebody was passed"
        self.before = {row.id: row.state for row in rows}

    def teardown(self) -> None:
        """The children are free for the next plan."""
        self.runner.run(_all(self.stage.leaving.release(str(child.id)) for child in self.stage.children))
        self.stage.plan_id = ""

    # ------------------------------------------------------------------------------------------------------------ rows
    def one_of(self, choice: int, states: Any) -> AfterSchoolEnrolment | None:
        rows = self.runner.run(_rows(self.stage.plan_id))
        own = [row for row in rows if row.state in states]
        return own[choice % len(own)] if own else None

    def guardian_of(self, row: AfterSchoolEnrolment) -> Any:
        number = next(n for n, child in enumerate(self.stage.children) if child.id == row.pupil_id)
        return self.stage.guardians[number]


async def _rows(plan_id: str) -> list[AfterSchoolEnrolment]:
    return list(await AfterSchoolEnrolment.filter(plan_id=plan_id).order_by("turn", "id"))


async def _all(acts: Any) -> None:
    for act in acts:
        each: Awaitable[None] = act
        await each


async def _families(stage: Stage) -> None:
    await stage.build()
    for number in range(FAMILIES):
        others = [stage.children[number - 1]] if number in PAIRS else []
        await stage.family(*others)


@pytest.mark.parametrize(
    ("examples", "steps"), [(8, 25), pytest.param(250, 50, marks=pytest.mark.trial)], ids=["short", "full"]
)
def test_whatever_happens_the_places_add_up(settings: Settings, examples: int, steps: int) -> None:
    async def enter() -> None:
        await opened.enter_async_context(open_database(settings))
        store = RedisStore(redis_client("memory://"), Metrics())
        opened.push_async_callback(store.close)
        Term.stage = Stage(settings, store, FrozenClock(NOW))
        await _families(Term.stage)

    # The short form is the same every time, and says what failed without making it small.
    is_full = examples > 100
    opened = AsyncExitStack()
    with asyncio.Runner() as runner:
        Term.runner = runner
        runner.run(enter())
        try:
            run_state_machine_as_test(
                Term,
                settings=given_settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    derandomize=not is_full,
                    phases=[Phase.generate, Phase.shrink] if is_full else [Phase.generate],
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opened.aclose())
