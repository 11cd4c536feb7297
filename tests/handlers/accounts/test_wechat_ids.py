"""WeChat ids of one user meet in whatever order they come, and survive that nobody tells."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotAuthenticated
from bot.identity import Actor, Hat
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.database import Database
from bot.wechat.client import UserInfo
from bot.wechat.errors import SystemBusy
from handlers.accounts.domain import Account, SessionKind
from handlers.accounts.models import Session, WeChatIdentity
from handlers.accounts.service.wechat_ids import IdentityService
from tests.factories import LONG_AGO
from tests.handlers.accounts.binding_stage import CHILD, Stage, identity_of, make_stage

SERVICE, MINI, UNION = "demo_g_000001", "mp_demo_g_000001", "union-1"
PHONE = "13800000001"


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    return await make_stage(clock, metrics)


async def test_an_id_is_introduced_once_however_often_it_comes(stage: Stage) -> None:
    views = await asyncio.gather(*(stage.identities.introduce(Account.SERVICE, SERVICE) for _ in range(5)))
    assert len({view.id for view in views}) == 1
    assert await WeChatIdentity.filter(openid_index=blind_index("openid", SERVICE)).count() == 1


@pytest.mark.parametrize("first", [Account.SERVICE, Account.MINI_PROGRAM])
async def test_ids_with_one_unionid_are_one_person_whichever_came_first(stage: Stage, first: Account) -> None:
    openids = {Account.SERVICE: SERVICE, Account.MINI_PROGRAM: MINI}
    second = next(each for each in openids if each is not first)
    await stage.identities.introduce(first, openids[first], UNION)
    await stage.binding.bind_by_phone(await stage.actor(openids[first]), PHONE)
    joined = await stage.identities.introduce(second, openids[second], UNION)
    assert joined.person_id == str(stage.mother.id)
    assert await stage.children(openids[second]) == {CHILD}


async def test_a_unionid_that_becomes_known_later_joins_too(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MINI), PHONE)
    await stage.identities.introduce(Account.SERVICE, SERVICE)
    await stage.identities.introduce(Account.MINI_PROGRAM, MINI, UNION)
    assert await stage.children(SERVICE) == set()
    await stage.identities.introduce(Account.SERVICE, SERVICE, UNION)
    assert await stage.children(SERVICE) == {CHILD}


async def test_without_a_unionid_both_ids_are_bound_by_themselves_to_one_person(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MINI), PHONE)
    await stage.binding.bind_by_phone(await stage.actor(SERVICE), PHONE)
    assert (await identity_of(MINI)).person_id == (await identity_of(SERVICE)).person_id == stage.mother.id


class _Platform:
    """Tells of one follower, and stumbles when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.unionid: str | None = UNION
        self.is_busy = False

    async def user_info(self, openid: str) -> UserInfo:
        self.asked += 1
        if self.is_busy:
            raise SystemBusy("/cgi-bin/user/info", errcode=-1)
        return UserInfo(openid, True, self.unionid, None, None)


@pytest.fixture
def platform() -> _Platform:
    return _Platform()


@pytest.fixture
def learning(stage: Stage, platform: _Platform) -> IdentityService:
    parts = vars(stage.identities)
    return IdentityService(parts["_clock"], parts["_ties"], parts["_requests"], lambda: platform)  # type: ignore[arg-type,return-value]


async def test_the_service_account_s_unionids_are_learnt_in_the_background(
    stage: Stage, learning: IdentityService, platform: _Platform
) -> None:
    await WeChatIdentity.all().update(unionid_index="known")
    await stage.identities.introduce(Account.MINI_PROGRAM, MINI, UNION)
    await stage.binding.bind_by_phone(await stage.actor(MINI), PHONE)
    await stage.identities.introduce(Account.SERVICE, SERVICE)
    assert await learning.learn_unionids() == 1
    assert await stage.children(SERVICE) == {CHILD}
    assert await learning.learn_unionids() == 0
    assert platform.asked == 1


async def test_what_the_platform_does_not_tell_is_asked_again_only_after_a_day(
    stage: Stage, learning: IdentityService, platform: _Platform
) -> None:
    await WeChatIdentity.all().update(unionid_index="known")
    await stage.identities.introduce(Account.SERVICE, SERVICE)
    platform.unionid = None
    assert await learning.learn_unionids() == 0
    assert await learning.learn_unionids() == 0
    assert platform.asked == 1
    stage.clock.advance(timedelta(days=1))
    platform.unionid, platform.is_busy = UNION, True
    assert await learning.learn_unionids() == 0
    stage.clock.advance(timedelta(days=1))
    platform.is_busy = False
    assert await learning.learn_unionids() == 1


async def test_agreement_to_the_privacy_rules_is_kept_with_its_moment(stage: Stage) -> None:
    view = await stage.identities.introduce(Account.SERVICE, SERVICE)
    assert not view.has_agreed
    actor = Actor(openid_index=view.openid_index, identity_id=view.id)
    assert (await stage.identities.agree_as(actor)).has_agreed
    assert (await identity_of(SERVICE)).privacy_agreed_at == stage.clock.now()
    with pytest.raises(NotAuthenticated):
        await stage.identities.agree_as(Actor())


async def test_unbinding_closes_what_was_opened_with_the_id(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MINI), PHONE)
    row = await identity_of(MINI)
    session = await Session.create(
        kind=SessionKind.API,
        secret_index="x",
        identity_id=row.id,
        expires_at=stage.clock.now() + timedelta(days=1),
        seen_at=stage.clock.now(),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    await stage.binding.unbind(await stage.actor(MINI))
    assert (await Session.get(id=session.id)).revoked_at is not None


async def test_leaving_one_account_keeps_the_other(stage: Stage) -> None:
    await stage.identities.introduce(Account.SERVICE, SERVICE, UNION)
    await stage.binding.bind_by_phone(await stage.actor(SERVICE), PHONE)
    await stage.identities.introduce(Account.MINI_PROGRAM, MINI, UNION)
    await stage.identities.erase(blind_index("openid", SERVICE))
    assert await stage.children(MINI) == {CHILD}
    await stage.identities.erase(blind_index("openid", "never seen"))


async def test_a_new_binding_forgets_the_hat(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(SERVICE), PHONE)
    await WeChatIdentity.filter(person_id=stage.mother.id).update(hat=Hat.GUARDIAN)
    await stage.binding.unbind(await stage.actor(SERVICE))
    assert (await identity_of(SERVICE)).hat is None
