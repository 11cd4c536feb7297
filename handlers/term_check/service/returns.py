"""What a class reports: who is asked for and who has come, every school day until all are accounted for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import Conflict, NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action, Subject, may, refusal, require
from bot.storage.database import transaction
from handlers.accounts.domain import SchoolKind, school_year_of
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.rolls import ClassRolls, Room
from handlers.accounts.service.scope import as_id
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.service.tasks import TaskService
from handlers.term_check import texts
from handlers.term_check.domain.cases import OPEN, CaseEvent, CaseInvalid, CaseState
from handlers.term_check.domain.figures import Counts, counted
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckReturn, TermCheckRound
from handlers.term_check.service.rounds import RoundKeeper, is_within, round_of
from handlers.term_check.service.rows import last_cases, move, open_case, own_id
from handlers.term_check.service.views import ClassList, Line, ReturnView, RoundView

PAGE: Final = "/term-check"
DUTY: Final = "roster_check"
"""The recurring duty that is done by this."""
_DUTY_SPAN: Final = timedelta(days=21)


class NotAskedNow(Conflict):
    """No round goes on."""

    code = "term_check_closed"
    default_message = "现在没有开学清点。开学以后会自动开始；需要现在清点，请校长在“开学清点”里开始。"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed in: the children of the class who are not there. `has_checked_contacts`: guardians and phones were
    gone through too."""

    class_id: str
    absent: frozenset[str]
    has_checked_contacts: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """What came of it."""

    of: ClassList
    new: int
    back: int
    has_done_duty: bool


@dataclass(frozen=True, slots=True)
class ReturnParts:
    """What it works with."""

    rolls: ClassRolls
    places: PlaceService
    audiences: AccountsAudiences
    calendars: CalendarService
    keeper: RoundKeeper
    tasks: TaskService


