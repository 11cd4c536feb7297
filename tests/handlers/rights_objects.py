"""The made-up township in which every route is tried by every role: whose things there are, and how routes name them.

A route with a part of its path that is not listed here fails the test of rights until it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from bot.clock import Clock
from bot.config import Settings
from bot.config_values import decode_key
from bot.identity import Role
from bot.rights import Scope
from handlers.accounts.domain import Account, AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township, WeChatIdentity
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
    """Fresh rows; several may be built one after another in one database."""
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
    "staff/{person}": _teacher,
    "sessions/{session_id}": _session,
    "rosters/{import_id}": _import,
}

# What is sent along to a route that names a thing and takes more: enough to get as far as the thing.
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /api/v1/children/{id}/consent": {"decision": "withdrawn"},
    "POST /api/v1/children/{id}/erasure": {"confirm": True},
}
FORMS: Final[Mapping[str, Mapping[str, str]]] = {
    "POST /admin/rosters/{import_id}/check": {},
    "POST /admin/rosters/{import_id}/apply": {},
    "POST /admin/rosters/{import_id}/discard": {},
    "POST /admin/rosters/{import_id}/undo": {},
    "POST /admin/pupils/{pupil}/move": {},
    "POST /admin/pupils/{pupil}/reveal": {"field": "phone"},
    "POST /admin/staff/{person}/reveal": {"field": "phone"},
    "POST /admin/staff/{person}/end": {},
    "POST /admin/staff/{person}/invite": {},
    "POST /admin/classes/{class_id}/handover": {},
    "POST /admin/classes/{class_id}/invitations": {},
    "POST /admin/pupils/{pupil}/bars": {},
    "POST /admin/pupils/{pupil}/bars/lift": {},
}

# Routes whose own work needs somebody outside, who is not there in this test.
NEEDS_WECHAT: Final = frozenset({"POST /admin/login/scan", "POST /api/v1/session", "POST /api/v1/bindings/phone"})
