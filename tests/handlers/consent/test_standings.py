"""What the database counts is what the rule says, over many made-up histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import FrozenClock
from bot.storage.database import Database
from bot.storage.rows import insert_rows
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Bar, Guardianship, Person, Pupil
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences, Selection
from handlers.consent.domain.decisions import Decided, Decision, Standing, is_allowed, is_declined, standing_of
from handlers.consent.domain.register import Basis, ItemName, child_items, item_of
from handlers.consent.models import ConsentEvent
from handlers.consent.service.dependents import ConsentDependents
from handlers.consent.service.founding import MadeDecision, put_decisions
from handlers.rosters.service.imports import ImportService
from tests import factories
from tests.handlers.consent.conftest import Family, Stage, guardian
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import make_stage

CHILDREN = 400
ITEM = ItemName.CHILD_REMINDERS


class Histories:
    """Children with up to three guardians each, some barred or gone, who decide this and that at the same moments."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._chance = Random(seed)
        self._now = stage.clock.now()
        current = stage.notice.version
        number, place, _ = current.split(".")
        self._versions = [current, f"{number}.{place}.ffff", f"{number}1.{place}.aaaa", f"{number}.0000.aaaa", ""]
        self._moments = {"created_at": self._now, "updated_at": self._now}
        self.rows: dict[type[Pupil | Person | Guardianship | Bar | ConsentEvent], list[dict[str, object]]] = {
            model: [] for model in (Pupil, Person, Guardianship, Bar, ConsentEvent)
        }

    def add_child(self, school_id: UUID, class_id: UUID) -> None:
        """One child, their guardians, and what these said."""
        child = self._add(Pupil, school_id=school_id, school_class_id=class_id, name="孩子", status="enrolled")
        for _ in range(self._chance.randrange(4)):
            person = self._add(Person, name="大人", phone_index=self._chance.choice([None, "a", "b"]))
            ended = self._chance.choice([None, None, None, date(2026, 8, 1)])
            self._add(Guardianship, pupil_id=child, person_id=person, relation=Relation.OTHER, ended_on=ended)
            self._bar(child, person)
            for _ in range(self._chance.randrange(5)):
                self._decide(child, self._chance.choice([person, person, person, None]))
        self._decide(child, uuid4() if self._chance.random() < 0.2 else None)

    def _bar(self, child: UUID, person: UUID) -> None:
        if self._chance.random() < 0.8:
            return
        whoms: list[dict[str, object]] = [{"person_id": person}, {"phone_index": "a"}, {"name_index": "n"}]
        whom = self._chance.choice(whoms)
        since = self._chance.choice([date(2026, 8, 1), date(2026, 9, 1), date(2026, 9, 2)])
        until = self._chance.choice([None, date(2026, 8, 31), date(2026, 9, 1), date(2027, 1, 1)])
        self._add(Bar, pupil_id=child, reason="文书", since=since, until=until, **whom)

    def _decide(self, child: UUID, person: UUID | None) -> None:
        at = self._now - timedelta(microseconds=self._chance.choice([0, 1, 1_000_000, 1_500_000]))
        names = [item.name.value for item in child_items(Basis.CONSENT)]
        decision = self._chance.choice([Decision.GIVEN, Decision.GIVEN, Decision.REFUSED, Decision.WITHDRAWN])
        self._add(
            ConsentEvent, pupil_id=child, person_id=person, decision=decision, channel="chat", created_at=at,
            notice_version=self._chance.choice(self._versions),
            items=self._chance.sample(names, self._chance.randrange(len(names) + 1)),
        )  # fmt: skip

    def _add(self, model: type[Pupil | Person | Guardianship | Bar | ConsentEvent], **values: object) -> UUID:
        row = {"id": uuid4(), **self._moments, **values}
        self.rows[model].append(row)
        assert isinstance(row["id"], UUID)
        return row["id"]


async def decided(child: str) -> list[Decided]:
    """Everything decided for a child, in its order."""
    rows = ConsentEvent.filter(pupil_id=UUID(child), person_id__not_isnull=True).order_by("created_at", "id")
    return [
        Decided(str(row.person_id), row.decision, row.notice_version, row.created_at, frozenset(row.items))
        for row in await rows
    ]


async def custody(child: str, clock: FrozenClock) -> set[str]:
    """Read without the statement that is tested: who looks after the child, and is not kept away today."""
    today = clock.now().date()
    bars = [
        bar
        for bar in await Bar.filter(pupil_id=UUID(child))
        if bar.since <= today and (bar.until is None or bar.until >= today)
    ]
    people = {str(bar.person_id) for bar in bars if bar.person_id}
    phones = {bar.phone_index for bar in bars if not bar.person_id and bar.phone_index}
    rows = await Guardianship.filter(pupil_id=UUID(child), ended_on=None).select_related("person")
    return {
        str(row.person_id) for row in rows if str(row.person_id) not in people and row.person.phone_index not in phones
    }


