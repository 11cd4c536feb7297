"""A matter goes to a person on duty, and the answer comes back."""

from __future__ import annotations

from datetime import timedelta

from bot.emulator.follower import Follower
from tests.town import OTHER_PARENT, OWNER, Town

TOPIC = "孩子想转学到柳溪小学，三年级，手续怎么办"


def pushes(person: Follower) -> list[str]:
    """What the account sent by itself."""
    return [item.text for item in person.screen if item.is_push]


async def hand_over(town: Town, openid: str | None = None, text: str = TOPIC) -> str:
    parent = town.person(openid) if openid else town.person()
    await parent.says("人工")
    reply = await parent.says(text)
    assert reply is not None
    assert "已经登记" in reply
    return reply


async def test_a_parent_asks_for_a_person_and_gets_the_answer(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    assert "没有待办" in (await owner.says("待办") or "")
    assert "赵主任" in await hand_over(town)
    await town.deliver()
    assert "新的人工提问1号" in pushes(owner)[-1]
    listed = await owner.says("待办")
    assert listed is not None
    assert "1号" in listed
    assert "转学" in listed
    assert TOPIC in (await owner.says("查看 1") or "")
    assert "由您办" in (await owner.says("受理 1") or "")
    assert "老师在办" in (await parent.says("我的提问") or "")
    assert "已答复" in (await owner.says("回复 1 明天上午带户口本来教务处") or "")
    await town.deliver()
    assert pushes(parent) == ["【值班老师答复1号】\n明天上午带户口本来教务处\n还有问题就回复“人工”。"]
    mine = await parent.says("我的提问")
    assert mine is not None
    assert "已答复" in mine
    assert "明天上午带户口本来教务处" in mine
    assert "已办结" in (await owner.says("关闭 1") or "")
    assert "没有待办" in (await owner.says("待办") or "")


async def test_an_answer_that_cannot_be_sent_is_shown_with_the_next_reply(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    await hand_over(town)
    town.clock.advance(timedelta(hours=49))
    await owner.says("回复 1 已经办好了")
    await town.deliver()
    assert pushes(parent) == []
    reply = await parent.says("晚托多少钱")
    assert reply is not None
    assert reply.startswith("【值班老师答复1号】\n已经办好了")
    assert "每学期300元" in reply
    assert (await parent.says("晚托到几点") or "").startswith("低年级到17:00")


async def test_an_answer_still_in_the_outbox_is_told_once_not_twice(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    await hand_over(town)
    await owner.says("回复 1 已经办好了")
    assert "已经办好了" in (await parent.says("晚托多少钱") or "")
    await town.deliver()
    assert pushes(parent) == []


async def test_an_owner_without_a_window_finds_the_matter_in_the_list(town: Town) -> None:
    await hand_over(town)
    await town.deliver()
    owner = town.person(OWNER)
    assert pushes(owner) == []
    assert "1号" in (await owner.says("待办") or "")


async def test_words_of_a_child_in_danger_are_answered_inside_a_dialogue_which_goes_on(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    await owner.says("待办")
    await parent.says("人工")
    reply = await parent.says("我儿子被同学打了，天天被欺负")
    assert reply is not None
    assert "110" in reply
    assert "编号1" in reply
    assert "编号2" in (await parent.says(TOPIC) or "")
    await town.deliver()
    assert any("紧急" in text and "欺负" not in text for text in pushes(owner))
    listed = await owner.says("待办")
    assert listed is not None
    assert listed.splitlines()[1].startswith("1号【紧急】")


async def test_what_is_told_in_danger_soon_after_belongs_to_one_matter(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    await parent.says("我儿子被同学打了")
    assert "编号1" in (await parent.says("他们天天堵他要钱，被欺负了") or "")
    shown = await owner.says("查看 1")
    assert shown is not None
    assert "被同学打了" in shown
    assert "堵他要钱" in shown


async def test_a_complaint_leads_into_the_hand_over_and_keeps_its_first_words(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    assert "请接着用一条消息写清" in (await parent.says("我要投诉老师打人") or "")
    assert "编号1" in (await parent.says("昨天下午在操场，三年级") or "")
    shown = await owner.says("查看 1")
    assert shown is not None
    assert "我要投诉老师打人\n昨天下午在操场，三年级" in shown


async def test_a_complaint_survives_asking_for_a_person(town: Town) -> None:
    parent, owner = town.person(), town.person(OWNER)
    await parent.says("我要投诉老师打人")
    await parent.says("人工")
    await parent.says("昨天下午在操场")
    assert "我要投诉老师打人\n昨天下午在操场" in (await owner.says("查看 1") or "")


async def test_a_long_matter_is_shown_in_pages(town: Town) -> None:
    owner = town.person(OWNER)
    await hand_over(town, text="长" * 460 + "完")
    first = await owner.says("查看 1")
    assert first is not None
    assert "回复“查看 1 2”接着看" in first
    assert "完" not in first
    assert "长完\n" in (await owner.says("查看 1 2") or "")
    assert owner.last_notice is None


async def test_leaving_the_dialogue_registers_nothing(town: Town) -> None:
    parent = town.person()
    await parent.says("人工")
    assert "先不办了" in (await parent.says("退出") or "")
    assert "您还没有找过" in (await parent.says("我的提问") or "")
    assert "没有正在办的事" in (await parent.says("退出") or "")


async def test_a_dialogue_left_alone_is_over_after_half_an_hour(town: Town) -> None:
    parent = town.person()
    await parent.says("人工")
    town.clock.advance(timedelta(minutes=30))
    assert (await parent.says("晚托多少钱") or "").startswith("每学期300元")


async def test_a_picture_inside_a_dialogue_gets_a_way_on_and_the_dialogue_stays(town: Town) -> None:
    parent = town.person()
    await parent.says("人工")
    assert "图片" in (await parent.sends_image() or "")
    assert "已经登记" in (await parent.says(TOPIC) or "")


async def test_words_of_the_people_on_duty_mean_nothing_to_others(town: Town) -> None:
    await hand_over(town)
    other = town.person(OTHER_PARENT)
    for words in ("待办", "查看 1", "回复 1 骗你的", "关闭 1", "受理 1"):
        reply = await other.says(words)
        assert reply is not None
        assert TOPIC not in reply
        assert "1号" not in reply
    assert "等老师看" in (await town.person().says("我的提问") or "")


async def test_an_owner_is_told_what_was_not_understood(town: Town) -> None:
    owner = town.person(OWNER)
    await hand_over(town)
    assert "请写上编号" in (await owner.says("查看") or "")
    assert "请写上编号和要说的话" in (await owner.says("回复 1") or "")
    assert "没有这个编号" in (await owner.says("查看 99") or "")
    await owner.says("关闭 1")
    assert "已经办结" in (await owner.says("回复 1 晚了") or "")


async def test_help_says_more_to_those_on_duty(town: Town) -> None:
    assert "待办" in (await town.person(OWNER).says("帮助") or "")
    assert "待办" not in (await town.person().says("帮助") or "")
