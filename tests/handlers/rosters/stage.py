"""A school, its leader, and a service to import with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from bot.audit.log import Audit
from bot.clock import Clock
from bot.identity import Actor, Door, Grant, Role
from handlers.accounts.models import School, Township
from handlers.accounts.service.rows import TABLES, snapshot
from handlers.rosters.domain import Coverage, ImportState, RosterKind, RowReport, RowState
from handlers.rosters.service.imports import Choice, ImportService, Uploaded
from handlers.rosters.service.running import Running
from handlers.rosters.service.views import ImportView
from tests.factories import make_person, make_school, make_township


@dataclass
class Stage:
    """One township with a school; what is uploaded is waited for."""

    clock: Clock
    service: ImportService
    township: Township
    school: School
    leader: Actor
    administrator: Actor
    running: Running = field(default_factory=Running)

    async def read(
        self,
        content: bytes,
        *,
        actor: Actor | None = None,
        kind: RosterKind = RosterKind.PUPILS,
        coverage: Coverage = Coverage.CLASSES,
    ) -> ImportView:
        """The import after its dry run."""
        actor = actor or self.leader
        import_id = await self.service.upload(actor, Uploaded(kind, coverage, "名单.xlsx", content))
        await self.service.finished(import_id)
        return await self.service.look(actor, import_id)

    async def apply(self, view: ImportView, choice: Choice | None = None, *, actor: Actor | None = None) -> ImportView:
        """The import after it was applied, or was not."""
        actor = actor or self.leader
        await self.service.apply(actor, view.id, choice or Choice())
        await self.service.finished(view.id)
        return await self.service.look(actor, view.id)

    async def take(self, content: bytes, **options: Any) -> ImportView:
        """Read and applied; nothing may be wrong with it."""
        view = await self.read(content, **options)
        assert view.state is ImportState.READY, (view.failure, view.counts)
        view = await self.apply(view, actor=options.get("actor"))
        assert view.state is ImportState.APPLIED, view.failure
        return view

    async def undo(self, view: ImportView) -> ImportView:
        """The import after it was taken back, or was not."""
        await self.service.undo(self.leader, view.id)
        await self.service.finished(view.id)
        return await self.service.look(self.leader, view.id)

    async def rows(self, view: ImportView, state: RowState | None = None) -> list[RowReport]:
        """What the dry run says, of the first page."""
        return list((await self.service.rows(self.administrator, view.id, state)).rows)


async def make_stage(clock: Clock, **school: Any) -> Stage:
    """A township with one school, for an open database."""
    township = await make_township()
    row = await make_school(township, **school)
    running = Running()
    service = ImportService(clock, Audit(clock), running)
    leader = await make_person()
    administrator = await make_person()
    return Stage(
        clock=clock,
        service=service,
        township=township,
        school=row,
        leader=leader_of(row, str(leader.id)),
        administrator=Actor(
            roles=frozenset({Role.ADMINISTRATOR}),
            name="管理员甲",
            person_id=str(administrator.id),
            grants=(Grant(Role.ADMINISTRATOR, townships=frozenset({str(township.id)})),),
            door=Door.CONSOLE,
        ),
        running=running,
    )


def leader_of(school: School, person_id: str | None = None) -> Actor:
    """Somebody who leads a school."""
    grant = Grant(Role.SCHOOL_LEADER, schools=frozenset({str(school.id)}))
    return Actor(
        roles=frozenset({Role.SCHOOL_LEADER}), name="校长甲", person_id=person_id, grants=(grant,), door=Door.CONSOLE
    )


async def digest_of_people() -> str:
    """Of every row about people, as it reads: encrypted values count by what they say."""
    whole = hashlib.sha256()
    for table, model in TABLES.items():
        for row in await model.all().order_by("id"):
            whole.update(repr((table, snapshot(row))).encode())
    return whole.hexdigest()
