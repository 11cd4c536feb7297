"""Who is told, and when: the class that owes its report, and those above when a child stays away.

Everything is a promise in the outbox, known by place and day: nobody is told twice, whatever runs twice. No name of a
child is in any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from bot.clock import SHANGHAI, Clock, local_date, to_utc
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.rights import Subject
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Holder, Offices
from handlers.calendar.service.calendars import CalendarService
from handlers.term_check import texts
from handlers.term_check.domain.cases import OPEN, STAGES, CaseEvent, CaseState, Stage, StepKind
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckRound, TermCheckRule
from handlers.term_check.service.returns import owing
from handlers.term_check.service.rounds import is_within
from handlers.term_check.service.rows import move, note
from handlers.term_check.service.rules import ladder_of, rules_on

SOURCE: Final = "term_check"
_BOARD_PATH: Final = "/admin/term-check/board"
PATHS: Final = {"return": "/admin/term-check", "late": _BOARD_PATH, "centre": _BOARD_PATH}
_CASES_PATH: Final = "/admin/term-check/cases"
_ASKED_AT: Final = time(9)
_TOLD_AT: Final = time(7, 30)
_ENDS_AT: Final = time(20)


class Word(StrEnum):
    """What somebody is told; the part of the reason behind the colon."""

    RETURN = "return"
    """Today's report is owed."""
    LATE = "late"
    """Classes of the school owed the last school day's report."""
    SCHOOL = "school"
    CENTRE = "centre"
    TOWNSHIP = "township"

    @property
    def reason(self) -> str:
        """As the outbox knows it."""
        return f"{SOURCE}:{self.value}"


_WORD_OF: Final = {Stage.SCHOOL: Word.SCHOOL, Stage.CENTRE: Word.CENTRE, Stage.TOWNSHIP: Word.TOWNSHIP}
_LEADER, _ADMINISTRATOR = AppointmentKind.SCHOOL_LEADER, AppointmentKind.TOWNSHIP_ADMINISTRATOR


