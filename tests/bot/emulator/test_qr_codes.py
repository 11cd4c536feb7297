"""Parametric QR codes: made by the API, scanned by phones (wechat-contract.md §2.2, §6.1, §10 point 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.emulator.qr_codes import LONGEST_S, PERMANENT, CodeOver, QrCodes
from bot.wechat.xml import read_fields
from tests.bot.emulator.scenes import Scene

STRANGER = "oEMU0000000000000000000000Z9"


def temporary(scene: str = "i_ACDE3467", seconds: int = 3600) -> dict[str, Any]:
    return {
        "expire_seconds": seconds,
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": scene}},
    }


async def create(scene: Scene, body: dict[str, Any]) -> dict[str, Any]:
    token = scene.account.tokens.stable(force=False)[0]
    url = f"{scene.emulator.url}/cgi-bin/qrcode/create"
    async with aiohttp.ClientSession() as session, session.post(url, params={"access_token": token}, json=body) as got:
        answer: dict[str, Any] = await got.json(content_type=None)
    return answer


async def test_a_temporary_code_says_its_life_and_a_permanent_one_does_not(scene: Scene) -> None:
    answer = await create(scene, temporary())
    assert answer.keys() == {"ticket", "url", "expire_seconds"}
    assert answer["expire_seconds"] == 3600
    lasting = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "x"}}}
    assert (await create(scene, lasting)).keys() == {"ticket", "url"}


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"action_name": "QR_WRONG"}, 40052),
        ({"action_info": {}}, 40053),
        ({"action_info": {"scene": {"scene_str": ""}}}, 40053),
        ({"action_info": {"scene": {"scene_str": "x" * 65}}}, 40053),
        ({"expire_seconds": LONGEST_S + 1}, 40053),
        ({"expire_seconds": 0}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}, 40053),
        ({"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": PERMANENT + 1}}}, 40053),
    ],
)
async def test_what_breaks_a_rule_is_refused(scene: Scene, change: dict[str, Any], errcode: int) -> None:
    assert (await create(scene, temporary() | change))["errcode"] == errcode


async def test_a_follower_s_scan_is_an_event_without_the_prefix(scene: Scene) -> None:
    answer = await create(scene, temporary())
    await scene.follower.scans_code(answer["url"])
    fields = read_fields(scene.follower.exchanges[-1].clear_xml.encode())
    assert (fields["Event"], fields["EventKey"], fields["Ticket"]) == ("SCAN", "i_ACDE3467", answer["ticket"])


async def test_a_stranger_follows_by_it_with_the_prefix(scene: Scene) -> None:
    answer = await create(scene, temporary())
    stranger = scene.emulator.follower(scene.account, STRANGER, is_following=False)
    await stranger.scans_code(answer["ticket"])
    fields = read_fields(stranger.exchanges[-1].clear_xml.encode())
    assert (fields["Event"], fields["EventKey"]) == ("subscribe", "qrscene_i_ACDE3467")
    assert fields["Ticket"] == answer["ticket"]
    assert stranger.is_following


async def test_a_code_is_over_after_its_life_and_the_account_hears_nothing(scene: Scene) -> None:
    answer = await create(scene, temporary(seconds=60))
    scene.clock.advance(timedelta(seconds=60))
    with pytest.raises(CodeOver):
        await scene.follower.scans_code(answer["url"])
    with pytest.raises(CodeOver):
        await scene.follower.scans_code("http://weixin.qq.com/q/elsewhere")
    assert scene.follower.exchanges == []


def test_the_pool_of_permanent_codes_is_limited(scene: Scene) -> None:
    assert PERMANENT == 100_000
    assert QrCodes(scene.clock).create(temporary())["expire_seconds"] == 3600