class ReturnService:
    """The use cases. A `TodoSource`."""

    def __init__(self, parts: ReturnParts, audit: Audit, clock: Clock) -> None:
        self._parts = parts
        self._audit = audit
        self._clock = clock

    @property
    def parts(self) -> ReturnParts:
        """What it works with."""
        return self._parts

    # --------------------------------------------------------------------------------------------------------- looking
    async def own_classes(self, actor: Actor) -> list[ClassList]:
        """The classes within reach of whose school a round goes on, by school and class; written down."""
        reach = require(actor, Action.CHECK_CLASS)
        found: list[ClassList] = []
        async with transaction():
            for year in await self._years():
                for room in await self._parts.rolls.rooms(reach, year, self._today()):
                    row = await round_of(room.school_id)
                    if row is not None and row.school_year == year and (known := await self._list(row, room)).lines:
                        await self._wrote(actor, room, "list")
                        found.append(known)
        return found

    async def schools_without(self, actor: Actor) -> list[tuple[str, str]]:
        """The schools of a leader at which no round goes on in a term: it can be begun."""
        found = []
        for school_id in sorted(require(actor, Action.CHECK_CLASS).schools):
            school, calendar = await self._parts.places.school(school_id), await self._parts.calendars.of(school_id)
            is_asked = school.kind is not SchoolKind.KINDERGARTEN and calendar.term_of(self._today())
            if is_asked and await round_of(school_id) is None:
                found.append((school.id, school.name))
        return found

    async def begin(self, actor: Actor, school_id: str) -> None:
        """A school begins by hand. Raises NotFound, NotAskedNow outside the terms and without classes."""
        reach = require(actor, Action.CHECK_CLASS)
        if not reach.covers(Subject(school_id=str(as_id(school_id)))):
            raise refusal(NotFound(), actor, Action.CHECK_CLASS, Subject())
        if not await self._parts.keeper.begin(school_id):
            raise NotAskedNow
        async with transaction():
            whose = Subject(school_id=school_id)
            await self._audit.record(actor, Action.CHECK_CLASS, f"school:{school_id}", whose=whose, purpose="begun")

    async def of_class(self, actor: Actor, class_id: str) -> ClassList:
        """One class; written down. Raises NotFound, NotAskedNow."""
        async with transaction():
            row, room = await self._held(actor, class_id)
            found = await self._list(row, room)
            await self._wrote(actor, room, "list")
        return found

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Classes whose report of today is owed."""
        if not may(actor, Action.CHECK_CLASS):
            return ()
        owed, today, rooms = 0, self._today(), {room.id: room.school_id for room in await self._rooms_now(actor)}
        for school_id in sorted(set(rooms.values())):
            row, calendar = await round_of(school_id), await self._parts.calendars.of(school_id)
            if row is not None and is_within(row, today) and calendar.is_school_day(today):
                owed += len(await owing(row, today) & rooms.keys())
        return (Todo(texts.TODO_RETURN, owed, PAGE, is_urgent=True),) if owed else ()

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def report(self, actor: Actor, handed: Handed) -> Reported:
        """Signs who is there. Who was looked for and is not named any more has returned; the same report twice on a day
        is one. Raises NotFound, NotAskedNow, CaseInvalid for a child of another class."""
        if actor.person_id is None:
            raise NotPermitted
        async with transaction():
            row, room = await self._held(actor, handed.class_id, lock=True)
            if not is_within(row, self._today()):
                raise NotAskedNow
            before = await self._list(row, room)
            if handed.absent - {line.child_id for line in before.lines}:
                raise CaseInvalid(texts.NOT_OF_CLASS)
            new, back = await self._changes(actor, row, before, handed.absent)
            found = await self._list(row, room)
            if new or back or not _says_the_same(found, handed):
                await self._sign(actor, row, found, handed)
                await self._wrote(actor, room, "report")
                found = await self._list(row, room)
            done = await self.settle_duty(actor, row, room.id)
        return Reported(found, new, back, done)

    async def settle_duty(self, actor: Actor, row: TermCheckRound, class_id: str) -> bool:
        """The recurring duty of the class is done once all are accounted for and the contacts were gone through; in
        the caller's transaction."""
        last = await last_return(row.id, UUID(class_id))
        if last is None or not last.has_checked_contacts or await self._open_of(row, class_id):
            return False
        span = (row.first_day - _DUTY_SPAN, row.first_day + _DUTY_SPAN)
        return bool(await self._parts.tasks.done_by_other_work(actor, DUTY, class_id, span))

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _changes(
        self, actor: Actor, row: TermCheckRound, before: ClassList, absent: Collection[str]
    ) -> tuple[int, int]:
        """How many are missed anew, and how many have returned."""
        by, now, new, back = own_id(actor), self._clock.now(), 0, 0
        rows = {
            str(each.pupil_id): each
            for each in await TermCheckListed.filter(round_id=row.id, class_id=UUID(before.room.id))
        }
        for line in before.lines:
            case = (
                await TermCheckAbsence.filter(id=UUID(line.case_id)).select_for_update().first()
                if line.case_id
                else None
            )
            is_absent, state = line.child_id in absent, case.state if case else None
            if is_absent and state in (None, CaseState.RETURNED):
                new += 1
                if case is None:
                    await open_case(row, rows[line.child_id], by, now)
                else:
                    await move(case, CaseEvent.REOPEN, by, now)
            elif not is_absent and case is not None and state in OPEN:
                back += 1
                await move(case, CaseEvent.RETURN, by, now)
        return new, back

    async def _sign(self, actor: Actor, row: TermCheckRound, found: ClassList, handed: Handed) -> None:
        now, by = self._clock.now(), own_id(actor)
        assert by is not None
        checked = handed.has_checked_contacts or (found.last is not None and found.last.has_checked_contacts)
        await TermCheckReturn.create(
            id=uuid4(), round_id=row.id, class_id=UUID(found.room.id), day=self._today(),
            number=found.last.number + 1 if found.last else 1, counts=_plain(counts_of(found.lines)),
            is_full=not found.open, has_checked_contacts=checked, signed_by=by, signed_at=now, created_at=now,
            updated_at=now,
        )  # fmt: skip

    async def _held(self, actor: Actor, class_id: str, *, lock: bool = False) -> tuple[TermCheckRound, Room]:
        """Raises NotFound, NotAskedNow."""
        reach = require(actor, Action.CHECK_CLASS)
        for year in await self._years():
            rooms = await self._parts.rolls.rooms(reach, year, self._today(), class_id=str(as_id(class_id)))
            if rooms:
                row = await round_of(rooms[0].school_id)
                if row is None or row.school_year != year:
                    raise NotAskedNow
                if lock:
                    await TermCheckRound.filter(id=row.id).select_for_update().first()
                return row, rooms[0]
        raise refusal(NotFound(), actor, Action.CHECK_CLASS, Subject())

    async def _list(self, row: TermCheckRound, room: Room) -> ClassList:
        entries = await TermCheckListed.filter(round_id=row.id, class_id=UUID(room.id))
        children = [str(each.pupil_id) for each in entries]
        names = await self._parts.rolls.names(children)
        seated = await self._parts.rolls.sat(children, self._today())
        cases = await last_cases(row, [each.pupil_id for each in entries])
        lines = [
            _line(entry, names[str(entry.pupil_id)], seated[str(entry.pupil_id)].class_id == room.id
                  if str(entry.pupil_id) in seated else False, cases.get(str(entry.pupil_id)))
            for entry in entries
            if str(entry.pupil_id) in names
        ]  # fmt: skip
        lines.sort(key=lambda line: (not line.is_open, line.name, line.child_id))
        last = await last_return(row.id, UUID(room.id))
        by = await self._parts.audiences.names({str(last.signed_by)}) if last else {}
        return ClassList(room, round_view(row), lines, _returned(last, by) if last else None, self._today())

    async def _open_of(self, row: TermCheckRound, class_id: str) -> int:
        rows = TermCheckListed.filter(round_id=row.id, class_id=UUID(class_id)).values_list("pupil_id", flat=True)
        cases = await last_cases(row, await rows)
        return sum(each.active_key is not None for each in cases.values())

    async def _rooms_now(self, actor: Actor) -> list[Room]:
        reach, found = require(actor, Action.CHECK_CLASS), []
        for year in await self._years():
            found += await self._parts.rolls.rooms(reach, year, self._today())
        return found

    async def _wrote(self, actor: Actor, room: Room, purpose: str) -> None:
        await self._audit.record(
            actor, Action.CHECK_CLASS, f"class:{room.id}", whose=room.subject, fields=["absent"], purpose=purpose
        )

    async def _years(self) -> list[int]:
        """Of the rounds that go on, and of today: a class without a round is there too."""
        rows = TermCheckRound.filter(closed_at__isnull=True).distinct().values_list("school_year", flat=True)
        return sorted({school_year_of(self._today()), *(int(str(each)) for each in await rows)}, reverse=True)

    def _today(self) -> date:
        return local_date(self._clock.now())


