"""Both token endpoints (wechat-contract.md §3.1 to §3.3, §10 point 4)."""

import re
from datetime import timedelta

import pytest

from bot.emulator.rules import Rules
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import Scene

USER_INFO = "/cgi-bin/user/info"


async def classic(scene: Scene) -> str:
    keys = scene.account.keys
    answer = await scene.get(
        "/cgi-bin/token", grant_type="client_credential", appid=keys.app_id, secret=keys.app_secret
    )
    assert answer["expires_in"] == 7200
    return str(answer["access_token"])


async def errcode(scene: Scene, token: str) -> object:
    answer = await scene.get(USER_INFO, openid=scene.follower.openid, access_token=token)
    return answer.get("errcode", 0)


class TestClassic:
    """§3.2, left column"""

    async def test_every_call_mints_a_new_token(self, scene: Scene) -> None:
        assert await classic(scene) != await classic(scene)

    async def test_older_token_lives_five_minutes_longer(self, scene: Scene) -> None:
        old, new = await classic(scene), await classic(scene)
        assert (await errcode(scene, old), await errcode(scene, new)) == (0, 0)
        scene.clock.advance(timedelta(minutes=5))
        assert (await errcode(scene, old), await errcode(scene, new)) == (40001, 0)

    async def test_token_expires(self, scene: Scene) -> None:
        token = await classic(scene)
        scene.clock.advance(timedelta(seconds=7200))
        assert await errcode(scene, token) == 42001

    async def test_endpoints_do_not_touch_each_other(self, scene: Scene) -> None:
        stable = await scene.token()
        for _ in range(3):
            await classic(scene)
        scene.clock.advance(timedelta(minutes=6))
        assert await errcode(scene, stable) == 0
        assert await scene.token() == stable


class TestStable:
    """§3.2, right column"""

    async def test_repeated_calls_return_the_same_token_with_what_is_left(self, scene: Scene) -> None:
        first = await scene.stable_token()
        scene.clock.advance(timedelta(seconds=1000))
        second = await scene.stable_token()
        assert second["access_token"] == first["access_token"]
        assert (first["expires_in"], second["expires_in"]) == (7200, 6200)

    async def test_last_five_minutes_yield_the_next_and_both_work(self, scene: Scene) -> None:
        old = await scene.token()
        scene.clock.advance(timedelta(seconds=6901))
        new = await scene.token()
        assert new != old
        assert (await errcode(scene, old), await errcode(scene, new)) == (0, 0)
        scene.clock.advance(timedelta(seconds=299))
        assert (await errcode(scene, old), await errcode(scene, new)) == (42001, 0)

    @pytest.mark.parametrize("seconds", [0, 3600, 6900, 6901, 7199, 7200, 9999])
    async def test_at_least_five_minutes_are_always_left(self, scene: Scene, seconds: int) -> None:
        await scene.token()
        scene.clock.advance(timedelta(seconds=seconds))
        left = (await scene.stable_token())["expires_in"]
        assert isinstance(left, int)
        assert left >= 300

    async def test_forced_refresh_kills_the_old_token_at_once(self, scene: Scene) -> None:
        old = await scene.token()
        new = str((await scene.stable_token(force_refresh=True))["access_token"])
        assert (await errcode(scene, old), await errcode(scene, new)) == (40001, 0)

    async def test_forced_refreshes_stand_thirty_seconds_apart(self, scene: Scene) -> None:
        await scene.token()
        first = await scene.stable_token(force_refresh=True)
        scene.clock.advance(timedelta(seconds=29))
        assert (await scene.stable_token(force_refresh=True))["access_token"] == first["access_token"]
        scene.clock.advance(timedelta(seconds=1))
        assert (await scene.stable_token(force_refresh=True))["access_token"] != first["access_token"]

    async def test_twenty_forced_refreshes_a_day(self, scene: Scene) -> None:
        tokens = [await scene.token()]
        for _ in range(25):
            scene.clock.advance(timedelta(seconds=30))
            tokens.append(str((await scene.stable_token(force_refresh=True))["access_token"]))
        assert len(set(tokens)) == 21
        scene.clock.advance(timedelta(days=1))
        await scene.token()
        assert (await scene.stable_token(force_refresh=True))["access_token"] not in tokens


class TestRefusals:
    """§3.3"""

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"grant_type": "password"}, 40002),
            ({"appid": "wxnobody"}, 40013),
            ({"secret": "wrong"}, 40125),
            ({"appid": ""}, 41002),
            ({"secret": ""}, 41004),
        ],
    )
    async def test_wrong_credentials(self, scene: Scene, change: dict[str, str], expected: int) -> None:
        assert (await scene.stable_token(**change))["errcode"] == expected

    async def test_frozen_secret(self, scene: Scene) -> None:
        scene.account.is_secret_frozen = True
        assert (await scene.stable_token())["errcode"] == 40243

    async def test_address_off_the_whitelist_is_named(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(allowed_addresses=frozenset({"203.0.113.9"})))
        answer = await scene.stable_token()
        assert answer["errcode"] == 40164
        assert "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist" in str(answer["errmsg"])

    async def test_address_on_the_whitelist_passes(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(allowed_addresses=frozenset({"127.0.0.1"})))
        assert "access_token" in await scene.stable_token()

    @pytest.mark.parametrize(("token", "expected"), [("", 41001), ("nonsense", 40014), ("42_" + "A" * 136, 40001)])
    async def test_token_that_opens_nothing(self, scene: Scene, token: str, expected: int) -> None:
        assert await errcode(scene, token) == expected

    async def test_methods_are_kept_apart(self, scene: Scene) -> None:
        assert (await scene.get("/cgi-bin/stable_token"))["errcode"] == 43002
        assert (await scene.post("/cgi-bin/token", {}))["errcode"] == 43001

    @pytest.mark.parametrize(
        ("body", "expected"), [(b"", 44002), (b"{", 47001), (b"[]", 47001), (b'{"a": "\\u4f60"}', 40033)]
    )
    async def test_bodies_that_cannot_be_read(self, scene: Scene, body: bytes, expected: int) -> None:
        """§3.1"""
        assert (await scene.post("/cgi-bin/stable_token", body))["errcode"] == expected

    async def test_failure_carries_a_request_id_with_the_time(self, scene: Scene) -> None:
        """§3.1"""
        found = re.search(
            r" rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}$", str((await scene.get("/cgi-bin/stable_token"))["errmsg"])
        )
        assert found is not None
        assert int(found[1], 16) == int(scene.clock.now().timestamp())

    async def test_tokens_are_long(self, scene: Scene) -> None:
        """§3.2: room for 512 characters is asked for"""
        assert 100 < len(await scene.token()) <= 512
