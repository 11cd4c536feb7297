"""Everything that a township's year is full of, put into its tables, and what must come of it, kind by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from bot.capability import Capability, EntryPoints, Machinery
from bot.clock import SHANGHAI, to_utc
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Slot
from bot.delivery.reminding import Choice, DueReminder, Occurrence, Reminded, Rule
from bot.rehearsal.replay import Span
from bot.storage.base import blind_index
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Township
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.duties.domain import Rhythm
from handlers.duties.models import DutyRule
from handlers.notices.domain import Confirmation, NoticeState, Who
from handlers.notices.models import Notice
from handlers.reminders.domain import ReminderState
from handlers.reminders.models import ClassReminder, OwnReminder
from tests.bot.rehearsal.walk import ONE, People, days, due_days, lead_days, school_days_off
from tests.handlers.reminders.content import entry, plan

EVERYBODY: Final = "小学, 初中, 幼儿园"
Promise = tuple[str, str, date]
"""Whom, what, on which day."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of the knowledge. `last` for a span."""

    what: str
    first: date
    last: date | None = None
    of_teachers: bool = False


@dataclass(frozen=True, slots=True)
class Year:
    """What happens in a school year: dates of the knowledge by id, visits of a capability, own reminders, those of
    classes, and the moments at which notices begin."""

    span: Span
    dates: Mapping[str, Dated]
    visits: Sequence[date]
    own: Sequence[date]
    rooms: Sequence[date]
    notices: Sequence[datetime]

    @property
    def key(self) -> int:
        """The year of the plan."""
        return self.span.first.year

    def files(self, town: str) -> dict[str, str]:
        """The plan with its dates."""
        entries = [
            entry(
                id, each.what, each.first.isoformat(), each.last.isoformat() if each.last else "", stage=EVERYBODY,
                asked="教师" if each.of_teachers else "家长",
            )
            for id, each in self.dates.items()
        ]  # fmt: skip
        return plan(*entries, town=town, year=self.key, until=f"{self.span.last.year}-12-31")


# --------------------------------------------------------------------------------------------------------- a capability
class Visits:
    """A reason of a capability that is none of the product's: head teachers visit families, two school days' notice."""

    name: Final = "visit"
    rule: Final = Rule(leads=(2, 0))

    def __init__(self, days: Sequence[date], people: Sequence[str]) -> None:
        self._days = days
        self._people = people

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """As `ReminderReason`."""
        return [Occurrence(id=f"visit/{day}", day=day) for day in self._days if first <= day <= last]

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """As `ReminderReason`."""
        return [Reminded(person) for person in self._people]

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """As `ReminderReason`."""
        words = Composed(text="家访", line="家访", slots={Slot.SUBJECT: "家访"})
        return {each.push.id: words for each in reminders}

    def capability(self) -> Capability:
        """As the catalogue would have it."""

        def build(machinery: Machinery) -> EntryPoints:
            return EntryPoints(reminder_reasons=(self,))

        return Capability(name="visits", build=build)


# -------------------------------------------------------------------------------------------------------------- setting
@dataclass(frozen=True, slots=True)
class Set:
    """What was put: ids by what they are about."""

    own: Mapping[str, tuple[str, date]]
    rooms: Mapping[str, tuple[str, date]]
    notices: Mapping[str, tuple[str, datetime]]
    letter: tuple[str, date, str]


REMIND_HOURS: Final = 10
REMIND_TIMES: Final = 2
FOLLOWER: Final = "o-somebody-in-the-chat"