async def test_the_database_counts_what_the_rule_says(stage: Stage, clock: FrozenClock) -> None:
    room = await factories.make_class()
    made = Histories(stage, seed=20260901)
    for _ in range(CHILDREN):
        made.add_child(room.school_id, room.id)
    for model, rows in made.rows.items():
        await insert_rows(model, rows)
    children = [str(row["id"]) for row in made.rows[Pupil]]
    standings = await stage.consents.standings(children)
    declined = await stage.consents.declined(children, ITEM)
    allowed = await stage.consents.allowed(children, ITEM)
    version = stage.notice.version
    for child in children:
        said, held = await decided(child), await custody(child, clock)
        assert (await stage.consents._custody.of([child])).get(child, frozenset()) == held
        assert standings[child] is standing_of(said, held, version), (child, said, held)
        assert (child in allowed) is is_allowed(item_of(ITEM), said, held, version), (child, said, held)
        assert (child in declined) is is_declined(item_of(ITEM), said, held, version), (child, said, held)
    # All there is to tell apart has happened.
    assert set(standings.values()) == set(Standing)
    assert 0 < len(allowed) < sum(standing is Standing.GIVEN for standing in standings.values())


async def test_a_choice_of_people_loses_the_children_that_are_declined_and_nobody_else(stage: Stage) -> None:
    room = await factories.make_class()
    made = Histories(stage, seed=20260902)
    for _ in range(CHILDREN):
        made.add_child(room.school_id, room.id)
    for model, rows in made.rows.items():
        await insert_rows(model, rows)
    teacher = await factories.make_person()
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room)
    children = [str(row["id"]) for row in made.rows[Pupil]]
    # A grandmother of all of them, so that people have several children.
    chance, shared = Random(1), await factories.make_person()
    for child in chance.sample(made.rows[Pupil], 50):
        await factories.make_guardianship(await Pupil.get(id=child["id"]), shared)
    roles = frozenset({AudienceRole.GUARDIANS, AudienceRole.HEAD_TEACHERS})
    meant = await AccountsAudiences().select(Audience(roles=roles), stage.clock.now().date())
    before = await chosen(meant)
    declined = await stage.consents.declined(children, ITEM)
    kept = {person: [child for child in own if child not in declined] for person, own in before.items()}
    after = await chosen(stage.consents.without_declined(meant, ITEM))
    assert after == {person: own for person, own in kept.items() if own or not before[person]}
    assert str(teacher.id) in after
    assert 0 < len(after) < len(before)
    assert 0 < len(after[str(shared.id)]) < len(before[str(shared.id)])


async def chosen(choice: Selection) -> dict[str, list[str]]:
    """The children of each person of a choice, in its order."""
    rows = await Person._meta.db.execute_query_dict(choice.sql, list(choice.parameters))
    assert len({str(row["person_id"]) for row in rows}) == len(rows)
    return {str(row["person_id"]): row["child_ids"].split("+") if row["child_ids"] else [] for row in rows}


async def test_nobody_asked_about_is_nobody_found(stage: Stage) -> None:
    assert await stage.consents.allowed([], ITEM) == frozenset()
    assert await stage.consents.standings([]) == {}
    unknown = str(uuid4())
    assert await stage.consents.standings([unknown]) == {unknown: Standing.UNASKED}


async def test_decisions_stand_in_the_way_of_unmaking_people(stage: Stage, family: Family) -> None:
    found = ConsentDependents().dependents
    child, mother, father = family.child_id, str(family.mother.id), str(family.father.id)
    assert await found([child], [mother, father]) == {}
    for person in (family.mother, family.father):
        actor = guardian(person, child)
        await stage.consents.decide(actor, child, Decision.GIVEN, stage.notice.version, "chat")
    assert await found([child], [mother]) == {"consents": 2}
    assert await found([], [mother]) == {"consents": 1}
    assert await found([], [str(family.grandmother.id)]) == {}


async def test_an_import_is_not_taken_back_once_a_family_decided(database: Database, clock: FrozenClock) -> None:
    made = await make_stage(clock)
    service = ImportService(clock, Audit(clock), made.running, dependents=lambda: [ConsentDependents()])
    rosters = replace(made, service=service)
    done = await rosters.take(workbook(pupils(2, seed=1)))
    tie = await Guardianship.all().first()
    assert tie is not None
    decision = MadeDecision(tie.pupil_id, tie.person_id, Decision.REFUSED)
    await put_decisions([decision], version="1.0000.0000", channel="paper", now=clock.now())
    undone = await rosters.undo(done)
    assert "1条同意记录" in undone.failure
    assert await Pupil.all().count() == 2
