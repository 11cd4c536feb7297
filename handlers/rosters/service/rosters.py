"""The whole of rosters for whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.rosters.service.exports import ExportService
from handlers.rosters.service.imports import ImportService


@dataclass(frozen=True, slots=True)
class RosterService:
    """What comes in, and what goes out."""

    imports: ImportService
    exports: ExportService
