"""A whole term, played from the plan to the last bill; every figure is worked out a second time by a book that knows
nothing of the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.emulator.templates import FIELDS, slots, template_id
from tests.scenarios.term import days as acts
from tests.scenarios.term.book import Book, Course
from tests.scenarios.term.cast import gather
from tests.scenarios.term.play import BALL, BRUSH, CARE, Play, at
from tests.town import running_town

FIRST = date(2026, 9, 14)
TEMPLATES = [
    {"purpose": purpose, "kind": "template", "id": template_id(purpose), "slots": slots(purpose)} for purpose in FIELDS
]


@dataclass(frozen=True)
class Size:
    """How much is played."""

    rooms: int
    children: int
    places: int
    last: date
    seed: int = 1


SHORT = Size(rooms=2, children=8, places=3, last=date(2026, 9, 24))
WHOLE = Size(rooms=6, children=10, places=12, last=date(2027, 1, 15))


def book_of(size: Size) -> Book:
    courses = (
        Course(CARE, (1, 2, 3, 4, 5), 317, a_lesson=True, by_class=True),
        Course(BALL, (1, 3), 20_001, places=size.places),
        Course(BRUSH, (2, 4)),
    )
    return Book(FIRST, size.last, date(2027, 1, 22), {each.title: each for each in courses})


async def played(database_url: str, size: Size, rehearsal: Path | None = None) -> str:
    """The term; gives what was counted in words. `rehearsal`: a folder to rehearse a day in beforehand."""
    clock = FrozenClock(datetime(2026, 9, 2, 8, tzinfo=SHANGHAI))
    wechat = {"templates": TEMPLATES}
    async with running_town(database_url, clock, wechat=wechat) as town:
        book = book_of(size)
        cast = await gather(town, size.rooms, size.children)
        book.room_of = {family.number: family.room for family in cast.families.values()}
        play = Play(cast, book, Random(size.seed))
        await play.offers()
        assert await play.letters() == size.rooms * size.children
        await play.window_opens()
        await play.collect()
        await play.sign()
        await play.payments()
        await play.waivers()
        await term(play, rehearsal)
        due, back = await acts.settle(play, size.last + timedelta(days=2))
        if size is WHOLE:
            await acts.after_the_term(play)
        lessons = len(book.lessons)
        return f"{len(cast.families)} families, {lessons} lessons, due {due} fen, back {back} fen"


async def term(play: Play, rehearsal: Path | None) -> None:
    """Every school day, what happens between them, and what is shown at the end of each month."""
    book = play.book
    school_days = list(book.school_days())
    play.forgotten = next(day for day in book.days(BRUSH) if day > school_days[4])
    play.off = book.days(BALL)[1]
    ends = acts.ends_of(school_days, book.last)
    waiting = None
    for number, day in enumerate(school_days):
        while ends and ends[0][1] <= day:
            await acts.month_ends(play, *ends.pop(0))
        if waiting is not None and number in (4, 8):
            await acts.takes(play, waiting, at(day, 7, 30))
            waiting = None
        foretold = await acts.foretold(play, day, rehearsal) if number == 7 and rehearsal else None
        await acts.school_day(play, day, missing=number == 1)
        if number == 1:
            await acts.missing_child(play, day)
        if number in (3, 5):
            waiting = await acts.gives_up(play, day)
        if waiting is not None and number == 7:
            # Two school days on, at the hour of the offer.
            waiting = await acts.runs_out(play, waiting, at(day, 18, 30))
            if foretold is not None:
                assert foretold == acts.came(play, day)
                assert {kind for _, _, kind in foretold} == {"offer", "lapsed"}
        if day == book.before_end(10):
            await acts.waivers_end(play, day)
        play.heard()
    for month, day in ends:
        await acts.month_ends(play, month, day)


@pytest.mark.slow
async def test_some_weeks_of_a_term_come_to_what_the_book_says(database_url: str) -> None:
    await played(database_url, SHORT)


@pytest.mark.trial
async def test_a_whole_term_comes_to_what_the_book_says(database_url: str, tmp_path: Path) -> None:
    print(await played(database_url, WHOLE, tmp_path))
