"""The list as those see it who call: class by class, with whom to call and what to say, asked for anew each time."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.delivery.pushes import Composed, PushSource
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, may, require
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences, ChildMeant
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.scope import as_id, missing
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.views import ClassView
from handlers.deliveries.domain import LineState, Way
from handlers.deliveries.models import HandListLine
from handlers.deliveries.service.composing import composed_of
from handlers.deliveries.service.lines import Line, line_of, visible
from handlers.deliveries.texts import TODO_CALLS

HANDLIST: Final = "/handlist"
_SHOWN_FOR: Final = timedelta(days=14)
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody to be called."""

    person_id: str
    name: str
    relation: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be done. `name`: of the child, or of somebody on the staff; `place`: school and class; `brief`: one
    sentence; `text`: the whole; both "" where nobody can say it."""

    line: Line
    name: str
    place: str
    whom: Sequence[Whom]
    brief: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """A line somebody did; `by` is "" for somebody erased."""

    line_id: str
    name: str
    way: Way
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Roll:
    """A class's list, or that of all without a class (`room` None)."""

    room: ClassView | None
    entries: Sequence[Entry]
    done: Sequence[Done]


@dataclass(frozen=True, slots=True)
class Rolls:
    """How many lines are open in each class, most first, and of those without a class."""

    classes: Sequence[tuple[ClassView, int]]
    others: int


class RollService:
    """The use cases of looking at the list."""

    def __init__(
        self,
        audiences: AccountsAudiences,
        people: PeopleService,
        structure: StructureService,
        sources: Callable[[], Mapping[str, PushSource]],
        clock: Clock,
    ) -> None:
        self._audiences = audiences
        self._people = people
        self._structure = structure
        self._sources = sources
        self._clock = clock

    async def rolls(self, actor: Actor) -> Rolls:
        """The classes within reach with open lines."""
        rows = visible(require(actor, Action.HANDLIST_VIEW)).filter(state=LineState.OPEN)
        found = await rows.values_list("class_id", flat=True)
        counts = Counter(str(own) for own in found if own)
        rooms = []
        for own in counts:
            # A class may have been closed today; its lines go with their children in the night.
            with contextlib.suppress(NotFound):
                rooms.append(await self._structure.class_of(actor, own))
        rooms.sort(key=lambda room: (-counts[room.id], room.school, room.grade, room.number))
        return Rolls([(room, counts[room.id]) for room in rooms], len(found) - counts.total())

    async def of_class(self, actor: Actor, class_id: str) -> Roll:
        """One class. Raises NotFound."""
        require(actor, Action.HANDLIST_VIEW)
        return await self._roll(actor, await self._structure.class_of(actor, class_id))

    async def of_others(self, actor: Actor) -> Roll:
        """Staff, and children who wait for a class."""
        return await self._roll(actor, None)

    async def reveal(self, actor: Actor, line_id: str, person_id: str) -> str:
        """The phone of somebody to be called, "" for none; written down. Raises NotFound."""
        reach = require(actor, Action.HANDLIST_VIEW)
        row = await visible(reach).filter(id=as_id(line_id)).first()
        if row is None:
            raise missing(actor, Action.HANDLIST_VIEW)
        # A line about which nothing is to be told any more gives no reason to call.
        whom = {each.person_id for entry in await self._entries([row]) for each in entry.whom}
        if person_id not in whom:
            raise missing(actor, Action.CONTACT_REVEAL)
        return await self._people.reveal(actor, "person", person_id, "phone")

    async def home_of(self, actor: Actor, line_id: str) -> str:
        """The page where a line stands. Raises NotFound."""
        row = await visible(require(actor, Action.HANDLIST_VIEW)).filter(id=as_id(line_id)).first()
        if row is None:
            raise missing(actor, Action.HANDLIST_VIEW)
        return f"{HANDLIST}/classes/{row.class_id}" if row.class_id else f"{HANDLIST}/others"

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """A `TodoSource`: the families nobody has told yet."""
        if not may(actor, Action.HANDLIST_TICK):
            return ()
        count = await visible(require(actor, Action.HANDLIST_TICK)).filter(state=LineState.OPEN).count()
        return (Todo(TODO_CALLS, count, HANDLIST),) if count else ()

    async def _roll(self, actor: Actor, room: ClassView | None) -> Roll:
        rows = visible(require(actor, Action.HANDLIST_VIEW))
        rows = rows.filter(class_id=room.id) if room else rows.filter(class_id__isnull=True)
        waiting = await rows.filter(state=LineState.OPEN).order_by("created_at", "id").limit(_MOST)
        entries = [entry for entry in await self._entries(waiting) if entry.line.state is LineState.OPEN]
        since = self._clock.now() - _SHOWN_FOR
        told = rows.filter(state=LineState.TOLD, settled_at__gte=since).order_by("-settled_at", "id").limit(_MOST)
        return Roll(room, entries, await self._done(await told))

    async def _entries(self, rows: Sequence[HandListLine]) -> list[Entry]:
        """Those about which there still is something to be told."""
        lines = [line_of(row) for row in rows]
        words = await composed_of(self._sources(), [line.push for line in lines if line.push], self._clock.now())
        children = await self._children(lines)
        names = await self._audiences.names({line.person_id for line in lines if line.person_id})
        entries = []
        for line in lines:
            said = words.get(line.id)
            child = children.get(line.child_id or "")
            if (said is None or isinstance(said, Composed)) and (child or not line.child_id):
                entries.append(_entry(line, child, names.get(line.person_id or "", ""), said))
        return entries

    async def _children(self, lines: Sequence[Line]) -> Mapping[str, ChildMeant]:
        wanted = frozenset(line.child_id for line in lines if line.child_id)
        if not wanted:
            return {}
        meant = Audience(roles=frozenset({AudienceRole.GUARDIANS}), pupil_ids=wanted)
        return {each.child.id: each for each in await self._audiences.children_of(meant, self._today())}

    async def _done(self, rows: Sequence[HandListLine]) -> list[Done]:
        children = await self._audiences.children({str(row.child_id) for row in rows if row.child_id})
        people = {str(own) for row in rows for own in (row.settled_by, row.person_id) if own}
        names = await self._audiences.names(people)
        done = []
        for row in rows:
            child = children.get(str(row.child_id))
            name = child.name if child else names.get(str(row.person_id), "") if not row.child_id else ""
            if name and row.way and row.settled_at:
                done.append(Done(str(row.id), name, row.way, names.get(str(row.settled_by), ""), row.settled_at))
        return done

    def _today(self) -> date:
        return local_date(self._clock.now())


def _entry(line: Line, child: ChildMeant | None, person: str, said: Composed | None) -> Entry:
    brief, text = (said.line, said.text) if said else ("", "")
    if child is None:
        return Entry(line, person, "", [Whom(line.person_id or "", person, "")], brief, text)
    whom = [Whom(each.person_id, each.name, each.relation_name) for each in child.guardians]
    return Entry(line, child.child.name, child.child.school + child.child.class_name, whom, brief, text)
