"""Rosters out again: in the form in which they can be uploaded, with who made them and of whom printed on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date, to_local
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.domain import (
    APPOINTMENT_WORDS,
    RELATION_WORDS,
    ClassName,
    PupilStatus,
    class_name,
    school_year_of,
)
from handlers.accounts.service.bulk import BulkReader, KnownPupil, KnownSchool, People
from handlers.rosters import texts
from handlers.rosters.domain import ExportPurpose, RosterKind
from handlers.rosters.service import workbooks
from handlers.rosters.service.columns import APPOINTMENTS_HERE, COLUMNS, GUARDIANS, NO, YES
from handlers.rosters.service.planning import running_years
from handlers.rosters.service.workbooks import Imprint


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is wanted: of all schools within reach, or one, or one class; and what for."""

    kind: RosterKind
    purpose: ExportPurpose
    school_id: str | None = None
    class_id: str | None = None


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file to be handed out."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be exported: schools, and their classes that run, by id."""

    schools: Sequence[tuple[str, str]]
    classes: Sequence[tuple[str, str]]


class ExportService:
    """Templates and exports."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock = clock
        self._audit = audit

    async def choices(self, actor: Actor) -> Choices:
        """What the actor may export."""
        people, schools = await _schools(require(actor, Action.ROSTER_EXPORT))
        year = school_year_of(local_date(self._clock.now()))
        running = [row for row in people.classes.values() if row.school_year in (year, year - 1)]
        running.sort(key=lambda row: (people.schools[row.school_id].name, -row.school_year, row.name))
        names = []
        for row in running:
            words = (
                class_name(*row.name) if row.school_year == year else f"{row.school_year}学年{class_name(*row.name)}"
            )
            names.append((str(row.id), f"{people.schools[row.school_id].name} {words}"))
        return Choices([(str(school.id), school.name) for school in schools], names)

    async def template(self, actor: Actor, kind: RosterKind) -> Workbook:
        """An empty sheet with the names of the actor's schools to pick from."""
        _, schools = await _schools(require(actor, Action.ROSTER_IMPORT))
        names = [school.name for school in schools]
        content = await asyncio.to_thread(workbooks.template, kind, names)
        return Workbook(texts.FILE_NAMES["template"].format(kind=texts.KIND_WORDS[kind.value]), content)

    async def export(self, actor: Actor, request: ExportRequest) -> Workbook:
        """Numbers in clear, so the audit knows of it. Raises NotFound for a school or class out of reach."""
        reach = require(actor, Action.ROSTER_EXPORT)
        people, schools = await _schools(reach)
        schools, class_id, scope = _scope(actor, request, people, schools)
        now = self._clock.now()
        async with transaction():
            reader = BulkReader(people)
            if request.kind is RosterKind.PUPILS:
                await reader.pupils_of([school.id for school in schools])
                await reader.guardians_of(list(people.pupils))
            else:
                await reader.appointments_of([school.id for school in schools], local_date(now))
            whose = Subject(
                school_id=str(schools[0].id) if len(schools) == 1 else None,
                township_id=str(schools[0].township_id) if schools else None,
            )
            await self._audit.record(
                actor,
                Action.ROSTER_EXPORT,
                f"class:{class_id}" if class_id else f"roster:{request.kind.value}",
                whose=whose,
                fields=[column.key for column in COLUMNS[request.kind]],
                purpose=request.purpose.value,
            )
        imprint = Imprint(
            name=actor.name or "",
            purpose=texts.PURPOSE_WORDS[request.purpose.value],
            at=f"{to_local(now):%Y-%m-%d %H:%M}",
            scope=scope,
        )
        year = school_year_of(local_date(now))
        content = await asyncio.to_thread(_write, request.kind, (people, class_id, year), schools, imprint)
        name = texts.FILE_NAMES["export"].format(
            kind=texts.KIND_WORDS[request.kind.value], day=f"{local_date(now):%Y%m%d}"
        )
        return Workbook(name, content)


async def _schools(reach: Reach) -> tuple[People, list[KnownSchool]]:
    people = People()
    await BulkReader(people).schools(reach)
    return people, list(people.schools.values())