class Climbing:
    """Lets cases climb, and promises what is to be said. A `PushSource`."""

    def __init__(self, outbox: Outbox, offices: Offices, calendars: CalendarService, clock: Clock) -> None:
        self._outbox = outbox
        self._offices = offices
        self._calendars = calendars
        self._clock = clock

    # ----------------------------------------------------------------------------------------------------------- night
    async def climb(self) -> int:
        """Ill children whose day has passed are looked for again; whoever stays away is a matter of the next ones up.
        Gives how many cases have climbed."""
        today, now = local_date(self._clock.now()), self._clock.now()
        rules, calendars, climbed = await rules_on(today), await self._calendars.as_of_now(), 0
        lapsed = TermCheckAbsence.filter(state=CaseState.ILL, back_on__lt=today)
        for own in await lapsed.order_by("id").values_list("id", flat=True):
            async with transaction():
                row = await TermCheckAbsence.filter(id=own, state=CaseState.ILL).select_for_update().first()
                calendar = await calendars.of(str(row.school_id)) if row else None
                if row and calendar and calendar.is_school_day(today):
                    await move(row, CaseEvent.REOPEN, None, now)
        for row in await TermCheckAbsence.filter(state__in=list(OPEN)).order_by("id"):
            rule = rules.get(str(row.township_id))
            if rule is None:
                continue
            calendar = await calendars.of(str(row.school_id))
            days = calendar.count(row.opened_on + timedelta(days=1), today)
            stage = ladder_of(rule).stage(days)
            if STAGES.index(stage) > STAGES.index(row.stage):
                climbed += await self._raise(row.id, stage, rule, today)
        return climbed

    async def _raise(self, own: UUID, stage: Stage, rule: TermCheckRule, today: date) -> bool:
        async with transaction():
            row = await TermCheckAbsence.filter(id=own, state__in=list(OPEN)).select_for_update().first()
            if row is None or STAGES.index(stage) <= STAGES.index(row.stage):
                return False
            passed = STAGES[STAGES.index(row.stage) + 1 : STAGES.index(stage) + 1]
            row.stage, row.stage_on, row.updated_at = stage, today, self._clock.now()
            await row.save(update_fields=["stage", "stage_on", "updated_at"])
            await note(row, StepKind.CLIMBED, None, self._clock.now(), stage=stage)
            pushes = [push for each in passed for push in await self._pushes_of(each, row, rule, today)]
            await self._outbox.promise(pushes)
        return True

    async def _pushes_of(self, stage: Stage, row: TermCheckAbsence, rule: TermCheckRule, today: date) -> list[NewPush]:
        place = row.school_id if stage is Stage.SCHOOL else row.township_id
        holders = await self._holders(stage, str(row.school_id), str(row.township_id), rule)
        return [_push(_WORD_OF[stage], str(place), each.person_id, today, _TOLD_AT) for each in holders]

    async def _holders(
        self, stage: Stage, school_id: str, township_id: str, rule: TermCheckRule | None
    ) -> Sequence[Holder]:
        """Whoever is told at a stage; where nobody is, whoever stands above."""
        found: Sequence[Holder] = []
        if stage is Stage.SCHOOL:
            found = await self._offices.holders(_LEADER, Subject(school_id=school_id))
        elif stage is Stage.CENTRE and rule is not None and rule.centre_school_id:
            found = await self._offices.holders(_LEADER, Subject(school_id=str(rule.centre_school_id)))
        return found or await self._offices.holders(_ADMINISTRATOR, Subject(township_id=township_id))

    # --------------------------------------------------------------------------------------------------------- morning
    async def ask(self) -> int:
        """Every school day: whose report is owed today, and whose was not given the last time; gives how many promises
        are new."""
        today, calendars, pushes = local_date(self._clock.now()), await self._calendars.as_of_now(), []
        for row in await TermCheckRound.filter(closed_at__isnull=True).order_by("id"):
            calendar = await calendars.of(str(row.school_id))
            if not is_within(row, today) or not calendar.is_school_day(today):
                continue
            rooms = await owing(row, today)
            pushes += await self._asked(row, rooms, today)
            before = calendar.nth_school_day(today, -1)
            if before is not None and before >= row.first_day and rooms & await owing(row, before):
                holders = await self._holders(Stage.SCHOOL, str(row.school_id), str(row.township_id), None)
                pushes += [_push(Word.LATE, str(row.school_id), each.person_id, today, _TOLD_AT) for each in holders]
        return await self._outbox.promise(pushes) if pushes else 0

    async def _asked(self, row: TermCheckRound, rooms: Collection[str], today: date) -> list[NewPush]:
        heads = await self._offices.holders_of(AppointmentKind.HEAD_TEACHER, rooms)
        found = []
        for room in sorted(rooms):
            holders = heads.get(room) or await self._holders(
                Stage.SCHOOL, str(row.school_id), str(row.township_id), None
            )
            found += [_push(Word.RETURN, room, each.person_id, today, _ASKED_AT) for each in holders]
        return found

    # --------------------------------------------------------------------------------------------------------- sending
    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`: as it is now, and nothing where nothing is left to say."""
        rules, found = await rules_on(local_date(now)), {}
        for push in pushes:
            place, _, day = push.occurrence.partition(":")
            word = Word(push.reason.partition(":")[2])
            found[push.id] = await self._composed(word, place, date.fromisoformat(day), push.person_id, rules)
        return found

    async def _composed(
        self, word: Word, place: str, day: date, person_id: str, rules: Mapping[str, TermCheckRule]
    ) -> Composed | NotNeeded:
        if word in (Word.RETURN, Word.LATE):
            count, holders = await self._owing(word, place, day)
        else:
            count, holders = await self._standing(word, place, rules)
        if not count:
            return NotNeeded("settled")
        if str(UUID(person_id)) not in {each.person_id for each in holders}:
            return NotNeeded("not_theirs")
        name = (await self._offices.names([place])).get(place, "")
        text, line = texts.PUSHES[word.value]
        values = {"count": count, "place": name}
        return Composed(
            text=text.format(**values),
            line=line.format(**values),
            slots={
                Slot.SUBJECT: texts.PUSH_SUBJECT,
                Slot.WHEN: day,
                Slot.SENDER: name or texts.SENDER,
                Slot.NOTE: texts.PUSH_NOTE,
            },
            path=PATHS.get(word.value, _CASES_PATH),
        )

    async def _owing(self, word: Word, place: str, day: date) -> tuple[int, Sequence[Holder]]:
        """How many classes owe, and who is told so."""
        if word is Word.RETURN:
            entry = await TermCheckListed.filter(class_id=UUID(place)).order_by("-created_at").first()
            row = await TermCheckRound.filter(id=entry.round_id, closed_at__isnull=True).first() if entry else None
            if row is None or place not in await owing(row, day):
                return 0, ()
            heads = await self._offices.holders(AppointmentKind.HEAD_TEACHER, Subject(class_id=place))
            return 1, heads or await self._holders(Stage.SCHOOL, str(row.school_id), str(row.township_id), None)
        row = await TermCheckRound.filter(school_id=UUID(place), closed_at__isnull=True).first()
        if row is None:
            return 0, ()
        before = (await self._calendars.of(place)).nth_school_day(day, -1)
        rooms = await owing(row, before) if before else ()
        return len(rooms), await self._holders(Stage.SCHOOL, place, str(row.township_id), None)

    async def _standing(
        self, word: Word, place: str, rules: Mapping[str, TermCheckRule]
    ) -> tuple[int, Sequence[Holder]]:
        """How many cases stand at the stage or above, and who is told so."""
        stage = Stage(word.value)
        column = "school_id" if stage is Stage.SCHOOL else "township_id"
        among: dict[str, Any] = {column: UUID(place), "stage__in": list(STAGES[STAGES.index(stage) :])}
        rows = await TermCheckAbsence.filter(state__in=list(OPEN), **among)
        if not rows:
            return 0, ()
        township = str(rows[0].township_id)
        return len(rows), await self._holders(stage, str(rows[0].school_id), township, rules.get(township))


def _push(word: Word, place: str, person_id: str, today: date, at: time) -> NewPush:
    return NewPush(
        reason=word.reason,
        occurrence=f"{place}:{today.isoformat()}",
        person_id=person_id,
        rule=f"{SOURCE}.{word.value}",
        purpose=Purpose.TASK,
        not_before=_moment(today, at),
        expires_at=_moment(today, _ENDS_AT),
    )


def _moment(day: date, at: time) -> datetime:
    return to_utc(datetime.combine(day, at, SHANGHAI))
