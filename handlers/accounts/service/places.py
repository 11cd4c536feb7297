"""Which townships and schools there are, for the command line and for whoever keeps something by the school."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bot.errors import NotFound
from handlers.accounts.domain import SchoolKind
from handlers.accounts.models import School, Township


@dataclass(frozen=True, slots=True)
class TownshipPlace:
    """A township."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SchoolPlace:
    """A school and where it belongs. `places`: the names the knowledge may know its place by, the narrowest first: its
    own, that of the school a teaching point belongs to, its township's, its county's."""

    id: str
    name: str
    township_id: str
    places: tuple[str, ...] = ()
    kind: SchoolKind = SchoolKind.SCHOOL


class PlaceService:
    """Which townships and schools there are. Nothing of it is about a person."""

    async def townships(self) -> list[str]:
        """The names of all."""
        return [row.name for row in await Township.all().order_by("name")]

    async def all_townships(self) -> list[TownshipPlace]:
        """All of them, the first founded first."""
        return [TownshipPlace(str(row.id), row.name) for row in await Township.all().order_by("created_at", "id")]

    async def first_township(self) -> str | None:
        """The id of the one founded first; None when there is none yet."""
        row = await Township.all().order_by("created_at", "id").first()
        return str(row.id) if row else None

    async def township(self, township_id: str) -> TownshipPlace:
        """One of them. Raises NotFound."""
        row = await Township.get_or_none(id=UUID(township_id))
        if row is None:
            raise NotFound
        return TownshipPlace(str(row.id), row.name)

    async def school(self, school_id: str) -> SchoolPlace:
        """One school, closed or not. Raises NotFound."""
        row = await School.get_or_none(id=UUID(school_id))
        if row is None:
            raise NotFound
        return SchoolPlace(str(row.id), row.name, str(row.township_id), kind=row.kind)

    async def schools(self, township_id: str | None = None) -> list[SchoolPlace]:
        """Those that are not closed, of one township or of all."""
        rows = School.filter(closed_on__isnull=True)
        if township_id is not None:
            rows = rows.filter(township_id=UUID(township_id))
        found = await rows.select_related("parent", "township").order_by("name", "id")
        return [SchoolPlace(str(row.id), row.name, str(row.township_id), _places(row), row.kind) for row in found]


def _places(row: School) -> tuple[str, ...]:
    names = (row.place, row.parent.place if row.parent else "", row.township.name, row.township.county)
    return tuple(dict.fromkeys(name for name in names if name))
