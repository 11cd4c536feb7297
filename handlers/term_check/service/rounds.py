"""Rounds: one for each school and term, begun by the calendar, with the list of whoever is asked for.

May run twice, late, and beside another replica: a round is known by school and term, a child on it by the child.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from bot.clock import Clock, local_date
from bot.logs import get_logger
from bot.rights import Reach
from bot.storage.database import transaction
from handlers.accounts.domain import SchoolKind
from handlers.accounts.service.places import PlaceService, SchoolPlace
from handlers.accounts.service.rolls import ClassRolls, SeatAt
from handlers.calendar.domain import SchoolCalendar, Term
from handlers.calendar.service.calendars import CalendarService
from handlers.term_check.domain.cases import OPEN
from handlers.term_check.domain.rolls import COMPULSORY, Entry, Found, Sat, key_of, list_day, listed, year_of
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckRound

FIRST_DAYS: Final = 15
"""A round begins by itself within so many school days; later a school begins it by hand. A service that is set up in
the middle of a term asks nobody who has come weeks ago."""
_SLICE: Final = 500
_log = get_logger(__name__)


class RoundKeeper:
    """Keeps the rounds of all schools as calendars and classes want them."""

    def __init__(self, rolls: ClassRolls, places: PlaceService, calendars: CalendarService, clock: Clock) -> None:
        self._rolls = rolls
        self._places = places
        self._calendars = calendars
        self._clock = clock

    async def keep(self) -> int:
        """All schools; gives how many rounds have begun."""
        calendars, begun = await self._calendars.as_of_now(), 0
        for school in await self._places.schools():
            if school.kind is SchoolKind.KINDERGARTEN:
                continue
            begun += await self.keep_school(school, await calendars.of(school.id))
        if begun:
            _log.info("term_checks_begun", count=begun)
        return begun

    async def begin(self, school_id: str) -> bool:
        """The round of the term that goes on, whatever day of it this is; whether there is one now. Whoever asks may
        do so."""
        school = await self._places.school(school_id)
        return await self.keep_school(school, await self._calendars.of(school_id), by_hand=True) or bool(
            await round_of(school_id)
        )

    async def keep_school(self, school: SchoolPlace, calendar: SchoolCalendar, *, by_hand: bool = False) -> bool:
        """One school, in a transaction of its own; whether its round has begun now."""
        today = local_date(self._clock.now())
        term = calendar.term_of(today)
        async with transaction():
            over = TermCheckRound.filter(school_id=UUID(school.id), closed_at__isnull=True)
            over = over.filter(last_day__lt=today) if term is None else over.exclude(term=key_of(term))
            await over.update(closed_at=self._clock.now(), updated_at=self._clock.now())
            if term is None:
                return False
            row = await TermCheckRound.filter(school_id=UUID(school.id), term=key_of(term)).select_for_update().first()
            if row is None and not by_hand and calendar.count(term.first_day, today) > FIRST_DAYS:
                return False
            last = row.list_day if row else list_day(calendar, term)
            entries, elsewhere = await self._entries(school.id, term, last)
            if row is None:
                return bool(entries) and await self._begin(school, term, last, entries)
            await self._move(row, term)
            await self._sync(row, entries, elsewhere)
        return False

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _begin(self, school: SchoolPlace, term: Term, last: date, entries: Mapping[str, Entry]) -> bool:
        now = self._clock.now()
        new = TermCheckRound(
            id=uuid4(), township_id=UUID(school.township_id), school_id=UUID(school.id), school_year=year_of(term),
            term=key_of(term), name=term.name, first_day=term.first_day, last_day=term.last_day,
            list_day=last, created_at=now, updated_at=now,
        )  # fmt: skip
        # Another replica may begin it at the same moment: then its row stays, and this one was never written.
        await TermCheckRound.bulk_create([new], ignore_conflicts=True)
        row = await TermCheckRound.get(school_id=UUID(school.id), term=key_of(term))
        await self._sync(row, entries, frozenset())
        return row.id == new.id

    async def _move(self, row: TermCheckRound, term: Term) -> None:
        """A term may be moved by some days, and be longer than it was; whose lists count stays as it was begun."""
        if (row.first_day, row.last_day, row.name, row.closed_at) != (term.first_day, term.last_day, term.name, None):
            row.update_from_dict({"first_day": term.first_day, "last_day": term.last_day, "name": term.name})
            row.closed_at, row.updated_at = None, self._clock.now()
            await row.save(update_fields=["first_day", "last_day", "name", "closed_at", "updated_at"])

    async def _entries(self, school_id: str, term: Term, last: date) -> tuple[dict[str, Entry], frozenset[str]]:
        """Whom the round asks for as of today, and who sits at another school of ours now, where it is asked for.
        `last`: the day whose lists count."""
        today = local_date(self._clock.now())
        reach = Reach(schools=frozenset({school_id}))
        rooms = await self._rolls.rooms(reach, year_of(term), today)
        grades = {room.id: room.grade for room in rooms if room.grade in COMPULSORY}
        now_here = await self._rolls.sat_in(school_id, today)
        before_here = await self._rolls.sat_in(school_id, last)
        known = set(now_here) | set(before_here)
        before = {**before_here, **await self._rolls.sat(known - set(before_here), last)}
        before |= {child: sat for child, sat in (await _sought(school_id)).items() if child not in before}
        now = {**now_here, **await self._rolls.sat(set(before) - set(now_here), today)}
        found = Found(
            rooms=grades,
            now=_as_sat(now),
            before=_as_sat(before),
            heirs=await self._rolls.heirs(sorted({sat.class_id for sat in before.values()})),
            graduated=await self._rolls.graduated(sorted(set(before) - set(now))),
        )
        elsewhere = frozenset(child for child, seat in now.items() if seat.school_id != school_id)
        return listed(school_id, found, has_promoted=key_of(term).endswith("autumn")), elsewhere

    async def _sync(self, row: TermCheckRound, entries: Mapping[str, Entry], elsewhere: Collection[str]) -> None:
        """Who is new on the list comes on it, with a case that goes on; who changed class is asked for there. Who sits
        at another school of ours goes, and who was brought in by mistake and is on no record any more. Nobody else
        goes: who was once asked for is accounted for."""
        kept = {str(each.pupil_id): each for each in await TermCheckListed.filter(round_id=row.id)}
        now = self._clock.now()
        fresh = [
            TermCheckListed(
                id=uuid4(), round_id=row.id, pupil_id=UUID(child), class_id=UUID(entry.class_id), grade=entry.grade,
                is_new=entry.is_new, created_at=now, updated_at=now,
            )
            for child, entry in entries.items()
            if child not in kept
        ]  # fmt: skip
        await TermCheckListed.bulk_create(fresh, batch_size=_SLICE, ignore_conflicts=True)
        await self._move_children(
            row, {child: entry for child, entry in entries.items() if _has_moved(kept, child, entry)}
        )
        gone = set(kept) - set(entries)
        lost = (gone & set(elsewhere)) | (gone - set(await self._rolls.names(sorted(gone))))
        if lost:
            await TermCheckListed.filter(round_id=row.id, pupil_id__in=[UUID(each) for each in lost]).delete()

    async def _move_children(self, row: TermCheckRound, entries: Mapping[str, Entry]) -> None:
        """They are asked for in these classes of this school, with what goes on about them."""
        moved: dict[tuple[str, int], list[UUID]] = defaultdict(list)
        for child, entry in entries.items():
            moved[entry.class_id, entry.grade].append(UUID(child))
        now = self._clock.now()
        for (room, grade), children in moved.items():
            whose = TermCheckListed.filter(round_id=row.id, pupil_id__in=children)
            await whose.update(class_id=UUID(room), grade=grade, updated_at=now)
            open_ones = TermCheckAbsence.filter(pupil_id__in=children, state__in=list(OPEN))
            await open_ones.exclude(class_id=UUID(room)).update(
                class_id=UUID(room), school_id=row.school_id, township_id=row.township_id, updated_at=now
            )


def _has_moved(kept: Mapping[str, TermCheckListed], child: str, entry: Entry) -> bool:
    """Whether it is asked for in another class than before, or for the first time."""
    return child not in kept or str(kept[child].class_id) != entry.class_id


async def round_of(school_id: str | UUID) -> TermCheckRound | None:
    """The one that goes on at a school; None outside the terms, and before its classes are made."""
    return await TermCheckRound.filter(school_id=UUID(str(school_id)), closed_at__isnull=True).first()


async def rounds_within(reach: Reach, *, is_open: bool = True, year: int | None = None) -> list[TermCheckRound]:
    """The rounds of schools within reach, by school and term."""
    rows = TermCheckRound.filter(closed_at__isnull=True) if is_open else TermCheckRound.all()
    if year is not None:
        rows = rows.filter(school_year=year)
    found = await rows.order_by("first_day", "school_id")
    if reach.is_any:
        return found
    return [
        row for row in found if str(row.school_id) in reach.schools or str(row.township_id) in reach.townships
    ]  # fmt: skip


async def _sought(school_id: str) -> dict[str, SeatAt]:
    """The children of a school who were not found before: they are asked for until they are."""
    rows = TermCheckAbsence.filter(school_id=UUID(school_id), state__in=list(OPEN))
    found = {str(row.pupil_id): row for row in await rows}
    grades = {
        str(each.pupil_id): each.grade
        for each in await TermCheckListed.filter(pupil_id__in=[UUID(child) for child in found]).order_by("created_at")
    }
    return {
        child: SeatAt(str(row.class_id), str(row.school_id), grades.get(child, COMPULSORY[0]))
        for child, row in found.items()
    }


def _as_sat(seats: Mapping[str, SeatAt]) -> dict[str, Sat]:
    return {child: Sat(seat.class_id, seat.school_id, seat.grade) for child, seat in seats.items()}


def is_within(row: TermCheckRound, today: date) -> bool:
    """Whether children are asked for on the day."""
    return row.first_day <= today <= row.last_day and row.closed_at is None
