"""订阅通知 and 订阅消息 of the emulated platform (wechat-contract.md §4.3, §4.4, §10 point 7)."""

from __future__ import annotations

from typing import Any

import pytest

from bot.emulator.platform import Account, AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.screen import Means
from bot.emulator.subscribing import MiniProgramUser, NoSuchDialog
from bot.emulator.templates import mini_program_id, subscription_notice_id, template_id
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import Event, SubscriptionResult, parse, subscription_results
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import OPENID, Scene
from tests.bot.wechat.samples import callback_keys

BIZSEND = "/cgi-bin/message/subscribe/bizsend"
SEND = "/cgi-bin/message/subscribe/send"
ONCE = subscription_notice_id("notice")
ALWAYS = subscription_notice_id("notice", is_long_term=True)
MINI_ONCE = mini_program_id("notice")
MINI_ALWAYS = mini_program_id("notice", is_long_term=True)
MINI_OPENID = "mp_" + OPENID
VALUES = {"thing1": "家长会", "time2": "2026年9月4日 15:00", "thing3": "周老师", "thing4": "在三楼会议室"}


@pytest.fixture
async def scene(set_scene: SetScene) -> Scene:
    """One whose platform has the patience of the real one: a busy machine causes no second delivery."""
    return await set_scene(Rules())


def message(template: str, openid: str = OPENID, **fields: Any) -> dict[str, object]:
    values = {**VALUES, **fields.pop("values", {})}
    data = {key: {"value": value} for key, value in values.items()}
    return {"touser": openid, "template_id": template, "data": data, **fields}


async def errcode(scene: Scene, template: str, **fields: Any) -> object:
    return (await scene.call(BIZSEND, message(template, **fields)))["errcode"]


async def results(scene: Scene) -> list[tuple[str, SubscriptionResult]]:
    """What the callback was told of templates: the event, and what it said of each."""
    await scene.emulator.platform.events.settled()
    crypto = CallbackCrypto(callback_keys(Mode.SAFE), scene.clock)
    inbound = [parse(crypto.open_envelope(*push)) for push in scene.callback.received]
    return [(each.name, told) for each in inbound if isinstance(each, Event) for told in subscription_results(each)]


class TestConsents:
    async def test_nobody_agreed_nothing_can_be_sent(self, scene: Scene) -> None:
        assert await errcode(scene, ONCE) == 43101
        assert len(scene.emulator.platform.sent) == 0

    async def test_one_accept_is_one_message(self, scene: Scene) -> None:
        await scene.follower.accepts(ONCE)
        assert [await errcode(scene, ONCE) for _ in range(2)] == [0, 43101]

    async def test_accepts_add_up(self, scene: Scene) -> None:
        await scene.follower.accepts(ONCE)
        await scene.follower.accepts(ONCE)
        assert [await errcode(scene, ONCE) for _ in range(3)] == [0, 0, 43101]

    async def test_accepts_add_up_only_where_the_platform_lets_them(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(consents_add_up=False))
        await scene.follower.accepts(ONCE)
        await scene.follower.accepts(ONCE)
        assert [await errcode(scene, ONCE) for _ in range(2)] == [0, 43101]

    async def test_a_long_term_accept_is_for_any_number(self, scene: Scene) -> None:
        await scene.follower.accepts(ALWAYS)
        assert [await errcode(scene, ALWAYS) for _ in range(5)] == [0] * 5

    @pytest.mark.parametrize("way", ["rejects", "switches_off"])
    async def test_a_refusal_ends_it(self, scene: Scene, way: str) -> None:
        await scene.follower.accepts(ALWAYS)
        await getattr(scene.follower, way)(ALWAYS)
        assert await errcode(scene, ALWAYS) == 43101

    async def test_one_who_does_not_follow_can_be_told(self, scene: Scene) -> None:
        """§4.1: followers and non-followers"""
        await scene.follower.accepts(ONCE)
        await scene.follower.unfollows()
        assert await errcode(scene, ONCE) == 0
        assert scene.emulator.platform.sent[0].means is Means.SUBSCRIPTION

    async def test_what_is_refused_uses_no_consent_up(self, scene: Scene) -> None:
        await scene.follower.accepts(ONCE)
        assert await errcode(scene, ONCE, values={"thing1": ""}) == 40250
        assert await errcode(scene, ONCE) == 0

    async def test_templates_of_another_kind_are_unknown(self, scene: Scene) -> None:
        assert [await errcode(scene, each) for each in (template_id("notice"), MINI_ONCE, "gone")] == [40037] * 3
        assert (await scene.call(BIZSEND, message(ONCE, openid="oNobody")))["errcode"] == 40003

    async def test_a_dialog_shows_no_template_messages_and_does_not_mix(self, scene: Scene) -> None:
        for templates in ((template_id("notice"),), ("gone",), (ONCE, ALWAYS)):
            with pytest.raises(NoSuchDialog):
                await scene.follower.accepts(*templates)
        assert scene.callback.received == []


