"""Re-encrypting all encrypted columns with the first key of the ring, while the service goes on.

A value is written back only if it is still the one that was read, so a change made in between is never lost; what was
missed is found in the next pass. Nothing is remembered between runs: a value says itself which key it is under, so a
run that was cut off is simply run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tortoise import Tortoise

from bot.storage.database import Database, transaction
from bot.storage.encryption import KeyRing, Undecipherable
from bot.storage.fields import EncryptedText

BATCH: Final = 200
# More passes than that only happen while somebody still writes with an old key.
PASSES: Final = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """One encrypted column, with the key of its table."""

    table: str
    key: str
    column: str

    @property
    def name(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.column}"


@dataclass(slots=True)
class Rotation:
    """What was done. `left` counts the values that are not under the current key afterwards, by key (`?` for one that
    is not in the ring); `unreadable` those that do not open, by `table.column`."""

    current: str
    rewritten: int = 0
    left: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    unused: Sequence[str] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every value is under the current key."""
        return not self.left


def encrypted_columns() -> list[Place]:
    """Every encrypted column of every table, as the models of the open database have them."""
    apps = Tortoise.apps
    assert apps is not None, "needs an open database"
    return [
        Place(model._meta.db_table, model._meta.db_pk_column, model._meta.fields_db_projection[name])
        for models in apps.values()
        for model in models.values()
        for name, column in model._meta.fields_map.items()
        if isinstance(column, EncryptedText)
    ]


async def rotate(database: Database, progress: Progress | None = None) -> Rotation:
    """Brings every value under the first key of the ring. Raises DatabaseAway: what was done stays done."""
    places = encrypted_columns()
    work = _Work(database, Rotation(current=database.keys.current), progress)
    for place in places:
        work.total += await work.stale(place)
    for _ in range(PASSES):
        before = work.done.rewritten
        work.done.unreadable.clear()
        for place in places:
            await work.rotate_column(place)
        if work.done.rewritten == before:
            break
    for place in places:
        work.done.left += await work.left(place)
    others = [name for name in database.keys.names if name != database.keys.current]
    work.done.unused = [name for name in others if not work.done.left[name]]
    return work.done


class _Work:
    def __init__(self, database: Database, done: Rotation, progress: Progress | None) -> None:
        self.done = done
        self.total = 0
        self._keys = database.keys
        self._connection = database.connection
        self._mark = "?{}" if database.engine == "sqlite" else "${}"
        self._progress = progress

    def _is_under(self, column: str, prefix: bytes, number: int) -> str:
        """SQL: the value begins as one under the key does. The prefix is the parameter of that number."""
        return f"SUBSTR({column}, 1, {len(prefix)}) = {self._mark.format(number)}"

    async def stale(self, place: Place) -> int:
        """How many values are not under the current key."""
        prefix = KeyRing.prefix_of(self._keys.current)
        wanted = f'"{place.column}" IS NOT NULL AND NOT {self._is_under(place.column, prefix, 1)}'
        return await self._count(place, wanted, [prefix])

    async def left(self, place: Place) -> Counter[str]:
        """How many values are under which other key."""
        left = Counter({"?": await self.stale(place)})
        for name in self._keys.names:
            if name != self._keys.current and left["?"]:
                prefix = KeyRing.prefix_of(name)
                left[name] = await self._count(place, self._is_under(place.column, prefix, 1), [prefix])
                left["?"] -= left[name]
        return +left

    async def _count(self, place: Place, condition: str, values: list[Any]) -> int:
        query = f'SELECT COUNT(*) AS number FROM "{place.table}" WHERE {condition}'  # noqa: S608 - names of our own
        return int((await self._connection.execute_query_dict(query, values))[0]["number"])

    async def rotate_column(self, place: Place) -> None:
        """One pass over a column."""
        last: list[Any] = []
        while rows := await self._batch(place, last):
            last = [rows[-1]["row_key"]]
            await self._write(place, [self._renewed(place, bytes(row["value"]), row["row_key"]) for row in rows])
            if self._progress is not None:
                self._progress(min(self.done.rewritten, self.total), self.total)

    async def _batch(self, place: Place, last: list[Any]) -> list[dict[str, Any]]:
        prefix = KeyRing.prefix_of(self._keys.current)
        after = f' AND "{place.key}" > {self._mark.format(2)}' if last else ""
        query = (
            f'SELECT "{place.key}" AS row_key, "{place.column}" AS value FROM "{place.table}"'  # noqa: S608
            f' WHERE "{place.column}" IS NOT NULL AND NOT {self._is_under(place.column, prefix, 1)}{after}'
            f' ORDER BY "{place.key}" LIMIT {BATCH}'
        )
        return await self._connection.execute_query_dict(query, [prefix, *last])

    def _renewed(self, place: Place, old: bytes, row: Any) -> tuple[bytes, Any, bytes] | None:
        try:
            return self._keys.seal(self._keys.unseal(old, place.name), place.name), row, old
        except Undecipherable:
            self.done.unreadable[place.name] += 1
            return None

    async def _write(self, place: Place, values: Sequence[tuple[bytes, Any, bytes] | None]) -> None:
        new, row, old = (self._mark.format(number) for number in (1, 2, 3))
        query = (
            f'UPDATE "{place.table}" SET "{place.column}" = {new}'  # noqa: S608 - names of our own
            f' WHERE "{place.key}" = {row} AND "{place.column}" = {old}'
        )
        async with transaction() as connection:
            for value in values:
                if value is not None:
                    changed, _ = await connection.execute_query(query, list(value))
                    self.done.rewritten += changed
