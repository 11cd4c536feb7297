"""Plaintext mode, where anybody can write any body: answers yes, people's data no."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import FrozenClock
from bot.dialogue.texts import NOT_CONFIRMED
from bot.storage.database import DATABASE
from tests.town import OWNER, Town, running_town


@pytest.fixture
async def plain_town(database_url: str, clock: FrozenClock) -> AsyncIterator[Town]:
    async with running_town(database_url, clock, wechat={"mode": "plain", "encoding_aes_key": ""}) as running:
        yield running


async def count(town: Town, table: str) -> int:
    [row] = await town.app[DATABASE].connection.execute_query_dict(f'SELECT count(*) AS n FROM "{table}"')
    return int(row["n"])


async def test_questions_are_answered(plain_town: Town) -> None:
    assert (await plain_town.person().says("晚托多少钱") or "").startswith("每学期300元")


async def test_options_and_follow_ups_work(plain_town: Town) -> None:
    parent = plain_town.person()
    await parent.says("一个班最多多少人")
    assert "每班不超过" in (await parent.says("2") or "")


@pytest.mark.parametrize("words", ["我在柳溪镇", "人工", "我的地方", "我的提问", "换地方"])
async def test_what_reads_or_changes_something_about_people_is_refused(plain_town: Town, words: str) -> None:
    assert await plain_town.person().says(words) == NOT_CONFIRMED
    assert await count(plain_town, "processed_message") == 0


async def test_nobody_is_on_duty_there(plain_town: Town) -> None:
    owner = plain_town.person(OWNER)
    for words in ("待办", "查看 1", "回复 1 好的"):
        assert await owner.says(words) == NOT_CONFIRMED


async def test_danger_is_answered_and_not_recorded(plain_town: Town) -> None:
    assert "110" in (await plain_town.person().says("我儿子被同学打了，天天被欺负") or "")
    assert await count(plain_town, "support_hand_over") == 0


async def test_a_forged_unfollow_erases_nobody(plain_town: Town) -> None:
    await plain_town.person().unfollows()
    assert await count(plain_town, "processed_message") == 0
