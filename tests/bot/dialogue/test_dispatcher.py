"""The dispatcher: what is tried in which order, who may, and what a person reads when something is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.dialogue import texts
from bot.dialogue.context import ChatContext
from bot.dialogue.inbox import Act, Effect, Inbox
from bot.dialogue.prompts import NotUnderstood
from bot.dialogue.router import Route, Router, Tier, always, idle, in_step, words
from bot.dialogue.router import event as named
from bot.dialogue.store import ChatStore
from bot.errors import Conflict, InvalidInput, LimitReached, NotFound, Unavailable
from bot.identity import Role
from bot.metrics import Metrics
from bot.rights import Action
from bot.storage.base import blind_index
from bot.storage.database import open_database
from bot.storage.errors import DatabaseAway
from bot.storage.redis import RedisStore, redis_client
from bot.storage.redis_stand_in import StandIn
from bot.wechat.messages import NO_REPLY, Event, Inbound, Reply, TextMessage, TextReply
from tests.bot.dialogue.conftest import OpenStore
from tests.bot.dialogue.stage import DANGER, OPENID, Stage, event, leave_mark, marks, route, said, text
from tests.servers import free_port
from tests.settings import make_settings


async def answer(context: ChatContext, message: TextMessage) -> Reply:
    return TextReply(f"答：{message.content}")


async def start(context: ChatContext, message: TextMessage) -> Reply:
    context.enter("dialogue", "step", {"a": "1"})
    return TextReply("开始")


async def tell_step(context: ChatContext, message: TextMessage) -> Reply:
    return TextReply(f"{context.session.step or '不在办'}{dict(context.session.answers)}")


def calm(context: ChatContext, message: Inbound) -> Reply:
    return TextReply("别怕，马上打110")


async def record(context: ChatContext, message: TextMessage) -> Reply:
    await leave_mark(context, message)
    return TextReply("别怕，马上打110，已告诉老师")


LAST = route(answer, changes=False)
START = route(start, name="start", tier=Tier.KEYWORD, when=words("开始"))
STEP = route(tell_step, name="step", tier=Tier.STEP, changes=False, when=in_step("dialogue", "step"))
MENU_WORD = route(answer, name="menu", tier=Tier.GLOBAL, changes=False, when=words("菜单"))
CRISIS = route(
    record, name="crisis", tier=Tier.CRISIS, when=lambda context, _: context.alarm == DANGER, fallback=calm
)  # fmt: skip


class AwayInbox(Inbox):
    """Over a database that is away until told otherwise."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.is_away = True
        self.done = asyncio.Event()

    async def once(self, message_index: str, openid_index: str, act: Act) -> Effect:
        if self.is_away:
            raise DatabaseAway
        effect = await super().once(message_index, openid_index, act)
        self.done.set()
        return effect


