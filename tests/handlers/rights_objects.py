"""The made-up township in which every route is tried by every role: whose things there are, and how routes name them.

A route with a part of its path that is not listed here fails the test of rights until it is.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from bot.clock import Clock
from bot.config import Settings
from bot.config_values import decode_key
from bot.identity import Role
from bot.rights import Scope
from bot.storage.database import transaction
from handlers.accounts.domain import Account, AppointmentKind, BindingState, Relation
from handlers.accounts.models import (
    Appointment,
    Bar,
    BindingRequest,
    Person,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.bars import name_index
from handlers.accounts.service.sessions import SessionService
from handlers.rosters.domain import Coverage, ImportState, RosterKind
from handlers.rosters.models import Import
from tests import factories

KINDS: Final[Mapping[Role, AppointmentKind]] = {
    Role.TEACHER: AppointmentKind.SUBJECT_TEACHER,
    Role.HEAD_TEACHER: AppointmentKind.HEAD_TEACHER,
    Role.DUTY: AppointmentKind.DUTY,
    Role.PROTECTION_LEAD: AppointmentKind.PROTECTION_LEAD,
    Role.SCHOOL_LEADER: AppointmentKind.SCHOOL_LEADER,
    Role.ADMINISTRATOR: AppointmentKind.TOWNSHIP_ADMINISTRATOR,
    Role.EDITOR: AppointmentKind.EDITOR,
    Role.REVIEWER: AppointmentKind.REVIEWER,
}
ROLES: Final = (Role.VISITOR, Role.GUARDIAN, *KINDS)
# To which kind of place an appointment belongs: others reach further than the role does.
_OF_CLASS: Final = {Role.TEACHER, Role.HEAD_TEACHER}
_OF_SCHOOL: Final = {Role.DUTY, Role.PROTECTION_LEAD, Role.SCHOOL_LEADER}


@dataclass(frozen=True, slots=True)
class Place:
    """A child, where it goes to school, and who has to do with it there."""

    township: Township
    school: School
    school_class: SchoolClass
    pupil: Pupil
    guardian: Person
    guardian_identity: WeChatIdentity
    teacher: Person


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who plays one role at the home place."""

    role: Role
    person: Person | None
    identity: WeChatIdentity


@dataclass(slots=True)
class World:
    """`home` is where the callers belong. `near` is the nearest place out of reach of a scope, `far` out of all."""

    sessions: SessionService
    home: Place
    near: Mapping[Scope, Place]
    far: Place
    callers: dict[Role, Caller] = field(default_factory=dict)


async def build_world(settings: Settings, clock: Clock) -> World:
    """Fresh rows, in one transaction; several may be built one after another in one database."""
    async with transaction():
        return await _built(settings, clock)


async def _built(settings: Settings, clock: Clock) -> World:
    township = await factories.make_township()
    school = await factories.make_school(township)
    school_class = await factories.make_class(school)
    home = await _place(township, school, school_class)
    other_class = await factories.make_class(school, number=2)
    other_school = await factories.make_school(township)
    near = {
        Scope.CHILD: await _place(township, school, school_class),
        Scope.SELF: await _place(township, school, school_class),
        Scope.CLASS: await _place(township, school, other_class),
        Scope.SCHOOL: await _place(township, other_school, await factories.make_class(other_school)),
    }
    far_school = await factories.make_school()
    far_town = await Township.get(id=far_school.township_id)
    far = await _place(far_town, far_school, await factories.make_class(far_school))
    key = decode_key(settings.security.session_key.get_secret_value())
    world = World(SessionService(clock, key), home, {**near, Scope.TOWN: far}, far)
    for role in ROLES:
        world.callers[role] = await _caller(role, home)
    return world


async def _place(township: Township, school: School, school_class: SchoolClass) -> Place:
    pupil = await factories.make_pupil(school_class)
    guardian, teacher = await factories.make_person(), await factories.make_person()
    await factories.make_guardianship(pupil, guardian)
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school=school, school_class=school_class)
    return Place(township, school, school_class, pupil, guardian, await _identity(guardian), teacher)


async def _identity(person: Person | None) -> WeChatIdentity:
    return await factories.make_identity(f"mp_{uuid4().hex[:20]}", person, account=Account.MINI_PROGRAM)


async def _caller(role: Role, home: Place) -> Caller:
    if role is Role.GUARDIAN:
        return Caller(role, home.guardian, home.guardian_identity)
    if role is Role.VISITOR:
        return Caller(role, None, await _identity(None))
    person = await factories.make_person()
    await factories.make_appointment(
        KINDS[role],
        person,
        township=home.township,
        school=home.school if role in _OF_CLASS | _OF_SCHOOL else None,
        school_class=home.school_class if role in _OF_CLASS else None,
    )
    return Caller(role, person, await _identity(person))


# ------------------------------------------------------------------------------------------------------- what is named
Maker = Callable[[World, Place, Caller], Awaitable[object]]
"""The id of a thing at a place. The caller is given for what is their own at home."""


async def _pupil(world: World, place: Place, caller: Caller) -> object:
    return place.pupil.id


async def _class(world: World, place: Place, caller: Caller) -> object:
    return place.school_class.id


async def _school(world: World, place: Place, caller: Caller) -> object:
    return place.school.id


async def _teacher(world: World, place: Place, caller: Caller) -> object:
    return place.teacher.id


async def _township(world: World, place: Place, caller: Caller) -> object:
    return place.township.id


