"""Who is on duty, the day's check, and what happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.days import DutyRole, checked_points, checked_text
from handlers.after_school.models import AfterSchoolDayCheck, AfterSchoolDutySlot, AfterSchoolIncident
from handlers.after_school.service.days.views import OnDuty
from handlers.after_school.texts import days as texts

DUTY_PAGE = "/after-school/duty"


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Something that happened. `done` "": nobody has said what was done, so it is open."""

    id: str
    at: datetime
    text: str = field(repr=False)
    done: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DutyDay:
    """A school's day: who is on duty, what was checked (None: nothing yet) and what happened."""

    school_id: str
    day: date
    slots: Sequence[OnDuty]
    points: Sequence[str] | None
    note: str = field(repr=False)
    incidents: Sequence[IncidentView] = ()


class DutyService:
    """The use cases of who plans the duty, and of who is on it."""

    def __init__(self, offices: Offices, audiences: AccountsAudiences, audit: Audit, clock: Clock) -> None:
        self._offices = offices
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    async def schools(self, actor: Actor) -> list[tuple[str, str]]:
        """The schools whose duty the actor sees: id and name."""
        reach = require(actor, Action.SERVICE_CHECK)
        ids = set(reach.schools)
        for township in reach.townships:
            ids |= set(await self._offices.schools_in(township))
        own = [] if actor.person_id is None else await self._own_schools(actor.person_id)
        names = await self._offices.names(ids | set(own))
        return sorted(names.items(), key=lambda each: each[1])

    async def day(self, actor: Actor, school_id: str, day: date) -> DutyDay:
        """Everything of a day, written down as read. Raises NotFound."""
        whose = await self._school(actor, Action.SERVICE_CHECK, school_id, day)
        async with transaction():
            rows = await AfterSchoolDutySlot.filter(school_id=school_id, day=day).order_by("role", "id")
            people = await self._offices.people([str(row.person_id) for row in rows])
            check = await AfterSchoolDayCheck.get_or_none(school_id=school_id, day=day)
            incidents = await AfterSchoolIncident.filter(school_id=school_id, day=day).order_by("reported_at", "id")
            about = f"duty:{school_id}:{day}"
            await self._audit.record(actor, Action.SERVICE_CHECK, about, whose=whose, fields=["incidents", "phone"])
        slots = [
            OnDuty(str(row.id), row.day, row.role, str(row.person_id), person.name, person.phone)
            for row in rows
            if (person := people.get(str(row.person_id))) is not None
        ]
        views = [IncidentView(str(row.id), row.reported_at, row.text or "", row.done or "") for row in incidents]
        return DutyDay(school_id, day, slots, check.points if check else None, (check and check.note) or "", views)

    # --------------------------------------------------------------------------------------------------- who is on duty
    async def put(self, actor: Actor, school_id: str, days: Collection[date], role: DutyRole, person_id: str) -> int:
        """Somebody of the township's staff is on duty on these days; gives on how many that is new. Raises NotFound,
        InvalidInput for somebody who is nowhere on the staff."""
        whose = await self._school(actor, Action.SERVICE_DUTY, school_id)
        now = self._clock.now()
        place = (await self._audiences.staff_places([person_id], local_date(now))).get(person_id)
        if place is None or place.township_id != whose.township_id:
            raise InvalidInput(texts.NOT_ON_STAFF)
        new = 0
        async with transaction():
            for day in sorted(set(days)):
                _, is_new = await AfterSchoolDutySlot.get_or_create(
                    school_id=UUID(school_id), day=day, role=role, person_id=UUID(person_id),
                    defaults={
                        "id": uuid4(), "set_by": _uuid(actor.person_id), "created_at": now, "updated_at": now,
                    },
                )  # fmt: skip
                new += is_new
            await self._audit.record(actor, Action.SERVICE_DUTY, f"school:{school_id}", whose=whose, purpose="put")
        return new

    async def remove(self, actor: Actor, school_id: str, slot_id: str) -> None:
        """Not on duty then after all. Raises NotFound."""
        whose = await self._school(actor, Action.SERVICE_DUTY, school_id)
        async with transaction():
            if not await AfterSchoolDutySlot.filter(id=slot_id, school_id=school_id).delete():
                raise refusal(NotFound(), actor, Action.SERVICE_DUTY, whose)
            await self._audit.record(actor, Action.SERVICE_DUTY, f"school:{school_id}", whose=whose, purpose="remove")

    # ---------------------------------------------------------------------------------------------- check and incidents
    async def check(self, actor: Actor, school_id: str, day: date, points: Collection[str], note: str) -> None:
        """What was looked at; said again it stands in the place of what was said before. Raises NotFound,
        CheckInvalid."""
        whose = await self._school(actor, Action.SERVICE_CHECK, school_id, day)
        known, words = checked_points(points, note)
        now = self._clock.now()
        async with transaction():
            values = {
                "points": [point.value for point in known], "note": words or None, "checked_at": now,
                "checked_by": _uuid(actor.person_id), "updated_at": now,
            }  # fmt: skip
            row, is_new = await AfterSchoolDayCheck.get_or_create(
                school_id=UUID(school_id), day=day, defaults={"id": uuid4(), "created_at": now, **values}
            )
            if not is_new:
                await AfterSchoolDayCheck.filter(id=row.id).update(**values)
            about = f"duty:{school_id}:{day}"
            await self._audit.record(actor, Action.SERVICE_CHECK, about, whose=whose, purpose="check")

    async def report(self, actor: Actor, school_id: str, day: date, text: str) -> str:
        """Something happened; gives its id. Raises NotFound, IncidentInvalid."""
        whose = await self._school(actor, Action.SERVICE_CHECK, school_id, day)
        words, now = checked_text(text), self._clock.now()
        async with transaction():
            row = await AfterSchoolIncident.create(
                id=uuid4(), school_id=UUID(school_id), day=day, text=words, reported_by=_uuid(actor.person_id),
                reported_at=now, created_at=now, updated_at=now,
            )  # fmt: skip
            await self._audit.record(actor, Action.SERVICE_CHECK, f"incident:{row.id}", whose=whose, purpose="report")
        return str(row.id)

    async def close(self, actor: Actor, school_id: str, incident_id: str, done: str) -> None:
        """What was done about it. Raises NotFound, IncidentInvalid."""
        row = await AfterSchoolIncident.filter(id=incident_id, school_id=school_id).first()
        whose = await self._school(actor, Action.SERVICE_CHECK, school_id, row.day if row else None)
        if row is None:
            raise refusal(NotFound(), actor, Action.SERVICE_CHECK, whose)
        words, now = checked_text(done), self._clock.now()
        async with transaction():
            by = _uuid(actor.person_id)
            await AfterSchoolIncident.filter(id=row.id).update(done=words, closed_by=by, closed_at=now, updated_at=now)
            await self._audit.record(actor, Action.SERVICE_CHECK, f"incident:{row.id}", whose=whose, purpose="close")

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """What happened and nobody has said what was done. A `TodoSource`."""
        if not may(actor, Action.SERVICE_CHECK):
            return []
        schools = [UUID(own) for own, _ in await self.schools(actor)]
        count = await AfterSchoolIncident.filter(school_id__in=schools, closed_at__isnull=True).count()
        return [Todo(texts.TODO_INCIDENT, count, DUTY_PAGE)]

    # -------------------------------------------------------------------------------------------------------- inside
    async def _school(self, actor: Actor, action: Action, school_id: str, day: date | None = None) -> Subject:
        """Whose affair the school is, if it is the actor's, or they are on duty there on the day. Raises NotFound."""
        reach: Reach = require(actor, action)
        try:
            whose = await self._offices.subject(school_id=school_id)
        except NotFound as error:
            raise refusal(error, actor, action, None) from None
        is_on_duty = day is not None and actor.person_id is not None and await AfterSchoolDutySlot.exists(
            school_id=school_id, day=day, person_id=actor.person_id
        )  # fmt: skip
        if not (reach.covers(whose) or is_on_duty):
            raise refusal(NotFound(), actor, action, whose)
        return whose

    async def _own_schools(self, person_id: str) -> list[str]:
        today = local_date(self._clock.now())
        rows = AfterSchoolDutySlot.filter(person_id=person_id, day=today).values_list("school_id", flat=True)
        return [str(each) for each in await rows]


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
