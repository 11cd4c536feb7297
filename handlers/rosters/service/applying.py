"""Applying a plan: everything in the caller's one transaction, a slice at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from bot.errors import Conflict
from bot.storage.rows import insert_rows
from handlers.accounts.domain import PupilStatus, Relation
from handlers.accounts.service.bulk import BulkReader, People, lock_pupils
from handlers.accounts.service.bulk_rows import aside
from handlers.accounts.service.bulk_undo import Trace, Traces
from handlers.accounts.service.values import ClassValues, GuardianshipValues, PersonValues, Put
from handlers.accounts.service.writing import Writer
from handlers.rosters.domain import BaseChanged
from handlers.rosters.models import ImportChange
from handlers.rosters.service.dry_run import DryRun
from handlers.rosters.service.planning import ClassKey, Deed, PersonKey

SLICE: Final = 240
_PACK: Final = 400


class Applier:
    """Applies one dry run; made for it, used once."""

    def __init__(self, writer: Writer, run: DryRun, today: date) -> None:
        self._writer = writer
        self._run = run
        self._today = today
        self.traces = Traces()
        self._classes: dict[ClassKey, UUID] = dict(run.directory.classes)
        self._persons: dict[PersonKey, UUID] = {}

    async def apply(self, vanishing: Collection[UUID], told: Callable[[float], None]) -> None:
        """Writes it all. Raises BaseChanged when what is there is not what the dry run saw."""
        try:
            await self._compare()
            await self._make_classes()
            deeds = self._run.plan.deeds
            for start in range(0, len(deeds), SLICE):
                await self._slice(deeds[start : start + SLICE])
                told(start / len(deeds))
            await self._let_go(sorted(vanishing))
        except Conflict as error:
            # Somebody was there in between: the number is taken now, the class has a head teacher.
            raise BaseChanged(details={"cause": error.code}) from error

    async def _compare(self) -> None:
        """Whatever will be changed is locked, and must be as the dry run saw it."""
        pupils = {deed.pupil_id for deed in self._run.plan.deeds if deed.pupil_id}
        people = People()
        reader = BulkReader(people)
        await lock_pupils(pupils)
        await reader.pupils_named(ids=pupils)
        await reader.guardians_of(pupils)
        await reader.persons_named(ids=self._run.plan.touched)
        seen = self._run.people
        same = (
            len(people.pupils) == len(pupils)
            and all(seen.pupils.get(row.id) == row for row in people.pupils.values())
            and all(seen.persons.get(row.id) == row for row in people.persons.values())
            and all(set(rows) == set(seen.guardians.get(pupil, ())) for pupil, rows in people.guardians.items())
        )
        if not same:
            raise BaseChanged

    async def _make_classes(self) -> None:
        for key in self._run.plan.new_classes:
            school_id, name = key
            year = self._run.directory.year_of(school_id)
            values = ClassValues(school_id=school_id, school_year=year, grade=name.grade, number=name.number)
            put = await self._writer.put_class(values)
            self.traces.add(put.changes)
            self._classes[key] = put.id

    async def _slice(self, deeds: Sequence[Deed]) -> None:
        await self._put_persons(deeds)
        pupils = await self._put_pupils(deeds)
        guardianships = [
            GuardianshipValues(
                pupil_id=pupils[deed.row],
                person_id=self._person(guardian.person),
                relation=Relation(guardian.relation) if guardian.relation else None,
                is_acting=guardian.is_acting,
            )
            for deed in deeds
            for guardian in deed.guardians
        ]
        if guardianships:
            await self._keep(await self._writer.put_guardianships(guardianships))
        charges = [
            replace(
                deed.appointment,
                person_id=self._person(deed.holder),
                class_id=self._classes[deed.class_key] if deed.class_key else None,
            )
            for deed in deeds
            if deed.appointment is not None and deed.holder is not None
        ]
        for put in await self._writer.put_appointments(charges):
            self.traces.add(put.changes)

    async def _put_persons(self, deeds: Sequence[Deed]) -> None:
        known = [person for deed in deeds for person in deed.persons if person.id is not None]
        new: dict[PersonKey, None] = {}
        for deed in deeds:
            for who in (*(guardian.person for guardian in deed.guardians), deed.holder):
                if isinstance(who, tuple) and who not in self._persons:
                    new.setdefault(who)
        said = [(deed.holder, deed.persons[0].id_number) for deed in deeds if deed.holder and deed.persons]
        numbers = {who: number for who, number in said if number}
        values = [_person_values(who, numbers.get(who)) for who in new]
        puts = await self._writer.put_persons([*known, *values])
        for put in puts:
            self.traces.add(put.changes)
        self._persons |= {who: put.id for who, put in zip(new, puts[len(known) :], strict=True)}

    async def _put_pupils(self, deeds: Sequence[Deed]) -> dict[int, UUID]:
        """Whose row is whose."""
        ids = {deed.row: deed.pupil_id for deed in deeds if deed.pupil_id is not None}
        with_pupil = [deed for deed in deeds if deed.pupil is not None and deed.class_key is not None]
        values = [
            replace(deed.pupil, class_id=self._classes[deed.class_key])
            for deed in with_pupil
            if deed.pupil is not None and deed.class_key is not None
        ]
        puts = await self._writer.put_pupils(values) if values else []
        await self._keep(puts)
        ids |= {deed.row: put.id for deed, put in zip(with_pupil, puts, strict=True)}
        return ids

    async def _keep(self, puts: Sequence[Put]) -> None:
        """Traces of everything that changed."""
        changes = [change for put in puts for change in put.changes]
        await aside(len(changes), self.traces.add, changes)

    def _person(self, who: UUID | PersonKey | None) -> UUID:
        assert who is not None
        return self._persons[who] if isinstance(who, tuple) else who

    async def _let_go(self, vanishing: Sequence[UUID]) -> None:
        """Those somebody ticked: pupils have left, charges have ended. Nobody is deleted."""
        pupils = [each for each in vanishing if each in self._run.people.pupils]
        charges = [each for each in vanishing if each in self._run.people.appointments]
        for start in range(0, len(pupils), SLICE):
            some = pupils[start : start + SLICE]
            self.traces.add(await self._writer.let_go(some, PupilStatus.LEFT, self._today))
        if charges:
            # Rights end with the charge, and that is over today.
            ended = await self._writer.end_appointments(charges, self._today - timedelta(days=1))
            self.traces.add(ended)


def _person_values(who: PersonKey, id_number: str | None) -> PersonValues:
    name, phone, _ = who
    return PersonValues(name=name, phone=phone, id_number=id_number)


async def keep_traces(import_id: UUID, traces: Traces, now: datetime) -> None:
    """Writes down what was touched, in the caller's transaction, for the day it is taken back."""
    number = 0
    for table, rows in traces.by_table.items():
        whole = list(rows.values())
        for start in range(0, len(whole), _PACK):
            row = {
                "source_id": import_id,
                "number": number,
                "table": table,
                "rows": await aside(_PACK, _packed, whole[start : start + _PACK]),
                "created_at": now,
                "updated_at": now,
            }
            await insert_rows(ImportChange, [row])
            number += 1


def _packed(traces: Sequence[Trace]) -> str:
    rows = [[str(each.row_id), each.before, each.after] for each in traces]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _unpacked(text: str) -> list[Trace]:
    return [Trace(UUID(row_id), before, after) for row_id, before, after in json.loads(text)]


async def traces_of(import_id: UUID) -> Traces:
    """What an import touched."""
    traces = Traces()
    numbers = await ImportChange.filter(source_id=import_id).order_by("number").values_list("number", flat=True)
    for number in numbers:
        row = await ImportChange.get(source_id=import_id, number=number)
        traces.keep(row.table, await aside(_PACK, _unpacked, row.rows))
    return traces
