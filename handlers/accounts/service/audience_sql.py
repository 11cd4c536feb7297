"""The statement behind an audience, for both engines: one row a person, however many thousands. No I/O.

Values stand in it as numbered marks from 1 on, each reused where it is meant again; whoever puts the statement into a
larger one numbers its own after them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from bot.rights import Reach
from bot.storage.sets import as_value, mark, select_ids
from handlers.accounts.domain import PLACE_OF_APPOINTMENT, PlaceKind
from handlers.accounts.service.audience import Audience, AudienceRole

POSTGRES: Final = "postgres"

# Everybody on the roster of the children meant. `proofs`: how many have proved it for the child; `acting`: how many
# act; `is_free`: not proved, and no phone known to us, so nothing reaches them by mistake; `place`: their row.
_CUSTODY: Final = """
custody AS (
SELECT k.*, COUNT(k.bound_at) OVER child AS proofs, SUM(CASE WHEN k.is_acting THEN 1 ELSE 0 END) OVER child AS acting,
       ROW_NUMBER() OVER (PARTITION BY k.pupil_id, k.is_free ORDER BY k.is_acting DESC, k.created_at, k.id) AS place
  FROM (
       SELECT g.id, g.pupil_id, g.person_id, g.is_acting, g.bound_at, g.created_at,
              CASE WHEN g.bound_at IS NULL AND NOT EXISTS (
                   SELECT 1 FROM accounts_identity i WHERE i.person_id = g.person_id) THEN 1 ELSE 0 END AS is_free
         FROM accounts_guardianship g
              JOIN accounts_pupil u ON u.id = g.pupil_id
              JOIN accounts_person p ON p.id = g.person_id
              JOIN accounts_school s ON s.id = u.school_id
              LEFT JOIN accounts_class c ON c.id = u.school_class_id
        WHERE g.ended_on IS NULL AND u.status = 'enrolled' AND NOT p.is_erased AND {unbarred} AND {where}) k
WINDOW child AS (PARTITION BY k.pupil_id)
)"""
_UNBARRED: Final = """g.id NOT IN ({named}) AND NOT EXISTS (
                  SELECT 1 FROM accounts_bar b WHERE b.pupil_id = g.pupil_id AND b.person_id = g.person_id
                     AND b.since <= {day} AND (b.until IS NULL OR b.until >= {day}))"""
_PROVED: Final = "(k.bound_at IS NOT NULL OR (k.proofs = 0 AND k.is_free = 1 AND k.place = 1))"
_ACTING: Final = f"((k.is_acting AND (k.bound_at IS NOT NULL OR k.is_free = 1)) OR (k.acting = 0 AND {_PROVED}))"
_PICKED: Final = "(k.person_id IN ({picked}) AND (k.bound_at IS NOT NULL OR k.is_free = 1))"
_TIES: Final = "SELECT k.person_id, CAST(k.pupil_id AS TEXT) AS child FROM custody k WHERE {where}"
_STAFF: Final = """
SELECT t.person_id, NULL AS child
  FROM accounts_appointment t
       JOIN accounts_person p ON p.id = t.person_id
       LEFT JOIN accounts_school s ON s.id = t.school_id
       LEFT JOIN accounts_class c ON c.id = t.school_class_id
 WHERE t.since <= {day} AND (t.until IS NULL OR t.until >= {day}) AND NOT p.is_erased AND {where}"""
_JOINED: Final = {
    POSTGRES: "SELECT m.person_id, string_agg(m.child, '+' ORDER BY m.child) AS child_ids\n  FROM ({members}) m"
    " WHERE {wanted} GROUP BY m.person_id",
    # Before 3.44 only a window gives the parts of a `group_concat` an order.
    "sqlite": "SELECT DISTINCT m.person_id, group_concat(m.child, '+') OVER (PARTITION BY m.person_id ORDER BY m.child"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS child_ids\n  FROM ({members}) m WHERE {wanted}",
}


_AMONG: Final = "{short}.id IN (SELECT school_class_id FROM accounts_pupil WHERE id IN ({pupils}))"
_SOME_CLASS: Final = "EXISTS (SELECT 1 FROM accounts_class x WHERE {where})"
_SOME_SCHOOL: Final = "EXISTS (SELECT 1 FROM accounts_school y WHERE {where})"
_ATTENDED: Final = "EXISTS (SELECT 1 FROM accounts_pupil z WHERE z.school_class_id = x.id AND z.status = 'enrolled')"


@dataclass(frozen=True, slots=True)
class Selection:
    """A query of `person_id` and `child_ids` (ids in order, joined by `+`; NULL for staff), one row a person, and the
    values of its marks: `$1` … on PostgreSQL, `?1` … on SQLite."""

    sql: str
    parameters: tuple[Any, ...] = field(repr=False)


class _Values:
    """The values of a statement, and how it speaks of them. The same one twice is one."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.given: list[Any] = []

    def one(self, value: Any) -> str:
        """A single one."""
        plain = value.isoformat() if isinstance(value, date) and self.engine != POSTGRES else value
        return mark(self.engine, self._place(plain))

    def ids(self, ids: Collection[str]) -> str:
        """A query of all of them."""
        return select_ids(self.engine, self._place(as_value(self.engine, sorted(ids))))

    def id(self, one: str) -> str:
        """The query of a single one."""
        return self.ids((one,))

    def texts(self, texts: Collection[str]) -> str:
        """Single ones, in a row."""
        return ", ".join(self.one(text) for text in sorted(texts))

    def _place(self, value: Any) -> int:
        if value not in self.given:
            self.given.append(value)
        return self.given.index(value) + 1