async def _guardian(world: World, place: Place, caller: Caller) -> object:
    return place.guardian.id


async def _session(world: World, place: Place, caller: Caller) -> object:
    owner = caller.identity if place is world.home else place.guardian_identity
    return (await world.sessions.open_api(owner.id)).id


async def _import(world: World, place: Place, caller: Caller) -> object:
    row = await Import.create(
        kind=RosterKind.PUPILS,
        state=ImportState.APPLIED,
        applied_at=factories.LONG_AGO,
        coverage=Coverage.CLASSES,
        township_id=place.township.id,
        school_id=place.school.id,
        by_person_id=place.teacher.id,
        file_name="花名册.xlsx",
        file_digest="0" * 64,
        rows="[]",
        counts={},
        head="[]",
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _request(world: World, place: Place, caller: Caller) -> object:
    row = await BindingRequest.create(
        identity_id=(await _identity(None)).id,
        pupil_id=place.pupil.id,
        school_id=place.school.id,
        class_id=place.school_class.id,
        said=json.dumps({"kind": "guardian", "name": "赵外婆", "child": place.pupil.name}),
        relation=Relation.MATERNAL_GRANDMOTHER,
        state=BindingState.PENDING,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


# By the part of the path before the id, and the name of the id.
OBJECTS: Final[Mapping[str, Maker]] = {
    "children/{id}": _pupil,
    "bindings/{child_id}": _pupil,
    "pupils/{pupil}": _pupil,
    "classes/{class_id}": _class,
    "consents/{class}": _class,
    "schools/{school}": _school,
    "townships/{township}": _township,
    "staff/{person}": _teacher,
    "people/{person}": _guardian,
    "guardians/{person}": _guardian,
    "bindings/{request}": _request,
    "sessions/{session_id}": _session,
    "rosters/{import_id}": _import,
}

# What is sent along to a route that names a thing and takes more: enough to get as far as the thing.
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /api/v1/children/{id}/consent": {"decision": "withdrawn"},
    "POST /api/v1/children/{id}/erasure": {"confirm": True},
}


Form = Callable[[World, Place | None], Awaitable[Mapping[str, str]]]
"""The fields of a form about a thing at a place; without a place, about what nothing is."""


async def _nothing(world: World, place: Place | None) -> Mapping[str, str]:
    return {}


async def _move(world: World, place: Place | None) -> Mapping[str, str]:
    # Always the same class, within reach: only the pupil differs.
    return {"class": str(world.near[Scope.CLASS].school_class.id)}


async def _pupil_field(world: World, place: Place | None) -> Mapping[str, str]:
    return {"kind": "pupil", "id": str(place.pupil.id if place else uuid4()), "field": "birth_date"}


async def _charge(world: World, place: Place | None) -> Mapping[str, str]:
    held = await Appointment.get(person_id=place.teacher.id) if place else None
    return {"id": str(held.id if held else uuid4())}


async def _bar(world: World, place: Place | None) -> Mapping[str, str]:
    return {"name": "某外人", "reason": "文书第1号", "sure": "yes"}


async def _set_bar(world: World, place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {"id": str(uuid4())}
    row = await Bar.create(
        pupil_id=place.pupil.id,
        name_index=name_index("某外人"),
        reason="文书第1号",
        since=factories.FIRST_DAY,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return {"id": str(row.id)}


async def _child(world: World, place: Place | None) -> Mapping[str, str]:
    return {"child": str(place.pupil.id if place else uuid4())}


FORMS: Final[Mapping[str, Form]] = {
    "POST /admin/rosters/{import_id}/check": _nothing,
    "POST /admin/rosters/{import_id}/apply": _nothing,
    "POST /admin/rosters/{import_id}/discard": _nothing,
    "POST /admin/rosters/{import_id}/undo": _nothing,
    "POST /admin/pupils/{pupil}/move": _move,
    "POST /admin/pupils/{pupil}/reveal": _pupil_field,
    "POST /admin/staff/{person}/reveal": _nothing,
    "POST /admin/staff/{person}/end": _charge,
    "POST /admin/staff/{person}/invite": _nothing,
    "POST /admin/classes/{class_id}/handover": _nothing,
    "POST /admin/classes/{class_id}/invitations": _nothing,
    "POST /admin/pupils/{pupil}/bars": _bar,
    "POST /admin/pupils/{pupil}/bars/lift": _set_bar,
    "POST /admin/consents/{class}/paper": _child,
    "POST /admin/schools/{school}": _nothing,
    "POST /admin/schools/{school}/close": _nothing,
    "POST /admin/townships/{township}": _nothing,
    "POST /admin/classes/{class_id}/edit": _nothing,
    "POST /admin/classes/{class_id}/close": _nothing,
    "POST /admin/pupils/{pupil}/edit": _nothing,
    "POST /admin/pupils/{pupil}/leave": _nothing,
    "POST /admin/pupils/{pupil}/guardians": _nothing,
    "POST /admin/pupils/{pupil}/guardians/{person}/end": _nothing,
    "POST /admin/pupils/{pupil}/guardians/{person}/acting": _nothing,
    "POST /admin/people/{person}/edit": _nothing,
}

# Routes whose own work needs somebody outside, who is not there in this test.
NEEDS_WECHAT: Final = frozenset({"POST /admin/login/scan", "POST /api/v1/session", "POST /api/v1/bindings/phone"})