async def put_matters(year: Year, people: People, seats: Sequence[str]) -> Set:
    """Own reminders of the first guardians, reminders and notices of the classes `seats` in turn, and a rule for every
    Friday."""
    now = to_utc(datetime.combine(year.span.first, time(), SHANGHAI))
    moments: dict[str, Any] = {"created_at": now, "updated_at": now}
    town = await Township.get()
    await DutyRule.create(
        township_id=town.id, title="校园安全巡查", owner=AppointmentKind.DUTY, rhythm=Rhythm.WEEKLY, number=5,
        remind_before=1, escalate_after=2, since=year.span.first, **moments,
    )  # fmt: skip
    persons = sorted({person for told in people.told.values() for person in told})
    own, rooms, notices = {}, {}, {}
    for number, day in enumerate(year.own):
        row = await OwnReminder.create(
            person_id=UUID(persons[number]), text="交材料", day=day, matter=f"{number}", **moments
        )
        own[str(row.id)] = (persons[number], day)
    letter = await OwnReminder.create(
        openid_index=blind_index("openid", FOLLOWER),
        openid=FOLLOWER,
        text="带材料",
        day=year.own[0],
        matter="letter",
        **moments,
    )
    for number, day in enumerate(year.rooms):
        seat = seats[number % len(seats)]
        room = await ClassReminder.create(
            class_id=UUID(seat), school_id=UUID(people.rooms[seat]), class_name="班", text="带跳绳", day=day,
            state=ReminderState.ACTIVE, **moments,
        )  # fmt: skip
        rooms[str(room.id)] = (seat, day)
    for number, at in enumerate(year.notices):
        seat = seats[number % len(seats)]
        notices[str(await _notice(number, at, seat, people, town.id, now))] = (seat, at)
    return Set(own, rooms, notices, (str(letter.id), year.own[0], letter.openid_index or ""))


async def _notice(number: int, at: datetime, seat: str, people: People, town: UUID, now: datetime) -> UUID:
    audience = Audience(roles=frozenset({AudienceRole.GUARDIANS}), classes=frozenset({seat}))
    reach = {"is_any": False, "classes": [seat], "schools": [], "townships": []}
    content = {
        "audience": audience.as_plain(), "source": "", "choice": [], "reach": reach, "links": [], "questions": [],
    }  # fmt: skip
    row = await Notice.create(
        number=number + 1, state=NoticeState.SCHEDULED, township_id=town, school_id=UUID(people.rooms[seat]),
        class_id=UUID(seat), title="秋游", text="请确认。", content=content, sender="班主任",
        confirmation=Confirmation.BUTTON, who=Who.ANY, send_at=to_utc(at), remind_hours=REMIND_HOURS,
        remind_times=REMIND_TIMES, written_on=now.date(), written_by=uuid4(), changed_by=uuid4(), created_at=now,
        updated_at=now,
    )  # fmt: skip
    return row.id