class TestEvents:
    """§2.2"""

    async def test_the_dialog_is_told_with_its_place(self, scene: Scene) -> None:
        await scene.follower.accepts(ONCE, scene=2)
        await scene.follower.rejects(ONCE)
        accepted = SubscriptionResult(ONCE, "accept", "2", None, None)
        rejected = SubscriptionResult(ONCE, "reject", "1", None, None)
        assert await results(scene) == [
            ("subscribe_msg_popup_event", accepted),
            ("subscribe_msg_popup_event", rejected),
        ]

    async def test_several_templates_of_one_dialog_come_in_one_event(self, scene: Scene) -> None:
        other = subscription_notice_id("reminder")
        await scene.follower.accepts(ONCE, other)
        assert len(scene.callback.received) == 1
        assert [told.template_id for _, told in await results(scene)] == [ONCE, other]

    @pytest.mark.parametrize("under_popup", [False, True])
    async def test_switching_off_is_told(self, set_scene: SetScene, under_popup: bool) -> None:
        scene = await set_scene(Rules(change_under_popup=under_popup))
        await scene.follower.switches_off(ONCE)
        assert await results(scene) == [
            ("subscribe_msg_change_event", SubscriptionResult(ONCE, "reject", None, None, None))
        ]

    async def test_what_became_of_a_message_is_told(self, scene: Scene) -> None:
        await scene.follower.accepts(ALWAYS)
        scene.emulator.platform.troubles.fail_jobs(BIZSEND)
        await scene.call(BIZSEND, message(ALWAYS))
        await scene.call(BIZSEND, message(ALWAYS))
        told = [result for name, result in await results(scene) if name == "subscribe_msg_sent_event"]
        assert [(each.template_id, each.error_code) for each in told] == [(ALWAYS, -1), (ALWAYS, 0)]
        (sent,) = scene.emulator.platform.sent
        assert told[1].message_id == sent.message_id


class Mini:
    """The account's mini-program and one of its users."""

    def __init__(self, scene: Scene) -> None:
        keys = AccountKeys(app_id="wxmini0000000001", app_secret="f" * 32)
        self.scene = scene
        self.account: Account = scene.emulator.platform.add_account(keys)
        self.user: MiniProgramUser = scene.emulator.mini_program_user(self.account, MINI_OPENID)

    async def answer(self, template: str, openid: str = MINI_OPENID, **fields: Any) -> dict[str, object]:
        keys = self.account.keys
        grant = {"grant_type": "client_credential", "appid": keys.app_id, "secret": keys.app_secret}
        token = str((await self.scene.post("/cgi-bin/stable_token", grant))["access_token"])
        return await self.scene.post(SEND, message(template, openid, **fields), access_token=token)

    async def sends(self, template: str, openid: str = MINI_OPENID, **fields: Any) -> object:
        return (await self.answer(template, openid, **fields))["errcode"]


@pytest.fixture
def mini(scene: Scene) -> Mini:
    return Mini(scene)


