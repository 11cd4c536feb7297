"""Two schools of a township and everybody who could look: what each is to the one child and to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from bot.clock import SHANGHAI, FrozenClock
from bot.config_values import decode_key
from bot.identity import Role
from bot.storage.database import transaction
from handlers.accounts.domain import Account, AppointmentKind
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township, WeChatIdentity
from handlers.accounts.service.sessions import SessionService
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from tests import factories
from tests.handlers.protection.ledger import Ledger, Planted
from tests.handlers.protection.matrix import COLUMNS
from tests.town import Town, running_town

# A Tuesday in term, at nine in the morning.
NOW: Final = datetime(2026, 9, 8, 9, tzinfo=SHANGHAI)
TERM: Final = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")
NEAR, FAR = "near", "far"
K = AppointmentKind


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks: by every door there is for them. `columns`: what they are to each child."""

    name: str
    role: Role
    person: Person | None
    identity: WeChatIdentity
    openid: str
    columns: dict[str, str]
    console: str = ""
    api: str = ""

    def part(self, planted: Planted) -> str:
        """What they are to a value: of two who keep contact with a child, who wrote it is its author."""
        own = self.columns[planted.child]
        if planted.by and own in {"author", "keeper"}:
            return "author" if planted.by == self.name else "keeper"
        return own


@dataclass(slots=True)
class Place:
    """A class with its school."""

    township: Township
    school: School
    room: SchoolClass


@dataclass(slots=True)
class Village:
    """A running town with both children. `things`: by a part of a path and
    by child, the ids of what was planted."""

    town: Town
    ledger: Ledger
    sessions: SessionService
    home: Place
    far: Place
    children: dict[str, Pupil] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    things: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def person_id(self, name: str) -> Any:
        """Whose id it is."""
        person = self.viewers[name].person
        assert person is not None
        return person.id

    def thing(self, parameter: str, child: str, own: object) -> None:
        """One more thing about a child that a path may name."""
        self.things.setdefault(parameter, {}).setdefault(child, []).append(str(own))


# Name; what they are to the near child and to the far one; where they are charged with what.
_STAFF: Final = (
    ("author", "author", "away", K.SUBJECT_TEACHER, "home"),
    ("keeper", "keeper", "away", K.SUBJECT_TEACHER, "other"),
    ("former", "former", "away", K.SUBJECT_TEACHER, "home"),
    ("mate", "mate", "away", K.SUBJECT_TEACHER, "home"),
    ("away", "away", "author", K.SUBJECT_TEACHER, "far"),
    ("head", "head", "head_far", K.HEAD_TEACHER, "home"),
    ("opener", "opener", "head_far", K.HEAD_TEACHER, "home"),
    ("head_other", "head_far", "head_far", K.HEAD_TEACHER, "other"),
    ("head_far", "head_far", "head", K.HEAD_TEACHER, "far"),
    ("duty", "duty", "duty_far", K.DUTY, "home school"),
    ("duty_far", "duty_far", "duty", K.DUTY, "far school"),
    ("lead", "lead", "lead_far", K.PROTECTION_LEAD, "home school"),
    ("lead_far", "lead_far", "lead", K.PROTECTION_LEAD, "far school"),
    ("leader", "leader", "leader_far", K.SCHOOL_LEADER, "home school"),
    ("leader_far", "leader_far", "leader", K.SCHOOL_LEADER, "far school"),
    ("admin", "admin", "admin", K.TOWNSHIP_ADMINISTRATOR, "town"),
    ("admin_far", "admin_far", "admin_far", K.TOWNSHIP_ADMINISTRATOR, "other town"),
    ("editor", "editor", "editor", K.EDITOR, "town"),
    ("reviewer", "reviewer", "reviewer", K.REVIEWER, "town"),
)


@asynccontextmanager
async def running_village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    """Nothing planted yet. Nobody is stopped for asking often."""
    limits = {"requests_per_minute": 10**6, "failed_attempts_per_minute": 10**6, "messages_per_minute": 10**6}
    clock.set(NOW)
    async with running_town(database_url, clock, limits=limits) as town:
        key = decode_key(town.settings.security.session_key.get_secret_value())
        async with transaction():
            village = await _built(town, SessionService(clock, key))
        yield village


async def _built(town: Town, sessions: SessionService) -> Village:
    township = await factories.make_township()
    await put_calendar(township.id, [TERM], [], NOW)
    school, far_school = await factories.make_school(township), await factories.make_school(township)
    home = Place(township, school, await factories.make_class(school))
    other = Place(township, school, await factories.make_class(school, number=2))
    far = Place(township, far_school, await factories.make_class(far_school))
    village = Village(town, Ledger(), sessions, home, far)
    # Names that are part of no other.
    village.children[NEAR] = await factories.make_pupil(home.room, name="欧阳望舒")
    village.children[FAR] = await factories.make_pupil(far.room, name="司徒若兮")
    classmate = await factories.make_pupil(home.room, name="赫连长庚")
    await _families(village, classmate)
    where: dict[str, dict[str, Any]] = {
        "home": {"school_class": home.room}, "other": {"school_class": other.room}, "far": {"school_class": far.room},
        "home school": {"school": school}, "far school": {"school": far_school}, "town": {"township": township},
        "other town": {"township": await factories.make_township()},
    }  # fmt: skip
    for name, near, distant, kind, place in _STAFF:
        person = await factories.make_person()
        await factories.make_appointment(kind, person, **where[place])
        await _viewer(village, name, COLUMNS[near][0], person, {NEAR: near, FAR: distant})
    return village


async def _families(village: Village, classmate: Pupil) -> None:
    near, far = village.children[NEAR], village.children[FAR]
    await _viewer(village, "visitor", Role.VISITOR, None, {NEAR: "visitor", FAR: "visitor"})
    for name, child, to_near, to_far in (
        ("family", near, "family", "stranger"),
        ("family_far", far, "stranger", "family"),
        ("classmate", classmate, "stranger", "stranger"),
    ):
        person = await factories.make_person()
        await factories.make_guardianship(child, person, is_acting=True)
        await _viewer(village, name, Role.GUARDIAN, person, {NEAR: to_near, FAR: to_far})


async def _viewer(village: Village, name: str, role: Role, person: Person | None, columns: dict[str, str]) -> None:
    openid = f"o_protection_{name}"
    if person is not None:
        await factories.make_identity(openid, person)
    identity = await factories.make_identity(f"mp_{openid}", person, account=Account.MINI_PROGRAM)
    is_staff = person is not None and role is not Role.GUARDIAN
    village.viewers[name] = Viewer(
        name, role, person, identity, openid, columns,
        console=(await village.sessions.open_console(person.id)).secret if person and is_staff else "",
        api=(await village.sessions.open_api(identity.id)).secret,
    )  # fmt: skip
