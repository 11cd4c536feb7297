"""The mini-program's client against the emulated platform (wechat-contract.md §5.1, §5.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.clock import FrozenClock
from bot.emulator.platform import Account as EmulatedAccount
from bot.emulator.platform import AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.wechat.client import STABLE_TOKEN, Account
from bot.wechat.errors import (
    BadCredentials,
    LoginCodeInvalid,
    LoginRefused,
    OutcomeUnknown,
    RateExceeded,
    SystemBusy,
    WeChatError,
    WeChatUnreachable,
)
from bot.wechat.miniprogram import LOG_IN, PHONE_NUMBER, LoggedIn, MiniProgramApi, MiniProgramMissing, NoMiniProgram
from bot.wechat.outgoing import SubscriptionMessage
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import TimeLimits, Transport, open_transport

APP_ID, SECRET = "wxmini0000000001", "fedcba9876543210fedcba9876543210"
OPENID = "mp_demo_g_000001"


async def no_pause(_: float) -> None:
    return


@dataclass
class Scene:
    """A platform with a mini-program beside a 服务号, and the client of the mini-program."""

    emulator: Emulator
    account: EmulatedAccount
    client: MiniProgramApi

    def asked(self, path: str) -> int:
        return len(self.emulator.platform.calls_of(path))


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with open_transport(TimeLimits(total_s=0.5)) as transport:
        yield transport


def client_of(
    url: str, transport: Transport, clock: FrozenClock, redis: RedisStore, secret: str = SECRET
) -> MiniProgramApi:
    return MiniProgramApi(
        transport,
        Account(url, APP_ID, SecretStr(secret)),
        RedisTokenStore(redis, APP_ID),
        clock,
        metrics=Metrics(),
        pause=no_pause,
    )


@pytest.fixture
async def scene(transport: Transport, clock: FrozenClock, redis: RedisStore) -> AsyncIterator[Scene]:
    async with Emulator(clock, Rules()) as emulator:
        emulator.platform.add_account(AccountKeys(app_id="wxservice", app_secret="other"))
        account = emulator.platform.add_account(AccountKeys(app_id=APP_ID, app_secret=SECRET))
        yield Scene(emulator, account, client_of(emulator.url, transport, clock, redis))


class TestLoggingIn:
    async def test_a_code_tells_who_stands_behind_it(self, scene: Scene) -> None:
        code = scene.account.login_code(OPENID)
        assert await scene.client.log_in(code) == LoggedIn(OPENID, "udemo_g_000001")
        assert scene.asked(STABLE_TOKEN) == 0

    async def test_the_id_at_the_other_account_has_the_same_unionid(self, scene: Scene) -> None:
        found = await scene.client.log_in(f"code-{OPENID}")
        assert found.unionid == scene.account.introduce("demo_g_000001").unionid

    async def test_without_an_open_platform_there_is_no_unionid(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore
    ) -> None:
        async with Emulator(clock, Rules(bound_to_open_platform=False)) as emulator:
            emulator.platform.add_account(AccountKeys(app_id=APP_ID, app_secret=SECRET))
            client = client_of(emulator.url, transport, clock, redis)
            assert await client.log_in(f"code-{OPENID}") == LoggedIn(OPENID, None)

    async def test_neither_id_shows_in_its_text(self, scene: Scene) -> None:
        assert "demo" not in repr(await scene.client.log_in(f"code-{OPENID}"))

    async def test_a_code_works_once(self, scene: Scene) -> None:
        code = scene.account.login_code(OPENID)
        await scene.client.log_in(code)
        with pytest.raises(LoginCodeInvalid) as caught:
            await scene.client.log_in(code)
        assert caught.value.errcode == 40163

    async def test_a_code_that_nobody_gave_or_that_is_old_is_invalid(self, scene: Scene, clock: FrozenClock) -> None:
        code = scene.account.login_code(OPENID)
        clock.advance(timedelta(minutes=6))
        for wrong in ("made up", code):
            with pytest.raises(LoginCodeInvalid):
                await scene.client.log_in(wrong)

    @pytest.mark.parametrize(
        ("errcode", "error"),
        [(40029, LoginCodeInvalid), (40226, LoginRefused), (45011, RateExceeded), (-1, SystemBusy)],
    )
    async def test_refusals_have_names(self, scene: Scene, errcode: int, error: type[WeChatError]) -> None:
        scene.emulator.platform.troubles.fail(LOG_IN, errcode, times=9)
        with pytest.raises(error):
            await scene.client.log_in(f"code-{OPENID}")

    async def test_a_wrong_secret_is_told_from_a_wrong_code(
        self, scene: Scene, transport: Transport, clock: FrozenClock, redis: RedisStore
    ) -> None:
        with pytest.raises(BadCredentials):
            await client_of(scene.emulator.url, transport, clock, redis, "wrong").log_in(f"code-{OPENID}")

    async def test_a_busy_platform_is_asked_once_more(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail(LOG_IN, -1)
        assert (await scene.client.log_in(f"code-{OPENID}")).openid == OPENID
        assert scene.asked(LOG_IN) == 2

    async def test_after_a_lost_answer_the_client_has_to_log_in_anew(self, scene: Scene) -> None:
        """Asked again, the platform would say that the code is used."""
        scene.emulator.platform.troubles.lose(LOG_IN)
        with pytest.raises(OutcomeUnknown):
            await scene.client.log_in(scene.account.login_code(OPENID))
        assert scene.asked(LOG_IN) == 1
        assert (await scene.client.log_in(scene.account.login_code(OPENID))).openid == OPENID

    async def test_nobody_there_says_nothing_of_the_secret(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore
    ) -> None:
        with pytest.raises(WeChatUnreachable) as caught:
            await client_of("http://127.0.0.1:1", transport, clock, redis).log_in("x")
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("answer", ['{"session_key": "x"}', '{"openid": 7}', '{"openid": ""}'])
    async def test_an_answer_without_an_openid_is_no_login(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore, answer: str
    ) -> None:
        async def say(_: web.Request) -> web.Response:
            return web.Response(text=answer)

        app = web.Application()
        app.router.add_get(LOG_IN, say)
        async with TestServer(app) as server:
            with pytest.raises(OutcomeUnknown):
                await client_of(str(server.make_url("")), transport, clock, redis).log_in("x")


class TestPhoneNumber:
    async def test_a_code_tells_the_number_its_user_chose(self, scene: Scene) -> None:
        code = scene.account.phone_code("13812345678")
        assert await scene.client.phone_number(code) == "13812345678"
        assert scene.asked(STABLE_TOKEN) == 1

    async def test_a_code_works_once(self, scene: Scene) -> None:
        code = scene.account.phone_code("13812345678")
        await scene.client.phone_number(code)
        for wrong in (code, "made up"):
            with pytest.raises(LoginCodeInvalid):
                await scene.client.phone_number(wrong)

    async def test_a_login_code_is_none(self, scene: Scene) -> None:
        with pytest.raises(LoginCodeInvalid):
            await scene.client.phone_number(scene.account.login_code(OPENID))

    async def test_a_dead_token_is_replaced(self, scene: Scene, clock: FrozenClock) -> None:
        await scene.client.phone_number(scene.account.phone_code("13812345678"))
        scene.account.tokens.kill()
        clock.advance(timedelta(seconds=10))
        assert await scene.client.phone_number(scene.account.phone_code("13812345679")) == "13812345679"
        assert scene.asked(PHONE_NUMBER) == 3


async def test_where_there_is_no_mini_program_it_says_so() -> None:
    for call in (NoMiniProgram().log_in, NoMiniProgram().phone_number):
        with pytest.raises(MiniProgramMissing):
            await call("x")
    with pytest.raises(MiniProgramMissing):
        await NoMiniProgram().send_subscription("x", SubscriptionMessage(template_id="t", values={}))
