"""A teacher who is also a parent acts as one at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.identity import Hat, Role
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.domain import SessionKind
from handlers.accounts.models import Session
from handlers.accounts.service.switching import OnlyOneHat
from tests.factories import LONG_AGO, make_class, make_guardianship, make_identity, make_person, make_pupil
from tests.handlers.accounts.binding_stage import TEACHER, Stage, audited, identity_of, make_stage


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    stage = await make_stage(clock, metrics)
    await make_guardianship(await make_pupil(await make_class(), name="赵小雨"), stage.teacher)
    return stage


async def test_switching_goes_back_and_forth_and_is_kept(stage: Stage) -> None:
    assert (await stage.actor(TEACHER)).roles == {Role.HEAD_TEACHER}
    assert await stage.switching.switch(await stage.actor(TEACHER)) is Hat.GUARDIAN
    assert (await stage.actor(TEACHER)).roles == {Role.GUARDIAN}
    assert (await identity_of(TEACHER)).hat is Hat.GUARDIAN
    assert await stage.switching.switch(await stage.actor(TEACHER)) is Hat.STAFF
    assert (await stage.actor(TEACHER)).roles == {Role.HEAD_TEACHER}
    assert [row.purpose for row in await audited("identity.switch")] == ["guardian", "staff"]


async def test_the_hat_can_be_named(stage: Stage) -> None:
    assert await stage.switching.switch(await stage.actor(TEACHER), Hat.STAFF) is Hat.STAFF
    assert await stage.switching.switch(await stage.actor(TEACHER), Hat.GUARDIAN) is Hat.GUARDIAN


async def test_a_session_wears_it_too(stage: Stage) -> None:
    row = await identity_of(TEACHER)
    session = await Session.create(
        kind=SessionKind.API,
        secret_index="x",
        identity_id=row.id,
        expires_at=stage.clock.now() + timedelta(days=1),
        seen_at=stage.clock.now(),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    actor = await stage.identity.actor_of_person(
        stage.teacher.id, None, identity_id=str(row.id), session_id=str(session.id)
    )
    await stage.switching.switch(actor, Hat.GUARDIAN)
    assert (await Session.get(id=session.id)).hat is Hat.GUARDIAN


async def test_who_has_one_hat_has_nothing_to_switch(stage: Stage) -> None:
    person = await make_person()
    await make_guardianship(stage.pupil, person)
    await make_identity("demo_g_000007", person)
    with pytest.raises(OnlyOneHat):
        await stage.switching.switch(await stage.actor("demo_g_000007"))
