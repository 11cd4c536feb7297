"""Template messages of the emulated 服务号 (wechat-contract.md §4.2, §10 point 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.emulator.platform import AccountKeys
from bot.emulator.quotas import Quota
from bot.emulator.rules import Rules
from bot.emulator.screen import Means
from bot.emulator.templates import FIELDS, slots, subscription_notice_id, template_id
from bot.wechat.crypto import CallbackCrypto, Mode
from bot.wechat.messages import Event, parse
from bot.wechat.outgoing import TemplateJob, template_job
from tests.bot.emulator.conftest import SetScene
from tests.bot.emulator.scenes import OPENID, Scene
from tests.bot.wechat.samples import callback_keys

SEND = "/cgi-bin/message/template/send"
VALUES = {"thing1": "家长会", "time2": "2026年9月4日 15:00", "thing3": "周老师", "thing4": "在三楼会议室"}


@pytest.fixture
async def scene(set_scene: SetScene) -> Scene:
    """One whose platform has the patience of the real one: a busy machine causes no second delivery."""
    return await set_scene(Rules())


def message(changes: dict[str, object] | None = None, **fields: object) -> dict[str, object]:
    """A notice to the follower, its values changed by key; a value None is left out."""
    values = {key: value for key, value in {**VALUES, **(changes or {})}.items() if value is not None}
    data = {key: {"value": value} for key, value in values.items()}
    return {"touser": OPENID, "template_id": template_id("notice"), "data": data, **fields}


async def errcode(scene: Scene, body: dict[str, object]) -> object:
    return (await scene.call(SEND, body))["errcode"]


def events(scene: Scene) -> list[Event]:
    """What the callback was told, oldest first."""
    crypto = CallbackCrypto(callback_keys(Mode.SAFE), scene.clock)
    inbound = [parse(crypto.open_envelope(*push)) for push in scene.callback.received]
    return [each for each in inbound if isinstance(each, Event)]


async def told(scene: Scene) -> list[TemplateJob | None]:
    await scene.emulator.platform.events.settled()
    return [template_job(event) for event in events(scene)]


class TestArriving:
    async def test_a_message_is_on_the_phone_and_in_the_log(self, scene: Scene) -> None:
        answer = await scene.call(SEND, message(url="https://school.example/n/1", client_msg_id="a" * 32))
        assert answer["errcode"] == 0
        assert isinstance(answer["msgid"], int)
        card = scene.follower.screen[-1].card
        assert card is not None
        assert (card.title, card.url) == ("学校通知", "https://school.example/n/1")
        assert card.rows[0] == ("通知事项", "家长会")
        (sent,) = scene.emulator.platform.sent.to(OPENID)
        assert (sent.means, sent.values, sent.client_id) == (Means.TEMPLATE, VALUES, "a" * 32)
        assert sent.message_id == str(answer["msgid"])
        assert sent.at == scene.clock.now()

    async def test_no_act_of_the_follower_is_needed(self, scene: Scene) -> None:
        """§4.1: none technically"""
        scene.clock.advance(timedelta(days=300))
        assert await errcode(scene, message()) == 0

    async def test_a_mini_programs_page_goes_before_the_address(self, scene: Scene) -> None:
        page = {"appid": "wxmini0000000001", "pagepath": "pages/notice?id=1"}
        await scene.call(SEND, message(url="https://school.example/", miniprogram=page))
        assert scene.emulator.platform.sent[0].link == "pages/notice?id=1"

    async def test_colours_are_ignored(self, scene: Scene) -> None:
        body = message()
        body["data"] = {key: {"value": value, "color": "#ff0000"} for key, value in VALUES.items()}
        assert await errcode(scene, body) == 0

    @pytest.mark.parametrize("purpose", FIELDS)
    async def test_every_purpose_has_a_template(self, scene: Scene, purpose: str) -> None:
        values = {key: "2026年9月4日 15:00" if key.startswith("time") else "事" for key in slots(purpose).values()}
        data = {key: {"value": value} for key, value in values.items()}
        assert await errcode(scene, {"touser": OPENID, "template_id": template_id(purpose), "data": data}) == 0


class TestRecipients:
    async def test_followers_only(self, scene: Scene) -> None:
        await scene.follower.unfollows()
        assert await errcode(scene, message()) == 43004

    async def test_an_id_of_another_account_is_unknown(self, scene: Scene) -> None:
        assert await errcode(scene, message(touser="mp_" + OPENID)) == 40003

    async def test_blacklisted_and_switched_off(self, scene: Scene) -> None:
        person = scene.account.person(OPENID)
        person.is_blacklisted = True
        assert await errcode(scene, message()) == 43019
        person.is_blacklisted, person.refuses_templates = False, True
        assert await errcode(scene, message()) == 48002
        assert len(scene.emulator.platform.sent) == 0

    async def test_not_granted_to_a_mini_program(self, scene: Scene) -> None:
        keys = AccountKeys(app_id="wxmini0000000001", app_secret="f" * 32)
        scene.emulator.platform.add_account(keys)
        grant = {"grant_type": "client_credential", "appid": keys.app_id, "secret": keys.app_secret}
        token = str((await scene.post("/cgi-bin/stable_token", grant))["access_token"])
        assert (await scene.post(SEND, message(), access_token=token))["errcode"] == 48001


class TestContent:
    @pytest.mark.parametrize("template", ["gone", subscription_notice_id("notice"), 7])
    async def test_unknown_template(self, scene: Scene, template: object) -> None:
        assert await errcode(scene, message(template_id=template)) == 40037

    async def test_what_is_too_long_is_cut_without_a_word(self, scene: Scene) -> None:
        """§4.2: a run of digits or letters counts as one"""
        assert (
            await errcode(scene, message({"thing1": "长" * 21, "thing4": "第12345678901234567890号" + "好" * 17})) == 0
        )
        values = scene.emulator.platform.sent[0].values
        assert values["thing1"] == "长" * 19 + "…"
        assert values["thing4"] == "第12345678901234567890号" + "好" * 17

    @pytest.mark.parametrize("value", ["", "   ", None])
    async def test_empty_values_are_malformed(self, scene: Scene, value: object) -> None:
        assert await errcode(scene, message({"thing4": value})) == 40250

    @pytest.mark.parametrize("changes", [{"time2": "明天下午"}, {"thing1": "两\n行"}, {"thing1": "好🎉"}])
    async def test_another_kind_of_value_is_refused_by_name(self, scene: Scene, changes: dict[str, object]) -> None:
        answer = await scene.call(SEND, message(changes))
        assert answer["errcode"] == 47003
        assert f"data.{next(iter(changes))}.value invalid" in str(answer["errmsg"])

    async def test_a_body_without_data_is_not_understood(self, scene: Scene) -> None:
        assert await errcode(scene, message(data="no")) == 47001

    async def test_a_client_id_has_32_characters_at_most(self, scene: Scene) -> None:
        assert await errcode(scene, message(client_msg_id="a" * 33)) == 40097


class TestDoubles:
    """§4.2: 40241"""

    async def test_the_same_client_id_within_a_minute_is_a_double(self, scene: Scene) -> None:
        assert await errcode(scene, message(client_msg_id="one")) == 0
        assert await errcode(scene, message({"thing1": "别的"}, client_msg_id="one")) == 40241
        assert len(scene.emulator.platform.sent) == 1

    async def test_after_the_window_it_is_a_new_message(self, scene: Scene) -> None:
        assert await errcode(scene, message(client_msg_id="one")) == 0
        scene.clock.advance(timedelta(seconds=60))
        assert await errcode(scene, message(client_msg_id="one")) == 0
        assert len(scene.emulator.platform.sent) == 2

    async def test_another_person_may_have_the_same_client_id(self, scene: Scene) -> None:
        other = scene.emulator.follower(scene.account, "oEMU0000000000000000000000A2")
        assert await errcode(scene, message(client_msg_id="one")) == 0
        assert await errcode(scene, message(touser=other.openid, client_msg_id="one")) == 0

    async def test_what_was_refused_may_be_sent_again_under_its_id(self, scene: Scene) -> None:
        assert await errcode(scene, message({"thing1": ""}, client_msg_id="one")) == 40250
        assert await errcode(scene, message(client_msg_id="one")) == 0

    async def test_without_a_client_id_everything_goes_out_again(self, scene: Scene) -> None:
        assert [await errcode(scene, message()) for _ in range(2)] == [0, 0]
        assert scene.emulator.platform.sent.counts().most_common(1)[0][1] == 2


class TestOutcome:
    """§2.2 TEMPLATESENDJOBFINISH"""

    async def test_arrival_is_told_under_the_same_id(self, scene: Scene) -> None:
        answer = await scene.call(SEND, message())
        job = TemplateJob(message_id=str(answer["msgid"]), is_delivered=True, is_blocked=False)
        assert await told(scene) == [job]
        (event,) = events(scene)
        assert (event.openid, event.fields["Status"]) == (OPENID, "success")

    async def test_one_who_blocks_the_account_gets_nothing(self, scene: Scene) -> None:
        scene.account.person(OPENID).blocks_account = True
        assert await errcode(scene, message()) == 0
        assert len(scene.emulator.platform.sent) == 0
        (job,) = await told(scene)
        assert job is not None
        assert (job.is_delivered, job.is_blocked) == (False, True)
        assert events(scene)[0].fields["Status"] == "failed:user block"

    async def test_a_job_can_fail_afterwards(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail_jobs(SEND)
        assert await errcode(scene, message()) == 0
        (job,) = await told(scene)
        assert job is not None
        assert (job.is_delivered, job.is_blocked) == (False, False)
        assert events(scene)[0].fields["Status"] == "failed: system failed"
        assert await errcode(scene, message()) == 0
        assert len(scene.emulator.platform.sent) == 1

    async def test_what_is_under_review_arrives_all_the_same(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.review(SEND)
        assert await errcode(scene, message()) == 40252
        assert len(scene.emulator.platform.sent) == 1

    async def test_an_event_nobody_takes_is_posted_three_times(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(answer_within_s=0.01))
        scene.emulator.callback_url = "http://127.0.0.1:9/wechat"
        await scene.call(SEND, message())
        await scene.emulator.platform.events.settled()
        (announced,) = scene.emulator.platform.events.log
        assert (announced.deliveries, announced.is_taken) == (3, False)
        assert scene.follower.last_notice is None

    async def test_events_can_be_switched_off(self, set_scene: SetScene) -> None:
        scene = await set_scene(Rules(job_events=False))
        await scene.call(SEND, message())
        assert await told(scene) == []


class TestLimits:
    """§7"""

    async def test_the_days_number(self, scene: Scene) -> None:
        scene.account.quotas.limits[SEND] = Quota(2)
        assert [await errcode(scene, message()) for _ in range(3)] == [0, 0, 45009]
        _to_midnight(scene.clock)
        assert await errcode(scene, message()) == 0

    async def test_the_minutes_and_the_seconds_number(self, scene: Scene) -> None:
        scene.account.quotas.limits[SEND] = Quota(100, a_minute=3, a_second=2)
        assert [await errcode(scene, message()) for _ in range(3)] == [0, 0, 45011]
        scene.clock.advance(timedelta(seconds=1))
        assert [await errcode(scene, message()) for _ in range(2)] == [0, 45011]
        scene.clock.advance(timedelta(seconds=59))
        assert await errcode(scene, message()) == 0

    async def test_what_is_left_can_be_asked(self, scene: Scene) -> None:
        await scene.call(SEND, message())
        answer = await scene.call("/cgi-bin/openapi/quota/get", {"cgi_path": SEND})
        assert answer["quota"] == {"daily_limit": 100_000, "used": 1, "remain": 99_999}

    @pytest.mark.parametrize(
        ("path", "expected"), [("/cgi-bin/message/subscribe/send", 76022), ("/cgi-bin/no/such", 76021)]
    )
    async def test_a_path_of_another_kind_of_account_and_none_at_all(
        self, scene: Scene, path: str, expected: int
    ) -> None:
        assert (await scene.call("/cgi-bin/openapi/quota/get", {"cgi_path": path}))["errcode"] == expected


async def test_the_templates_can_be_listed(scene: Scene) -> None:
    rows = (await scene.call("/cgi-bin/template/get_all_private_template"))["template_list"]
    assert isinstance(rows, list)
    assert [row["template_id"] for row in rows] == [template_id(purpose) for purpose in FIELDS]
    assert rows[0]["content"].splitlines()[0] == "通知事项：{{thing1.DATA}}"
    listed = (await scene.call("/wxaapi/newtmpl/gettemplate"))["data"]
    assert isinstance(listed, list)
    assert {row["type"] for row in listed} == {2, 3}


def _to_midnight(clock: FrozenClock) -> None:
    clock.advance(timedelta(hours=16))
