"""The rosters capability, put together."""

from __future__ import annotations

from collections.abc import Sequence

from bot.capability import Capability, Dependents, EntryPoints, Machinery
from handlers.accounts.service.identity import AccountsIdentity
from handlers.rosters.admin import RosterPages
from handlers.rosters.service.exports import ExportService
from handlers.rosters.service.imports import ImportService
from handlers.rosters.service.keeping import UploadKeeper
from handlers.rosters.service.rosters import RosterService
from handlers.rosters.service.running import Running


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    running = Running()

    def dependents() -> Sequence[Dependents]:
        return [source for part in machinery.parts for source in part.dependents]

    imports = ImportService(
        machinery.clock,
        machinery.audit,
        running,
        dependents=dependents,
        forget=machinery.services.get(AccountsIdentity).forget,
    )
    service = RosterService(imports, ExportService(machinery.clock, machinery.audit))
    machinery.services.add(service)
    keeper = UploadKeeper()
    return EntryPoints(
        admin=RosterPages(service).routes(), background=(running,), retention=(keeper,), child_records=(keeper,)
    )


ROSTERS = Capability(name="rosters", build=build)
