"""Changing what is kept of pupils and of those who look after them, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import Conflict
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from bot.storage.database import transaction
from handlers.accounts.domain import Relation, mask_phone
from handlers.accounts.models import Guardianship, Person, Pupil
from handlers.accounts.service.rows import ChangedMeanwhile
from handlers.accounts.service.scope import (
    as_id,
    editable_pupil,
    missing,
    subject_of_class,
    subject_of_pupil,
    visible_appointments,
    visible_guardianships,
    visible_pupils,
)
from handlers.accounts.service.values import (
    GuardianshipValues,
    PersonValues,
    PupilValues,
    Put,
    changed_fields,
)
from handlers.accounts.service.views import PersonCard
from handlers.accounts.service.writing import Writer, one


class KnownAlready(Conflict):
    """A child that was to be new is on a roster already: here or elsewhere."""

    code = "known_already"
    default_message = "这个学籍号或身份证号已经登记过，请先查找这名学生。"


@dataclass(frozen=True, slots=True)
class NewGuardian:
    """Somebody who looks after a child, as written on a form."""

    name: str
    relation: Relation
    phone: str | None = None
    is_acting: bool = False


class EditingService:
    """The roster, corrected by hand."""

    def __init__(self, clock: Clock, audit: Audit, forget: Callable[[], None] = lambda: None) -> None:
        """`forget` is told when somebody's parts have changed: what is remembered of people is not true any more."""
        self._clock = clock
        self._audit = audit
        self._forget = forget
        self._writer = Writer(clock)

    # -------------------------------------------------------------------------------------------------------- pupils
    async def enrol(self, actor: Actor, pupil: PupilValues) -> str:
        """A new child in a class within reach. Returns its id. Raises NotFound, KnownAlready, faults of the values."""
        reach = require(actor, Action.PUPIL_EDIT)
        async with transaction():
            if pupil.class_id is None:
                raise missing(actor, Action.PUPIL_EDIT)
            whose = await subject_of_class(pupil.class_id)
            if not reach.covers(whose):
                raise missing(actor, Action.PUPIL_EDIT, whose)
            put = one(await self._writer.put_pupils([replace(pupil, id=None, school_id=None)]))
            if not put.is_new:
                raise KnownAlready
            await self._note(actor, put, "pupil", replace(whose, child_id=str(put.id)))
        return str(put.id)

    async def edit_pupil(self, actor: Actor, pupil: PupilValues, version: int) -> None:
        """Other values for the pupil of `pupil.id`; the class is changed by moving. `version`: as it was looked at.
        Raises NotFound, ChangedMeanwhile, SamePersonTwice, faults of the values."""
        async with transaction():
            row = await editable_pupil(actor, str(pupil.id), version)
            put = one(await self._writer.put_pupils([replace(pupil, class_id=None, school_id=None)]))
            await self._note(actor, put, "pupil", subject_of_pupil(row))

    # ----------------------------------------------------------------------------------------------------- guardians
    async def add_guardian(self, actor: Actor, pupil_id: str, guardian: NewGuardian) -> str:
        """Somebody more looks after the child, or does so otherwise than was written. Returns the person's id."""
        async with transaction():
            row = await editable_pupil(actor, pupil_id)
            person = one(await self._writer.put_persons([PersonValues(name=guardian.name, phone=guardian.phone)]))
            values = GuardianshipValues(
                pupil_id=row.id,
                person_id=person.id,
                relation=guardian.relation,
                is_acting=True if guardian.is_acting else None,
            )
            await self._put_guardianship(actor, row, values)
        self._forget()
        return str(person.id)

    async def set_acting(self, actor: Actor, pupil_id: str, person_id: str, seen: str | None = None) -> None:
        """Who really looks after the child day by day is this guardian now, and nobody else. `seen`: the id of the one
        it was when somebody looked. Raises NotFound, ChangedMeanwhile."""
        async with transaction():
            row = await editable_pupil(actor, pupil_id)
            rows = await Guardianship.filter(pupil_id=row.id, ended_on__isnull=True)
            if as_id(person_id) not in {each.person_id for each in rows}:
                raise missing(actor, Action.PUPIL_EDIT, subject_of_pupil(row))
            acting = next((str(each.person_id) for each in rows if each.is_acting), None)
            if seen is not None and seen != acting:
                raise ChangedMeanwhile
            values = GuardianshipValues(pupil_id=row.id, person_id=as_id(person_id), is_acting=True)
            await self._put_guardianship(actor, row, values)

    async def end_guardian(self, actor: Actor, pupil_id: str, person_id: str) -> None:
        """They do not look after the child any more, and see nothing of it at once. Raises NotFound."""
        async with transaction():
            row = await editable_pupil(actor, pupil_id)
            found = await Guardianship.filter(
                pupil_id=row.id, person_id=as_id(person_id), ended_on__isnull=True
            ).first()
            if found is None:
                raise missing(actor, Action.PUPIL_EDIT, subject_of_pupil(row))
            changes = await self._writer.end_guardianships([found.id], local_date(self._clock.now()))
            await self._note(actor, Put(found.id, tuple(changes)), "guardianship", subject_of_pupil(row))
        self._forget()

    async def person(self, actor: Actor, person_id: str) -> PersonCard:
        """A grown-up as `edit_person` would change them. Raises NotFound."""
        row = await Person.get_or_none(id=as_id(person_id), is_erased=False)
        action, _ = await self._whose(actor, as_id(person_id))
        if row is None:
            raise missing(actor, action)
        wards = Guardianship.filter(person_id=row.id, ended_on__isnull=True).select_related("pupil")
        names = [ward.pupil.name for ward in await wards.order_by("created_at", "id")]
        return PersonCard(str(row.id), row.name, mask_phone(row.phone), row.version, names)

    async def edit_person(self, actor: Actor, person: PersonValues, version: int) -> None:
        """Another name or number for a guardian or somebody on the staff within reach. Raises NotFound,
        ChangedMeanwhile, SamePersonTwice, faults of the values."""
        async with transaction():
            person_id = as_id(person.id or "")
            row = await Person.filter(id=person_id, is_erased=False).select_for_update().first()
            action, whose = await self._whose(actor, person_id)
            if row is None:
                raise missing(actor, action)
            if row.version != version:
                raise ChangedMeanwhile
            put = one(await self._writer.put_persons([person]))
            await self._note(actor, put, "person", whose, action)
        self._forget()

    async def _whose(self, actor: Actor, person_id: UUID) -> tuple[Action, Subject]:
        """By which right the actor may touch the person: as a guardian of a pupil, or as staff. Somebody with affairs
        beyond the actor's reach is not theirs to change."""
        reach = require(actor, Action.PUPIL_EDIT)
        children = Guardianship.filter(person_id=person_id, ended_on__isnull=True)
        charges = visible_appointments(Reach(is_any=True)).filter(person_id=person_id)
        foreign = await children.count() - await visible_guardianships(reach).filter(person_id=person_id).count()
        foreign += await charges.count() - await visible_appointments(reach).filter(person_id=person_id).count()
        child = await children.first()
        if foreign or (child is None and not await charges.exists()):
            raise missing(actor, Action.PUPIL_EDIT)
        if child is None:
            require(actor, Action.STAFF_EDIT)
            return Action.STAFF_EDIT, Subject(person_id=str(person_id))
        pupil = await visible_pupils(reach).filter(id=child.pupil_id).select_related("school").get()
        return Action.PUPIL_EDIT, subject_of_pupil(pupil)

    # -------------------------------------------------------------------------------------------------------- inside
    async def _put_guardianship(self, actor: Actor, row: Pupil, values: GuardianshipValues) -> None:
        put = one(await self._writer.put_guardianships([values]))
        await self._note(actor, put, "guardianship", subject_of_pupil(row))

    async def _note(
        self, actor: Actor, put: Put, kind: str, whose: Subject, action: Action = Action.PUPIL_EDIT
    ) -> None:
        await self._audit.record(actor, action, f"{kind}:{put.id}", whose=whose, fields=changed_fields(put))
