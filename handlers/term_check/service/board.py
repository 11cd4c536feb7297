"""All classes and schools together: who owes a report, what was reported, and the rates of a year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Reach, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.people import place_of
from handlers.accounts.service.rolls import ClassRolls, Room
from handlers.calendar.service.calendars import CalendarService
from handlers.term_check.domain.cases import OPEN, STAGES, CaseState, Stage
from handlers.term_check.domain.figures import Child, Figures, Level, counted, figures, of_year
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckReturn, TermCheckRound
from handlers.term_check.service.returns import round_view
from handlers.term_check.service.rounds import rounds_within
from handlers.term_check.service.rules import rule_view, rules_on
from handlers.term_check.service.views import CentreLine, RoomRow, SchoolFigures, SchoolRow, YearFigures

_GOES_ON = (*OPEN, CaseState.ILL)


class Board:
    """The use cases."""

    def __init__(
        self, rolls: ClassRolls, offices: Offices, calendars: CalendarService, audit: Audit, clock: Clock
    ) -> None:
        self._rolls = rolls
        self._offices = offices
        self._calendars = calendars
        self._audit = audit
        self._clock = clock

    # ----------------------------------------------------------------------------------------------------------- today
    async def schools(self, actor: Actor) -> list[SchoolRow]:
        """Every school within reach at which a round goes on, those that owe a report first."""
        reach, today = require(actor, Action.CHECK_FIGURES), local_date(self._clock.now())
        found = []
        for row in await rounds_within(reach):
            one = Reach(schools=frozenset({str(row.school_id)}))
            rooms = await self._rolls.rooms(one, row.school_year, today)
            calendar = await self._calendars.of(str(row.school_id))
            name = (await self._offices.names([str(row.school_id)])).get(str(row.school_id), "")
            rows = await self._rooms(row, rooms, today)
            found.append(SchoolRow(str(row.school_id), name, round_view(row), calendar.is_school_day(today), rows))
        return sorted(found, key=lambda each: (not each.missing, each.school))

    async def centre(self, actor: Actor) -> list[CentreLine]:
        """To a leader of the township's centre school: how many cases of other schools have come up to it."""
        reach, today = require(actor, Action.CHECK_FIGURES), local_date(self._clock.now())
        towns = [
            town
            for town, rule in (await rules_on(today)).items()
            if rule.centre_school_id is not None and str(rule.centre_school_id) in reach.schools
        ]
        stages = list(STAGES[STAGES.index(Stage.CENTRE) :])
        rows = TermCheckAbsence.filter(
            township_id__in=[UUID(town) for town in towns], state__in=list(OPEN), stage__in=stages
        )
        counts: dict[str, int] = defaultdict(int)
        for school in await rows.values_list("school_id", flat=True) if towns else ():
            counts[str(school)] += str(school) not in reach.schools
        names = await self._offices.names(counts)
        return sorted(
            (CentreLine(names.get(school, ""), count) for school, count in counts.items() if count),
            key=lambda line: line.school,
        )

    async def _rooms(self, row: TermCheckRound, rooms: Sequence[Room], today: date) -> list[RoomRow]:
        children = await _children(row, await _cases_of([row]))
        last = await _last_returns(row)
        found = []
        for room in rooms:
            own = [child for class_id, child in children.values() if class_id == room.id]
            if not own:
                continue
            said, counts = last.get(room.id), counted(child.state for child in own)
            found.append(
                RoomRow(
                    room=room,
                    listed=len(own),
                    counts=counts if said else None,
                    is_reported=said is not None and said.day == today,
                    is_full=said is not None and counts.is_full,
                )
            )
        return found

    # ------------------------------------------------------------------------------------------------------------ year
    async def year(self, actor: Actor, year: int | None = None) -> YearFigures:
        """The figures of a school year (the last one when none is named), school by school."""
        reach, today = require(actor, Action.CHECK_FIGURES), local_date(self._clock.now())
        every = await rounds_within(reach, is_open=False)
        years = sorted({row.school_year for row in every}, reverse=True)
        wanted = year if year is not None and year in years else (years[0] if years else today.year)
        rounds: dict[str, list[TermCheckRound]] = defaultdict(list)
        for row in every:
            if row.school_year == wanted:
                rounds[str(row.school_id)].append(row)
        names = await self._offices.names(rounds)
        schools = [await self._school(names.get(school, ""), rows) for school, rows in rounds.items()]
        schools.sort(key=lambda each: each.school)
        total = {level: sum((each.levels[level] for each in schools), Figures()) for level in Level}
        rules = await rules_on(today)
        towns = {str(row.township_id) for row in every}
        rule = rules.get(towns.pop()) if len(towns) == 1 else None
        return YearFigures(wanted, years, schools, total, await rule_view(rule, self._offices))

    async def export(self, actor: Actor, year: int | None = None) -> YearFigures:
        """The same, to leave the house as a file; written down."""
        reach = require(actor, Action.CHECK_FIGURES)
        async with transaction():
            found = await self.year(actor, year)
            whose = place_of(reach, None, None)
            await self._audit.record(actor, Action.CHECK_FIGURES, "table:term_check", whose=whose, purpose="export")
        return found

    async def _school(self, name: str, rows: Sequence[TermCheckRound]) -> SchoolFigures:
        """Of the classes that have reported: nobody has come because nothing was said."""
        terms, silent = [], 0
        cases = await _cases_of(rows)
        for row in sorted(rows, key=lambda each: each.first_day):
            children = await _children(row, cases)
            reported = set(await _last_returns(row))
            terms.append({child: known for child, (room, known) in children.items() if room in reported})
            silent = len({room for room, _ in children.values()} - reported)
        return SchoolFigures(name, figures(of_year(terms).values()), silent)


async def _children(row: TermCheckRound, cases: Sequence[TermCheckAbsence]) -> dict[str, tuple[str, Child]]:
    """Everybody on the list of a round: the class, and what became of them there."""
    meant = {
        str(case.pupil_id): case.state for case in cases if case.round_id == row.id or case.state in _GOES_ON
    }  # fmt: skip
    columns = ("pupil_id", "class_id", "grade", "is_new")
    return {
        str(child): (str(room), Child(grade, is_new, meant.get(str(child))))
        for child, room, grade, is_new in await TermCheckListed.filter(round_id=row.id).values_list(*columns)
    }


async def _cases_of(rows: Sequence[TermCheckRound]) -> list[TermCheckAbsence]:
    """The cases of some schools, the first first."""
    schools: list[Any] = [row.school_id for row in rows]
    return await TermCheckAbsence.filter(school_id__in=schools).order_by("created_at", "id")


async def _last_returns(row: TermCheckRound) -> Mapping[str, TermCheckReturn]:
    rows = await TermCheckReturn.filter(round_id=row.id).order_by("number")
    return {str(each.class_id): each for each in rows}
