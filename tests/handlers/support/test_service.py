"""Hand-overs on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.config import DutyOwner
from bot.delivery.models import OutboxMessage
from bot.delivery.outbox import text_of
from bot.errors import NotPermitted
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.database import Database, transaction
from handlers.support.domain import HandOverClosed, HandOverNotFound, HandOverState
from handlers.support.models import HandOverRow
from handlers.support.service.duty import DutyRoster
from handlers.support.service.hand_overs import NOTICE, REPLY, HandOverService
from tests.handlers.support.stage import service_of

ROSTER = (
    DutyOwner(id="demo_a_0001", name="赵主任", places=("柳溪镇",)),
    DutyOwner(id="demo_a_0002", name="钱主任", places=("鹤山镇",)),
)
PARENT = "demo_g_000001"


@pytest.fixture
def roster(database: Database) -> DutyRoster:
    return DutyRoster(ROSTER)


@pytest.fixture
def matters(roster: DutyRoster, clock: FrozenClock, metrics: Metrics) -> HandOverService:
    return service_of(roster, clock, metrics)


@pytest.fixture
def parent(database: Database) -> Actor:
    return Actor(openid_index=blind_index("openid", PARENT))


async def owner(roster: DutyRoster, number: int) -> Actor:
    return await roster.actor_of(blind_index("openid", f"demo_a_{number:04d}"))


async def notices(reason: str = NOTICE) -> dict[str, str]:
    """Recipient → text."""
    return {row.recipient: text_of(row.payload) for row in await OutboxMessage.filter(reason=reason)}


async def test_the_roster_knows_its_people_and_nobody_else(roster: DutyRoster, parent: Actor) -> None:
    assert (await owner(roster, 1)).roles == {Role.DUTY}
    assert (await owner(roster, 1)).name == "赵主任"
    assert (await roster.actor_of(parent.openid_index or "")).roles == {Role.VISITOR}


async def test_numbers_count_up_also_when_many_come_at_once(matters: HandOverService, parent: Actor) -> None:
    made = await asyncio.gather(*(matters.hand_over(parent, PARENT, f"事{number}") for number in range(20)))
    assert sorted(matter.number for matter in made) == list(range(1, 21))


async def test_the_owner_of_the_place_is_told_without_personal_data(matters: HandOverService, parent: Actor) -> None:
    matter = await matters.hand_over(parent, PARENT, "我叫王小明，电话13812345678，想转学", place="鹤山镇")
    assert matter.owner_name == "钱主任"
    told = await notices()
    assert list(told) == ["demo_a_0002"]
    assert "想转学" in told["demo_a_0002"]
    assert "王小明" not in told["demo_a_0002"]
    assert "13812345678" not in told["demo_a_0002"]


async def test_of_what_is_urgent_everybody_on_duty_is_told_without_the_words(
    matters: HandOverService, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "他们天天打我", place="鹤山镇", alarm="bullying")
    told = await notices()
    assert set(told) == {"demo_a_0001", "demo_a_0002"}
    assert all("紧急" in text and "打我" not in text for text in told.values())


async def test_an_urgent_matter_can_be_answered_by_anybody_on_duty(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "他们天天打我", place="鹤山镇", alarm="bullying")
    await matters.answer(await owner(roster, 1), 1, "我们马上到")
    assert (await matters.look_at(await owner(roster, 2), 1)).replies[0].text == "我们马上到"


async def test_what_is_somebody_else_s_and_what_is_not_there_are_the_same(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="鹤山镇")
    first = await owner(roster, 1)
    for number in (1, 99):
        with pytest.raises(HandOverNotFound):
            await matters.look_at(first, number)
        with pytest.raises(HandOverNotFound):
            await matters.answer(first, number, "好")
        with pytest.raises(HandOverNotFound):
            await matters.close(first, number)
    assert await matters.todo(first) == []


async def test_nobody_off_duty_may_look(matters: HandOverService, parent: Actor) -> None:
    await matters.hand_over(parent, PARENT, "想转学")
    with pytest.raises(NotPermitted):
        await matters.todo(parent)
    with pytest.raises(NotPermitted):
        await matters.look_at(parent, 1)
    with pytest.raises(NotPermitted):
        await matters.answer(parent, 1, "好")


async def test_what_belonged_to_somebody_no_longer_on_duty_is_everybody_s(
    matters: HandOverService, parent: Actor, clock: FrozenClock, metrics: Metrics
) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="鹤山镇")
    smaller = DutyRoster(ROSTER[:1])
    service = service_of(smaller, clock, metrics)
    assert [matter.number for matter in await service.todo(await owner(smaller, 1))] == [1]


async def test_with_nobody_on_duty_it_is_registered_all_the_same(
    database: Database, parent: Actor, clock: FrozenClock, metrics: Metrics
) -> None:
    service = service_of(DutyRoster(()), clock, metrics)
    matter = await service.hand_over(parent, PARENT, "想转学")
    assert matter.owner_name is None
    assert await notices() == {}


async def test_urgent_stands_first_then_the_oldest_then_what_is_answered(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    for text in ("一", "二", "三"):
        await matters.hand_over(parent, PARENT, text, place="柳溪镇")
    await matters.hand_over(parent, PARENT, "打我", place="柳溪镇", alarm="bullying")
    first = await owner(roster, 1)
    await matters.answer(first, 1, "好")
    assert [matter.number for matter in await matters.todo(first)] == [4, 2, 3, 1]


async def test_an_owner_need_not_be_told_of_what_is_answered(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="柳溪镇")
    assert await matters.is_needed(NOTICE, "1", "x")
    await matters.answer(await owner(roster, 1), 1, "好")
    assert not await matters.is_needed(NOTICE, "1", "x")


async def test_a_closed_matter_takes_no_answer(matters: HandOverService, roster: DutyRoster, parent: Actor) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="柳溪镇")
    first = await owner(roster, 1)
    await matters.close(first, 1)
    with pytest.raises(HandOverClosed):
        await matters.answer(first, 1, "晚了")
    assert await notices(REPLY) == {}


async def test_two_owners_who_close_and_answer_at_once_leave_a_right_state(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "打我", alarm="bullying")
    results = await asyncio.gather(
        matters.close(await owner(roster, 1), 1),
        matters.answer(await owner(roster, 2), 1, "来了"),
        return_exceptions=True,
    )
    assert (await HandOverRow.get(id=1)).state is HandOverState.CLOSED
    answered = not isinstance(results[1], Exception)
    assert len(await notices(REPLY)) == int(answered)


async def test_what_is_told_two_hours_after_an_alarm_is_a_new_matter(
    matters: HandOverService, parent: Actor, clock: FrozenClock
) -> None:
    await matters.hand_over(parent, PARENT, "打我", alarm="bullying")
    clock.advance(timedelta(hours=3))
    assert (await matters.hand_over(parent, PARENT, "又打我", alarm="bullying")).number == 2


async def test_nothing_of_a_matter_can_be_read_in_the_table(matters: HandOverService, parent: Actor) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="柳溪镇")
    async with transaction() as connection:
        [row] = await connection.execute_query_dict("SELECT * FROM support_hand_over")
    for column in ("asker", "text", "place"):
        assert isinstance(row[column], bytes | memoryview)
        assert "转学".encode() not in bytes(row[column])
    assert PARENT not in repr(row)


async def test_long_answers_are_told_one_after_another(
    matters: HandOverService, roster: DutyRoster, parent: Actor
) -> None:
    await matters.hand_over(parent, PARENT, "想转学", place="柳溪镇")
    for text in ("一" * 400, "二" * 400):
        await matters.answer(await owner(roster, 1), 1, text)
    assert await matters.waiting_replies(parent) == ([(1, "一" * 400)], True)
    assert await matters.waiting_replies(parent) == ([(1, "二" * 400)], False)
    assert await matters.waiting_replies(parent) == ([], False)
