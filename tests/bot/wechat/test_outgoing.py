"""Template messages, subscriptions and mass messages: the client against the emulated platform and all its faults
(wechat-contract.md §4.2 to §4.6, §7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.emulator.platform import Account as EmulatedAccount
from bot.emulator.platform import AccountKeys
from bot.emulator.quotas import Quota
from bot.emulator.rules import Rules
from bot.emulator.screen import Means
from bot.emulator.server import Emulator
from bot.emulator.subscribing import MiniProgramUser
from bot.emulator.templates import mini_program_id, subscription_notice_id, template_id
from bot.metrics import Metrics
from bot.storage.redis import RedisStore
from bot.wechat.client import (
    MASS_GET,
    MASS_SEND,
    MASS_SEND_ALL,
    QUOTA_GET,
    STABLE_TOKEN,
    SUBSCRIPTION_NOTICE_SEND,
    TEMPLATE_SEND,
    Account,
    WeChatClient,
)
from bot.wechat.crypto import Mode
from bot.wechat.errcodes import CODES
from bot.wechat.errors import (
    DuplicateMessage,
    InvalidCall,
    MassQuotaUsedUp,
    OutcomeUnknown,
    QuotaExceeded,
    RateExceeded,
    Reaction,
    RecipientNotFollowing,
    RecipientRefused,
    RecipientUnknown,
    SystemBusy,
    TemplateUnknown,
    TokenExpired,
    UnderReview,
    WeChatError,
    WeChatUnreachable,
)
from bot.wechat.messages import Event, parse
from bot.wechat.miniprogram import SUBSCRIPTION_SEND, MiniProgramApi
from bot.wechat.outgoing import (
    MassJob,
    MassMessage,
    MassStatus,
    MiniProgramPage,
    MiniProgramState,
    OpenIds,
    SubscriptionMessage,
    SubscriptionNotice,
    Tag,
    TemplateMessage,
    UnsendableMessage,
    mass_outcome,
    template_job,
)
from bot.wechat.outgoing import (
    Quota as TellsQuota,
)
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import TimeLimits, open_transport
from tests.bot.wechat.samples import account_keys, event

OPENID = "oEMU0000000000000000000000A1"
OTHER = "oEMU0000000000000000000000A2"
MINI_OPENID = "mp_" + OPENID
VALUES = {"thing1": "家长会", "time2": "2026年9月4日 15:00", "thing3": "周老师", "thing4": "在三楼会议室"}
TEMPLATE = TemplateMessage(template_id=template_id("notice"), values=VALUES, client_msg_id="0123456789abcdef")
NOTICE = SubscriptionNotice(template_id=subscription_notice_id("notice", is_long_term=True), values=VALUES)
SUBSCRIPTION = SubscriptionMessage(template_id=mini_program_id("notice", is_long_term=True), values=VALUES)
MASS = MassMessage(audience=OpenIds([OPENID, OTHER]), text="明天停课", clientmsgid="n-1")


# Nobody listens on the discard port.
NOBODY = "http://127.0.0.1:9"
SOON = TimeLimits(total_s=1.5)


async def no_pause(_: float) -> None:
    return


@dataclass
class Scene:
    """A platform with a 服务号, its mini-program, two followers, and the clients of both accounts."""

    emulator: Emulator
    account: EmulatedAccount
    follower: Follower
    mini_account: EmulatedAccount
    user: MiniProgramUser
    client: WeChatClient
    mini: MiniProgramApi
    cut_off: tuple[WeChatClient, MiniProgramApi]

    async def send_template(self) -> object:
        return await self.client.send_template(OPENID, TEMPLATE)

    async def send_notice(self) -> object:
        await self.client.send_subscription_notice(OPENID, NOTICE)
        return None

    async def send_subscription(self) -> object:
        return await self.mini.send_subscription(MINI_OPENID, SUBSCRIPTION)

    async def send_mass(self) -> object:
        return await self.client.mass_send(MASS)

    def agree(self) -> None:
        """The person accepts both long-term templates."""
        person = self.account.person(OPENID)
        person.consents.accept(self.account.templates[NOTICE.template_id], add_up=True)
        self.user.accepts(SUBSCRIPTION.template_id)

    def asked(self, path: str) -> int:
        return len(self.emulator.platform.calls_of(path))

    def arrived(self) -> int:
        return len(self.emulator.platform.sent)


@pytest.fixture
async def scene(clock: FrozenClock, redis: RedisStore, metrics: Metrics) -> AsyncIterator[Scene]:
    rules = Rules(job_events=False, subscription_msgid=True)
    async with Emulator(clock, rules) as emulator, open_transport(SOON) as transport:
        keys = account_keys(Mode.SAFE)
        mini_keys = AccountKeys(app_id="wxmini0000000001", app_secret="f" * 32)
        account, mini_account = emulator.platform.add_account(keys), emulator.platform.add_account(mini_keys)
        emulator.follower(account, OTHER)

        def client(url: str) -> WeChatClient:
            given = Account(url, keys.app_id, SecretStr(keys.app_secret))
            tokens = RedisTokenStore(redis, keys.app_id)
            return WeChatClient(transport, given, tokens, clock, metrics=metrics, pause=no_pause)

        def mini(url: str) -> MiniProgramApi:
            given = Account(url, mini_keys.app_id, SecretStr(mini_keys.app_secret))
            tokens = RedisTokenStore(redis, mini_keys.app_id)
            return MiniProgramApi(transport, given, tokens, clock, metrics=metrics, pause=no_pause)

        made = Scene(
            emulator,
            account,
            emulator.follower(account, OPENID),
            mini_account,
            emulator.mini_program_user(mini_account, MINI_OPENID),
            client(emulator.url),
            mini(emulator.url),
            (client(NOBODY), mini(NOBODY)),
        )
        made.agree()
        yield made


# Each way to send: its method, its path.
WAYS: dict[str, tuple[Callable[[Scene], Awaitable[object]], str]] = {
    "template": (Scene.send_template, TEMPLATE_SEND),
    "notice": (Scene.send_notice, SUBSCRIPTION_NOTICE_SEND),
    "subscription": (Scene.send_subscription, SUBSCRIPTION_SEND),
    "mass": (Scene.send_mass, MASS_SEND),
}
each_way = pytest.mark.parametrize("way", WAYS)


class TestSending:
    async def test_a_template_message_arrives_with_its_id(self, scene: Scene) -> None:
        page = MiniProgramPage("wxmini0000000001", "pages/notice?id=1")
        message = replace(TEMPLATE, url="https://school.example/n/1", mini_program=page)
        message_id = await scene.client.send_template(OPENID, message)
        (sent,) = scene.emulator.platform.sent.to(OPENID)
        assert (sent.message_id, sent.values, sent.client_id) == (message_id, VALUES, TEMPLATE.client_msg_id)
        assert (sent.means, sent.link) == (Means.TEMPLATE, page.path)
        card = scene.follower.screen[-1].card
        assert card is not None
        assert card.url == "https://school.example/n/1"

    async def test_bodies_are_raw_utf8(self, scene: Scene) -> None:
        """§3.1"""
        await scene.send_template()
        assert "家长会".encode() in scene.emulator.platform.calls_of(TEMPLATE_SEND)[0].body

    async def test_a_notice_leads_to_its_page(self, scene: Scene) -> None:
        await scene.client.send_subscription_notice(OPENID, replace(NOTICE, url="https://school.example/n/1"))
        (sent,) = scene.emulator.platform.sent.to(OPENID, Means.SUBSCRIPTION)
        assert sent.link == "https://school.example/n/1"

    async def test_a_mini_programs_message_tells_its_id_where_there_is_one(self, scene: Scene) -> None:
        message = replace(SUBSCRIPTION, page="pages/notice?id=1", state=MiniProgramState.TRIAL)
        message_id = await scene.mini.send_subscription(MINI_OPENID, message)
        (sent,) = scene.emulator.platform.sent.to(MINI_OPENID)
        assert (sent.message_id, sent.link) == (message_id, "pages/notice?id=1")

    async def test_a_mass_message_by_name_by_tag_and_to_all(self, scene: Scene) -> None:
        scene.account.tags[101] = {OTHER}
        job = await scene.client.mass_send(MASS)
        assert not job.is_repeat
        assert await scene.client.mass_get(job.message_id) is MassStatus.SENT
        await scene.client.mass_send(MassMessage(audience=Tag(101), text="给有标签的"))
        await scene.client.mass_send(MassMessage(audience=Tag(None), text="给所有人"))
        assert [sent.openid for sent in scene.emulator.platform.sent] == [OPENID, OTHER, OTHER, OTHER, OPENID]
        with pytest.raises(MassQuotaUsedUp):
            await scene.client.mass_send(MassMessage(audience=Tag(None), text="再给所有人"))

    async def test_one_named_twice_is_one_recipient(self, scene: Scene) -> None:
        await scene.client.mass_send(MassMessage(audience=OpenIds([OPENID, OTHER, OPENID]), text="好"))
        assert scene.arrived() == 2

    async def test_an_undocumented_state_of_a_mass_message_is_told_as_such(self, scene: Scene) -> None:
        job = await scene.client.mass_send(MASS)
        scene.account.mass_jobs.job(job.message_id).status = "HOLD"
        assert await scene.client.mass_get(job.message_id) is MassStatus.OTHER

    async def test_what_is_left_of_a_quota(self, scene: Scene) -> None:
        await scene.send_template()
        assert await scene.client.quota(TEMPLATE_SEND) == TellsQuota(100_000, 1, 99_999, None)
        assert await scene.client.quota(MASS_SEND) == TellsQuota(100, 0, 100, 60)
        with pytest.raises(InvalidCall):
            await scene.client.quota("/cgi-bin/no/such")

    @pytest.mark.parametrize(
        "message",
        [
            replace(MASS, audience=OpenIds([OPENID])),
            replace(MASS, audience=OpenIds([OPENID, OPENID])),
            replace(MASS, audience=OpenIds([f"o{number}" for number in range(10_001)])),
            replace(MASS, clientmsgid="好" * 22),
        ],
    )
    async def test_what_no_platform_takes_is_not_sent(self, scene: Scene, message: MassMessage) -> None:
        with pytest.raises(UnsendableMessage):
            await scene.client.mass_send(message)
        with pytest.raises(UnsendableMessage):
            await scene.client.send_template(OPENID, replace(TEMPLATE, client_msg_id="x" * 33))
        assert scene.emulator.platform.calls == []


class TestDoubles:
    async def test_the_same_template_message_is_a_named_error_that_means_sent(self, scene: Scene) -> None:
        await scene.send_template()
        with pytest.raises(DuplicateMessage) as caught:
            await scene.send_template()
        assert caught.value.reaction is Reaction.TREAT_AS_SENT
        assert scene.arrived() == 1

    async def test_after_a_lost_answer_the_client_id_tells_that_it_arrived(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.lose(TEMPLATE_SEND)
        with pytest.raises(OutcomeUnknown):
            await scene.send_template()
        with pytest.raises(DuplicateMessage):
            await scene.send_template()
        assert scene.arrived() == 1

    async def test_the_same_mass_message_is_the_first_ones_job(self, scene: Scene) -> None:
        first = await scene.client.mass_send(MASS)
        assert await scene.client.mass_send(MASS) == MassJob(first.message_id, is_repeat=True)
        assert scene.arrived() == 2

    async def test_a_mass_message_whose_answer_was_lost_gets_its_id_by_asking_again(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.lose(MASS_SEND)
        with pytest.raises(OutcomeUnknown):
            await scene.send_mass()
        again = await scene.client.mass_send(MASS)
        assert again == MassJob(scene.emulator.platform.sent[0].message_id, is_repeat=True)
        assert scene.arrived() == 2

    async def test_a_repeat_without_the_old_id_stays_an_error(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.fail(MASS_SEND, 45065)
        with pytest.raises(DuplicateMessage):
            await scene.send_mass()

    async def test_what_is_under_review_means_sent(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.review(TEMPLATE_SEND)
        with pytest.raises(UnderReview) as caught:
            await scene.send_template()
        assert caught.value.reaction is Reaction.TREAT_AS_SENT
        assert scene.arrived() == 1


class TestRefusals:
    async def test_one_who_left(self, scene: Scene) -> None:
        scene.account.unfollow(scene.account.person(OPENID))
        with pytest.raises(RecipientNotFollowing):
            await scene.send_template()

    async def test_a_stranger(self, scene: Scene) -> None:
        with pytest.raises(RecipientUnknown):
            await scene.client.send_template("oNobody", TEMPLATE)

    async def test_no_consent_left(self, scene: Scene) -> None:
        scene.user.rejects(SUBSCRIPTION.template_id)
        scene.account.person(OPENID).consents.withdraw(scene.account.templates[NOTICE.template_id])
        for send in (scene.send_notice, scene.send_subscription):
            with pytest.raises(RecipientRefused) as caught:
                await send()
            assert caught.value.errcode == 43101

    async def test_a_value_that_breaks_its_type(self, scene: Scene) -> None:
        with pytest.raises(InvalidCall) as caught:
            await scene.mini.send_subscription(
                MINI_OPENID, replace(SUBSCRIPTION, values={**VALUES, "thing1": "长" * 21})
            )
        assert (caught.value.errcode, caught.value.reaction) == (47003, Reaction.FIX_DATA)

    async def test_a_removed_template_stops_only_itself(self, scene: Scene) -> None:
        with pytest.raises(TemplateUnknown) as caught:
            await scene.client.send_template(OPENID, replace(TEMPLATE, template_id="gone"))
        assert caught.value.reaction is Reaction.STOP_TEMPLATE

    async def test_quotas(self, scene: Scene) -> None:
        scene.account.quotas.limits[TEMPLATE_SEND] = Quota(2, a_second=1)
        await scene.send_template()
        with pytest.raises(RateExceeded):
            await scene.client.send_template(OTHER, TEMPLATE)
        scene.account.quotas.limits[TEMPLATE_SEND] = Quota(1)
        with pytest.raises(QuotaExceeded):
            await scene.client.send_template(OTHER, TEMPLATE)


class TestFaults:
    """Each fault of the platform, for each way to send: sent at most once, and never repeated by the client."""

    @each_way
    async def test_every_errcode_is_its_named_error(self, scene: Scene, way: str) -> None:
        send, path = WAYS[way]
        for expected, errcode in [(error, code) for error, codes in CODES.items() for code in codes]:
            scene.emulator.platform.troubles.clear()
            scene.emulator.platform.calls.clear()
            scene.emulator.platform.troubles.fail(path, errcode, times=None)
            with pytest.raises(WeChatError) as caught:
                await send(scene)
            assert (type(caught.value), caught.value.errcode) == (expected, errcode)
            assert caught.value.api == path
            assert caught.value.rid is not None
            assert scene.asked(path) == (2 if expected is TokenExpired else 1)
        assert scene.arrived() == 0

    @each_way
    async def test_a_dead_token_is_replaced_and_the_message_sent_once(
        self, scene: Scene, way: str, clock: FrozenClock
    ) -> None:
        send, path = WAYS[way]
        account = scene.mini_account if way == "subscription" else scene.account
        await (scene.mini if way == "subscription" else scene.client).access_token()
        account.tokens.kill()
        clock.advance(timedelta(seconds=10))
        await send(scene)
        assert scene.asked(path) == 2
        assert scene.arrived() == (2 if way == "mass" else 1)

    @each_way
    async def test_a_token_that_ran_out_is_replaced(self, scene: Scene, way: str) -> None:
        send, path = WAYS[way]
        scene.emulator.platform.troubles.fail(path, 42001)
        await send(scene)
        assert scene.asked(path) == 2

    @each_way
    @pytest.mark.parametrize(
        ("trouble", "arrives"), [("drop", False), ("lose", True), ("break_server", False)], ids=str
    )
    async def test_a_broken_connection_leaves_the_outcome_open(
        self, scene: Scene, way: str, trouble: str, arrives: bool
    ) -> None:
        send, path = WAYS[way]
        getattr(scene.emulator.platform.troubles, trouble)(path)
        with pytest.raises(OutcomeUnknown) as caught:
            await send(scene)
        assert "access_token" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert scene.asked(path) == 1
        assert (scene.arrived() > 0) is arrives

    @each_way
    async def test_a_busy_platform_is_not_asked_twice(self, scene: Scene, way: str) -> None:
        send, path = WAYS[way]
        scene.emulator.platform.troubles.fail(path, -1)
        with pytest.raises(SystemBusy):
            await send(scene)
        assert scene.asked(path) == 1

    async def test_a_slow_platform_is_left(self, scene: Scene) -> None:
        scene.emulator.platform.troubles.delay(TEMPLATE_SEND, 2.0)
        with pytest.raises(OutcomeUnknown):
            await scene.send_template()

    @each_way
    async def test_a_platform_out_of_reach_has_taken_nothing(self, scene: Scene, way: str) -> None:
        send, _ = WAYS[way]
        for each in (scene.client, scene.mini):
            await each.access_token()
        client, mini = scene.cut_off
        with pytest.raises(WeChatUnreachable):
            await send(replace(scene, client=client, mini=mini))

    @pytest.mark.parametrize("path", [MASS_GET, QUOTA_GET])
    async def test_questions_are_asked_again_once(self, scene: Scene, path: str) -> None:
        job = await scene.client.mass_send(MASS)
        for trouble in (scene.emulator.platform.troubles.lose, scene.emulator.platform.troubles.drop):
            trouble(path)
            if path == MASS_GET:
                assert await scene.client.mass_get(job.message_id) is MassStatus.SENT
            else:
                assert (await scene.client.quota(TEMPLATE_SEND)).used == 0
        assert scene.asked(path) == 4

    async def test_an_answer_without_an_id_is_unknown(self, scene: Scene) -> None:
        for path in (TEMPLATE_SEND, MASS_SEND, MASS_SEND_ALL):
            scene.emulator.platform.troubles.fail(path, 0, times=None)
        for message in (MASS, replace(MASS, audience=Tag(None))):
            with pytest.raises(OutcomeUnknown):
                await scene.client.mass_send(message)
        with pytest.raises(OutcomeUnknown):
            await scene.send_template()

    async def test_two_hundred_at_once_share_one_token(self, scene: Scene) -> None:
        await asyncio.gather(
            *(
                scene.client.send_template(OPENID, replace(TEMPLATE, client_msg_id=f"m-{number}"))
                for number in range(200)
            )
        )
        assert scene.arrived() == 200
        assert scene.asked(STABLE_TOKEN) == 1


class TestEvents:
    """§2.2, §4.6"""

    @pytest.mark.parametrize(
        ("status", "is_delivered", "is_blocked"),
        [("success", True, False), ("failed:user block", False, True), ("failed: system failed", False, False)],
    )
    def test_outcome_of_a_template_message(self, status: str, is_delivered: bool, is_blocked: bool) -> None:
        told = template_job(_event("TEMPLATESENDJOBFINISH", MsgID=200163836, Status=status))
        assert told is not None
        assert (told.message_id, told.is_delivered, told.is_blocked) == ("200163836", is_delivered, is_blocked)

    @pytest.mark.parametrize(
        ("status", "is_sent", "error_code"),
        [("send success", True, None), ("sendsuccess", False, None), ("err(20001)", False, 20001)],
    )
    def test_outcome_of_a_mass_message(self, status: str, is_sent: bool, error_code: int | None) -> None:
        counts = {"TotalCount": 100, "FilterCount": 80, "SentCount": 75, "ErrorCount": 5}
        told = mass_outcome(_event("MASSSENDJOBFINISH", MsgID=1000001625, Status=status, **counts))
        assert told is not None
        assert (told.is_sent, told.error_code) == (is_sent, error_code)
        assert (told.total_count, told.filtered_count, told.sent_count, told.error_count) == (100, 80, 75, 5)

    def test_counts_that_are_none_are_nought(self) -> None:
        told = mass_outcome(_event("MASSSENDJOBFINISH", Status="send fail", TotalCount="many"))
        assert told is not None
        assert (told.message_id, told.total_count) == ("", 0)

    def test_other_events_tell_nothing(self) -> None:
        assert template_job(_event("MASSSENDJOBFINISH")) is None
        assert mass_outcome(_event("TEMPLATESENDJOBFINISH")) is None


def _event(name: str, **fields: str | int) -> Event:
    parsed = parse(event(name, **fields))
    assert isinstance(parsed, Event)
    return parsed
