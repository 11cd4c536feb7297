"""Who stands behind a WeChat id, a person or a session, and how far their parts reach today: one statement.

Parts follow from appointments that last today (Asia/Shanghai) and from guardianships that are proved, go on, and are
not barred. The same statement serves every door: each gives its own way of finding the person (`rows_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bot.clock import Clock, local_date
from bot.identity import Actor, Door, Grant, Hat, Role
from handlers.accounts.domain import PRIVACY_VERSION, AppointmentKind
from handlers.accounts.models import Person
from handlers.accounts.service.home_place import chat_profile

CACHE_LIFE: Final = timedelta(seconds=3)
_CACHE_SIZE: Final = 10_000

ROLE_OF_APPOINTMENT: Final[Mapping[str, Role]] = {
    AppointmentKind.SUBJECT_TEACHER: Role.TEACHER,
    AppointmentKind.HEAD_TEACHER: Role.HEAD_TEACHER,
    AppointmentKind.DUTY: Role.DUTY,
    AppointmentKind.PROTECTION_LEAD: Role.PROTECTION_LEAD,
    AppointmentKind.SCHOOL_LEADER: Role.SCHOOL_LEADER,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR: Role.ADMINISTRATOR,
    AppointmentKind.EDITOR: Role.EDITOR,
    AppointmentKind.REVIEWER: Role.REVIEWER,
}
# What a grant of a role holds, and in which column of `_STATEMENT` its id stands.
_KIND_OF: Final[Mapping[Role, tuple[str, str]]] = {
    Role.GUARDIAN: ("children", "a"),
    Role.TEACHER: ("classes", "b"),
    Role.HEAD_TEACHER: ("classes", "b"),
    Role.DUTY: ("schools", "c"),
    Role.PROTECTION_LEAD: ("schools", "c"),
    Role.SCHOOL_LEADER: ("schools", "c"),
    Role.ADMINISTRATOR: ("townships", "d"),
    Role.EDITOR: ("townships", "d"),
    Role.REVIEWER: ("townships", "d"),
}
_WHO: Final = "who"
_CHILD: Final = "child"

# `{day}` is the parameter that holds today. The first row is about the one who came, the others about their parts. A
# bar keeps the child out of sight even where nobody has ended the guardianship. Who leads a school or its protection or
# has its duty, reaches its teaching points too.
_STATEMENT: Final = """
WITH who AS ({source})
SELECT 'who' AS part, CAST(who.person_id AS TEXT) AS a, CAST(who.identity_id AS TEXT) AS b,
       CAST(who.hat AS TEXT) AS c, CAST(who.extra AS TEXT) AS d, p.name AS e, who.key AS key
  FROM who LEFT JOIN accounts_person p ON p.id = who.person_id AND NOT p.is_erased
UNION ALL
SELECT CAST(t.kind AS TEXT), NULL, CAST(t.school_class_id AS TEXT), CAST(t.school_id AS TEXT),
       CAST(t.township_id AS TEXT), NULL, who.key
  FROM who JOIN accounts_appointment t ON t.person_id = who.person_id
 WHERE t.since <= {day} AND (t.until IS NULL OR t.until >= {day})
UNION ALL
SELECT CAST(t.kind AS TEXT), NULL, NULL, CAST(s.id AS TEXT), NULL, NULL, who.key
  FROM who JOIN accounts_appointment t ON t.person_id = who.person_id
           JOIN accounts_school s ON s.parent_id = t.school_id
 WHERE t.since <= {day} AND (t.until IS NULL OR t.until >= {day})
   AND t.kind IN ('school_leader', 'protection_lead', 'duty')
UNION ALL
SELECT 'child', CAST(g.pupil_id AS TEXT), NULL, NULL, NULL, NULL, who.key
  FROM who JOIN accounts_guardianship g ON g.person_id = who.person_id
           JOIN accounts_person p ON p.id = g.person_id
 WHERE g.bound_at IS NOT NULL AND g.ended_on IS NULL AND NOT EXISTS (
       SELECT 1 FROM accounts_bar x
        WHERE x.pupil_id = g.pupil_id AND x.since <= {day} AND (x.until IS NULL OR x.until >= {day})
          AND x.person_id = p.id)
"""
_BY_OPENID: Final = (
    "SELECT openid_index AS key, person_id, id AS identity_id, hat, privacy_version AS extra"
    " FROM accounts_identity WHERE openid_index = {0}"
)
_BY_PERSON: Final = (
    "SELECT '' AS key, id AS person_id, NULL AS identity_id, NULL AS hat, NULL AS extra"
    " FROM accounts_person WHERE id = {0}"
)


async def rows_of(source: str, values: Sequence[Any], today: date) -> Sequence[Mapping[str, Any]]:
    """Runs the statement. `source` is a query with the columns `key` (which tells the rows of several people apart),
    `person_id`, `identity_id`, `hat` and `extra` (of any kind: it comes back as text); it names its own values `{0}`,
    `{1}`, …"""
    connection = Person._meta.db
    is_postgres = connection.capabilities.dialect == "postgres"
    *own, day = [f"${number}" if is_postgres else f"?{number}" for number in range(1, len(values) + 2)]
    query = _STATEMENT.format(source=source.format(*own), day=day)
    parameters = [value if is_postgres else _as_text(value) for value in (*values, today)]
    _, rows = await connection.execute_query(query, parameters)
    return rows


def _as_text(value: Any) -> Any:
    """SQLite keeps ids and days as text."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


