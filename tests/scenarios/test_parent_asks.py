"""A parent asks, and gets an answer with its source; the next message may lean on it."""

from __future__ import annotations

from datetime import timedelta

from tests.town import OTHER_PARENT, Town


async def test_a_parent_asks_and_gets_a_cited_answer(town: Town) -> None:
    reply = await town.person().says("晚托多少钱")
    assert reply is not None
    assert reply.startswith("每学期300元")
    assert "依据：《一所未写校名的学校的课后服务方案》" in reply
    assert town.person().last_notice is None


async def test_two_picks_the_second_option(town: Town) -> None:
    parent = town.person()
    asked = await parent.says("一个班最多多少人")
    assert asked is not None
    second = next(line for line in asked.splitlines() if line.startswith("2. ")).removeprefix("2. ")
    reply = await parent.says("2")
    assert reply is not None
    assert f"{second}" in reply.splitlines()[1]
    assert "依据" in reply


async def test_a_number_beyond_the_options_says_how_many_there_are(town: Town) -> None:
    parent = town.person()
    await parent.says("一个班最多多少人")
    assert await parent.says("9") == "刚才只有5项，请回复1到5的数字，或直接打字问别的。"


async def test_options_are_offered_for_ten_minutes_and_to_one_person(town: Town) -> None:
    parent, other = town.person(), town.person(OTHER_PARENT)
    await parent.says("一个班最多多少人")
    assert "每班不超过" not in (await other.says("2") or "")
    town.clock.advance(timedelta(minutes=10))
    assert "每班不超过" not in (await parent.says("2") or "")


async def test_a_follow_up_keeps_the_subject(town: Town) -> None:
    parent = town.person()
    assert "7月24日" in (await parent.says("柳溪镇小学报名是几号") or "")
    assert "7月20日" in (await parent.says("那初中呢") or "")
    assert "7月24日" in (await parent.says("那小学呢") or "")


async def test_a_follow_up_after_an_option_keeps_its_place(town: Town) -> None:
    parent = town.person()
    await parent.says("一个班最多多少人")
    reply = await parent.says("2")
    assert (await parent.says("那初中呢") or "").splitlines()[1] == (reply or "").splitlines()[1]


async def test_after_ten_minutes_nothing_is_followed_up(town: Town) -> None:
    parent = town.person()
    await parent.says("柳溪镇一个班最多多少人")
    assert "50人" in (await parent.says("那初中呢") or "")
    town.clock.advance(timedelta(minutes=10))
    assert "50人" not in (await parent.says("那初中呢") or "")


async def test_the_place_somebody_sets_decides_their_answers(town: Town) -> None:
    parent, other = town.person(), town.person(OTHER_PARENT)
    assert "鹤山镇" in (await parent.says("我在鹤山镇") or "")
    assert (await parent.says("一个班最多多少人") or "").startswith("每班不超过40人")
    assert "您问的是哪个地方" in (await other.says("一个班最多多少人") or "")
    assert "鹤山镇" in (await parent.says("我的地方") or "")


async def test_the_place_can_be_changed_step_by_step_and_cleared(town: Town) -> None:
    parent = town.person()
    await parent.says("我在鹤山镇")
    assert "请告诉我您在哪个" in (await parent.says("换地方") or "")
    assert "这不像地名" in (await parent.says("随便吧") or "")
    assert "东山镇" in (await parent.says("东山镇") or "")
    assert (await parent.says("一个班最多多少人") or "").startswith("每班不超过41人")
    assert "不再记着" in (await parent.says("清除地方") or "")
    assert "您问的是哪个地方" in (await parent.says("一个班最多多少人") or "")


async def test_a_place_nobody_wrote_about_is_kept_and_said_to_be_unknown(town: Town) -> None:
    reply = await town.person().says("我在西桥镇")
    assert reply is not None
    assert "还没有西桥镇的方案" in reply


async def test_where_somebody_works_is_no_place_to_be_set(town: Town) -> None:
    parent = town.person()
    await parent.says("我在外地打工")
    assert "还没有告诉我" in (await parent.says("我的地方") or "")


async def test_a_tap_on_the_menu_asks_a_question(town: Town) -> None:
    from handlers.catalogue import CAPABILITIES
    from handlers.support.capability import menu_of

    await town.app_wechat.create_menu(menu_of(CAPABILITIES))
    reply = await town.person().taps("ask.fee")
    assert reply is not None
    assert reply.startswith("每学期300元")


async def test_a_button_of_an_old_menu_still_leads_somewhere(town: Town) -> None:
    reply = await town.person().causes("CLICK", {"EventKey": "menu.of.last.year"})
    assert reply is not None
    assert "您可以" in reply


async def test_a_rating_is_taken_with_its_reason(town: Town) -> None:
    parent = town.person()
    assert "请先打字问我" in (await parent.says("有用") or "")
    await parent.says("晚托多少钱")
    assert "谢谢" in (await parent.says("有用") or "")
    assert "3. 看不懂" in (await parent.says("没用") or "")
    assert "记下了" in (await parent.says("3") or "")


async def test_what_cannot_be_read_always_gets_a_way_on(town: Town) -> None:
    parent = town.person()
    replies = [
        await parent.sends_image(),
        await parent.sends_voice(),
        await parent.sends_video(),
        await parent.sends_video(short=True),
        await parent.sends_location(33.9, 118.2, "宿迁"),
        await parent.sends_link("标题", "https://example.com"),
    ]
    assert all(reply and ("打字" in reply or "回复" in reply) for reply in replies)


async def test_unknown_types_and_events_get_no_reply_and_no_fault(town: Town) -> None:
    parent = town.person()
    assert await parent.sends_file("作业.docx") is None
    assert await parent.shares_position(33.9, 118.2) is None
    assert await parent.causes("some_new_event", {}) is None
    assert parent.last_notice is None


async def test_a_new_follower_is_greeted_also_when_they_scanned_a_code(town: Town) -> None:
    newcomer = town.person("demo_g_000003", is_following=False)
    greeting = await newcomer.follows()
    assert greeting is not None
    assert greeting.startswith("您好，这里是乡校")
    scanned = town.person("demo_g_000004", is_following=False)
    assert await scanned.follows("school-7") == greeting
    assert "您已经关注了" in (await scanned.scans("school-7") or "")