@dataclass(frozen=True, slots=True)
class _Conditions:
    """The filters of an audience as conditions, spoken of the rows they are about by their short names."""

    audience: Audience
    values: _Values

    def school(self, short: str) -> list[str]:
        """On a school."""
        audience, found = self.audience, []
        if audience.schools:
            wanted = self.values.ids(audience.schools)
            points = f" OR {short}.parent_id IN ({wanted})" if audience.has_points else ""
            found.append(f"({short}.id IN ({wanted}){points})")
        if audience.places:
            found.append(f"{short}.place IN ({self.values.texts(audience.places)})")
        return found

    def room(self, short: str) -> list[str]:
        """On a class, apart from its school and its pupils."""
        audience, found = self.audience, []
        if audience.classes:
            found.append(f"{short}.id IN ({self.values.ids(audience.classes)})")
        if audience.span:
            first, last = (self.values.one(grade) for grade in audience.span)
            found.append(f"{short}.grade BETWEEN {first} AND {last}")
        return found

    def child(self) -> list[str]:
        """On a pupil `u` at the school `s` in the class `c`."""
        audience, values = self.audience, self.values
        found = [*self.school("s"), *self.room("c")]
        if audience.township_id:
            found.append(f"s.township_id IN ({values.id(audience.township_id)})")
        if audience.pupil_ids:
            found.append(f"u.id IN ({values.ids(audience.pupil_ids)})")
        if audience.without_pupils:
            found.append(f"u.id NOT IN ({values.ids(audience.without_pupils)})")
        columns = {"children": "u.id", "classes": "u.school_class_id", "schools": "u.school_id"}
        return [*found, *self.reach({**columns, "townships": "s.township_id"})]

    def charge(self) -> list[str]:
        """On an appointment `t` for the class `c` or the school `s`."""
        audience, values = self.audience, self.values
        found = [self._touching()] if self.school("s") or self._rooms("c") else []
        if audience.township_id:
            found.append(f"t.township_id IN ({values.id(audience.township_id)})")
        columns = {"classes": "t.school_class_id", "schools": "t.school_id", "townships": "t.township_id"}
        return [*found, *self.reach(columns)]

    def reach(self, columns: dict[str, str]) -> list[str]:
        """Within reach, by the columns that tell where a row belongs."""
        reach: Reach | None = self.audience.reach
        if reach is None or reach.is_any:
            return []
        ways = [
            f"{column} IN ({self.values.ids(ids)})" for kind, column in columns.items() if (ids := getattr(reach, kind))
        ]
        return [f"({' OR '.join(ways) or 'FALSE'})"]

    def _rooms(self, short: str) -> list[str]:
        wanted = self.audience.pupil_ids
        among = [_AMONG.format(short=short, pupils=self.values.ids(wanted))] if wanted else []
        return [*self.room(short), *among]

    def _touching(self) -> str:
        """What somebody is charged with touches the places: the class itself, a class of the school or its teaching
        points, of a school of the township."""
        rooms = self._rooms("x")
        inside = [_SOME_CLASS.format(where=_all(["x.school_id = y.id", _ATTENDED, *rooms]))] if rooms else []
        among = [*self.school("y"), *inside]
        of_school = ["(y.id = t.school_id OR y.parent_id = t.school_id)", *among]
        charged = {
            PlaceKind.CLASS: _all([*self.school("s"), *self._rooms("c")]),
            PlaceKind.SCHOOL: _SOME_SCHOOL.format(where=_all(of_school)),
            PlaceKind.TOWNSHIP: _SOME_SCHOOL.format(where=_all(["y.township_id = t.township_id", *among])),
        }
        ways = [f"WHEN t.kind IN ({_kinds(place)}) THEN {condition}" for place, condition in charged.items()]
        return f"CASE {' '.join(ways)} END"


