"""Pushes, redelivery and what the phone makes of the answer (wechat-contract.md §1.3 to §1.6, §10 points 1 and 2)."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from bot.emulator.follower import NotFollowing
from bot.emulator.judging import Outcome
from bot.emulator.rules import FaultWording, Rules
from bot.emulator.screen import Side
from bot.wechat.crypto import CallbackCrypto, CallbackKeys, Mode
from bot.wechat.messages import TextMessage, parse
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import Scene
from tests.bot.wechat.samples import callback_keys


def product_keys(mode: Mode) -> CallbackKeys:
    return callback_keys(mode)


class TestPushes:
    @pytest.mark.parametrize("mode", Mode)
    async def test_push_is_signed_and_sealed_as_the_product_expects(self, set_scene: SetScene, mode: Mode) -> None:
        """§1.3, §1.4"""
        scene = await set_scene(mode=mode)
        await scene.follower.says("课后服务 ]]> 怎么报名？")
        query, body = scene.callback.received[0]
        message = parse(CallbackCrypto(product_keys(mode), scene.clock).open_envelope(query, body))
        assert isinstance(message, TextMessage)
        assert message.content == "课后服务 ]]> 怎么报名？"
        assert query["openid"] == scene.follower.openid

    async def test_every_message_has_an_id_of_its_own(self, scene: Scene) -> None:
        """§1.7"""
        await scene.follower.says("一")
        await scene.follower.says("一")
        first, second = (exchange.clear_xml for exchange in scene.follower.exchanges)
        assert first != second

    async def test_both_directions_are_kept_in_the_clear(self, scene: Scene) -> None:
        scene.will_answer(scene.callback.reply("答"))
        await scene.follower.says("问")
        exchange = scene.follower.exchanges[0]
        assert "<![CDATA[问]]>" in exchange.clear_xml
        assert "<![CDATA[答]]>" in exchange.verdict.clear_xml
        assert b"Encrypt" in exchange.deliveries[0].body
        assert b"Encrypt" in exchange.deliveries[0].answer


class TestAnswers:
    @pytest.mark.parametrize("mode", Mode)
    async def test_right_answer_is_shown(self, set_scene: SetScene, mode: Mode) -> None:
        """§1.6"""
        scene = await set_scene(mode=mode)
        scene.will_answer(scene.callback.reply("好的"))
        assert await scene.follower.says("你好") == "好的"
        assert [(item.side, item.text) for item in scene.follower.screen] == [
            (Side.USER, "你好"),
            (Side.ACCOUNT, "好的"),
        ]
        assert scene.follower.last_reply == "好的"

    @pytest.mark.parametrize("body", [b"", b"success"])
    async def test_empty_and_success_show_nothing(self, scene: Scene, body: bytes) -> None:
        """§1.6"""
        scene.will_answer(body)
        assert await scene.follower.says("你好") is None
        assert len(scene.callback.received) == 1
        assert scene.follower.last_notice is None

    async def test_clear_answer_is_allowed_in_compatible_mode(self, set_scene: SetScene) -> None:
        """§1.3"""
        scene = await set_scene(mode=Mode.COMPATIBLE)
        plain = await set_scene(mode=Mode.PLAIN)
        scene.will_answer(plain.callback.reply("明文"))
        assert await scene.follower.says("你好") == "明文"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"Content": ""}, "empty Content"),
            ({"Content": "  "}, "empty Content"),
            ({"Content": "长" * 683}, "Content is too long"),
            ({"FromUserName": "wx0123456789abcdef"}, "wrong FromUserName"),
            ({"ToUserName": "oSomebodyElse"}, "wrong ToUserName"),
            ({"CreateTime": "1763683200000"}, "CreateTime is not in seconds"),
            ({"CreateTime": ""}, "CreateTime is not in seconds"),
            ({"MsgType": "hologram"}, "unknown MsgType"),
        ],
    )
    async def test_answer_with_a_fault_shows_the_notice_and_is_final(
        self, scene: Scene, changes: dict[str, str], reason: str
    ) -> None:
        """§1.6, §10 point 2"""
        scene.will_answer(scene.callback.reply(**changes))
        assert await scene.follower.says("你好") is None
        assert scene.follower.last_notice == FaultWording.PHONE
        assert scene.follower.exchanges[0].verdict.reason == reason
        assert len(scene.callback.received) == 1

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b'{"errcode": 0}', "JSON"),
            (b'"success"', "JSON"),
            (b"success\n", "does not begin with <xml>"),
            (b"ok", "does not begin with <xml>"),
            (b"<xml><ToUserName>", "broken XML: ExpatError"),
            (b"<xml></xml>", "XML without elements"),
            (b"<xml><Encrypt>abc</Encrypt></xml>", "wrong MsgSignature"),
        ],
    )
    async def test_what_is_no_answer_shows_the_notice(self, scene: Scene, body: bytes, reason: str) -> None:
        """§1.6, §10 point 2"""
        scene.will_answer(body)
        await scene.follower.says("你好")
        assert scene.follower.last_notice == FaultWording.PHONE
        assert scene.follower.exchanges[0].verdict.reason == reason

    async def test_clear_answer_in_safe_mode_shows_the_notice(self, scene: Scene, set_scene: SetScene) -> None:
        """§1.3, §10 point 2"""
        plain = await set_scene(mode=Mode.PLAIN)
        scene.will_answer(plain.callback.reply())
        await scene.follower.says("你好")
        assert scene.follower.exchanges[0].verdict.reason == "clear XML in safe mode"

    async def test_answer_with_a_byte_before_it_shows_the_notice(self, scene: Scene) -> None:
        """§1.6: stray characters"""
        scene.will_answer(b"\xef\xbb\xbf" + scene.callback.reply())
        await scene.follower.says("你好")
        assert scene.follower.last_notice is not None

    async def test_notice_comes_in_the_documented_wording_too(self, set_scene: SetScene) -> None:
        """§1.6: notice text"""
        scene = await set_scene(Rules(fault_wording=FaultWording.DOCUMENTED))
        scene.will_answer(b"ok")
        await scene.follower.says("你好")
        assert scene.follower.last_notice == "该公众号暂时无法提供服务，请稍后再试"

    @pytest.mark.parametrize("event", ["VIEW", "unsubscribe", "TEMPLATESENDJOBFINISH"])
    async def test_answer_to_an_event_that_takes_none_is_not_shown(self, scene: Scene, event: str) -> None:
        """§1.6"""
        scene.will_answer(scene.callback.reply())
        assert await scene.follower.causes(event, {"EventKey": ""}) is None
        assert list(scene.follower.screen) == []


class TestRedelivery:
    """§1.6, §10 point 1"""

    async def test_unanswered_message_comes_three_times_then_the_notice(self, scene: Scene) -> None:
        await refuse_for_ever(scene)
        assert await scene.follower.says("你好") is None
        assert len(scene.callback.received) == 3
        assert scene.follower.last_notice == FaultWording.PHONE
        assert scene.follower.exchanges[0].verdict.outcome is Outcome.UNANSWERED

    async def test_number_of_deliveries_is_a_setting(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(answer_within_s=0.02, deliveries=4))
        await refuse_for_ever(scene)
        await scene.follower.says("你好")
        assert len(scene.callback.received) == 4

    async def test_redelivery_is_the_same_message(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(answer_within_s=0.02))
        await refuse_for_ever(scene)
        await scene.follower.says("你好")
        assert scene.callback.received[0] == scene.callback.received[1] == scene.callback.received[2]

    async def test_redelivery_can_be_signed_anew(self, set_scene: SetScene) -> None:
        """§1.5: undocumented, so both are emulated; MsgId and CreateTime stay."""
        scene = await set_scene(Rules(answer_within_s=0.02, renew_nonce=True))
        await refuse_for_ever(scene)
        await scene.follower.says("你好")
        crypto = CallbackCrypto(product_keys(Mode.SAFE), scene.clock)
        keys = {parse(crypto.open_envelope(*push)).dedupe_key for push in scene.callback.received}
        assert len(keys) == 1
        assert len({query["nonce"] for query, _ in scene.callback.received}) == 3

    async def test_answer_to_a_redelivery_is_shown(self, scene: Scene) -> None:
        scene.callback.answers.append(lambda request, body: web.Response(status=500))
        scene.will_answer(scene.callback.reply("第二次"))
        assert await scene.follower.says("你好") == "第二次"
        assert [delivery.status for delivery in scene.follower.exchanges[0].deliveries] == [500, 200]

    async def test_connection_is_dropped_when_the_time_is_up(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(answer_within_s=0.05, deliveries=2))
        never = asyncio.Event()

        async def hang(request: web.Request) -> web.Response:
            await never.wait()
            return web.Response()

        app = web.Application()
        app.router.add_post("/", hang)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        scene.emulator.callback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await scene.follower.says("你好")
        never.set()
        await runner.cleanup()
        assert [delivery.status for delivery in scene.follower.exchanges[0].deliveries] == [None, None]
        assert scene.follower.last_notice is not None

    async def test_deliveries_can_overlap_and_one_answer_is_shown(self, scene: Scene) -> None:
        """§1.7: the retry may arrive while the first is still being worked on."""
        scene.will_answer(scene.callback.reply("一"), scene.callback.reply("一"))
        assert await scene.follower.says("你好", copies=2) == "一"
        assert scene.callback.received[0] == scene.callback.received[1]
        assert len(scene.follower.screen) == 2


async def refuse_for_ever(scene: Scene) -> None:
    scene.callback.answers += [lambda request, body: web.Response(status=502)] * 10


class TestScreen:
    """§10 point 13"""

    async def test_screen_keeps_all_in_order_with_the_time(self, scene: Scene) -> None:
        scene.will_answer(scene.callback.reply("甲"))
        await scene.follower.says("一")
        scene.clock.advance(timedelta(minutes=3))
        assert await scene.sends("乙") == 0
        shown = scene.follower.screen
        assert [(item.text, item.side, item.is_push) for item in shown] == [
            ("一", Side.USER, False),
            ("甲", Side.ACCOUNT, False),
            ("乙", Side.ACCOUNT, True),
        ]
        assert shown[2].at - shown[1].at == timedelta(minutes=3)

    async def test_onlooker_is_told_of_the_next_item(self, scene: Scene) -> None:
        waiting = asyncio.create_task(scene.follower.screen.wait_beyond(0, 5.0))
        await asyncio.sleep(0)
        await scene.follower.says("一")
        assert await waiting
        assert not await scene.follower.screen.wait_beyond(10, 0.01)

    async def test_two_phones_of_one_person_are_one_screen(self, scene: Scene) -> None:
        again = scene.emulator.follower(scene.account, scene.follower.openid)
        await scene.follower.says("一")
        assert [item.text for item in again.screen] == ["一"]

    async def test_stranger_has_no_chat(self, scene: Scene) -> None:
        stranger = scene.emulator.follower(scene.account, "oStranger", is_following=False)
        with pytest.raises(NotFollowing):
            await stranger.says("你好")