async def last_return(round_id: UUID, class_id: UUID) -> TermCheckReturn | None:
    """The last report of a class."""
    return await TermCheckReturn.filter(round_id=round_id, class_id=class_id).order_by("-number").first()


async def owing(row: TermCheckRound, day: date) -> frozenset[str]:
    """The classes that owe their report of a school day: those that have never reported, and those that looked for
    somebody on that day and have said nothing since."""
    listed = await TermCheckListed.filter(round_id=row.id).values_list("class_id", "pupil_id")
    sought = TermCheckAbsence.filter(township_id=row.township_id, active_key__not_isnull=True, opened_on__lte=day)
    missing = {str(each) for each in await sought.values_list("pupil_id", flat=True)}
    looking = {str(room) for room, child in listed if str(child) in missing}
    returns = TermCheckReturn.filter(round_id=row.id).order_by("number").values_list("class_id", "day")
    last = {str(room): said for room, said in await returns}
    rooms = {str(room) for room, _ in listed}
    return frozenset(room for room in rooms if room not in last or (room in looking and last[room] < day))


def counts_of(lines: Iterable[Line]) -> Counts:
    """What a class comes to."""
    return counted(line.state for line in lines)


def counts_in(plain: Mapping[str, int]) -> Counts:
    """Of a report that was kept."""
    return Counts(**plain)


def round_view(row: TermCheckRound) -> RoundView:
    """A round for the eye."""
    return RoundView(str(row.id), row.name, row.first_day, row.last_day, row.list_day)


def _plain(counts: Counts) -> dict[str, int]:
    names = ("listed", "here", "open", "transferred", "ill", "other")
    return dict(zip(names, counts.as_tuple(), strict=True))


def _says_the_same(found: ClassList, handed: Handed) -> bool:
    last = found.last
    if last is None or last.day != found.today or last.counts != counts_of(found.lines):
        return False
    return last.has_checked_contacts or not handed.has_checked_contacts


def _line(entry: TermCheckListed, name: str, is_on_roster: bool, case: TermCheckAbsence | None) -> Line:
    return Line(
        child_id=str(entry.pupil_id),
        name=name,
        is_new=entry.is_new,
        is_on_roster=is_on_roster,
        state=case.state if case else None,
        case_id=str(case.id) if case else None,
        back_on=case.back_on if case and case.state is CaseState.ILL else None,
    )


def _returned(row: TermCheckReturn, names: Mapping[str, str]) -> ReturnView:
    return ReturnView(
        day=row.day,
        number=row.number,
        counts=counts_in(row.counts),
        is_full=row.is_full,
        has_checked_contacts=row.has_checked_contacts,
        by=names.get(str(row.signed_by), ""),
        at=row.signed_at,
    )
