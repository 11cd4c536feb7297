"""Sending, menus, users, login and quotas of the emulated API (wechat-contract.md §4.5, §5.1, §6.3, §6.4, §7, §10)."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.emulator.allowances import ALLOWED, Act
from bot.emulator.clock import EmulatorClock
from bot.emulator.platform import AccountKeys
from bot.emulator.quotas import Quota
from bot.emulator.rules import Refill, Rules
from bot.emulator.server import Emulator
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import APP_ID, OPENID, Scene

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/typing"
MENU_CREATE = "/cgi-bin/menu/create"


class TestAllowances:
    """§4.5, §10 point 5"""

    async def test_nobody_acted_nothing_can_be_sent(self, scene: Scene) -> None:
        assert await scene.sends() == 45015

    async def test_message_allows_five_within_forty_eight_hours(self, scene: Scene) -> None:
        await scene.follower.says("你好")
        scene.clock.advance(timedelta(hours=47))
        assert [await scene.sends() for _ in range(6)] == [0, 0, 0, 0, 0, 45047]

    async def test_window_closes_after_forty_eight_hours(self, scene: Scene) -> None:
        await scene.follower.says("你好")
        scene.clock.advance(timedelta(hours=48))
        assert await scene.sends() == 45015

    @pytest.mark.parametrize("act", ["follow", "scan", "tap"])
    async def test_follow_scan_and_tap_allow_three_within_a_minute(self, scene: Scene, act: str) -> None:
        acts = {
            "follow": lambda: scene.follower.follows(),
            "scan": lambda: scene.follower.scans("1"),
            "tap": lambda: scene.follower.taps("k"),
        }
        await acts[act]()
        assert [await scene.sends() for _ in range(4)] == [0, 0, 0, 45047]
        scene.clock.advance(timedelta(minutes=1))
        assert await scene.sends() == 45015

    async def test_address_button_allows_nothing(self, scene: Scene) -> None:
        await scene.call(MENU_CREATE, {"button": [{"type": "view", "name": "网站", "url": "https://school.example/"}]})
        await scene.follower.taps("https://school.example/")
        assert await scene.sends() == 45015

    async def test_tap_on_a_menu_message_counts_as_a_tap(self, scene: Scene) -> None:
        await scene.follower.follows()
        menu = {"head_content": "?", "list": [{"id": "1", "content": "是"}]}
        await scene.call(SEND, {"touser": OPENID, "msgtype": "msgmenu", "msgmenu": menu})
        scene.clock.advance(timedelta(minutes=2))
        await scene.follower.chooses("1")
        assert scene.account.person(OPENID).allowance.left(scene.clock.now()) == 3

    @pytest.mark.parametrize(("refill", "left"), [(Refill.RESET, 5), (Refill.ADD, 9)])
    async def test_further_message_resets_or_adds(self, set_scene: SetScene, refill: Refill, left: int) -> None:
        """Undocumented, so a setting."""
        scene = await set_scene(Rules(allowance_refill=refill))
        await scene.follower.says("一")
        await scene.sends()
        await scene.follower.says("二")
        assert scene.account.person(OPENID).allowance.left(scene.clock.now()) == left

    async def test_short_window_is_used_before_the_long_one(self, scene: Scene) -> None:
        await scene.follower.says("你好")
        await scene.follower.taps("k")
        assert [await scene.sends() for _ in range(3)] == [0, 0, 0]
        scene.clock.advance(timedelta(minutes=2))
        assert scene.account.person(OPENID).allowance.left(scene.clock.now()) == 5

    async def test_unfollowing_closes_every_window(self, scene: Scene) -> None:
        await scene.follower.says("你好")
        await scene.follower.unfollows()
        assert await scene.sends() == 45015

    def test_acts_are_those_of_the_document(self) -> None:
        assert {act: count for act, (count, _) in ALLOWED.items()} == {"message": 5, "tap": 3, "follow": 3, "scan": 3}
        assert {act: life for act, (_, life) in ALLOWED.items() if life != timedelta(minutes=1)} == {
            Act.MESSAGE: timedelta(hours=48)
        }


class TestSending:
    """§4.5"""

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            ({"touser": "oNobody", "msgtype": "text", "text": {"content": "好"}}, 40003),
            ({"msgtype": "text", "text": {"content": "好"}}, 40003),
            ({"touser": OPENID, "msgtype": "smoke"}, 40008),
            ({"touser": OPENID, "msgtype": "image", "image": {"media_id": "m"}}, 48008),
            ({"touser": OPENID, "msgtype": "text"}, 40097),
            ({"touser": OPENID, "msgtype": "text", "text": {"content": ""}}, 44004),
            ({"touser": OPENID, "msgtype": "text", "text": {"content": "长" * 683}}, 45002),
            ({"touser": OPENID, "msgtype": "msgmenu", "msgmenu": {"list": []}}, 40097),
            ({"touser": OPENID, "msgtype": "msgmenu", "msgmenu": {"list": [{"id": ""}]}}, 40097),
        ],
    )
    async def test_message_with_a_fault_is_refused_and_costs_nothing(
        self, scene: Scene, message: dict[str, Any], expected: int
    ) -> None:
        await scene.follower.says("你好")
        assert (await scene.call(SEND, message))["errcode"] == expected
        assert scene.account.person(OPENID).allowance.left(scene.clock.now()) == 5

    async def test_typing(self, scene: Scene) -> None:
        typing = {"touser": OPENID, "command": "Typing"}
        assert (await scene.call(TYPING, typing))["errcode"] == 45080
        await scene.follower.says("你好")
        assert (await scene.call(TYPING, {"touser": OPENID, "command": "Shout"}))["errcode"] == 45072
        assert (await scene.call(TYPING, typing))["errcode"] == 0
        assert (await scene.call(TYPING, typing))["errcode"] == 45081
        assert (await scene.call(TYPING, {"touser": OPENID, "command": "CancelTyping"}))["errcode"] == 0
        assert (await scene.call(TYPING, typing))["errcode"] == 0
        scene.clock.advance(timedelta(seconds=31))
        assert (await scene.call(TYPING, typing))["errcode"] == 45080


class TestMenus:
    """§6.4, §10 point 11"""

    @staticmethod
    def button(**changes: object) -> dict[str, object]:
        button: dict[str, object] = {"type": "click", "name": "帮助", "key": "k"}
        return {**button, **changes}

    async def test_menu_comes_back_and_goes(self, scene: Scene) -> None:
        assert (await scene.call("/cgi-bin/menu/get"))["errcode"] == 46003
        assert (await scene.call(MENU_CREATE, {"button": [self.button()]}))["errcode"] == 0
        assert await scene.call("/cgi-bin/menu/get") == {"menu": {"button": [{**self.button(), "sub_button": []}]}}
        assert (await scene.call("/cgi-bin/menu/delete"))["errcode"] == 0
        assert (await scene.call("/cgi-bin/menu/get"))["errcode"] == 46003

    @pytest.mark.parametrize(
        ("name", "expected"), [("五个汉字吗", 0), ("五个汉字吗a", 0), ("五个汉字吗ab", 40018), ("", 40018)]
    )
    async def test_names_are_measured_in_bytes(self, scene: Scene, name: str, expected: int) -> None:
        assert (await scene.call(MENU_CREATE, {"button": [self.button(name=name)]}))["errcode"] == expected

    @pytest.mark.parametrize(
        ("buttons", "expected"),
        [
            ([], 40016),
            (4 * [{"type": "click", "name": "a", "key": "k"}], 40016),
            (["x"], 40017),
            ([{"name": "a"}], 40017),
            ([{"type": "dance", "name": "a"}], 40017),
            ([{"type": "click", "name": "a"}], 40019),
            ([{"type": "click", "name": "a", "key": "k" * 129}], 40019),
            ([{"type": "view", "name": "a"}], 40020),
            ([{"type": "view", "name": "a", "url": "http://x/" + "u" * 1024}], 40020),
            ([{"type": "view", "name": "a", "url": "ftp://x/"}], 40055),
            ([{"type": "view", "name": "a", "url": "javascript:alert(1)"}], 40055),
            ([{"type": "media_id", "name": "a"}], 40007),
            ([{"type": "miniprogram", "name": "a", "url": "https://x/", "appid": "wxother"}], 45064),
        ],
    )
    async def test_buttons_keep_the_rules(self, scene: Scene, buttons: list[object], expected: int) -> None:
        assert (await scene.call(MENU_CREATE, {"button": buttons}))["errcode"] == expected

    @pytest.mark.parametrize(
        ("below", "expected"),
        [
            (5 * [{"type": "click", "name": "a" * 60, "key": "k"}], 0),
            (6 * [{"type": "click", "name": "a", "key": "k"}], 40023),
            ([{"type": "dance", "name": "a"}], 40024),
            ([{"type": "click", "name": "a" * 61, "key": "k"}], 40025),
            ([{"type": "click", "name": "a", "key": ""}], 40026),
            ([{"type": "view", "name": "a", "url": ""}], 40027),
            ([{"type": "view", "name": "a", "url": "x"}], 40054),
            ([{"name": "a", "sub_button": [{"type": "click", "name": "b", "key": "k"}]}], 40022),
        ],
    )
    async def test_buttons_below_keep_the_rules(self, scene: Scene, below: list[object], expected: int) -> None:
        assert (await scene.call(MENU_CREATE, {"button": [{"name": "更多", "sub_button": below}]}))[
            "errcode"
        ] == expected

    async def test_linked_mini_program_may_stand_in_the_menu(self, scene: Scene) -> None:
        scene.account.linked_mini_programs.add("wxmini")
        button = {"type": "miniprogram", "name": "a", "url": "https://x/", "appid": "wxmini", "pagepath": "pages/index"}
        assert (await scene.call(MENU_CREATE, {"button": [button]}))["errcode"] == 0


class TestUsers:
    """§6.3, §10 point 12"""

    async def test_follower_has_what_the_platform_still_delivers(self, scene: Scene) -> None:
        info = await scene.call("/cgi-bin/user/info", openid=OPENID)
        assert info["subscribe"] == 1
        assert info["unionid"] == "u" + OPENID
        assert not {"nickname", "headimgurl", "sex", "city"} & set(info)

    async def test_who_left_has_an_openid_only(self, scene: Scene) -> None:
        await scene.follower.unfollows()
        assert await scene.call("/cgi-bin/user/info", openid=OPENID) == {"subscribe": 0, "openid": OPENID}

    async def test_account_outside_an_open_platform_has_no_unionid(self, set_scene: SetScene) -> None:
        """§5.3"""
        scene = await set_scene(Rules(bound_to_open_platform=False))
        assert "unionid" not in await scene.call("/cgi-bin/user/info", openid=OPENID)

    async def test_stranger_is_unknown(self, scene: Scene) -> None:
        assert (await scene.call("/cgi-bin/user/info", openid="oNobody"))["errcode"] == 40003

    async def test_members_named_by_a_pattern_exist_without_introduction(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(members=r"demo_[a-z]_\d+"))
        assert (await scene.call("/cgi-bin/user/info", openid="demo_g_000001"))["subscribe"] == 1

    async def test_batch_takes_a_hundred(self, scene: Scene) -> None:
        people = [{"openid": OPENID}] * 100
        answer = await scene.call("/cgi-bin/user/info/batchget", {"user_list": people})
        assert isinstance(answer["user_info_list"], list)
        assert len(answer["user_info_list"]) == 100
        too_many = await scene.call("/cgi-bin/user/info/batchget", {"user_list": [*people, {"openid": OPENID}]})
        assert too_many["errcode"] == 40032

    async def test_followers_come_in_pages(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(followers_a_page=2))
        for n in range(4):
            scene.account.introduce(f"o{n}")
        first = await scene.call("/cgi-bin/user/get")
        assert (first["total"], first["count"], first["next_openid"]) == (5, 2, "o0")
        second = await scene.call("/cgi-bin/user/get", next_openid="o0")
        assert second["data"] == {"openid": ["o1", "o2"]}
        last = await scene.call("/cgi-bin/user/get", next_openid="o3")
        assert (last["count"], last["next_openid"]) == (0, "")
        assert (await scene.call("/cgi-bin/user/get", next_openid="oNobody"))["errcode"] == 40003

    def test_a_page_has_ten_thousand_by_default(self) -> None:
        assert Rules().followers_a_page == 10_000


class TestLogin:
    """§5.1, §10 point 9"""

    @staticmethod
    async def login(scene: Scene, code: str, **changes: str) -> dict[str, object]:
        keys = scene.account.keys
        query = {"appid": keys.app_id, "secret": keys.app_secret, "js_code": code, "grant_type": "authorization_code"}
        return await scene.get("/sns/jscode2session", **(query | changes))

    async def test_code_works_once(self, scene: Scene) -> None:
        code = scene.account.login_code(OPENID)
        answer = await self.login(scene, code)
        assert (answer["openid"], answer["unionid"]) == (OPENID, "u" + OPENID)
        assert answer["session_key"]
        assert (await self.login(scene, code))["errcode"] == 40163

    async def test_code_lives_five_minutes(self, scene: Scene) -> None:
        code = scene.account.login_code(OPENID)
        scene.clock.advance(timedelta(minutes=5))
        assert (await self.login(scene, code))["errcode"] == 40029

    async def test_predictable_code_of_the_demo_works_again_and_again(self, scene: Scene) -> None:
        """The outside contract: `code-<id>`."""
        for _ in range(3):
            answer = await self.login(scene, "code-mp_demo_g_000001")
            assert (answer["openid"], answer["unionid"]) == ("mp_demo_g_000001", "udemo_g_000001")

    @pytest.mark.parametrize(
        ("code", "changes", "expected"),
        [
            ("", {}, 41008),
            ("code-", {}, 40029),
            ("made-up", {}, 40029),
            ("code-x", {"appid": "wxnobody"}, 40013),
            ("code-x", {"secret": "wrong"}, 40125),
            ("code-x", {"grant_type": "client_credential"}, 40002),
        ],
    )
    async def test_wrong_login(self, scene: Scene, code: str, changes: dict[str, str], expected: int) -> None:
        assert (await self.login(scene, code, **changes))["errcode"] == expected

    async def test_unionid_only_when_bound(self, set_scene: SetScene) -> None:
        """§5.3"""
        scene = await set_scene(Rules(bound_to_open_platform=False))
        assert "unionid" not in await self.login(scene, "code-x")

    async def test_post_is_answered_as_if_the_appid_were_missing(self, scene: Scene) -> None:
        assert (await scene.post("/sns/jscode2session", {}))["errcode"] == 41002

    async def test_hundred_logins_a_minute(self, scene: Scene) -> None:
        answers = [await self.login(scene, "code-x") for _ in range(101)]
        assert [answer.get("errcode") for answer in answers] == [None] * 100 + [45011]

    async def test_risky_user_can_be_injected(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail("/sns/jscode2session", 40226)
        assert (await self.login(scene, "code-x"))["errcode"] == 40226


class TestQuotas:
    """§7, §10 point 10"""

    async def test_day_is_over_at_midnight_in_beijing(self, scene: Scene) -> None:
        scene.account.quotas.limits["/cgi-bin/user/info"] = Quota(2)
        assert [await self.info(scene) for _ in range(3)] == [0, 0, 45009]
        scene.clock.advance(timedelta(hours=15, minutes=59))
        assert await self.info(scene) == 45009
        scene.clock.advance(timedelta(minutes=1))
        assert await self.info(scene) == 0

    async def test_minute_has_a_limit_of_its_own(self, scene: Scene) -> None:
        token = await scene.token()
        scene.account.quotas.limits["/cgi-bin/user/info"] = Quota(100, 1)
        codes = []
        for _ in range(2):
            answer = await scene.get("/cgi-bin/user/info", access_token=token, openid=OPENID)
            codes.append(answer.get("errcode", 0))
        assert codes == [0, 45011]

    async def test_report(self, scene: Scene) -> None:
        await self.info(scene)
        report = await scene.call("/cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/user/info"})
        assert report["quota"] == {"daily_limit": 5_000_000, "used": 1, "remain": 4_999_999}
        stable = await scene.call("/cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/stable_token"})
        assert stable["rate_limit"] == {"call_count": 10_000, "refresh_second": 60}

    async def test_report_of_no_path(self, scene: Scene) -> None:
        assert (await scene.call("/cgi-bin/openapi/quota/get", {"cgi_path": "user/info"}))["errcode"] == 76021

    async def test_ten_clears_a_month(self, scene: Scene) -> None:
        answers = [await scene.call("/cgi-bin/clear_quota", {"appid": APP_ID}) for _ in range(11)]
        assert [answer["errcode"] for answer in answers] == [0] * 10 + [48006]
        scene.clock.advance(timedelta(days=31))
        assert (await scene.call("/cgi-bin/clear_quota", {"appid": APP_ID}))["errcode"] == 0

    async def test_clearing_begins_anew(self, scene: Scene) -> None:
        scene.account.quotas.limits["/cgi-bin/user/info"] = Quota(1)
        assert [await self.info(scene), await self.info(scene)] == [0, 45009]
        await scene.call("/cgi-bin/openapi/quota/clear", {"cgi_path": "/cgi-bin/user/info"})
        assert await self.info(scene) == 0

    async def test_clearing_with_the_secret_needs_no_token(self, scene: Scene) -> None:
        keys = scene.account.keys
        body = {"appid": keys.app_id, "appsecret": keys.app_secret}
        assert (await scene.post("/cgi-bin/clear_quota/v2", body))["errcode"] == 0

    async def test_foreign_appid_cannot_be_cleared(self, scene: Scene) -> None:
        assert (await scene.call("/cgi-bin/clear_quota", {"appid": "wxother"}))["errcode"] == 40013

    @pytest.mark.parametrize(
        ("path", "daily"),
        [("/cgi-bin/token", 2000), ("/cgi-bin/stable_token", 500_000), ("/cgi-bin/menu/create", 1000), (SEND, 500_000)],
    )
    async def test_defaults_are_those_of_the_document(self, scene: Scene, path: str, daily: int) -> None:
        assert scene.account.quotas.limits[path].a_day == daily

    @staticmethod
    async def info(scene: Scene) -> object:
        return (await scene.call("/cgi-bin/user/info", openid=OPENID)).get("errcode", 0)


class TestTroubles:
    """§10 point 10"""

    async def test_errcode_comes_as_often_as_planned(self, scene: Scene) -> None:
        await scene.follower.says("你好")
        scene.emulator.platform.troubles.fail(SEND, -1, times=2)
        assert [await scene.sends() for _ in range(3)] == [-1, -1, 0]

    async def test_errcode_can_come_by_chance(self, scene: Scene) -> None:
        token = await scene.token()
        scene.emulator.platform.troubles.fail("*", -1, times=None, share=0.5)
        answers = [await scene.get("/cgi-bin/menu/get", access_token=token) for _ in range(40)]
        assert {answer["errcode"] for answer in answers} == {-1, 46003}
        scene.emulator.platform.troubles.clear()
        assert (await scene.get("/cgi-bin/menu/get", access_token=token))["errcode"] == 46003

    async def test_server_error_is_a_page(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.break_server("/cgi-bin/menu/get")
        async with scene.session.get(scene.emulator.url + "/cgi-bin/menu/get") as response:
            assert (response.status, response.content_type) == (500, "text/html")

    @pytest.mark.parametrize(("trouble", "shown"), [("drop", 0), ("lose", 1)])
    async def test_connection_breaks_before_or_after_the_effect(self, scene: Scene, trouble: str, shown: int) -> None:
        await scene.follower.follows()
        token = await scene.token()
        getattr(scene.emulator.platform.troubles, trouble)(SEND)
        with pytest.raises(aiohttp.ClientError):
            await scene.post(SEND, {"touser": OPENID, "msgtype": "text", "text": {"content": "好"}}, access_token=token)
        assert len(scene.follower.screen) == shown

    async def test_every_call_is_kept(self, scene: Scene) -> None:
        await scene.sends("您好")
        call = scene.emulator.platform.calls_of(SEND)[0]
        assert (call.app_id, call.errcode, "您好".encode() in call.body) == (APP_ID, 45015, True)


async def test_tokens_belong_to_their_account(scene: Scene) -> None:
    """The head of the contract: each account has its own token and openid space."""
    other = scene.emulator.platform.add_account(AccountKeys(app_id="wxother", app_secret="s"))
    token, _ = other.tokens.stable(force=False)
    assert (await scene.get("/cgi-bin/user/info", access_token=token, openid=OPENID))["errcode"] == 40003


async def test_clock_of_the_platform_can_jump(scene: Scene) -> None:
    """§10 point 13"""
    clock = EmulatorClock(scene.clock)
    async with Emulator(clock) as emulator:
        clock.advance(timedelta(days=30))
        assert emulator.platform.clock.now() - scene.clock.now() == timedelta(days=30)
        clock.set(scene.clock.now())
        assert emulator.platform.clock.now() == scene.clock.now()


async def test_push_before_the_callback_is_known_is_an_error_of_the_user(scene: Scene) -> None:
    scene.emulator.callback_url = ""
    with pytest.raises(RuntimeError):
        await scene.follower.says("你好")
