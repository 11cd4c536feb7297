"""Who an audience is on a day: as a statement to plan messages with, as a list for the screen, child by child for the
map of whom one can reach.

Only who is there that day: appointments that last, guardianships that have not ended, pupils at school, nobody erased,
and never an adult who is barred from the child. Whoever asks has the right to, and writes down what was looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import Q

from bot.storage.sets import as_value, mark, select_ids
from handlers.accounts.domain import APPOINTMENT_WORDS, RELATION_WORDS, AppointmentKind, Relation, class_name
from handlers.accounts.models import Bar, Guardianship, Person
from handlers.accounts.service import audience_sql
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audience_sql import Selection
from handlers.accounts.service.bars import Candidate, meets

__all__ = ["AccountsAudiences", "ChildMeant", "GuardianMeant", "Recipient", "Selection", "WardMeant"]

# The first child's place in the school decides a line's place in the list, then the name; staff stand at the end.
_LISTED: Final = """
SELECT CAST(n.person_id AS TEXT) AS person_id, p.name, n.child_ids
  FROM ({sql}) n
       JOIN accounts_person p ON p.id = n.person_id
       LEFT JOIN accounts_pupil u ON {first}
       LEFT JOIN accounts_school s ON s.id = u.school_id
       LEFT JOIN accounts_class c ON c.id = u.school_class_id
 ORDER BY CASE WHEN n.child_ids IS NULL THEN 1 ELSE 0 END, s.name, c.grade, c.number, u.name, p.name, p.id
 LIMIT {limit} OFFSET {offset}"""
_FIRST: Final = {
    "postgres": "u.id = CAST(substr(n.child_ids, 1, 36) AS uuid)",
    "sqlite": "u.id = substr(n.child_ids, 1, 36)",
}
_GUARDIANS: Final = """
SELECT CAST(k.pupil_id AS TEXT) AS child, CAST(k.person_id AS TEXT) AS person, p.name, g.relation, k.is_acting,
       CASE WHEN k.bound_at IS NULL THEN 0 ELSE 1 END AS is_bound
  FROM custody k JOIN accounts_person p ON p.id = k.person_id JOIN accounts_guardianship g ON g.id = k.id
 ORDER BY k.is_acting DESC, k.created_at, k.id"""
_WARDS: Final = """
SELECT CAST(k.person_id AS TEXT) AS person, CAST(k.pupil_id AS TEXT) AS child
  FROM custody k WHERE k.person_id IN ({persons}) AND (k.bound_at IS NOT NULL OR k.is_free = 1)"""
_CHARGES: Final = """
SELECT CAST(t.person_id AS TEXT) AS person, t.kind, CAST(t.school_id AS TEXT) AS school_id,
       CAST(t.township_id AS TEXT) AS township_id
  FROM accounts_appointment t
 WHERE t.person_id IN ({persons}) AND t.since <= {day} AND (t.until IS NULL OR t.until >= {day})
 ORDER BY t.kind, t.school_id"""
_COUNTED: Final = "SELECT COUNT(*) AS n FROM ({sql}) q"
_RELATIONS: Final = """
SELECT CAST(g.person_id AS TEXT) AS person, CAST(g.pupil_id AS TEXT) AS child, g.relation
  FROM accounts_guardianship g WHERE g.pupil_id IN ({children})"""
_EVERYONE: Final = Audience(roles=frozenset({AudienceRole.GUARDIANS}))
_NO_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class WardMeant:
    """A child a message concerns. `class_name` "" for one that waits for a class."""

    id: str
    name: str
    school_id: str
    school: str
    township_id: str
    class_id: str | None
    class_name: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to be told. `role`: what they are, in words (妈妈, 班主任); no children: on the staff."""

    person_id: str
    name: str
    role: str
    children: tuple[WardMeant, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardianMeant:
    """Somebody who looks after a child. `is_bound`: has proved it, so a message about the child may go to them."""

    person_id: str
    name: str
    relation: Relation
    relation_name: str
    is_acting: bool
    is_bound: bool


@dataclass(frozen=True, slots=True)
class ChildMeant:
    """A child and all its guardians, the acting one first; none: nobody is on the roster."""

    child: WardMeant
    guardians: tuple[GuardianMeant, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffPlace:
    """Where somebody on the staff belongs: a school, or with none the township."""

    school_id: str | None
    township_id: str


class AccountsAudiences:
    """Audiences over the tables of people."""

    async def select(self, audience: Audience, today: date) -> Selection:
        """The statement, to be run or to become a part of an `INSERT … SELECT`."""
        return audience_sql.selection(_engine(), audience, today, await _named(today))

    async def count(self, audience: Audience, today: date) -> int:
        """How many people it is."""
        found = await self.select(audience, today)
        return int((await _rows(_COUNTED.format(sql=found.sql), found.parameters))[0]["n"])

    async def people(
        self, audience: Audience, today: date, *, limit: int | None = None, offset: int = 0
    ) -> list[Recipient]:
        """Them by name, in the order of their first children's classes, the staff at the end; of a long list
        `limit` from the `offset`-th on."""
        found, engine = await self.select(audience, today), _engine()
        place = len(found.parameters)
        query = _LISTED.format(
            sql=found.sql, first=_FIRST[engine], limit=mark(engine, place + 1), offset=mark(engine, place + 2)
        )
        rows = await _rows(query, (*found.parameters, _NO_LIMIT if limit is None else limit, offset))
        wards = await self.children({child for row in rows for child in _split(row["child_ids"])})
        roles = await self._roles(rows, audience, today)
        return [
            Recipient(
                row["person_id"],
                row["name"],
                roles.get(row["person_id"], ""),
                tuple(wards[child] for child in _split(row["child_ids"]) if child in wards),
            )
            for row in rows
        ]

    async def children_of(self, audience: Audience, today: date) -> list[ChildMeant]:
        """The children it is about, class by class, each with all its guardians, proved or not. What `roles` and
        `person_ids` say is not asked."""
        wanted = audience_sql.children(_engine(), audience)
        meant = [_ward(row) for row in await _rows(wanted.sql, wanted.parameters)]
        ties = audience_sql.custody(_engine(), audience, today, await _named(today))
        guardians: dict[str, list[GuardianMeant]] = defaultdict(list)
        for row in await _rows(ties.sql + _GUARDIANS, ties.parameters):
            guardians[row["child"]].append(_guardian(row))
        return [ChildMeant(ward, tuple(guardians[ward.id])) for ward in meant]

    async def children(self, child_ids: Collection[str]) -> dict[str, WardMeant]:
        """Children at school by their ids; what is no id is nobody's."""
        known = frozenset(each for each in child_ids if _is_id(each))
        if not known:
            return {}
        wanted = audience_sql.children(_engine(), Audience(roles=frozenset({AudienceRole.GUARDIANS}), pupil_ids=known))
        return {row["id"]: _ward(row) for row in await _rows(wanted.sql, wanted.parameters)}

    async def wards_of(self, person_ids: Collection[str], today: date) -> Mapping[str, frozenset[str]]:
        """The children each of the people may be told about today: what a message that was promised earlier may still
        speak of. Without any: left out."""
        if not person_ids:
            return {}
        pupils = await Guardianship.filter(person_id__in=list(person_ids), ended_on=None).values_list(
            "pupil_id", flat=True
        )
        if not pupils:
            return {}
        meant = Audience(roles=_EVERYONE.roles, pupil_ids=frozenset(map(str, pupils)))
        ties = audience_sql.custody(_engine(), meant, today, await _named(today))
        persons = select_ids(_engine(), len(ties.parameters) + 1)
        rows = await _rows(
            ties.sql + _WARDS.format(persons=persons), (*ties.parameters, as_value(_engine(), person_ids))
        )
        wards: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            wards[row["person"]].add(row["child"])
        return {person: frozenset(children) for person, children in wards.items()}

    async def staff_places(self, person_ids: Collection[str], today: date) -> Mapping[str, StaffPlace]:
        """Where those of the people belong who are charged with something today."""
        rows = await self._charges(person_ids, today)
        # A school before the township: the last one written stays.
        rows.sort(key=lambda row: row["school_id"] is not None)
        return {row["person"]: StaffPlace(row["school_id"], row["township_id"]) for row in rows}

    async def names(self, person_ids: Collection[str]) -> Mapping[str, str]:
        """The names of grown-ups; of an erased one there is none."""
        rows = Person.filter(id__in=list(person_ids), is_erased=False) if person_ids else None
        return {str(own): str(name) for own, name in await rows.values_list("id", "name")} if rows else {}

    async def _roles(self, rows: Sequence[Mapping[str, Any]], audience: Audience, today: date) -> dict[str, str]:
        """What each is, in words: to their first child, or charged with what."""
        guardians = {row["person_id"]: _split(row["child_ids"])[0] for row in rows if row["child_ids"]}
        staff = [row["person_id"] for row in rows if not row["child_ids"]]
        words: dict[str, list[str]] = defaultdict(list)
        for row in await self._charges(staff, today):
            word = APPOINTMENT_WORDS[AppointmentKind(row["kind"])]
            if word not in words[row["person"]] and (row["kind"] in audience.kinds or not audience.kinds):
                words[row["person"]].append(word)
        roles = {person: "、".join(said) for person, said in words.items()}
        for person, child, relation in await _relations(guardians):
            if guardians.get(person) == child:
                roles[person] = RELATION_WORDS[relation]
        return roles

    async def _charges(self, person_ids: Collection[str], today: date) -> list[dict[str, Any]]:
        if not person_ids:
            return []
        engine = _engine()
        query = _CHARGES.format(persons=select_ids(engine, 1), day=mark(engine, 2))
        day = today if engine == audience_sql.POSTGRES else today.isoformat()
        return await _rows(query, (as_value(engine, person_ids), day))


def _engine() -> str:
    return str(Person._meta.db.capabilities.dialect)


async def _rows(sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    return list(await Person._meta.db.execute_query_dict(sql, list(parameters)))


async def _named(today: date) -> list[str]:
    """The guardianships of people who are barred by name or phone and were not known when the bar was set: they may
    have come onto the roster since. Few bars are so."""
    lasting = Q(until=None) | Q(until__gte=today)
    bars = await Bar.filter(lasting, person_id=None, since__lte=today)
    if not bars:
        return []
    rows = Guardianship.filter(pupil_id__in=[bar.pupil_id for bar in bars], ended_on=None).prefetch_related("person")
    met = [
        row
        for row in await rows
        if any(bar.pupil_id == row.pupil_id and meets(bar, Candidate.of(row.person)) for bar in bars)
    ]
    return [str(row.id) for row in met]


async def _relations(wards: Mapping[str, str]) -> list[tuple[str, str, Relation]]:
    """What the people are to the children: person, child, relation."""
    if not wards:
        return []
    engine = _engine()
    query = _RELATIONS.format(children=select_ids(engine, 1))
    rows = await _rows(query, (as_value(engine, set(wards.values())),))
    return [(row["person"], row["child"], Relation(row["relation"])) for row in rows]


def _split(child_ids: str | None) -> list[str]:
    return child_ids.split("+") if child_ids else []


def _ward(row: Mapping[str, Any]) -> WardMeant:
    name = "" if row["grade"] is None else class_name(row["grade"], row["number"])
    return WardMeant(row["id"], row["name"], row["school_id"], row["school"], row["township_id"], row["class_id"], name)


def _guardian(row: Mapping[str, Any]) -> GuardianMeant:
    relation = Relation(row["relation"])
    return GuardianMeant(
        row["person"], row["name"], relation, RELATION_WORDS[relation], bool(row["is_acting"]), bool(row["is_bound"])
    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
