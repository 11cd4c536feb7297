"""A family, a class, and the services over a real database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from bot.audit.log import Audit
from bot.capability import ChildRecords, Erasure
from bot.clock import FrozenClock
from bot.config import Support
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.storage.database import Database
from handlers.accounts.domain import BindingState, Relation
from handlers.accounts.models import BindingRequest, Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.child_records import AccountsChildRecords, Custody
from handlers.accounts.service.leavers import DoneWith, Leavers
from handlers.accounts.service.people import PeopleService
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.download import ConsentRecords, DownloadService
from handlers.consent.service.erasure import ErasureLog, ErasureService
from handlers.consent.service.notice import notice_of
from handlers.consent.service.retention import PupilTerm, RetentionService
from tests import factories
from tests.factories import LONG_AGO


class Diary:
    """Another capability's place: something that rests on consent and something that does not, for each child."""

    def __init__(self) -> None:
        self.consented: dict[str, str] = {}
        self.duty: dict[str, str] = {}

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """Both, under one heading."""
        return {"日记": [{"内容": kept[child_id]} for kept in (self.duty, self.consented) if child_id in kept]}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """As the protocol says."""
        self.consented.pop(child_id, None)
        if not keep_duty:
            self.duty.pop(child_id, None)


class Leaver:
    """Remembers which WeChat ids were erased."""

    def __init__(self) -> None:
        self.erased: list[str] = []

    async def erase(self, openid_index: str) -> None:
        """In the caller's transaction."""
        self.erased.append(openid_index)


@dataclass
class Stage:
    """The services over one database."""

    clock: FrozenClock
    diary: Diary = field(default_factory=Diary)
    leaver: Leaver = field(default_factory=Leaver)
    support: Support = field(default_factory=Support)

    def __post_init__(self) -> None:
        audit = Audit(self.clock)
        self.people = PeopleService(self.clock, audit, list)
        self.records: list[ChildRecords] = [AccountsChildRecords(self.clock), ConsentRecords(), self.diary]
        everything = Erasure()
        self.log = ErasureLog(lambda: self.records, everything, self.clock)
        everything.add(self.leaver, self.log)
        self.erasure = ErasureService(lambda: self.records, self.log, self.people, audit)
        self.notice = notice_of(self.support)
        self.consents = ConsentService(
            self.people, Custody(self.clock), self.erasure, self.notice, audit=audit, clock=self.clock
        )
        self.downloads = DownloadService(self.people, lambda: self.records, self.notice, audit=audit, clock=self.clock)
        self.term = PupilTerm(Leavers(self.clock), self.erasure, self.clock, kept_days=self.support.pupil_kept_days)
        self.retention = RetentionService(lambda: (self.term, DoneWith()), audit, self.clock)

    def after(self, **changes: Any) -> Stage:
        """The same services after the configuration has changed."""
        return Stage(self.clock, self.diary, self.leaver, self.support.model_copy(update=changes))


@dataclass
class Family:
    """One child, two parents, a grandmother who is on the roster and not bound, and strangers."""

    township: Township
    school: School
    school_class: SchoolClass
    child: Pupil
    mother: Person
    father: Person
    grandmother: Person

    @property
    def child_id(self) -> str:
        """The child's id."""
        return str(self.child.id)


def guardian(person: Person, *children: str) -> Actor:
    """As the identity provider would give them."""
    return Actor(
        roles=frozenset({Role.GUARDIAN}),
        person_id=str(person.id),
        grants=(Grant(Role.GUARDIAN, children=frozenset(children)),),
        hat=Hat.GUARDIAN,
        door=Door.CHAT,
    )


def head_teacher(person: Person, school_class: SchoolClass) -> Actor:
    """Of one class."""
    return Actor(
        roles=frozenset({Role.HEAD_TEACHER}),
        person_id=str(person.id),
        grants=(Grant(Role.HEAD_TEACHER, classes=frozenset({str(school_class.id)})),),
        hat=Hat.STAFF,
        door=Door.CONSOLE,
    )


async def statement(child: Pupil, person: Person, state: BindingState = BindingState.APPROVED) -> BindingRequest:
    """What somebody wrote to be bound."""
    identity = await factories.make_identity(f"openid-{person.id.hex[:12]}-{child.id.hex[:6]}", person)
    return await BindingRequest.create(
        identity_id=identity.id,
        pupil_id=child.id,
        said="我是孩子的妈妈",
        relation=Relation.MOTHER,
        state=state,
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )


@pytest.fixture
def stage(database: Database, clock: FrozenClock) -> Stage:
    """The services."""
    return Stage(clock)


@pytest.fixture
async def family(database: Database) -> Family:
    """The family."""
    township = await factories.make_township()
    school = await factories.make_school(township)
    school_class = await factories.make_class(school)
    child = await factories.make_pupil(school_class, birth_date=date(2017, 5, 6), id_number="110101201705060011")
    mother, father, grandmother = [await factories.make_person() for _ in range(3)]
    await factories.make_guardianship(child, mother)
    await factories.make_guardianship(child, father, relation=Relation.FATHER)
    await factories.make_guardianship(
        child, grandmother, relation=Relation.PATERNAL_GRANDMOTHER, is_acting=True, bound_at=None
    )
    return Family(township, school, school_class, child, mother, father, grandmother)
