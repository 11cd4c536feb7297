"""Somebody leaves: what WeChat gave and what only the chat needed is gone, what is held by duty stays nameless."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.storage.base import blind_index
from bot.storage.database import DATABASE
from bot.storage.redis import REDIS
from bot.storage.redis_stand_in import StandIn
from handlers.policy.service.question_log import asker_of
from tests.scenarios.test_hand_over import hand_over, pushes
from tests.town import OTHER_PARENT, OWNER, PARENT, Town

NAMED = "我叫王小明，孩子在柳溪小学，电话13812345678，想转学"


async def rows(town: Town, table: str) -> list[dict[str, object]]:
    return await town.app[DATABASE].connection.execute_query_dict(f'SELECT * FROM "{table}"')


async def tables(town: Town) -> list[str]:
    from tests.bot.storage.schema_reader import read_schema

    return list(await read_schema(town.app[DATABASE].connection))


async def use_everything(town: Town, openid: str = PARENT) -> None:
    """A place, questions, a rating, a matter with an answer, a dialogue half-way."""
    person, owner = town.person(openid), town.person(OWNER)
    await person.says("我在柳溪镇")
    await person.says("晚托多少钱")
    await person.says("没用")
    await hand_over(town, openid, NAMED)
    await owner.says("回复 1 王小明家长您好，请带户口本来")
    await person.says("换地方")
    # What is written behind is written by now.
    await town.app[REDIS].flush()
    await town.log_questions()


async def traces(town: Town, openid: str) -> list[str]:
    """Tables in which the person can be found, by id or by any fingerprint of it."""
    index = blind_index("openid", openid)
    marks = {openid, index, asker_of(index)}
    found: set[str] = set()
    # A restored backup must be made to forget the person again: that list holds the fingerprint, and nothing else.
    for table in set(await tables(town)) - {"consent_erasure"}:
        values = {str(value) for row in await rows(town, table) for value in row.values()}
        if marks & values:
            found.add(table)
    return sorted(found)


async def keys_of(town: Town, openid: str) -> list[str]:
    index = blind_index("openid", openid)
    stand_in = town.app[REDIS]._client
    assert isinstance(stand_in, StandIn)
    return sorted(key for key in stand_in.names() if index in key)


async def test_an_unfollow_erases(town: Town) -> None:
    await use_everything(town)
    assert set(await traces(town, PARENT)) >= {
        "outbox_message",
        "policy_feedback",
        "policy_profile",
        "policy_question",
        "processed_message",
        "support_hand_over",
    }
    assert len(await keys_of(town, PARENT)) >= 3
    await town.person().unfollows()
    assert await traces(town, PARENT) == []
    assert await keys_of(town, PARENT) == []


@pytest.mark.parametrize("closes_account", [False, True])
async def test_a_withdrawn_authorisation_erases_as_well(town: Town, closes_account: bool) -> None:
    await use_everything(town)
    await town.person().revokes_authorisation(closes_account=closes_account)
    assert await traces(town, PARENT) == []
    assert await keys_of(town, PARENT) == []


async def test_others_lose_nothing(town: Town) -> None:
    other = town.person(OTHER_PARENT)
    await other.says("我在鹤山镇")
    await use_everything(town)
    await town.person().unfollows()
    assert "鹤山镇" in (await other.says("我的地方") or "")


async def test_the_matter_stays_without_the_person(town: Town) -> None:
    await use_everything(town)
    await town.person().unfollows()
    owner = town.person(OWNER)
    listed = await owner.says("待办")
    assert listed is not None
    assert "已取消关注的用户" in listed
    shown = await owner.says("查看 1")
    assert shown is not None
    assert "想转学" in shown
    assert "王小明" not in shown
    assert "13812345678" not in shown
    assert "已经取消关注" in (await owner.says("回复 1 还在吗") or "")
    await town.deliver()
    assert pushes(town.person()) == []


async def test_whoever_comes_back_begins_anew(town: Town) -> None:
    await use_everything(town)
    person = town.person()
    await person.unfollows()
    town.clock.advance(timedelta(minutes=1))
    assert "您好，这里是乡校" in (await person.follows() or "")
    assert "还没有告诉我" in (await person.says("我的地方") or "")
    assert "您还没有找过" in (await person.says("我的提问") or "")
    assert (await person.says("2") or "") != "记下了，我们会改。您可以换个说法再问，或回复“人工”找老师。"


async def test_a_question_still_waiting_to_be_logged_is_not_logged_afterwards(town: Town) -> None:
    await town.person().says("晚托多少钱")
    await town.person().unfollows()
    await town.log_questions()
    assert await rows(town, "policy_question") == []


async def test_an_unfollow_told_twice_changes_nothing_more(town: Town) -> None:
    await use_everything(town)
    await town.person().causes("unsubscribe", {"EventKey": ""}, copies=3)
    assert await traces(town, PARENT) == []
    assert town.person().last_notice is None
