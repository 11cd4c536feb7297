"""Mass messages of the emulated 服务号 (wechat-contract.md §4.6, §10 point 8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.emulator.follower import Follower
from bot.emulator.quotas import Quota
from bot.emulator.rules import Rules
from bot.emulator.screen import Means
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import Event, parse
from bot.wechat.outgoing import MassOutcome, mass_outcome
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import OPENID, Scene
from tests.bot.wechat.samples import callback_keys

SEND = "/cgi-bin/message/mass/send"
SEND_ALL = "/cgi-bin/message/mass/sendall"
GET = "/cgi-bin/message/mass/get"
OTHER = "oEMU0000000000000000000000A2"


@pytest.fixture
async def scene(set_scene: SetScene) -> Scene:
    """One whose platform has the patience of the real one: a busy machine causes no second delivery."""
    return await set_scene(Rules())


def text(content: str = "明天停课", **fields: Any) -> dict[str, object]:
    return {"msgtype": "text", "text": {"content": content}, **fields}


@pytest.fixture
def other(scene: Scene) -> Follower:
    return scene.emulator.follower(scene.account, OTHER)


async def to_both(scene: Scene, content: str = "明天停课", **fields: Any) -> dict[str, object]:
    return await scene.call(SEND, text(content, touser=[OPENID, OTHER], **fields))


async def outcomes(scene: Scene) -> list[MassOutcome]:
    await scene.emulator.platform.events.settled()
    crypto = CallbackCrypto(callback_keys(Mode.SAFE), scene.clock)
    inbound = [parse(crypto.open_envelope(*push)) for push in scene.callback.received]
    return [told for each in inbound if isinstance(each, Event) and (told := mass_outcome(each)) is not None]


class TestArriving:
    async def test_by_name(self, scene: Scene, other: Follower) -> None:
        answer = await to_both(scene, clientmsgid="n-1")
        assert (answer["errcode"], answer["errmsg"]) == (0, "send job submission success")
        assert isinstance(answer["msg_id"], int)
        assert isinstance(answer["msg_data_id"], int)
        assert scene.follower.last_reply == other.last_reply == "明天停课"
        sent = scene.emulator.platform.sent.by(Means.MASS)
        assert [(each.openid, each.message_id, each.client_id) for each in sent] == [
            (OPENID, str(answer["msg_id"]), "n-1"),
            (OTHER, str(answer["msg_id"]), "n-1"),
        ]

    async def test_by_tag(self, scene: Scene, other: Follower) -> None:
        scene.account.tags[101] = {OTHER}
        assert (await scene.call(SEND_ALL, text(filter={"is_to_all": False, "tag_id": 101})))["errcode"] == 0
        assert (scene.follower.last_reply, other.last_reply) == (None, "明天停课")
        assert (await scene.call(SEND_ALL, text(filter={"is_to_all": False, "tag_id": 102})))["errcode"] == 45159

    async def test_to_all_once_a_day_and_four_times_a_month(self, scene: Scene, other: Follower) -> None:
        async def to_all(content: str) -> object:
            return (await scene.call(SEND_ALL, text(content, filter={"is_to_all": True})))["errcode"]

        assert [await to_all("一"), await to_all("二")] == [0, 45028]
        for content in ("二", "三", "四"):
            scene.clock.advance(timedelta(days=1))
            assert await to_all(content) == 0
        scene.clock.advance(timedelta(days=1))
        assert await to_all("五") == 45028
        scene.clock.advance(timedelta(days=30))
        assert await to_all("六") == 0
        assert len(scene.emulator.platform.sent.to(OTHER)) == 5


class TestFourAMonth:
    async def test_the_fifth_is_filtered_and_says_so(self, scene: Scene, other: Follower) -> None:
        for number in range(5):
            assert (await to_both(scene, f"第{number}条"))["errcode"] == 0
        assert len(scene.emulator.platform.sent.to(OPENID)) == 4
        told = await outcomes(scene)
        assert [(each.total_count, each.filtered_count, each.sent_count) for each in told] == [(2, 2, 2)] * 4 + [
            (2, 0, 0)
        ]
        assert [each.is_sent for each in told] == [True] * 4 + [False]

    async def test_it_begins_anew_with_the_month(self, scene: Scene, other: Follower) -> None:
        for number in range(4):
            await to_both(scene, f"第{number}条")
        scene.clock.advance(timedelta(days=30))
        await to_both(scene, "新的月份")
        assert scene.follower.last_reply == "新的月份"

    async def test_template_messages_do_not_count(self, scene: Scene, other: Follower) -> None:
        await to_both(scene)
        assert scene.account.mass_jobs.had(OPENID) == 1


class TestOutcome:
    async def test_those_who_left_are_filtered_and_blocks_are_errors(self, scene: Scene, other: Follower) -> None:
        third = scene.emulator.follower(scene.account, "oEMU0000000000000000000000A3")
        await third.unfollows()
        scene.account.person(OTHER).blocks_account = True
        answer = await scene.call(SEND, text(touser=[OPENID, OTHER, third.openid, "oNobody"]))
        assert await outcomes(scene) == [
            MassOutcome(
                message_id=str(answer["msg_id"]),
                is_sent=True,
                total_count=4,
                filtered_count=2,
                sent_count=1,
                error_count=1,
                error_code=None,
            )
        ]

    async def test_a_job_can_fail_as_a_whole(self, scene: Scene, other: Follower) -> None:
        scene.emulator.platform.troubles.fail_jobs(SEND)
        answer = await to_both(scene)
        (told,) = await outcomes(scene)
        assert (told.is_sent, told.sent_count, told.error_count) == (False, 0, 2)
        assert (await scene.call(GET, {"msg_id": answer["msg_id"]}))["msg_status"] == "SEND_FAIL"
        assert scene.account.mass_jobs.had(OPENID) == 0

    async def test_its_state_can_be_asked_and_it_can_be_deleted(self, scene: Scene, other: Follower) -> None:
        message_id = (await to_both(scene))["msg_id"]
        assert (await scene.call(GET, {"msg_id": message_id}))["msg_status"] == "SEND_SUCCESS"
        assert (await scene.call("/cgi-bin/message/mass/delete", {"msg_id": str(message_id)}))["errcode"] == 0
        assert (await scene.call(GET, {"msg_id": str(message_id)}))["msg_status"] == "DELETE"
        assert (await scene.call(GET, {"msg_id": 1}))["errcode"] == 40097


class TestDoubles:
    async def test_the_same_clientmsgid_gives_the_old_id(self, scene: Scene, other: Follower) -> None:
        first = await to_both(scene, clientmsgid="n-1")
        second = await to_both(scene, "别的话", clientmsgid="n-1")
        assert (second["errcode"], second["msg_id"]) == (45065, first["msg_id"])
        assert len(scene.emulator.platform.sent) == 2

    async def test_without_one_audience_and_words_stand_for_it(self, scene: Scene, other: Follower) -> None:
        assert [(await to_both(scene, words))["errcode"] for words in ("一", "一", "二")] == [0, 45065, 0]

    async def test_it_is_forgotten_after_a_day(self, scene: Scene, other: Follower) -> None:
        await to_both(scene, clientmsgid="n-1")
        scene.clock.advance(timedelta(hours=24))
        assert (await to_both(scene, clientmsgid="n-1"))["errcode"] == 0

    async def test_it_has_64_bytes_at_most(self, scene: Scene, other: Follower) -> None:
        assert (await to_both(scene, clientmsgid="好" * 22))["errcode"] == 45067
        assert (await to_both(scene, clientmsgid="n" * 64))["errcode"] == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (text(touser=[OPENID]), 40130),
            (text(touser=[OPENID] * 10_001), 40032),
            (text(touser=OPENID), 40097),
            (text(""), 40097),
            (text("", touser=[OPENID, OTHER]), 44004),
            (text("长" * 700, touser=[OPENID, OTHER]), 45002),
            ({"touser": [OPENID, OTHER], "msgtype": "mpnews", "mpnews": {"media_id": "m"}}, 48008),
            ({"touser": [OPENID, OTHER], "msgtype": "hologram"}, 40008),
        ],
    )
    async def test_what_breaks_a_rule(self, scene: Scene, body: dict[str, object], expected: int) -> None:
        assert (await scene.call(SEND, body))["errcode"] == expected

    async def test_sixty_a_minute_and_a_hundred_a_day(self, scene: Scene, other: Follower) -> None:
        scene.account.quotas.limits[SEND] = Quota(3, 2)
        assert [(await to_both(scene, str(number)))["errcode"] for number in range(3)] == [0, 0, 45011]
        scene.clock.advance(timedelta(minutes=1))
        assert [(await to_both(scene, str(number)))["errcode"] for number in range(3, 5)] == [0, 45009]