@dataclass(frozen=True, slots=True)
class Way:
    """The way somebody came, which no row tells: the fields of an actor with these names."""

    openid_index: str | None = None
    door: Door = Door.CHAT
    session_id: str | None = None
    has_agreed: bool = False


@dataclass(slots=True)
class Found:
    """Who was found, and the text the source gave as `extra`."""

    extra: str | None
    about: Mapping[str, Any]
    reached: Mapping[Role, set[str]]

    def actor(self, way: Way = Way()) -> Actor:
        """Somebody whose parts have all ended is a visitor who is known. Without a name the person is erased: their id
        may still open a session, and reaches nothing."""
        about = self.about
        person_id = about["a"] if about["e"] else None
        reached = self.reached if person_id is not None else {}
        worn, hat, hats = _worn(reached, Hat(about["c"]) if about["c"] else None)
        return Actor(
            openid_index=way.openid_index,
            roles=frozenset(worn) if reached else frozenset({Role.VISITOR}),
            name=about["e"],
            person_id=person_id,
            grants=tuple(Grant(role, **{_KIND_OF[role][0]: frozenset(reached[role])}) for role in sorted(worn)),
            hat=hat if len(hats) > 1 else None,
            hats=hats,
            door=way.door,
            identity_id=about["b"],
            session_id=way.session_id,
            has_agreed=way.has_agreed,
        )


def found_in(rows: Iterable[Mapping[str, Any]]) -> Found | None:
    """Whom the rows tell of; None when nobody was found."""
    about: Mapping[str, Any] | None = None
    reached: dict[Role, set[str]] = {}
    for row in rows:
        if row["part"] == _WHO:
            about = row
            continue
        role = Role.GUARDIAN if row["part"] == _CHILD else ROLE_OF_APPOINTMENT[row["part"]]
        reached.setdefault(role, set()).add(row[_KIND_OF[role][1]])
    return None if about is None else Found(about["d"], about, reached)


def _worn(reached: Iterable[Role], chosen: Hat | None) -> tuple[list[Role], Hat | None, frozenset[Hat]]:
    """The roles that go with the hat somebody wears, the hat, and all hats they have."""
    hats = frozenset(Hat.GUARDIAN if role is Role.GUARDIAN else Hat.STAFF for role in reached)
    if not hats:
        return [], None, hats
    hat = next(iter(hats)) if len(hats) == 1 else chosen or Hat.STAFF
    return [role for role in reached if (role is Role.GUARDIAN) is (hat is Hat.GUARDIAN)], hat, hats


class AccountsIdentity:
    """The identity provider. What it found out it remembers for a few seconds, and never into the next day."""

    def __init__(self, clock: Clock, cache_life: timedelta = CACHE_LIFE) -> None:
        """`cache_life` zero: ask the database every time."""
        self._clock = clock
        self._life = cache_life
        self._cache: dict[str, tuple[datetime, Actor]] = {}

    async def actor_of(self, openid_index: str, *, is_known: bool | None = None) -> Actor:
        """The actor behind a WeChat id. A stranger is a visitor, and not remembered: they may be bound any moment."""
        if is_known is False:
            return Actor(openid_index=openid_index)
        now = self._clock.now()
        known = self._cache.get(openid_index) if is_known else None
        if known is not None and known[0] <= now < known[0] + self._life and local_date(known[0]) == local_date(now):
            return known[1]
        found = found_in(await rows_of(_BY_OPENID, [openid_index], local_date(now)))
        if found is None:
            actor = Actor(openid_index=openid_index)
        else:
            actor = found.actor(Way(openid_index, has_agreed=found.extra == PRIVACY_VERSION))
        self._remember(openid_index, now, actor)
        return actor

    async def actor_of_person(
        self,
        person_id: str | UUID,
        hat: Hat | None = None,
        door: Door = Door.CONSOLE,
        *,
        identity_id: str | None = None,
        session_id: str | None = None,
    ) -> Actor:
        """The actor a person is, wearing a hat if they have it. An unknown or erased person is a visitor."""
        rows = await rows_of(_BY_PERSON, [UUID(str(person_id))], local_date(self._clock.now()))
        found = found_in({**row, "c": hat} if row["part"] == _WHO else row for row in rows)
        actor = found.actor() if found else Actor()
        return replace(actor, door=door, identity_id=identity_id, session_id=session_id)

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """Whether the records know anybody behind the id, and where their children's school lies: kept in the chat's
        profile, so that strangers, who are most of those who ask, cost no look into the database."""
        return await chat_profile(openid_index)

    def forget(self, openid_index: str | None = None, *, person_id: str | UUID | None = None) -> None:
        """What is remembered is not true any more: of an id, of a person, or of everybody when neither is given."""
        if openid_index is None and person_id is None:
            self._cache.clear()
        self._cache.pop(openid_index or "", None)
        for index in [index for index, known in self._cache.items() if known[1].person_id == str(person_id)]:
            del self._cache[index]

    def _remember(self, openid_index: str, now: datetime, actor: Actor) -> None:
        if actor.person_id is None or not self._life:
            return
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[openid_index] = (now, actor)