# ------------------------------------------------------------------------------------------------------- what must come
class Wanted:
    """Every message of a year, found without the code that sends it."""

    def __init__(self, year: Year, people: People, put: Set) -> None:
        self._year = year
        self._people = people
        self._put = put
        self.promises: Counter[Promise] = Counter()

    def all(self) -> Counter[Promise]:
        """Whom, what, when; more than once only for duties, which are told apart by their day."""
        for kind in (self._knowledge, self._visits, self._own, self._rooms, self._notices, self._duties):
            kind()
        return self.promises

    def _add(self, persons: Collection[str], what: str, day: date) -> None:
        if self._year.span.first <= day <= self._year.span.last:
            self.promises.update((person, what, day) for person in persons)

    def _leads(self, school: str, day: date, leads: Collection[int], *, eve: bool = True) -> Mapping[str, date]:
        return lead_days(day, leads, at_point=school in self._people.points, eve=eve)

    def _knowledge(self) -> None:
        for id, each in self._year.dates.items():
            occurrence = f"plan/{id}@{self._year.key}#0"
            self._date(occurrence, each.first, (3, 1), of_teachers=each.of_teachers)
            if each.last:
                self._date(f"{occurrence}.last", each.last, (1,), of_teachers=each.of_teachers)

    def _date(self, occurrence: str, day: date, leads: Collection[int], *, of_teachers: bool) -> None:
        earliest: dict[tuple[str, str], date] = {}
        for school in self._people.schools:
            whom = self._teachers(school) if of_teachers else self._people.families(school=school, by_consent=True)
            for lead, on in self._leads(school, day, leads).items():
                for person in whom:
                    known = earliest.get((person, lead))
                    earliest[person, lead] = on if known is None else min(known, on)
        for (person, lead), on in earliest.items():
            self._add([person], f"reminder:knowledge|{occurrence}|{lead}", on)

    def _teachers(self, school: str) -> set[str]:
        kinds = (AppointmentKind.HEAD_TEACHER, AppointmentKind.SUBJECT_TEACHER)
        rooms = [room for room, own in self._people.rooms.items() if own == school]
        return {person for kind in kinds for room in rooms for person in self._people.charges[kind, room]}

    def visitors(self) -> list[str]:
        """Whom the capability reminds."""
        return visitors(self._people)

    def _visits(self) -> None:
        for day in self._year.visits:
            for lead, on in lead_days(day, (2, 0)).items():
                self._add(visitors(self._people), f"reminder:visit|visit/{day}|{lead}", on)

    def _own(self) -> None:
        for id, (person, day) in self._put.own.items():
            for lead, on in lead_days(day, (1, 0)).items():
                self._add([person], f"reminder:own|{id}|{lead}", on)
        id, day, index = self._put.letter
        for lead, on in lead_days(day, (1, 0)).items():
            self._add([index], f"reminder_letter|{id}|{lead}|{day}", on)

    def _rooms(self) -> None:
        for id, (seat, day) in self._put.rooms.items():
            families = self._people.families(room=seat, by_consent=False)
            for lead, on in self._leads(self._people.rooms[seat], day, (1,), eve=False).items():
                self._add(families, f"reminder:class|{id}|{lead}", on)

    def _notices(self) -> None:
        """The first time, twice more to all of them since nobody confirms, then the head teacher."""
        for id, (seat, at) in self._put.notices.items():
            families = self._people.families(room=seat, by_consent=False)
            for number in range(REMIND_TIMES + 2):
                whom, what = families, f"again-{number}" if number else "first"
                if number > REMIND_TIMES:
                    whom, what = set(self._people.charges[AppointmentKind.HEAD_TEACHER, seat]), "escalation"
                self._add(whom, f"notice:{id}|{what}", allowed(at).date())
                at += timedelta(hours=REMIND_HOURS)

    def _duties(self) -> None:
        kinds = AppointmentKind
        rules = (
            ("month_end", kinds.SCHOOL_LEADER, kinds.TOWNSHIP_ADMINISTRATOR, self._people.schools, 3, 2),
            ("term_start", kinds.HEAD_TEACHER, kinds.SCHOOL_LEADER, list(self._people.rooms), 4, 3),
            ("month_day", kinds.PROTECTION_LEAD, kinds.SCHOOL_LEADER, self._people.schools, 3, 2),
            ("weekly", kinds.DUTY, kinds.SCHOOL_LEADER, self._people.schools, 1, 2),
        )
        for rhythm, owner, above, places, before, after in rules:
            for place in places:
                school = self._people.rooms.get(place, place)
                at_point = school in self._people.points
                over = next(iter(self._town())) if above is kinds.TOWNSHIP_ADMINISTRATOR else school
                for due in due_days(rhythm, self._year.span.first, self._year.span.last + 45 * ONE, at_point=at_point):
                    remind = school_days_off(due, -before, at_point=at_point) or due - before * ONE
                    late = school_days_off(due, 1, at_point=at_point) or due + ONE
                    escalate = school_days_off(due, after, at_point=at_point) or late + (after - 1) * ONE
                    mine = self._people.holders(owner, place)
                    self._add(mine, f"duties:before|{due}", max(remind, self._year.span.first))
                    self._add(mine, f"duties:late|{due}", late)
                    self._add(self._people.holders(above, over), f"duties:escalated|{due}", escalate)

    def _town(self) -> set[str]:
        return {
            place
            for kind, place in self._people.charges
            if kind is AppointmentKind.TOWNSHIP_ADMINISTRATOR and self._people.charges[kind, place]
        }


def visitors(people: People) -> list[str]:
    """The head teachers."""
    rooms = people.rooms
    return sorted({who for room in rooms for who in people.charges[AppointmentKind.HEAD_TEACHER, room]})


def allowed(at: datetime) -> datetime:
    """The moment, or the end of the quiet hours it lies in."""
    if time(7) <= at.time() < time(21):
        return at
    day = at.date() if at.time() < time(7) else at.date() + ONE
    return datetime.combine(day, time(7), SHANGHAI)


__all__ = ["Dated", "Set", "Visits", "Wanted", "Year", "days", "put_matters", "visitors"]
