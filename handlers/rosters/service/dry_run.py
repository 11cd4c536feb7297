"""A dry run: a sheet against what is known now. The reading of the database in slices, the thinking in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may
from handlers.accounts.domain import match_text
from handlers.accounts.service.bulk import BulkReader, People
from handlers.accounts.service.bulk_rows import collect_young
from handlers.rosters.domain import Coverage, RosterKind, Sheet
from handlers.rosters.service.columns import places
from handlers.rosters.service.pages import digest_of
from handlers.rosters.service.parsing import Parsed, PupilEntry, StaffEntry, parse
from handlers.rosters.service.planning import Directory, Plan, Terms
from handlers.rosters.service.pupils import PupilPlanner
from handlers.rosters.service.staff import StaffPlanner

Told = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a sheet would do, and against what."""

    plan: Plan
    people: People
    directory: Directory
    digest: str


@dataclass(frozen=True, slots=True)
class Request:
    """Whose sheet of what it is, on which day, and how far they reach."""

    actor: Actor
    reach: Reach
    kind: RosterKind
    coverage: Coverage
    today: date


async def dry_run(request: Request, sheet: Sheet, told: Callable[[int, int], Told]) -> DryRun:
    """The plan for a sheet. `told(start, end)` gives something to tell the progress to, in percent."""
    parsed = await asyncio.to_thread(_parse, request, sheet, told(5, 35))
    people = People()
    reader = BulkReader(people)
    await reader.schools(request.reach)
    entries = [row.entry for row in parsed if row.entry is not None]
    if request.kind is RosterKind.PUPILS:
        await _read_pupils(reader, [entry for entry in entries if isinstance(entry, PupilEntry)], told(35, 60))
    else:
        await _read_staff(reader, [entry for entry in entries if isinstance(entry, StaffEntry)], request.today)
    terms = Terms(request.today, _may_lead(request.actor, people))
    directory, plan = await asyncio.to_thread(_plan, request, parsed, (people, terms), told(60, 85))
    if plan.touched:
        foreign = await reader.foreign(plan.touched, may_lead=terms.may_lead, today=request.today)
        if foreign:
            terms = replace(terms, foreign=foreign)
            directory, plan = await asyncio.to_thread(_plan, request, parsed, (people, terms), told(85, 90))
    return DryRun(plan, people, directory, await asyncio.to_thread(digest_of, plan.reports))


def _may_lead(actor: Actor, people: People) -> bool:
    """Whether the actor appoints leaders in all the townships in question."""
    townships = {school.township_id for school in people.schools.values()}
    return all(may(actor, Action.LEADER_APPOINT, Subject(township_id=str(each))) for each in townships)


def _parse(request: Request, sheet: Sheet, told: Told) -> list[Parsed]:
    where = places(request.kind, sheet.head)
    parsed = []
    for done, row in enumerate(sheet.rows):
        if done % 500 == 0:
            told(done / len(sheet.rows))
            collect_young()
        parsed.append(parse(request.kind, row, where, request.today))
    return parsed


def _plan(
    request: Request, parsed: Sequence[Parsed], known: tuple[People, Terms], told: Told
) -> tuple[Directory, Plan]:
    directory = Directory(*known)
    planner = PupilPlanner(directory) if request.kind is RosterKind.PUPILS else StaffPlanner(directory)
    # Warnings are added while planning, and there may be a second time.
    rows = [replace(row, warnings=list(row.warnings)) for row in parsed]
    return directory, planner.plan(rows, request.coverage, told)


def _named(reader: BulkReader, names: set[str | None]) -> list[UUID]:
    """The schools a sheet names; the only one within reach need not be named."""
    plain = {"".join(name.split()) for name in names if name}
    schools = reader.people.schools
    found = [school.id for school in schools.values() if school.name in plain]
    return found or (list(schools) if len(schools) == 1 else [])


async def _read_pupils(reader: BulkReader, entries: Sequence[PupilEntry], told: Told) -> None:
    people = reader.people
    await reader.pupils_of(_named(reader, {entry.school for entry in entries}))
    told(0.3)
    await reader.pupils_named(**await asyncio.to_thread(_not_known, entries, people))
    told(0.5)
    await reader.guardians_of(list(people.pupils))
    told(0.7)
    phones = {guardian.phone for entry in entries for guardian in entry.guardians if guardian.phone}
    await reader.persons_named(phones=phones)
    told(1)


def _not_known(entries: Sequence[PupilEntry], people: People) -> dict[str, set[Any]]:
    """What to look for in other schools: what names nobody of those that were read."""
    known = people.pupils.values()
    numbers = {pupil.id_number for pupil in known} | {pupil.roster_number for pupil in known}
    matches = {(pupil.name, pupil.birth_date) for pupil in known}
    return {
        "ids": {each for entry in entries if (each := _uuid(entry.system_id)) and each not in people.pupils},
        "id_numbers": {entry.id_number for entry in entries if entry.id_number} - numbers,
        "roster_numbers": {entry.roster_number for entry in entries if entry.roster_number} - numbers,
        "matches": {
            match_text(entry.name, entry.birth_date)
            for entry in entries
            if entry.birth_date and (entry.name, entry.birth_date.isoformat()) not in matches
        },
    }


async def _read_staff(reader: BulkReader, entries: Sequence[StaffEntry], today: date) -> None:
    await reader.appointments_of(_named(reader, {entry.school for entry in entries}), today)
    await reader.persons_named(
        phones={entry.phone for entry in entries if entry.phone},
        id_numbers={entry.id_number for entry in entries if entry.id_number},
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
