"""The client against the emulated platform (wechat-contract.md §3, §4.5, §6.3, §6.4)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.emulator.platform import Account as EmulatedAccount
from bot.emulator.qr_codes import CodeOver
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.wechat.client import (
    CUSTOM_SEND,
    MEDIA_GET,
    MENU_CREATE,
    MENU_GET,
    STABLE_TOKEN,
    USER_INFO,
    Account,
    MenuOption,
    WeChatClient,
)
from bot.wechat.crypto import Mode
from bot.wechat.errors import (
    AddressNotAllowed,
    AllowanceUsedUp,
    BadCredentials,
    InvalidMenu,
    MediaTooLarge,
    MediaUnknown,
    OutcomeUnknown,
    QuotaExceeded,
    Reaction,
    RecipientUnknown,
    SystemBusy,
    TokenExpired,
    WeChatUnreachable,
    WindowClosed,
)
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import MAX_ANSWER_BYTES, TimeLimits, Transport, open_transport
from tests.bot.wechat.samples import account_keys

OPENID = "oEMU0000000000000000000000A1"
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


async def no_pause(_: float) -> None:
    return


@dataclass
class Scene:
    """A platform, one follower of one account, and the client of that account."""

    emulator: Emulator
    account: EmulatedAccount
    follower: Follower
    client: WeChatClient
    metrics: Metrics

    def counted(self, api: str, errcode: str) -> float:
        return (
            self.metrics.registry.get_sample_value("xiangxiao_wechat_calls_total", {"api": api, "errcode": errcode})
            or 0
        )

    def asked(self, path: str) -> int:
        return len(self.emulator.platform.calls_of(path))


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with open_transport(TimeLimits(total_s=0.5)) as transport:
        yield transport


@pytest.fixture
async def scene(transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics) -> AsyncIterator[Scene]:
    async with Emulator(clock) as emulator:
        account = emulator.platform.add_account(account_keys(Mode.SAFE))
        follower = emulator.follower(account, OPENID)
        client = client_of(emulator.url, transport, clock, redis, metrics)
        yield Scene(emulator, account, follower, client, metrics)


def client_of(
    url: str, transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics, secret: str = ""
) -> WeChatClient:
    keys = account_keys(Mode.SAFE)
    return WeChatClient(
        transport,
        Account(url, keys.app_id, SecretStr(secret or keys.app_secret)),
        RedisTokenStore(redis, keys.app_id),
        clock,
        metrics=metrics,
        pause=no_pause,
    )


class TestSending:
    async def test_text_appears_on_the_phone(self, scene: Scene) -> None:
        scene.account.follow(scene.account.person(OPENID))
        await scene.client.send_text(OPENID, "您的问题有答复了：“可以”。")
        assert scene.follower.last_reply == "您的问题有答复了：“可以”。"
        assert scene.counted(CUSTOM_SEND, "0") == 1

    async def test_json_is_raw_utf8(self, scene: Scene) -> None:
        """§3.1: escaped characters are refused with 40033."""
        scene.account.follow(scene.account.person(OPENID))
        await scene.client.send_text(OPENID, "答复")
        assert "答复".encode() in scene.emulator.platform.calls_of(CUSTOM_SEND)[0].body

    async def test_long_text_is_shortened_to_what_the_platform_takes(self, scene: Scene) -> None:
        scene.account.follow(scene.account.person(OPENID))
        await scene.client.send_text(OPENID, "长" * 3000)
        assert len((scene.follower.last_reply or "").encode()) <= 2048

    async def test_menu_message_can_be_tapped(self, scene: Scene) -> None:
        scene.account.follow(scene.account.person(OPENID))
        await scene.client.send_msgmenu(OPENID, "有用吗？", [MenuOption("1", "有用"), MenuOption("0", "没用")], "谢谢")
        shown = scene.follower.screen[-1]
        assert shown.text == "有用吗？\n有用\n没用\n谢谢"
        assert [option.id for option in shown.options] == ["1", "0"]

    async def test_closed_window_is_a_named_error_with_a_reaction(self, scene: Scene) -> None:
        with pytest.raises(WindowClosed) as caught:
            await scene.client.send_text(OPENID, "晚了")
        assert caught.value.reaction is Reaction.WINDOW_CLOSED
        assert caught.value.errcode == 45015
        assert caught.value.rid is not None
        assert scene.counted(CUSTOM_SEND, "45015") == 1

    async def test_used_up_allowance_is_a_named_error(self, scene: Scene) -> None:
        scene.account.follow(scene.account.person(OPENID))
        for _ in range(3):
            await scene.client.send_text(OPENID, "好")
        with pytest.raises(AllowanceUsedUp):
            await scene.client.send_text(OPENID, "好")

    async def test_stranger_is_a_named_error(self, scene: Scene) -> None:
        with pytest.raises(RecipientUnknown):
            await scene.client.send_text("oNobody", "好")

    async def test_busy_platform_is_not_asked_twice_to_send(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail(CUSTOM_SEND, -1)
        with pytest.raises(SystemBusy):
            await scene.client.send_text(OPENID, "好")
        assert scene.asked(CUSTOM_SEND) == 1

    @pytest.mark.parametrize("trouble", ["lose", "drop", "break_server"])
    async def test_lost_answer_is_unknown_and_not_repeated(self, scene: Scene, trouble: str) -> None:
        scene.account.follow(scene.account.person(OPENID))
        getattr(scene.emulator.platform.troubles, trouble)(CUSTOM_SEND)
        with pytest.raises(OutcomeUnknown):
            await scene.client.send_text(OPENID, "好")
        assert scene.asked(CUSTOM_SEND) == 1
        assert scene.counted(CUSTOM_SEND, "wechat_outcome_unknown") == 1

    async def test_slow_platform_is_left_after_the_timeout(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.delay(CUSTOM_SEND, 2.0)
        with pytest.raises(OutcomeUnknown):
            await scene.client.send_text(OPENID, "好")

    async def test_typing_hint(self, scene: Scene) -> None:
        assert not await scene.client.show_typing(OPENID)
        scene.account.follow(scene.account.person(OPENID))
        assert await scene.client.show_typing(OPENID)
        assert not await scene.client.show_typing(OPENID)
        assert await scene.client.show_typing(OPENID, on=False)


class TestTokens:
    """§3.2, §3.3"""

    async def test_one_token_serves_many_calls(self, scene: Scene) -> None:
        await asyncio.gather(*(scene.client.user_info(OPENID) for _ in range(10)))
        assert scene.asked(STABLE_TOKEN) == 1

    async def test_dead_token_is_replaced_and_the_call_repeated_once(self, scene: Scene, clock: FrozenClock) -> None:
        await scene.client.user_info(OPENID)
        scene.account.tokens.kill()
        clock.advance(timedelta(seconds=10))
        assert (await scene.client.user_info(OPENID)).is_following
        assert scene.asked(STABLE_TOKEN) == 2
        assert scene.counted(USER_INFO, "40001") == 1

    async def test_send_with_a_dead_token_is_repeated_once(self, scene: Scene, clock: FrozenClock) -> None:
        await scene.client.user_info(OPENID)
        scene.account.tokens.kill()
        clock.advance(timedelta(seconds=10))
        scene.account.follow(scene.account.person(OPENID))
        await scene.client.send_text(OPENID, "好")
        assert [item.text for item in scene.follower.screen] == ["好"]

    @pytest.mark.parametrize("errcode", [40001, 40014, 42001])
    async def test_token_that_stays_dead_ends_the_call_without_a_loop(self, scene: Scene, errcode: int) -> None:
        scene.emulator.platform.troubles.fail(USER_INFO, errcode, times=None)
        with pytest.raises(TokenExpired):
            await scene.client.user_info(OPENID)
        assert scene.asked(USER_INFO) == 2
        assert scene.asked(STABLE_TOKEN) <= 2

    async def test_refresh_is_never_forced(self, scene: Scene, clock: FrozenClock) -> None:
        for _ in range(3):
            await scene.client.user_info(OPENID)
            scene.account.tokens.kill()
            clock.advance(timedelta(minutes=1))
        assert all(b"force_refresh" not in call.body for call in scene.emulator.platform.calls_of(STABLE_TOKEN))

    async def test_wrong_secret_stops(
        self, scene: Scene, transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics
    ) -> None:
        client = client_of(scene.emulator.url, transport, clock, redis, metrics, secret="f" * 32)
        with pytest.raises(BadCredentials):
            await client.access_token()
        scene.emulator.platform.troubles.fail(STABLE_TOKEN, 40001)
        with pytest.raises(BadCredentials):
            await scene.client.access_token()
        assert scene.asked(STABLE_TOKEN) == 2

    async def test_address_off_the_whitelist_is_named(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics
    ) -> None:
        async with Emulator(clock, Rules(allowed_addresses=frozenset({"203.0.113.9"}))) as emulator:
            emulator.platform.add_account(account_keys(Mode.SAFE))
            with pytest.raises(AddressNotAllowed) as caught:
                await client_of(emulator.url, transport, clock, redis, metrics).access_token()
        assert caught.value.address == "127.0.0.1"


class TestReading:
    async def test_user_info_of_a_follower_and_of_one_who_left(self, scene: Scene) -> None:
        """§6.3, §5.3"""
        info = await scene.client.user_info(OPENID)
        assert (info.openid, info.is_following, info.unionid) == (OPENID, True, "u" + OPENID)
        scene.account.unfollow(scene.account.person(OPENID))
        gone = await scene.client.user_info(OPENID)
        assert (gone.is_following, gone.unionid, gone.followed_at) == (False, None, None)

    async def test_qr_code_with_a_scene_can_be_scanned(self, scene: Scene) -> None:
        """§6.1"""
        made = await scene.client.create_qr_code("i_ACDE3467", timedelta(days=14))
        assert scene.account.qr_codes.scanned(made.url).scene == "i_ACDE3467"
        assert scene.account.qr_codes.scanned(made.ticket).url == made.url

    async def test_qr_code_lives_thirty_days_at_most(self, scene: Scene, clock: FrozenClock) -> None:
        made = await scene.client.create_qr_code("x", timedelta(days=365))
        clock.advance(timedelta(days=30))
        with pytest.raises(CodeOver):
            scene.account.qr_codes.scanned(made.url)

    async def test_read_is_repeated_once_when_the_platform_is_busy(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail(USER_INFO, -1)
        assert (await scene.client.user_info(OPENID)).is_following
        scene.emulator.platform.troubles.fail(USER_INFO, -1, times=2)
        with pytest.raises(SystemBusy):
            await scene.client.user_info(OPENID)
        assert scene.asked(USER_INFO) == 4

    async def test_quota_is_a_named_error(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail(USER_INFO, 45009)
        with pytest.raises(QuotaExceeded):
            await scene.client.user_info(OPENID)

    async def test_nobody_there_is_unreachable(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics, unused_port: int
    ) -> None:
        client = client_of(f"http://127.0.0.1:{unused_port}", transport, clock, redis, metrics)
        with pytest.raises(WeChatUnreachable):
            await client.access_token()


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


class TestMenus:
    """§6.4"""

    async def test_menu_is_created_read_and_deleted(self, scene: Scene) -> None:
        assert await scene.client.get_menu() is None
        await scene.client.create_menu({"button": [{"type": "click", "name": "帮助", "key": "menu.help"}]})
        menu = await scene.client.get_menu()
        assert menu is not None
        assert menu["button"][0]["name"] == "帮助"
        await scene.client.delete_menu()
        await scene.client.delete_menu()
        assert await scene.client.get_menu() is None

    async def test_menu_that_breaks_a_rule_is_a_named_error(self, scene: Scene) -> None:
        with pytest.raises(InvalidMenu) as caught:
            await scene.client.create_menu({"button": [{"type": "click", "name": "名字太长的按钮", "key": "k"}]})
        assert caught.value.errcode == 40018
        assert scene.asked(MENU_CREATE) == 1
        assert scene.counted(MENU_GET, "0") == 0


class TestFiles:
    """§2: what people send into the chat is there for three days; §3.1: a file, or JSON when there is none"""

    MOST = 5 * 1024 * 1024

    @pytest.fixture
    def sent(self, scene: Scene) -> str:
        return scene.account.media.keep(PICTURE)

    async def test_a_file_comes_as_it_was_sent(self, scene: Scene, sent: str) -> None:
        assert await scene.client.media(sent, self.MOST) == PICTURE
        assert scene.counted(MEDIA_GET, "0") == 1
        assert scene.asked(STABLE_TOKEN) == 1

    async def test_one_heavier_than_other_answers_may_be(self, scene: Scene) -> None:
        large = PICTURE * (MAX_ANSWER_BYTES // len(PICTURE) + 1)
        assert await scene.client.media(scene.account.media.keep(large), self.MOST) == large

    async def test_after_three_days_it_is_gone_by_name(self, scene: Scene, sent: str, clock: FrozenClock) -> None:
        clock.advance(timedelta(days=3))
        for media_id in (sent, "nobodys", ""):
            with pytest.raises(MediaUnknown) as caught:
                await scene.client.media(media_id, self.MOST)
            assert (caught.value.errcode, caught.value.reaction) == (40007, Reaction.FIX_DATA)
        assert scene.counted(MEDIA_GET, "40007") == 3

    async def test_one_too_large_is_refused_and_not_asked_for_again(self, scene: Scene, sent: str) -> None:
        assert await scene.client.media(sent, len(PICTURE)) == PICTURE
        with pytest.raises(MediaTooLarge):
            await scene.client.media(sent, len(PICTURE) - 1)
        assert scene.asked(MEDIA_GET) == 2
        assert scene.counted(MEDIA_GET, "wechat_media_too_large") == 1

    async def test_a_dead_token_is_replaced_once(self, scene: Scene, sent: str, clock: FrozenClock) -> None:
        await scene.client.user_info(OPENID)
        scene.account.tokens.kill()
        clock.advance(timedelta(seconds=10))
        assert await scene.client.media(sent, self.MOST) == PICTURE
        assert (scene.asked(MEDIA_GET), scene.asked(STABLE_TOKEN)) == (2, 2)
        scene.emulator.platform.troubles.fail(MEDIA_GET, 40001, times=None)
        with pytest.raises(TokenExpired):
            await scene.client.media(sent, self.MOST)

    @pytest.mark.parametrize("trouble", ["lose", "drop", "break_server"])
    async def test_it_is_asked_for_once_more(self, scene: Scene, sent: str, trouble: str) -> None:
        getattr(scene.emulator.platform.troubles, trouble)(MEDIA_GET)
        assert await scene.client.media(sent, self.MOST) == PICTURE
        assert scene.asked(MEDIA_GET) == 2
        getattr(scene.emulator.platform.troubles, trouble)(MEDIA_GET, times=2)
        with pytest.raises(OutcomeUnknown) as caught:
            await scene.client.media(sent, self.MOST)
        assert "access_token" not in str(caught.value)

    async def test_a_busy_platform_and_one_that_says_nothing(self, scene: Scene, sent: str) -> None:
        scene.emulator.platform.troubles.fail(MEDIA_GET, -1)
        assert await scene.client.media(sent, self.MOST) == PICTURE
        scene.emulator.platform.troubles.fail(MEDIA_GET, 45009)
        with pytest.raises(QuotaExceeded):
            await scene.client.media(sent, self.MOST)
        scene.emulator.platform.troubles.delay(MEDIA_GET, 2.0, times=2)
        with pytest.raises(OutcomeUnknown):
            await scene.client.media(sent, self.MOST)

    @pytest.mark.parametrize("content", [b"", b"{", b'{"video_url": "http://v"}', b'{"errcode": "many"}'])
    async def test_what_is_no_file_is_no_answer(self, scene: Scene, content: bytes) -> None:
        with pytest.raises(OutcomeUnknown):
            await scene.client.media(scene.account.media.keep(content), self.MOST)


class TestOddAnswers:
    """§3.1: whatever the content type, errcode as a string, getters without one"""

    @pytest.fixture
    async def answers(
        self, transport: Transport, clock: FrozenClock, redis: RedisStore, metrics: Metrics
    ) -> AsyncIterator[tuple[WeChatClient, list[web.Response]]]:
        prepared: list[web.Response] = []

        async def token(_: web.Request) -> web.Response:
            return web.json_response({"access_token": "t", "expires_in": 7200})

        async def answer(_: web.Request) -> web.Response:
            return prepared.pop(0)

        app = web.Application()
        app.add_routes([web.post(STABLE_TOKEN, token), web.get(USER_INFO, answer), web.post(CUSTOM_SEND, answer)])
        async with TestServer(app) as server:
            yield client_of(str(server.make_url("/")), transport, clock, redis, metrics), prepared

    async def test_errcode_as_a_string(self, answers: tuple[WeChatClient, list[web.Response]]) -> None:
        client, prepared = answers
        prepared.append(web.Response(text='{"errcode": "45015", "errmsg": "late"}', content_type="text/html"))
        with pytest.raises(WindowClosed):
            await client.send_text(OPENID, "好")
        prepared.append(web.Response(text='{"errcode": "0", "errmsg": "ok"}', content_type="text/plain"))
        await client.send_text(OPENID, "好")

    @pytest.mark.parametrize(
        "content", ["", "<html>", "[]", "null", '"ok"', '{"errcode": "many"}', '{"errcode": null}', "\xff"]
    )
    async def test_unreadable_answer_is_unknown(
        self, answers: tuple[WeChatClient, list[web.Response]], content: str
    ) -> None:
        client, prepared = answers
        prepared.append(web.Response(body=content.encode("latin-1")))
        with pytest.raises(OutcomeUnknown) as caught:
            await client.send_text(OPENID, "好")
        assert "access_token" not in str(caught.value)

    async def test_redirects_are_not_followed(self, answers: tuple[WeChatClient, list[web.Response]]) -> None:
        client, prepared = answers
        prepared.append(web.Response(status=302, headers={"Location": "http://127.0.0.1:9/steal"}))
        with pytest.raises(OutcomeUnknown):
            await client.send_text(OPENID, "好")

    async def test_endless_answer_is_refused(self, answers: tuple[WeChatClient, list[web.Response]]) -> None:
        client, prepared = answers
        prepared.append(web.Response(body=b" " * (5 * 1024 * 1024)))
        with pytest.raises(OutcomeUnknown):
            await client.send_text(OPENID, "好")
