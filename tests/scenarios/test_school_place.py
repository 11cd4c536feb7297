"""A bound guardian need not say where they are: the place of the child's school is what answers are given for."""

from __future__ import annotations

from bot.clock import FrozenClock
from handlers.accounts.domain import Account
from handlers.accounts.models import Bar
from tests.factories import (
    FIRST_DAY,
    LONG_AGO,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
)
from tests.miniprogram.village import running_village
from tests.town import OTHER_PARENT, PARENT, Town

QUESTION = "一个班最多多少人"
THERE = "每班不超过41人"


async def said(town: Town, text: str, openid: str = PARENT) -> str:
    """The answer."""
    return await town.person(openid).says(text) or ""


async def bound(openid: str, *places: str, account: Account = Account.SERVICE, is_barred: bool = False) -> None:
    """A guardian with a child at a school in each place."""
    person = await make_person()
    for place in places:
        pupil = await make_pupil(await make_class(await make_school(place=place)))
        await make_guardianship(pupil, person)
        if is_barred:
            await Bar.create(
                pupil_id=pupil.id, person_id=person.id, since=FIRST_DAY, reason="法院裁定",
                created_at=LONG_AGO, updated_at=LONG_AGO,
            )  # fmt: skip
    await make_identity(openid, person, account=account)


async def test_the_place_of_the_school_counts_until_another_is_said(town: Town) -> None:
    await bound(PARENT, "东山镇")
    assert (await said(town, QUESTION)).startswith(THERE)
    assert "孩子学校所在的东山镇" in await said(town, "我的地方")
    await said(town, "我在南湖镇")
    assert (await said(town, QUESTION)).startswith("每班不超过42人")
    assert "南湖镇" in await said(town, "我的地方")


async def test_schools_in_two_places_settle_nothing(town: Town) -> None:
    await bound(PARENT, "东山镇", "南湖镇")
    assert THERE not in await said(town, QUESTION)


async def test_who_is_barred_learns_nothing_of_the_school(town: Town) -> None:
    await bound(OTHER_PARENT, "东山镇", is_barred=True)
    assert THERE not in await said(town, QUESTION, OTHER_PARENT)


async def test_the_mini_program_knows_it_too(database_url: str, clock: FrozenClock) -> None:
    async with running_village(database_url, clock) as village:
        await bound("mp_demo_g_000001", "东山镇", account=Account.MINI_PROGRAM)
        phone = village.phone("mp_demo_g_000001")
        await phone.log_in()
        answer = await phone.post("/questions", {"text": QUESTION})
        assert answer.body["answer"].startswith(THERE)
