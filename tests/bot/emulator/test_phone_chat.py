"""A persona's chat: which line came by which way, and what stands behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.emulator.phone import texts
from bot.emulator.phone.chat import Act, Channel, Chat, Kind, Line
from bot.emulator.phone.errors import NotNow, StillWaiting
from bot.emulator.phone.phones import MOST_WAITING
from bot.emulator.phone.traffic import blocks_of_call, blocks_of_exchange, masked_body
from bot.emulator.rules import FaultWording
from tests.bot.emulator.phone_stage import ANSWER, DUTY, GREETING, PARENT, SUCHENG, Stage, open_stage

FOLLOW = Act(Kind.FOLLOW)


def say(text: str) -> Act:
    return Act(Kind.SAY, text)


def shown(chat: Chat) -> list[tuple[Channel, str]]:
    return [(line.channel, line.text) for line in chat.lines]


def clear_push(chat: Chat, line: Line) -> str:
    exchange = chat.exchange(line)
    assert exchange is not None
    return exchange.clear_xml


@pytest.fixture
async def stage(clock: FrozenClock) -> AsyncIterator[Stage]:
    async with open_stage(clock) as opened:
        yield opened


@pytest.fixture
async def chat(stage: Stage) -> Chat:
    """A parent who has just followed."""
    chat = stage.phones.chat(PARENT)
    await chat.perform(FOLLOW)
    return chat


async def test_following_is_told_and_greeted(chat: Chat) -> None:
    assert shown(chat) == [(Channel.HINT, "您关注了公众号"), (Channel.REPLY, GREETING)]


async def test_a_question_and_its_answer_share_the_traffic(chat: Chat) -> None:
    await chat.perform(say("课后服务几点结束"))
    question, answer = chat.lines[-2:]
    assert (question.channel, answer.channel, answer.text) == (Channel.SENT, Channel.REPLY, ANSWER)
    assert question.exchange == answer.exchange
    assert "课后服务几点结束" in clear_push(chat, answer)


async def test_an_answer_that_overtakes_keeps_its_own_traffic(chat: Chat) -> None:
    await asyncio.gather(chat.perform(say("慢")), chat.perform(say("课后服务几点结束")))
    answer = next(line for line in chat.lines if line.text == ANSWER)
    silence = chat.lines[-1]
    assert "课后服务几点结束" in clear_push(chat, answer)
    assert silence.channel is Channel.HINT
    assert "<![CDATA[慢]]>" in clear_push(chat, silence)


async def test_a_late_answer_arrives_as_a_customer_service_message(chat: Chat) -> None:
    await chat.perform(say("慢"))
    assert await chat.follower.screen.wait_beyond(len(chat.follower.screen), 5)
    line = chat.lines[-1]
    assert (line.channel, line.text) == (Channel.SERVICE, "让您久等了。")


async def test_a_customer_service_message_leads_to_its_own_call(stage: Stage, chat: Chat) -> None:
    other = stage.phones.chat(SUCHENG)
    await other.perform(FOLLOW)
    for openid, text in ((PARENT, "一"), (SUCHENG, "二"), (PARENT, "三")):
        assert await stage.send_service(openid, {"msgtype": "text", "text": {"content": text}}) == 0
    call = chat.call(chat.lines[-1])
    assert call is not None
    assert "三" in blocks_of_call(call)[0].body


async def test_messages_from_templates_are_cards_that_lead_to_their_own_calls(stage: Stage, chat: Chat) -> None:
    assert await stage.send_template(PARENT, url="https://example.org/n/1") == 0
    assert await stage.send_subscription(PARENT, "pages/notice?id=1") == 0
    template, subscription = chat.lines[-2:]
    assert (template.channel, subscription.channel) == (Channel.TEMPLATE, Channel.SUBSCRIPTION)
    assert template.card is not None
    assert template.card.rows[0] == ("通知事项", "家长会")
    assert subscription.card is not None
    assert (template.card.url, subscription.card.page) == ("https://example.org/n/1", "pages/notice?id=1")
    for line, path in ((template, "/template/send"), (subscription, "/subscribe/send")):
        call = chat.call(line)
        assert call is not None
        assert path in blocks_of_call(call)[0].note


async def test_what_the_mini_program_sends_reaches_one_who_does_not_follow(stage: Stage) -> None:
    assert await stage.send_template(PARENT) == 43004
    assert await stage.send_subscription(PARENT) == 0
    assert [line.channel for line in stage.phones.chat(PARENT).lines] == [Channel.SUBSCRIPTION]


async def test_what_came_meanwhile_is_in_the_order_of_its_coming(stage: Stage, chat: Chat, clock: FrozenClock) -> None:
    for send in (stage.send_template, stage.send_subscription, stage.send_template):
        await send(PARENT)
        clock.advance(timedelta(seconds=1))
    assert [line.channel for line in chat.lines[-3:]] == [Channel.TEMPLATE, Channel.SUBSCRIPTION, Channel.TEMPLATE]


async def test_a_mass_message_is_on_every_phone(stage: Stage, chat: Chat) -> None:
    other = stage.phones.chat(SUCHENG)
    await other.perform(FOLLOW)
    message = {"msgtype": "text", "text": {"content": "明天停课"}, "touser": [PARENT, SUCHENG]}
    assert await stage.send("/cgi-bin/message/mass/send", message) == 0
    for each in (chat, other):
        assert shown(each)[-1] == (Channel.MASS, "明天停课")


async def test_silence_is_told(chat: Chat) -> None:
    await chat.perform(say("沉默"))
    hint = chat.lines[-1]
    assert hint.channel is Channel.HINT
    exchange = chat.exchange(hint)
    assert exchange is not None
    assert "只回了 success" in blocks_of_exchange(exchange)[-1].note


async def test_a_service_out_of_reach_gives_the_fault_notice_after_three_deliveries(stage: Stage, chat: Chat) -> None:
    stage.phones.cut()
    await chat.perform(say("在吗"))
    notice = chat.lines[-1]
    assert (notice.channel, notice.text) == (Channel.NOTICE, FaultWording.PHONE)
    exchange = chat.exchange(notice)
    assert exchange is not None
    assert len(exchange.deliveries) == 3
    stage.phones.mend()
    await chat.perform(say("课后服务几点结束"))
    assert chat.lines[-1].text == ANSWER


async def test_repeated_deliveries_are_told_while_they_last(stage: Stage, chat: Chat) -> None:
    told: list[str] = []
    stage.on_push = lambda: told.append(stage.phones.status_of(chat))
    await chat.perform(say("在吗"))
    assert told == [texts.WAITING, texts.RETRYING.format(number=2, most=3), texts.RETRYING.format(number=3, most=3)]
    assert stage.phones.status_of(chat) == ""


async def test_menu_taps_tell_their_button_and_are_answered(chat: Chat) -> None:
    await chat.perform(Act(Kind.TAP, "ask.time"))
    assert shown(chat)[-2:] == [(Channel.HINT, "您点了菜单“课后服务几点结束”"), (Channel.REPLY, "您点了 ask.time。")]


async def test_a_button_that_opens_a_page_says_so(chat: Chat) -> None:
    await chat.perform(Act(Kind.TAP, "https://example.org/"))
    assert shown(chat)[-1] == (Channel.HINT, "微信这时会打开：https://example.org/")


async def test_a_line_of_a_menu_message_can_be_tapped(stage: Stage, chat: Chat) -> None:
    rows = [{"id": "u1", "content": "有用"}, {"id": "u2", "content": "没用"}]
    menu = {"head_content": "有用吗？", "list": rows, "tail_content": ""}
    assert await stage.send_service(PARENT, {"msgtype": "msgmenu", "msgmenu": menu}) == 0
    await chat.perform(Act(Kind.OPTION, "u2"))
    assert "bizmsgmenuid" in clear_push(chat, chat.lines[-1])
    assert chat.lines[-2].text == "没用"


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.VOICE, Kind.LOCATION, Kind.SCAN])
async def test_other_messages_go_out_as_their_own_kind(chat: Chat, kind: Kind) -> None:
    await chat.perform(Act(kind))
    push = clear_push(chat, chat.lines[-1])
    assert f"<![CDATA[{'SCAN' if kind is Kind.SCAN else kind.value}]]>" in push


@pytest.mark.parametrize(
    "act", [say("在吗"), Act(Kind.TAP, "mine"), Act(Kind.OPTION, "u1"), Act(Kind.IMAGE), Act(Kind.UNFOLLOW)]
)
async def test_a_stranger_cannot_write(stage: Stage, act: Act) -> None:
    chat = stage.phones.chat(PARENT)
    with pytest.raises(NotNow):
        stage.phones.start(chat, act)
    assert chat.lines == []


async def test_a_stranger_who_scans_follows(stage: Stage) -> None:
    chat = stage.phones.chat(PARENT)
    await chat.perform(Act(Kind.SCAN))
    assert chat.follower.is_following
    assert chat.lines[-1].text == GREETING


async def test_after_unfollowing_nothing_arrives(stage: Stage, chat: Chat) -> None:
    await chat.perform(Act(Kind.UNFOLLOW))
    assert chat.lines[-1].channel is Channel.HINT
    assert await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": "您好"}}) != 0


@pytest.mark.parametrize("act", [FOLLOW, Act(Kind.TAP, "gone"), Act(Kind.OPTION, "gone")])
async def test_what_the_phone_does_not_offer_is_refused(chat: Chat, act: Act) -> None:
    before = len(chat.lines)
    with pytest.raises(NotNow):
        chat.check(act)
    assert len(chat.lines) == before


async def test_too_many_unanswered_messages_are_refused(stage: Stage, chat: Chat) -> None:
    stage.phones.cut()
    tasks = [stage.phones.start(chat, say(f"第{number}条")) for number in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(StillWaiting):
        stage.phones.start(chat, say("再来一条"))
    await asyncio.gather(*tasks)


async def test_personas_arrive_with_what_they_have_done_before(clock: FrozenClock) -> None:
    async with open_stage(clock, opens=True) as stage:
        chat = stage.phones.chat(DUTY)
        assert await chat.follower.screen.wait_beyond(2, 5)
        assert [line.channel for line in chat.lines] == [Channel.HINT, Channel.REPLY, Channel.SENT, Channel.REPLY]


async def test_the_log_has_every_line_and_call_without_secrets(stage: Stage, chat: Chat) -> None:
    await chat.perform(say("课后服务几点结束"))
    await stage.send_service(PARENT, {"msgtype": "text", "text": {"content": "您好"}})
    await stage.send_template(PARENT)
    rows = stage.phones.log()
    assert {row.channel for row in rows} == {"hint", "sent", "reply", "service", "template", "api"}
    assert rows == sorted(rows, key=lambda row: row.at, reverse=True)
    assert stage.account.keys.app_secret not in str(rows)


def test_bodies_that_are_no_json_are_shown_as_they_are() -> None:
    assert masked_body(b"") == ""
    assert masked_body(b"x=1") == "x=1"
    assert masked_body(b'{"a": [{"secret": "s"}]}') == '{\n "a": [\n  {\n   "secret": "***"\n  }\n ]\n}'