class TestMiniProgram:
    """§4.4"""

    async def test_the_dialogs_answer_is_the_clients_to_pass_on(self, scene: Scene, mini: Mini) -> None:
        assert mini.user.accepts(MINI_ONCE) == {MINI_ONCE: "accept"}
        assert await mini.sends(MINI_ONCE) == 0
        assert mini.user.left(MINI_ONCE) == 0
        assert mini.user.rejects(MINI_ALWAYS) == {MINI_ALWAYS: "reject"}
        assert await mini.sends(MINI_ALWAYS) == 43101
        assert await results(scene) == []
        assert [item.text.splitlines()[0] for item in mini.user.screen] == ["学校通知"]

    async def test_one_dialog_answers_for_each_template(self, mini: Mini) -> None:
        other = mini_program_id("task")
        assert mini.user.answers({MINI_ONCE: "accept", other: "reject"}) == {MINI_ONCE: "accept", other: "reject"}
        assert (mini.user.left(MINI_ONCE), mini.user.left(other)) == (1, 0)

    @pytest.mark.parametrize(
        ("templates", "number"),
        [
            ((), "10001"),
            (("gone",), "20001"),
            ((MINI_ONCE, MINI_ALWAYS), "20002"),
            (tuple(mini_program_id(each) for each in ("notice", "task", "result", "alarm")), "20003"),
        ],
    )
    async def test_dialogs_wechat_does_not_show(self, mini: Mini, templates: tuple[str, ...], number: str) -> None:
        with pytest.raises(NoSuchDialog, match=number):
            mini.user.accepts(*templates)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("thing1", "长" * 21),
            ("thing1", "a" * 21),
            ("thing1", ""),
            ("thing1", "两\n行"),
            ("thing1", "好🎉"),
            ("time2", "明天"),
            ("time2", "25:00"),
            ("thing3", 7),
        ],
    )
    async def test_a_value_that_breaks_its_type_is_refused_by_name(self, mini: Mini, key: str, value: object) -> None:
        mini.user.accepts(MINI_ONCE)
        answer = await mini.answer(MINI_ONCE, values={key: value})
        assert answer["errcode"] == 47003
        assert f"argument invalid! data.{key}.value invalid" in str(answer["errmsg"])
        assert mini.user.left(MINI_ONCE) == 1

    async def test_a_state_or_language_nobody_knows_is_refused(self, mini: Mini) -> None:
        mini.user.accepts(MINI_ONCE)
        assert await mini.sends(MINI_ONCE, miniprogram_state="beta") == 47003
        assert await mini.sends(MINI_ONCE, lang="de_DE") == 47003
        assert await mini.sends(MINI_ONCE, miniprogram_state="trial", lang="zh_TW") == 0

    async def test_a_page_must_be_in_the_released_version(self, set_scene: SetScene) -> None:
        mini = Mini(await set_scene(Rules(mini_program_pages=frozenset({"pages/notice"}))))
        mini.user.accepts(MINI_ALWAYS)
        assert await mini.sends(MINI_ALWAYS, page="pages/other?id=1") == 41030
        assert await mini.sends(MINI_ALWAYS, page="pages/notice?id=1") == 0
        assert mini.scene.emulator.platform.sent[0].link == "pages/notice?id=1"

    @pytest.mark.parametrize("tells", [False, True])
    async def test_an_id_is_told_only_by_some_platforms(self, set_scene: SetScene, tells: bool) -> None:
        mini = Mini(await set_scene(Rules(subscription_msgid=tells)))
        mini.user.accepts(MINI_ONCE)
        assert ("msgid" in await mini.answer(MINI_ONCE)) is tells

    async def test_not_granted_to_a_service_account_and_unknown_to_it(self, scene: Scene, mini: Mini) -> None:
        assert (await scene.call(SEND, message(MINI_ONCE)))["errcode"] == 48001
        assert await mini.sends(MINI_ONCE, openid=OPENID) == 40003
        assert await mini.sends(ONCE) == 40037
