"""Planning: once for everybody whatever happens to planners, clocks, calendars and dates."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import pytest
from tortoise.exceptions import OperationalError

from bot.delivery.models import OutboxPush
from bot.delivery.reminding import Rule
from bot.errors import Unavailable
from bot.storage.database import Database
from handlers.calendar.domain import Effect, Facts, LocalDay, LocalKind, SchoolCalendar
from handlers.reminders.models import Planned
from handlers.reminders.service.planner import AHEAD
from tests import factories
from tests.handlers.reminders.stage import FIRST_TERM, SECOND_TERM, Calendars, Stage, at, promised, statuses

SOMEBODY, SOMEBODY_ELSE = str(uuid4()), str(uuid4())
# A Thursday; three school days before is Monday, one is Wednesday.
DAY = date(2026, 9, 17)


async def test_a_reminder_goes_out_three_school_days_before_and_one(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    assert await stage.tick(at(9, 12, 17)) == 0
    assert await stage.tick(at(9, 12, 19)) == 1
    assert await promised() == [("报名|3", at(9, 14, 18))]
    assert await stage.deliver(at(9, 14, 17, 59)) == []
    assert await stage.deliver(at(9, 14, 18)) == [(SOMEBODY, "报名：2026-09-17")]
    assert await stage.tick() == 1
    assert await stage.deliver(at(9, 16, 18)) == [(SOMEBODY, "报名：2026-09-17")]
    assert await stage.tick(at(9, 17, 19)) == 0


async def test_a_second_planner_adds_nothing(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY, SOMEBODY_ELSE])
    assert await stage.tick(at(9, 14)) == 2
    assert await stage.second().tick() == 0
    assert len(await promised()) == 2


async def test_planners_at_once_promise_once(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    stage.clock.set(at(9, 14))
    made = await asyncio.gather(*(stage.second().tick() for _ in range(6)))
    assert sum(made) == 1
    assert len(await promised()) == 1


async def test_planners_at_once_correct_once(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    await stage.deliver(at(9, 14, 18))
    stage.matters.put("报名", date(2026, 9, 24), people=[SOMEBODY])
    made = await asyncio.gather(*(stage.second().tick() for _ in range(6)))
    assert sum(made) == 1
    assert await stage.deliver() == [(SOMEBODY, "报名：2026-09-24，不是2026-09-17")]


@pytest.mark.engine("postgres")
async def test_without_the_unique_key_a_second_planner_would_not_be_held_off(stage: Stage, database: Database) -> None:
    """The negative control: it is the key of the table that the tests above rest on, and nothing else."""
    _, rows = await database.connection.execute_query(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'outbox_push'::regclass AND contype = 'u'"
    )
    for row in rows:
        await database.connection.execute_script(f'ALTER TABLE outbox_push DROP CONSTRAINT "{row["conname"]}"')
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    with pytest.raises(OperationalError, match="ON CONFLICT"):
        await stage.tick(at(9, 14))


async def test_a_late_tick_still_reminds_and_only_of_what_comes_next(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    assert await stage.tick(at(9, 15, 9)) == 2
    assert [what for what, _ in await promised()] == ["报名|3", "报名|1"]
    assert len(await stage.deliver(at(9, 15, 9))) == 1
    assert len(await stage.deliver(at(9, 16, 18))) == 1


async def test_after_a_week_asleep_what_is_stale_expires_and_what_comes_next_is_planned(stage: Stage) -> None:
    stage.matters.put("旧的", DAY, people=[SOMEBODY])
    stage.matters.put("新的", date(2026, 9, 25), people=[SOMEBODY])
    assert await stage.tick(at(9, 13)) == 1
    assert await stage.tick(at(9, 21, 9)) == 1
    told = await stage.deliver(at(9, 22, 18))
    assert told == [(SOMEBODY, "新的：2026-09-25")]
    assert await statuses() == {"expired": 1, "sent": 1}


async def test_a_clock_put_back_tells_nobody_twice(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    assert len(await stage.deliver(at(9, 14, 18))) == 1
    assert await stage.tick(at(9, 13)) == 0
    assert await stage.deliver(at(9, 14, 18)) == []
    await stage.tick()
    assert await stage.deliver(at(9, 15, 18)) == []
    assert [what for what, _ in await promised()] == ["报名|3", "报名|1"]


async def test_people_who_come_later_are_reminded_too(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    await stage.deliver(at(9, 14, 18))
    stage.matters.put("报名", DAY, people=[SOMEBODY, SOMEBODY_ELSE])
    assert await stage.tick(at(9, 15, 10)) == 3
    assert await stage.deliver() == [(SOMEBODY_ELSE, "报名：2026-09-17")]


# --------------------------------------------------------------------------------------------------------- corrections
async def test_a_corrected_date_moves_what_is_unsent(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 13))
    stage.matters.put("报名", date(2026, 9, 18), people=[SOMEBODY])
    assert await stage.tick() == 0
    assert await promised() == [("报名|3", at(9, 15, 18))]
    assert await stage.deliver(at(9, 14, 18)) == []
    assert await stage.deliver(at(9, 15, 18)) == [(SOMEBODY, "报名：2026-09-18")]


async def test_only_those_already_told_hear_of_a_correction(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    await stage.deliver(at(9, 14, 18))
    stage.matters.put("报名", date(2026, 9, 24), people=[SOMEBODY, SOMEBODY_ELSE])
    assert await stage.tick(at(9, 15)) == 1
    assert await stage.deliver() == [(SOMEBODY, "报名：2026-09-24，不是2026-09-17")]
    assert await stage.tick() == 0
    # Before the new day everybody is reminded of it.
    await stage.tick(at(9, 21))
    assert {person for person, _ in await stage.deliver(at(9, 21, 18))} == {SOMEBODY, SOMEBODY_ELSE}


async def test_a_date_put_right_again_is_corrected_to_those_who_heard_the_wrong_one(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    await stage.deliver(at(9, 14, 18))
    stage.matters.put("报名", date(2026, 9, 24), people=[SOMEBODY])
    await stage.tick(at(9, 14, 19))
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14, 20))
    assert await stage.deliver(at(9, 15, 8)) == [], "the wrong day was never told"
    assert len(await stage.deliver(at(9, 16, 18))) == 1, "the last reminder of the day that holds after all"


async def test_a_correction_to_a_day_that_is_past_is_told(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    await stage.deliver(at(9, 14, 18))
    stage.matters.put("报名", date(2026, 9, 14), people=[SOMEBODY])
    await stage.tick(at(9, 15))
    assert await stage.deliver() == [(SOMEBODY, "报名：2026-09-14，不是2026-09-17")]


async def test_what_has_ended_sends_nothing(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    stage.matters.days.clear()
    await stage.tick(at(9, 14, 9))
    assert await stage.deliver(at(9, 14, 18)) == []
    assert await statuses() == {"not_needed": 1}


async def test_what_comes_back_is_planned_again(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    gone = dict(stage.matters.days)
    stage.matters.days.clear()
    await stage.tick(at(9, 14, 9))
    stage.matters.days |= gone
    assert await stage.tick(at(9, 14, 10)) == 1
    assert len(await stage.deliver(at(9, 14, 18))) == 1


async def test_what_is_not_wanted_any_more_is_asked_when_it_goes_out(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))
    stage.matters.unwanted.add("报名")
    assert await stage.deliver(at(9, 14, 18)) == []
    assert await statuses() == {"not_needed": 1}


async def test_a_reason_that_cannot_be_asked_now_loses_nothing(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 14))

    class Away(type(stage.matters)):  # type: ignore[misc] # a reason as the stage has them
        async def occurrences(self, first: date, last: date) -> list[object]:
            raise Unavailable

    broken = stage.second()
    broken.reasons = lambda: [Away(), stage.matters]  # type: ignore[method-assign]
    broken.planner._reasons = broken.reasons
    with pytest.raises(Unavailable):
        await broken.tick()
    assert len(await stage.deliver(at(9, 14, 18))) == 1


# ------------------------------------------------------------------------------------------------------------ calendars
def off(first: date, last: date) -> LocalDay:
    return LocalDay(first, last, LocalKind.WEATHER, Effect.OFF, "大雪停课")


async def test_a_changed_calendar_plans_again(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 13))
    assert await promised() == [("报名|3", at(9, 14, 18))]
    stage.calendars.change(Facts((FIRST_TERM, SECOND_TERM), local_days=(off(date(2026, 9, 14), date(2026, 9, 14)),)))
    await stage.tick()
    assert await promised() == [("报名|3", at(9, 11, 18))]
    assert (await Planned.get()).calendar_version == stage.calendars.version
    assert len(await stage.deliver()) == 1


def beside(stage: Stage, facts: Facts, version: int) -> Stage:
    """A replica that sees another version of the calendars."""
    other = stage.second()
    return Stage(other.clock, Calendars({None: SchoolCalendar(facts, version)}, version), stage.matters)


SNOW = Facts((FIRST_TERM, SECOND_TERM), local_days=(off(date(2026, 9, 14), date(2026, 9, 14)),))


async def test_replicas_with_two_versions_do_not_move_it_to_and_fro(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    stage.calendars.version = 7
    newer = beside(stage, SNOW, 8)
    await stage.tick(at(9, 12, 18))
    await newer.tick()
    for _ in range(3):
        for replica in (stage, newer):
            assert await replica.tick() == 0
            assert await promised() == [("报名|3", at(9, 11, 18))]
            assert (await Planned.get()).calendar_version == 8
    assert len(await stage.deliver()) == 1


async def test_whoever_comes_late_is_given_the_time_of_the_newer_version_by_either(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    stage.calendars.version = 7
    await beside(stage, SNOW, 8).tick(at(9, 12, 18))
    stage.matters.put("报名", DAY, people=[SOMEBODY, SOMEBODY_ELSE])
    assert await stage.tick() == 1
    assert await promised() == [("报名|3", at(9, 11, 18))] * 2


async def test_after_a_step_back_to_an_older_version_nothing_is_left_out(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    newer = beside(stage, SNOW, 8)
    await newer.tick(at(9, 11, 17))
    assert len(await newer.deliver(at(9, 11, 18))) == 1
    assert await stage.tick(at(9, 15)) == 1
    assert len(await stage.deliver(at(9, 16, 18))) == 1


async def test_a_correction_seen_by_the_older_version_first_is_planned_again_by_the_newer(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    newer = beside(stage, SNOW, 8)
    await newer.tick(at(9, 10))
    stage.matters.put("报名", date(2026, 9, 16), people=[SOMEBODY])
    await stage.tick()
    assert await promised() == [("报名|3", at(9, 11, 18))]
    await newer.tick()
    assert await promised() == [("报名|3", at(9, 10, 18))]
    assert (await Planned.get()).calendar_version == 8


async def test_each_school_counts_by_its_own_calendar(stage: Stage) -> None:
    school, other = await factories.make_school(), await factories.make_school()
    mother, father = await factories.make_person(), await factories.make_person()
    await factories.make_guardianship(await factories.make_pupil(await factories.make_class(school)), mother)
    await factories.make_guardianship(await factories.make_pupil(await factories.make_class(other)), father)
    facts = Facts((FIRST_TERM, SECOND_TERM), local_days=(off(date(2026, 9, 14), date(2026, 9, 15)),))
    stage.calendars.change(facts, str(other.id))
    stage.matters.put("报名", DAY, str(school.id), str(other.id))
    assert await stage.tick(at(9, 9, 20)) == 1
    assert [person for person, _ in await stage.deliver(at(9, 10, 18))] == [str(father.id)]
    assert await stage.tick(at(9, 13)) == 1
    assert [person for person, _ in await stage.deliver(at(9, 14, 18))] == [str(mother.id)]


async def test_somebody_with_children_at_two_schools_is_reminded_once(stage: Stage) -> None:
    school, other = await factories.make_school(), await factories.make_school()
    mother = await factories.make_person()
    for each in (school, other):
        await factories.make_guardianship(await factories.make_pupil(await factories.make_class(each)), mother)
    facts = Facts((FIRST_TERM, SECOND_TERM), local_days=(off(date(2026, 9, 14), date(2026, 9, 15)),))
    stage.calendars.change(facts, str(other.id))
    stage.matters.put("报名", DAY, str(school.id), str(other.id))
    told = []
    for hours in range(0, 24 * 9, 2):
        stage.clock.set(at(9, 9) + timedelta(hours=hours))
        await stage.tick()
        told += await stage.deliver()
    assert len(told) == 2, "three school days before, and one"


async def test_a_calendar_that_splits_holds_back_those_whose_time_has_not_come(stage: Stage) -> None:
    school, other = await factories.make_school(), await factories.make_school()
    people = []
    for each in (school, other):
        people.append(await factories.make_person())
        await factories.make_guardianship(await factories.make_pupil(await factories.make_class(each)), people[-1])
    stage.matters.put("报名", DAY, str(school.id), str(other.id))
    assert await stage.tick(at(9, 13)) == 2
    facts = Facts((FIRST_TERM, SECOND_TERM), weekdays=frozenset({1, 2, 3, 4, 5, 7}))
    stage.calendars.change(facts, str(other.id))
    stage.calendars.change(
        Facts((FIRST_TERM, SECOND_TERM), local_days=(off(date(2026, 9, 16), date(2026, 9, 16)),)), str(school.id)
    )
    await stage.tick(at(9, 13, 9))
    assert [person for person, _ in await stage.deliver(at(9, 13, 10))] == [str(people[0].id)]
    assert [person for person, _ in await stage.deliver(at(9, 14, 18))] == [str(people[1].id)]


async def test_a_year_without_a_table_is_marked(stage: Stage) -> None:
    stage.matters.put("报名", date(2027, 3, 18), people=[SOMEBODY])
    await stage.tick(at(3, 15, year=2027))
    assert (await Planned.get()).is_provisional


async def test_holidays_before_the_day_bring_one_more_reminder(stage: Stage) -> None:
    stage.matters.put("报名", date(2027, 8, 20), people=[SOMEBODY])
    told = []
    for day in range(60):
        stage.clock.set(at(7, 1, 18, year=2027) + timedelta(days=day))
        await stage.tick()
        told += [(stage.clock.now().date(), text) for _, text in await stage.deliver()]
    assert [day for day, _ in told] == [date(2027, 7, 7), date(2027, 7, 9), date(2027, 8, 19)]


async def test_a_rule_may_remind_on_the_day_itself(stage: Stage) -> None:
    stage.matters.rule = Rule(leads=(0,))
    stage.matters.put("带跳绳", DAY, people=[SOMEBODY])
    await stage.tick(at(9, 16))
    assert await promised() == [("带跳绳|0", at(9, 17, 7, 30))]


async def test_promises_are_made_two_days_ahead(stage: Stage) -> None:
    stage.matters.put("报名", DAY, people=[SOMEBODY])
    assert await stage.tick(at(9, 14, 18) - AHEAD) == 1
    assert await OutboxPush.all().count() == 1