class Pauses:
    """Waits that end when told to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._gate = asyncio.Event()
        self.reached = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.reached.set()
        await self._gate.wait()

    def end(self) -> None:
        self._gate.set()


def store_that_is_away(metrics: Metrics) -> RedisStore:
    return RedisStore(redis_client("redis://127.0.0.1:1/0"), metrics)


# ----------------------------------------------------------------------------------------------------------- the order
async def test_global_words_go_before_the_step_and_the_step_before_keywords(
    stage: Stage, lone_store: OpenStore
) -> None:
    dispatcher = stage.dispatcher([LAST, START, STEP, MENU_WORD], await lone_store())
    assert said(await dispatcher.dispatch(text("开始"))) == "开始"
    assert said(await dispatcher.dispatch(text("菜单。"))) == "答：菜单。"
    assert said(await dispatcher.dispatch(text("开始"))) == "step{'a': '1'}"


async def test_words_of_danger_go_before_everything_and_leave_the_dialogue_alone(
    stage: Stage, lone_store: OpenStore
) -> None:
    dispatcher = stage.dispatcher([LAST, START, STEP, MENU_WORD, CRISIS], await lone_store())
    await dispatcher.dispatch(text("开始"))
    assert "已告诉老师" in said(await dispatcher.dispatch(text("救命")))
    assert await marks() == 1
    assert said(await dispatcher.dispatch(text("接着说"))) == "step{'a': '1'}"


async def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Router([LAST, LAST])


async def test_a_crisis_route_needs_words_for_when_nothing_works(stage: Stage, lone_store: OpenStore) -> None:
    with pytest.raises(ValueError, match="fallback"):
        stage.dispatcher([route(record, tier=Tier.CRISIS)], await lone_store())


async def test_a_text_nobody_takes_still_gets_a_way_on(stage: Stage, lone_store: OpenStore) -> None:
    dispatcher = stage.dispatcher([MENU_WORD], await lone_store())
    assert said(await dispatcher.dispatch(text("什么"))) == texts.OTHERWISE


async def test_an_event_nobody_takes_costs_no_look_into_the_store(stage: Stage, metrics: Metrics) -> None:
    dispatcher = stage.dispatcher([LAST], store_that_is_away(metrics))
    assert await dispatcher.dispatch(event("view")) == NO_REPLY
    assert metrics.registry.get_sample_value("xiangxiao_redis_away_total") == 0


async def test_a_route_that_does_not_declare_a_change_cannot_make_one(stage: Stage, lone_store: OpenStore) -> None:
    dispatcher = stage.dispatcher([route(start, changes=False)], await lone_store())
    assert "出了点问题" in said(await dispatcher.dispatch(text("开始")))


# ----------------------------------------------------------------------------------------------------------- who may
async def test_only_the_role_a_route_names_may_use_it(stage: Stage, lone_store: OpenStore) -> None:
    only_duty = route(leave_mark, action=Action.HANDOVER_ANSWER)
    index = blind_index("openid", OPENID)
    visitor = stage.dispatcher([only_duty], await lone_store())
    assert said(await visitor.dispatch(text("办结"))) == texts.NOT_PERMITTED
    owner = stage.dispatcher([only_duty], await lone_store(), roles={index: Role.DUTY})
    assert "做了" in said(await owner.dispatch(text("办结")))
    assert await marks() == 1


async def test_a_sender_who_may_be_forged_changes_nothing_and_reads_nothing_protected(
    stage: Stage, lone_store: OpenStore
) -> None:
    protected = route(answer, name="protected", tier=Tier.GLOBAL, changes=False, protected=True, when=words("我的"))
    mark = route(leave_mark, name="mark", tier=Tier.KEYWORD, when=words("报名"))
    dispatcher = stage.dispatcher([protected, mark, LAST], await lone_store())
    assert said(await dispatcher.dispatch(text("我的", authenticated=False))) == texts.NOT_CONFIRMED
    assert said(await dispatcher.dispatch(text("报名", authenticated=False))) == texts.NOT_CONFIRMED
    assert await marks() == 0
    assert said(await dispatcher.dispatch(text("问题", authenticated=False))) == "答：问题"


async def test_danger_is_answered_to_whoever_writes_and_recorded_for_certain_senders_only(
    stage: Stage, lone_store: OpenStore
) -> None:
    dispatcher = stage.dispatcher([LAST, CRISIS], await lone_store())
    assert said(await dispatcher.dispatch(text("救命", authenticated=False))) == "别怕，马上打110"
    assert await marks() == 0


async def test_an_event_that_may_be_forged_erases_nobody(stage: Stage, lone_store: OpenStore) -> None:
    leaving = Route(
        name="leaving", tier=Tier.MENU, of=Event, when=named("unsubscribe"), handle=leave_mark,
        action=Action.CHAT_USE, changes=True, must_happen=True,
    )  # fmt: skip
    dispatcher = stage.dispatcher([leaving], await lone_store())
    forged = event("unsubscribe")
    object.__setattr__(forged, "authenticated", False)
    assert await dispatcher.dispatch(forged) == NO_REPLY
    assert await marks() == 0


# ------------------------------------------------------------------------------------------------------- too much
async def test_too_many_messages_are_told_so_until_the_minute_is_over(
    stage: Stage, lone_store: OpenStore, clock: FrozenClock
) -> None:
    dispatcher = stage.dispatcher([LAST, CRISIS], await lone_store(), per_minute=3)
    replies = [said(await dispatcher.dispatch(text("问题"))) for _ in range(5)]
    assert replies == ["答：问题"] * 3 + [texts.TOO_FAST] * 2
    assert "110" in said(await dispatcher.dispatch(text("救命")))
    assert said(await dispatcher.dispatch(text("问题", openid="oEMU0000000000000000000000B2"))) == "答：问题"
    clock.advance(timedelta(minutes=2))
    assert said(await dispatcher.dispatch(text("问题"))) == "答：问题"


# --------------------------------------------------------------------------------------------------- what goes wrong
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (InvalidInput("写得不对，请重写。"), "写得不对，请重写。"),
        (NotUnderstood("没看懂。"), f"没看懂。{texts.LEAVE_HINT}"),
        (Conflict("已经办结。"), "已经办结。"),
        (LimitReached("满了，请换一个。"), "满了，请换一个。"),
        (NotFound(), texts.NOT_FOUND),
        (NotFound("没有这个编号。"), "没有这个编号。"),
        (DatabaseAway(), texts.BUSY),
    ],
)
async def test_a_named_fault_becomes_its_sentence_and_undoes_the_effect(
    stage: Stage, lone_store: OpenStore, fault: Exception, sentence: str
) -> None:
    async def fail(context: ChatContext, message: TextMessage) -> Reply:
        await leave_mark(context, message)
        context.leave()
        raise fault

    failing = route(fail, name="fail", tier=Tier.GLOBAL, when=words("出错"))
    dispatcher = stage.dispatcher([LAST, START, STEP, failing], await lone_store())
    await dispatcher.dispatch(text("开始"))
    assert said(await dispatcher.dispatch(text("出错"))) == sentence
    assert await marks() == 0
    assert said(await dispatcher.dispatch(text("接着说"))) == "step{'a': '1'}"


async def test_an_unexpected_fault_becomes_one_apology_with_its_id_and_the_session_stays(
    stage: Stage, lone_store: OpenStore, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(context: ChatContext, message: TextMessage) -> Reply:
        context.leave()
        raise ZeroDivisionError

    failing = route(fail, name="fail", tier=Tier.GLOBAL, when=words("出错"))
    dispatcher = stage.dispatcher([START, STEP, failing], await lone_store())
    await dispatcher.dispatch(text("开始"))
    message = text("出错")
    assert said(await dispatcher.dispatch(message)) == texts.APOLOGY.format(id=message.dedupe_key[:10])
    assert any(record.getMessage() == "message_failed" and record.exc_info for record in caplog.records)
    counted = metrics.registry.get_sample_value("xiangxiao_dispatch_failures_total", {"cause": "unexpected"})
    assert counted == 1
    assert said(await dispatcher.dispatch(text("接着说"))) == "step{'a': '1'}"


async def test_a_cancelled_dispatch_ends_as_cancelled(stage: Stage, lone_store: OpenStore) -> None:
    begun = asyncio.Event()

    async def hang(context: ChatContext, message: TextMessage) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    dispatcher = stage.dispatcher([route(hang, changes=False)], await lone_store())
    task = asyncio.create_task(dispatcher.dispatch(text("问题")))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# -------------------------------------------------------------------------------------------------------- Redis is away
async def test_without_redis_answers_are_given_and_what_changes_something_is_put_off(
    stage: Stage, metrics: Metrics
) -> None:
    mark = route(leave_mark, name="mark", tier=Tier.KEYWORD, when=words("报名"))
    dispatcher = stage.dispatcher([LAST, mark, CRISIS], store_that_is_away(metrics))
    assert said(await dispatcher.dispatch(text("问题"))) == "答：问题"
    assert said(await dispatcher.dispatch(text("报名"))) == texts.BUSY
    assert await marks() == 0
    assert "已告诉老师" in said(await dispatcher.dispatch(text("救命")))
    assert await marks() == 1
    assert (metrics.registry.get_sample_value("xiangxiao_redis_away_total") or 0) > 0
    failures = metrics.registry.get_sample_value("xiangxiao_dispatch_failures_total", {"cause": "unavailable"})
    assert failures == 1


# ----------------------------------------------------------------------------------------------------- database is away
async def test_without_the_database_answers_are_given_and_the_rest_is_put_off(
    stage: Stage, lone_store: OpenStore, clock: FrozenClock
) -> None:
    mark = route(leave_mark, name="mark", tier=Tier.KEYWORD, when=words("报名"))
    dispatcher = stage.dispatcher([LAST, mark], await lone_store(), inbox=AwayInbox(clock))
    assert said(await dispatcher.dispatch(text("问题"))) == "答：问题"
    assert said(await dispatcher.dispatch(text("报名"))) == texts.BUSY


async def test_danger_is_answered_without_the_database_and_recorded_when_it_is_back(
    stage: Stage, lone_store: OpenStore, clock: FrozenClock
) -> None:
    inbox, pauses = AwayInbox(clock), Pauses()
    dispatcher = stage.dispatcher([LAST, CRISIS], await lone_store(), inbox=inbox, pause=pauses)
    assert said(await dispatcher.dispatch(text("救命"))) == "别怕，马上打110"
    await pauses.reached.wait()
    inbox.is_away = False
    pauses.end()
    await inbox.done.wait()
    assert await marks() == 1


async def test_what_must_happen_is_tried_again_until_it_does(
    stage: Stage, lone_store: OpenStore, clock: FrozenClock
) -> None:
    inbox, pauses = AwayInbox(clock), Pauses()
    leaving = Route(
        name="leaving", tier=Tier.MENU, of=Event, when=named("unsubscribe"), handle=leave_mark,
        action=Action.CHAT_USE, changes=True, must_happen=True,
    )  # fmt: skip
    dispatcher = stage.dispatcher([leaving], await lone_store(), inbox=inbox, pause=pauses)
    assert await dispatcher.dispatch(event("unsubscribe")) == NO_REPLY
    await pauses.reached.wait()
    inbox.is_away = False
    pauses.end()
    await inbox.done.wait()
    assert pauses.asked == [2.0]


@pytest.mark.engine("postgres")
async def test_a_server_that_is_not_there_costs_an_answer_no_time(
    clock: FrozenClock, metrics: Metrics, lone_store: OpenStore
) -> None:
    nowhere = make_settings(database={"url": f"postgres://nobody@127.0.0.1:{free_port()}/nothing"})
    async with open_database(nowhere):
        mark = route(leave_mark, name="mark", tier=Tier.KEYWORD, when=words("报名"))
        dispatcher = Stage(clock, metrics).dispatcher([LAST, mark, CRISIS], await lone_store(), pause=Pauses())
        async with asyncio.timeout(30):
            assert said(await dispatcher.dispatch(text("问题"))) == "答：问题"
            assert said(await dispatcher.dispatch(text("报名"))) == texts.BUSY
            assert said(await dispatcher.dispatch(text("救命"))) == "别怕，马上打110"
        await dispatcher.drain()


# ------------------------------------------------------------------------------------------------------------ a preface
class Waiting:
    """One thing to be told."""

    def __init__(self, words: str) -> None:
        self.words: str | None = words

    def is_due(self, profile: Mapping[str, str]) -> bool:
        return profile.get("waiting") == "1" and self.words is not None

    async def take(self, context: ChatContext) -> str | None:
        words, self.words = self.words, None
        context.change_profile(waiting="")
        return words


async def mark_waiting(context: ChatContext, message: TextMessage) -> Reply:
    context.change_profile(waiting="1")
    return TextReply("等着")


async def test_what_waits_stands_before_the_next_reply_once(stage: Stage, lone_store: OpenStore) -> None:
    wait = route(mark_waiting, name="wait", tier=Tier.KEYWORD, when=words("等"))
    dispatcher = stage.dispatcher([LAST, wait], await lone_store(), prefaces=[Waiting("老师答复了")])
    await dispatcher.dispatch(text("等"))
    assert said(await dispatcher.dispatch(text("问题"))) == "老师答复了\n\n答：问题"
    assert said(await dispatcher.dispatch(text("问题"))) == "答：问题"


async def test_a_reply_that_does_not_fit_behind_it_follows_by_itself(stage: Stage, lone_store: OpenStore) -> None:
    async def long(context: ChatContext, message: TextMessage) -> Reply:
        return TextReply("长" * 600)

    wait = route(mark_waiting, name="wait", tier=Tier.KEYWORD, when=words("等"))
    dispatcher = stage.dispatcher(
        [route(long, changes=False), wait], await lone_store(), prefaces=[Waiting("答" * 200)]
    )
    await dispatcher.dispatch(text("等"))
    assert said(await dispatcher.dispatch(text("问题"))) == "答" * 200
    assert [said(reply) for _, reply in stage.later] == ["长" * 600]


# ---------------------------------------------------------------------------------------------------------------- notes
async def test_a_note_reaches_the_next_message_for_ten_minutes(
    stage: Stage, lone_store: OpenStore, clock: FrozenClock
) -> None:
    async def note(context: ChatContext, message: TextMessage) -> Reply:
        before = context.recent
        context.note(message.content)
        return TextReply(str(before))

    dispatcher = stage.dispatcher([route(note, changes=False)], await lone_store())
    assert said(await dispatcher.dispatch(text("一"))) == "None"
    clock.advance(timedelta(minutes=9))
    assert said(await dispatcher.dispatch(text("二"))) == "一"
    clock.advance(timedelta(minutes=10))
    assert said(await dispatcher.dispatch(text("三"))) == "None"


async def test_nothing_a_person_wrote_can_be_read_in_redis(stage: Stage, lone_store: OpenStore) -> None:
    async def tell(context: ChatContext, message: TextMessage) -> Reply:
        context.enter("dialogue", "step", {"told": message.content})
        context.note(message.content)
        context.change_profile(place="柳溪镇")
        return TextReply(f"好的，{message.content}")

    store = await lone_store()
    dispatcher = stage.dispatcher([route(tell, when=idle)], store)
    await dispatcher.dispatch(text("我家地址在河东村三组"))
    await store.flush()
    assert isinstance(store._client, StandIn)
    keys = store._client.names()
    values = await store.read_many(keys)
    assert len(values) > 3
    for value in values:
        assert isinstance(value, bytes)
        assert "河东村".encode() not in value
        assert "柳溪镇".encode() not in value
        assert OPENID.encode() not in value
    assert not [key for key in keys if OPENID in key]


# -------------------------------------------------------------------------------------------------- what is done before
def preparing(done: list[str], prepare: Callable[[ChatContext, Inbound], Awaitable[object]]) -> Route:
    """A route whose effect says what was prepared for it."""

    async def handle(context: ChatContext, message: Inbound) -> Reply:
        done.append(f"effect of {context.prepared}")
        return TextReply(f"有了{context.prepared}")

    return Route(
        name="prepared", tier=Tier.KEYWORD, of=TextMessage, when=always, handle=handle,
        action=Action.CHAT_USE, changes=True, prepare=prepare,
    )  # fmt: skip


async def test_what_takes_long_is_done_before_the_lock_and_once(stage: Stage, redis: RedisStore) -> None:
    done: list[str] = []
    again = text("再来")

    async def prepare(context: ChatContext, message: Inbound) -> object:
        async with ChatStore(redis).lock(context.openid_index):
            done.append("prepared")
        return "七"

    dispatcher = stage.dispatcher([preparing(done, prepare)], redis)
    said_twice = [said(each) for each in await asyncio.gather(dispatcher.dispatch(again), dispatcher.dispatch(again))]
    assert said_twice == ["有了七"] * 2
    assert said(await dispatcher.dispatch(again)) == "有了七"
    assert done == ["prepared", "effect of 七"]


async def test_what_cannot_be_prepared_has_no_effect_and_may_be_said_again(stage: Stage, redis: RedisStore) -> None:
    done: list[str] = []

    async def prepare(context: ChatContext, message: Inbound) -> object:
        if not done:
            done.append("away")
            raise Unavailable("没有取到，请再发一次。")
        return "七"

    dispatcher, message = stage.dispatcher([preparing(done, prepare)], redis), text("来")
    assert said(await dispatcher.dispatch(message)) == "没有取到，请再发一次。"
    assert said(await dispatcher.dispatch(message)) == "有了七"
    forged = text("来", authenticated=False)
    assert said(await dispatcher.dispatch(forged)) == texts.NOT_CONFIRMED
    assert done == ["away", "effect of 七"]
