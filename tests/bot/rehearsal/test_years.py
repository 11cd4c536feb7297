"""Whole school years of a township, with everything there is to send: nothing missing, nothing twice, none at night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from time import perf_counter

import pytest

from bot.clock import SHANGHAI
from bot.config import Settings, Template
from bot.demo_township.build import plan_township
from bot.demo_township.fill import fill
from bot.rehearsal.lines import Line
from bot.rehearsal.replay import Span, rehearse
from bot.storage.database import open_database
from handlers.catalogue import CAPABILITIES
from tests.bot.rehearsal.matters import Dated, Promise, Visits, Wanted, Year, put_matters, visitors
from tests.bot.rehearsal.walk import ONE, People, days, people_of_township
from tests.handlers.reminders.content import base_of

# As the settings have it.
A_FAMILY_A_DAY = 4


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in China."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


# Before and after the national holiday, on a make-up day, after the harvest, around the market of the teaching point,
# at the end of a term, on the first day of the next after a month of holidays, at Qingming, before the last day.
WITH_TABLES = Year(
    Span(date(2025, 9, 1), date(2026, 7, 31)),
    {
        "meeting": Dated("家长会", date(2025, 9, 17)),
        "holiday": Dated("节后返校", date(2025, 10, 9)),
        "make-up": Dated("秋季体检", date(2025, 10, 11)),
        "harvest": Dated("期中测试", date(2025, 10, 20)),
        "market": Dated("冬季体检", date(2025, 12, 15)),
        "training": Dated("教师培训", date(2025, 11, 13), of_teachers=True),
        "term-end": Dated("期末开放日", date(2026, 1, 15)),
        "back": Dated("开学典礼", date(2026, 3, 2)),
        "qingming": Dated("春季运动会", date(2026, 4, 9)),
        "enrol": Dated("入学登记", date(2026, 6, 8), date(2026, 6, 16)),
        "last": Dated("毕业典礼", date(2026, 6, 30)),
    },
    visits=[date(2025, 9, 25), date(2026, 3, 3), date(2026, 5, 6)],
    own=[date(2025, 9, 2), date(2025, 10, 8), date(2026, 2, 20), date(2026, 7, 31)],
    rooms=[date(2025, 9, 28), date(2026, 1, 5), date(2026, 5, 9), date(2026, 6, 22)],
    notices=[at(2025, 9, 15, 10, 30), at(2026, 1, 29, 20, 50), at(2026, 5, 1, 6, 10)],
)
WITHOUT_TABLE = Year(
    Span(date(2026, 9, 1), date(2027, 7, 31)),
    {
        "meeting": Dated("家长会", date(2026, 9, 21)),
        "holiday": Dated("节后返校", date(2026, 10, 8)),
        "market": Dated("冬季体检", date(2026, 12, 14)),
        "new-year": Dated("新年联欢", date(2027, 1, 5)),
        "back": Dated("开学典礼", date(2027, 3, 1)),
        "training": Dated("教师培训", date(2027, 4, 6), of_teachers=True),
        "may": Dated("劳动周", date(2027, 5, 4)),
        "enrol": Dated("入学登记", date(2027, 6, 7), date(2027, 6, 15)),
    },
    visits=[date(2026, 12, 31), date(2027, 1, 4), date(2027, 3, 2)],
    own=[date(2026, 9, 2), date(2027, 1, 1), date(2027, 2, 10)],
    rooms=[date(2026, 12, 31), date(2027, 1, 4), date(2027, 5, 3)],
    notices=[at(2026, 12, 31, 15), at(2027, 3, 1, 22, 0)],
)


def with_templates(settings: Settings) -> Settings:
    """Whoever has a WeChat id is reached, so that messages travel together and a family's day can be full."""
    slots = {"subject": "thing1", "when": "time2", "note": "thing3"}
    purposes = ("notice", "reminder", "result", "task")
    templates = tuple(
        Template.model_validate({"purpose": each, "kind": "template", "id": f"t-{each}", "slots": slots})
        for each in purposes
    )
    return settings.model_copy(update={"wechat": settings.wechat.model_copy(update={"templates": templates})})


async def played(settings: Settings, year: Year, families: int) -> tuple[list[Line], Counter[Promise], People]:
    """A year over a township of its own, and what must come of it."""
    township = plan_township(year.span.first, families=families)
    settings = with_templates(settings)
    async with open_database(settings):
        await fill(township, settings)
        people = await people_of_township(year.span.first.year)
        put = await put_matters(year, people, busy_rooms(people))
    wanted = Wanted(year, people, put).all()
    base = base_of(year.files(township.name))
    capabilities = (*CAPABILITIES, Visits(year.visits, visitors(people)).capability())
    begins = perf_counter()
    lines = [line async for line in rehearse(settings, year.span, knowledge=lambda: base, capabilities=capabilities)]
    print(f"\n{year.span.first} to {year.span.last}: {len(lines)} messages in {perf_counter() - begins:.0f} s")
    # Asked before the span begins, and told into an open chat: no reminder.
    return [line for line in lines if not line.reason.startswith("accounts.")], wanted, people