def selection(engine: str, audience: Audience, today: date, named: Collection[str]) -> Selection:
    """The statement. `named`: guardianships of people who are barred by their names only, which no statement finds."""
    values = _Values(engine)
    conditions = _Conditions(audience, values)
    day = values.one(today)
    picked = values.ids(audience.person_ids) if audience.person_ids else ""
    ties = [_ACTING] if AudienceRole.ACTING_GUARDIANS in audience.roles else []
    ties += [_PROVED] if AudienceRole.GUARDIANS in audience.roles else []
    ties += [_PICKED.format(picked=picked)] if picked else []
    charges = [f"t.kind IN ({values.texts(audience.kinds)})"] if audience.kinds else []
    charges += [f"t.person_id IN ({picked})"] if picked else []
    members = []
    if ties:
        members.append(_TIES.format(where=" OR ".join(ties)))
    if charges:
        where = _all([f"({' OR '.join(charges)})", *conditions.charge()])
        members.append(_STAFF.format(day=day, where=where))
    wanted = f"m.person_id NOT IN ({values.ids(audience.without_persons)})" if audience.without_persons else "TRUE"
    whole = joined(engine, "\nUNION ALL\n".join(members), wanted)
    return Selection(_with_custody(conditions, day, named) + whole if ties else whole, tuple(values.given))


def joined(engine: str, members: str, wanted: str = "TRUE") -> str:
    """A query of `person_id` and `child_ids` over one of `person_id` and `child`, which has a row for each child; of
    the rows `m` that are wanted only."""
    return _JOINED[engine].format(members=members, wanted=wanted)


def custody(engine: str, audience: Audience, today: date, named: Collection[str]) -> Selection:
    """A statement that begins with the table `custody`, to be gone on with: who looks after the children meant,
    proved or not."""
    values = _Values(engine)
    return Selection(_with_custody(_Conditions(audience, values), values.one(today), named), tuple(values.given))


def children(engine: str, audience: Audience) -> Selection:
    """A query of the children meant, whether anybody looks after them or not, in the order of their classes."""
    values = _Values(engine)
    where = _all(["u.status = 'enrolled'", *_Conditions(audience, values).child()])
    return Selection(_CHILDREN.format(where=where), tuple(values.given))


_CHILDREN: Final = """
SELECT CAST(u.id AS TEXT) AS id, u.name, CAST(s.id AS TEXT) AS school_id, s.name AS school,
       CAST(s.township_id AS TEXT) AS township_id, CAST(c.id AS TEXT) AS class_id, c.grade, c.number
  FROM accounts_pupil u
       JOIN accounts_school s ON s.id = u.school_id
       LEFT JOIN accounts_class c ON c.id = u.school_class_id
 WHERE {where}
 ORDER BY s.name, s.id, c.grade, c.number, u.name, u.id"""


def _with_custody(conditions: _Conditions, day: str, named: Collection[str]) -> str:
    unbarred = _UNBARRED.format(day=day, named=conditions.values.ids(named))
    return f"WITH {_CUSTODY.format(unbarred=unbarred, where=_all(conditions.child()))}\n"


def _kinds(place: PlaceKind) -> str:
    return ", ".join(f"'{kind.value}'" for kind, where in PLACE_OF_APPOINTMENT.items() if where is place)


def _all(conditions: list[str]) -> str:
    return " AND ".join(conditions) or "TRUE"