def _scope(
    actor: Actor, request: ExportRequest, people: People, schools: list[KnownSchool]
) -> tuple[list[KnownSchool], UUID | None, str]:
    """Of which schools and class, and the same in words."""
    if request.class_id:
        known = next((row for row in people.classes.values() if str(row.id) == request.class_id), None)
        if known is None:
            raise refusal(NotFound(), actor, Action.ROSTER_EXPORT, Subject(class_id=request.class_id))
        school = people.schools[known.school_id]
        return [school], known.id, f"{school.name} {class_name(*known.name)}"
    if request.school_id:
        chosen = [school for school in schools if str(school.id) == request.school_id]
        if not chosen:
            raise refusal(NotFound(), actor, Action.ROSTER_EXPORT, Subject(school_id=request.school_id))
        return chosen, None, f"{chosen[0].name} {texts.ALL_CLASSES}"
    words = schools[0].name if len(schools) == 1 else texts.ALL_SCHOOLS
    return schools, None, f"{words} {texts.ALL_CLASSES}"


def _write(
    kind: RosterKind, what: tuple[People, UUID | None, int], schools: Sequence[KnownSchool], imprint: Imprint
) -> bytes:
    people, class_id, year = what
    names = [school.name for school in people.schools.values()]
    rows = _pupil_rows(people, class_id, year) if kind is RosterKind.PUPILS else _staff_rows(people, class_id)
    return workbooks.export(kind, rows, names if len(names) > 1 else [school.name for school in schools], imprint)


def _pupil_rows(people: People, class_id: UUID | None, year: int) -> list[Mapping[str, str]]:
    """Those enrolled, class by class. Who sits in no class of the running year is on no list of a class."""
    years = running_years(people, year)
    found: list[tuple[tuple[str, ClassName, str, str], KnownPupil]] = []
    for pupil in people.pupils.values():
        known = people.classes.get(pupil.class_id) if pupil.class_id else None
        if pupil.status is not PupilStatus.ENROLLED or known is None or class_id not in (None, known.id):
            continue
        if class_id is None and known.school_year != years[pupil.school_id]:
            continue
        found.append(((people.schools[pupil.school_id].name, known.name, pupil.name, str(pupil.id)), pupil))
    return [_pupil_row(people, pupil) for _, pupil in sorted(found, key=lambda each: each[0])]


def _pupil_row(people: People, pupil: KnownPupil) -> Mapping[str, str]:
    known = people.classes[pupil.class_id] if pupil.class_id else None
    row = {
        "school": people.schools[pupil.school_id].name,
        "class": class_name(*known.name) if known else "",
        "name": pupil.name,
        "sex": pupil.sex,
        "birth_date": pupil.birth_date or "",
        "id_number": pupil.id_number or "",
        "roster_number": pupil.roster_number or "",
        "system_id": str(pupil.id),
    }
    links = [link for link in people.guardians.get(pupil.id, ()) if not link.has_ended]
    links = [link for link in links if link.person_id in people.persons]
    links.sort(key=lambda link: (not link.is_acting, str(link.person_id)))
    for place, link in enumerate(links[:GUARDIANS], 1):
        person = people.persons[link.person_id]
        row |= {
            f"name{place}": person.name,
            f"relation{place}": RELATION_WORDS[link.relation],
            f"phone{place}": person.phone or "",
            f"acting{place}": YES if link.is_acting else NO,
        }
    return row


def _staff_rows(people: People, class_id: UUID | None) -> list[Mapping[str, str]]:
    rows = []
    for charge in people.appointments.values():
        person = people.persons.get(charge.person_id)
        if person is None or charge.kind not in APPOINTMENTS_HERE or class_id not in (None, charge.class_id):
            continue
        known = people.classes.get(charge.class_id) if charge.class_id else None
        school = people.schools.get(charge.school_id) if charge.school_id else None
        rows.append(
            {
                "school": school.name if school else "",
                "name": person.name,
                "phone": person.phone or "",
                "id_number": person.id_number or "",
                "kind": APPOINTMENT_WORDS[charge.kind],
                "class": class_name(*known.name) if known else "",
                "subject": charge.subject,
                "since": charge.since.isoformat(),
                "until": charge.until.isoformat() if charge.until else "",
                "system_id": str(charge.id),
            }
        )
    return sorted(rows, key=_order)


def _order(row: Mapping[str, str]) -> list[str]:
    return [row[key] for key in ("school", "kind", "class", "subject", "name", "system_id")]