def busy_rooms(people: People) -> list[str]:
    """Two classes with the most children, and one of the teaching point."""
    seats = Counter(seat for _, seat in people.pupils.values() if seat is not None)
    at_point = [room for room, school in people.rooms.items() if school in people.points and seats[room]]
    return [*[room for room, _ in seats.most_common(2)], *at_point[:1]]


def told(lines: Sequence[Line]) -> Counter[Promise]:
    """Whom, what, when, as the rehearsal says, with what travels together taken apart."""
    found: Counter[Promise] = Counter()
    for line in lines:
        for part in line.parts:
            occurrence = part.occurrence.partition(":")[2] if part.reason.startswith("duties:") else part.occurrence
            found[line.recipient, f"{part.reason}|{occurrence}", day_of(line)] += 1
    return found


def day_of(line: Line) -> date:
    """The day in China."""
    return date.fromisoformat(line.at[:10])


@dataclass(frozen=True, slots=True)
class Difference:
    """What the walk and the rehearsal do not agree on. `moved`: told on a later day, because the family had had all its
    messages of the day."""

    missing: Counter[Promise]
    surplus: Counter[Promise]
    moved: Sequence[Promise]


def difference(lines: Sequence[Line], wanted: Counter[Promise], people: People) -> Difference:
    """Compared promise by promise."""
    found = told(lines)
    missing, surplus = wanted - found, found - wanted
    messages = Counter((people.household(line.recipient), day_of(line)) for line in lines if line.status == "sent")
    mornings = {(line.recipient, day_of(line)) for line in lines if line.at[11:16] == "07:00"}
    moved = []
    for person, what, day in list(missing.elements()):
        later = next((each for each in surplus if each[:2] == (person, what) and each[2] > day), None)
        if later is None or (person, later[2]) not in mornings:
            continue
        if all(messages[people.household(person), each] >= A_FAMILY_A_DAY for each in days(day, later[2] - ONE)):
            moved.append(later)
            missing -= Counter([(person, what, day)])
            surplus -= Counter([later])
    return Difference(missing, surplus, moved)


def check(lines: Sequence[Line], wanted: Counter[Promise], people: People) -> None:
    """Nothing missing, nothing that should not be, nothing twice, none at night, not too many a day for a family."""
    apart = difference(lines, wanted, people)
    promises = Counter((part.reason, line.recipient, part.occurrence) for line in lines for part in line.parts)
    twice = {key: times for key, times in promises.items() if times > 1}
    hours = [datetime.fromisoformat(line.at).astimezone(SHANGHAI).time() for line in lines]
    at_night = [hour for hour in hours if not time(7) <= hour < time(21)]
    messages = Counter((people.household(line.recipient), day_of(line)) for line in lines if line.status == "sent")
    kinds = Counter(
        part.reason.partition(":")[0 if "notice" in part.reason else 2] for line in lines for part in line.parts
    )
    print(
        f"promises wanted {wanted.total()}, kept {sum(len(line.parts) for line in lines)}: missing"
        f" {apart.missing.total()}, not wanted {apart.surplus.total()}, twice {len(twice)}, at night {len(at_night)},"
        f" moved to the next morning because the family's day was full {len(apart.moved)}\n"
        f"from {min(hours)} to {max(hours)}, at most {max(messages.values())} a family a day; {dict(kinds)};"
        f" {dict(Counter(line.status for line in lines))}"
    )
    assert not apart.missing, apart.missing.most_common(5)
    assert not apart.surplus, apart.surplus.most_common(5)
    assert not twice
    assert not at_night
    assert max(messages.values()) <= A_FAMILY_A_DAY


SHORT = [
    replace(WITH_TABLES, span=Span(date(2025, 9, 11), date(2025, 9, 17))),
    replace(WITHOUT_TABLE, span=Span(date(2026, 12, 29), date(2027, 1, 5)), notices=[at(2026, 12, 31, 15)]),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "year", [SHORT[0], pytest.param(SHORT[1], marks=pytest.mark.engine("sqlite"))],
    ids=["with-table", "into-a-year-without"],
)  # fmt: skip
async def test_a_week_is_complete_and_told_once(settings: Settings, year: Year) -> None:
    lines, wanted, people = await played(settings, year, families=12)
    assert len(wanted) > 50
    check(lines, wanted, people)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    # That the comparison would notice.
    families = [line for line in lines if line.parts[0].reason.startswith(("reminder:knowledge", "notice:"))]
    left_out = [line for line in lines if line is not families[0]]
    assert difference(left_out, wanted, people).missing.total() == len(families[0].parts)
    assert difference([*lines, families[0]], wanted, people).surplus.total() == len(families[0].parts)
    late = replace(families[0], at=f"{day_of(families[0]) + ONE}T07:00:00+08:00")
    assert difference([*left_out, late], wanted, people).missing.total() == len(families[0].parts)


@pytest.mark.trial
@pytest.mark.parametrize("year", [WITH_TABLES, WITHOUT_TABLE], ids=["2025-26", "2026-27"])
async def test_a_school_year_is_complete_and_told_once(settings: Settings, year: Year) -> None:
    check(*await played(settings, year, families=60))
