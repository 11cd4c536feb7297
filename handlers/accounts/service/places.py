"""Finding townships by their names, for the command line."""

from __future__ import annotations

from handlers.accounts.models import Township


class PlaceService:
    """Which townships there are."""

    async def townships(self) -> list[str]:
        """The names of all."""
        return [row.name for row in await Township.all().order_by("name")]
