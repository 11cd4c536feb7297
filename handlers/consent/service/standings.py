"""How consent stands for many children at once, counted by the database: the rules of `domain.standing_of` and
`domain.is_allowed` as one statement."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from bot.storage.sets import as_value, mark, select_ids
from handlers.accounts.service.child_records import Custody, custody_rows
from handlers.consent.domain.decisions import Standing, matter_of
from handlers.consent.domain.register import ItemName
from handlers.consent.models import ConsentEvent

# The last word of each guardian, then of each child the one that decides: a word against before one that holds before
# one that does not hold any more. Of several against, the latest.
_STATEMENT: Final = """
WITH last AS (
    SELECT e.pupil_id, e.person_id, e.decision, e.created_at,
           CASE WHEN e.decision <> 'given' THEN 2 WHEN {holds} THEN 1 ELSE 0 END AS weight,
           ROW_NUMBER() OVER (PARTITION BY e.pupil_id, e.person_id ORDER BY e.created_at DESC, e.id DESC) AS place
      FROM ({wanted}) w JOIN consent_event e ON e.pupil_id = w.id
     WHERE e.person_id IS NOT NULL
), counted AS (
    SELECT l.pupil_id, l.decision, l.weight, ROW_NUMBER() OVER (
           PARTITION BY l.pupil_id ORDER BY l.weight DESC, l.created_at DESC, l.person_id DESC) AS place
      FROM last l JOIN ({custody}) c ON c.pupil_id = l.pupil_id AND c.person_id = l.person_id
     WHERE l.place = 1
)
SELECT CAST(pupil_id AS TEXT) AS child, decision, weight FROM counted WHERE place = 1
"""
_DECLINED: Final = "SELECT s.child FROM ({statement}) s WHERE s.weight <> 1"
_COVERED: Final = "(e.notice_version = {matter} OR substr(e.notice_version, 1, length({matter}) + 1) = {matter} || '.')"
_IS_FOR: Final = {
    "postgres": "jsonb_exists(e.items, {item})",
    "sqlite": "EXISTS (SELECT 1 FROM json_each(e.items) i WHERE i.value = {item})",
}
_AGAINST: Final = 2
_HOLDS: Final = 1


class Standings:
    """Asks the database."""

    def __init__(self, custody: Custody) -> None:
        self._custody = custody

    async def of(self, child_ids: Collection[str], version: str) -> dict[str, Standing]:
        """How consent stands for each child under a version of the notice."""
        found = dict.fromkeys(child_ids, Standing.UNASKED)
        for child, decision, weight in await self._rows(child_ids, version):
            against_or_outdated = Standing(decision) if weight == _AGAINST else Standing.OUTDATED
            found[child] = Standing.GIVEN if weight == _HOLDS else against_or_outdated
        return found

    async def allowed(self, child_ids: Collection[str], item: ItemName, version: str) -> frozenset[str]:
        """Those of the children for whom an item that rests on consent may be kept or used."""
        rows = await self._rows(child_ids, version, item)
        return frozenset(child for child, _, weight in rows if weight == _HOLDS)

    async def declined(self, child_ids: Collection[str], item: ItemName, version: str) -> frozenset[str]:
        """Those of the children whose families were asked about an item that rests on consent, and where it does not
        stand. Who was never asked has not said no."""
        rows = await self._rows(child_ids, version, item)
        return frozenset(child for child, _, weight in rows if weight != _HOLDS)

    async def _rows(
        self, child_ids: Collection[str], version: str, item: ItemName | None = None
    ) -> list[tuple[str, str, int]]:
        if not child_ids:
            return []
        connection = ConsentEvent._meta.db
        engine = connection.capabilities.dialect
        values = [as_value(engine, child_ids), *values_of(engine, item, version, self._custody)]
        query = _statement(engine, select_ids(engine, 1), 2, item)
        _, rows = await connection.execute_query(query, values)
        return [(row["child"], row["decision"], row["weight"]) for row in rows]


def declined_rows(engine: str, wanted: str, first: int, item: ItemName) -> str:
    """A query of `child` over a query of ids: those `Standings.declined` tells. Its values, which `values_of` makes,
    are marked from `first` on."""
    return _DECLINED.format(statement=_statement(engine, wanted, first, item))


def values_of(engine: str, item: ItemName | None, version: str, custody: Custody) -> list[Any]:
    """The values of a statement, but for the ids."""
    return [custody.day(engine), matter_of(version), *([item.value] if item is not None else [])]


def _statement(engine: str, wanted: str, first: int, item: ItemName | None) -> str:
    holds = _COVERED.format(matter=_text(engine, first + 1))
    if item is not None:
        holds += f" AND {_IS_FOR[engine].format(item=_text(engine, first + 2))}"
    return _STATEMENT.format(wanted=wanted, custody=custody_rows(mark(engine, first)), holds=holds)


def _text(engine: str, place: int) -> str:
    return f"CAST({mark(engine, place)} AS TEXT)"
