"""A school year of the contact clock: children, teachers of varying diligence, and who was told what on which day.

The book kept here is its own: who is overdue, since when, and who answers for it, is found from what happened in the
year, not from the rows of the clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from bot.clock import local_date
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Person, Pupil, School, SchoolClass
from handlers.accounts.service.places import PlaceService
from handlers.calendar.service.calendars import CalendarService
from handlers.contacts.domain.clock import SUGGESTED, Beat, ClockRule, Contact, ContactDays, DueDays, History, due_days
from handlers.contacts.domain.records import Way
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsDue
from tests import factories
from tests.handlers.contacts.clock_stage import ClockStage, leave_the_staff

DAY: Final = timedelta(days=1)
STEPS: Final = (0, 3, 6)
LEFT_ON: Final = date(2026, 11, 12)
CHANGED_ON: Final = date(2027, 3, 15)


DENSE: Final = {Level.GREEN: Beat(10, 25), Level.YELLOW: Beat(6, 15), Level.RED: Beat(3, 9)}
"""For a short piece of a year in which much happens."""


class Manner(StrEnum):
    """How somebody goes about it."""

    PROMPT = "prompt"
    SLOW = "slow"
    CARELESS = "careless"
    """Only when the lead asks."""
    DEAF = "deaf"
    """No message reaches them; does what the lead asks."""
    HOPELESS = "hopeless"
    """Never: the child is given to somebody else once the leader has heard."""
    ILL = "ill"
    """For six weeks."""
    LEAVING = "leaving"
    """In the middle of the year, without a word."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a year. `teachers`: at each of the two schools."""

    children: int
    teachers: int
    days: int
    cadence: Mapping[Level, Beat]
    seed: int = 1


@dataclass(slots=True)
class Teacher:
    person: Person
    manner: Manner
    school: int


@dataclass(slots=True)
class Child:
    """What the year knows of a child. `keeper` None: nobody."""

    pupil: Pupil
    school: int
    history: History
    keeper: Teacher | None
    is_gone: bool = False
    keepers: list[tuple[date, str]] = field(default_factory=list)

    def kept_since(self, day: date) -> set[str]:
        """Who kept it on a day or later."""
        before = [person for since, person in self.keepers if since <= day]
        return {*before[-1:], *(person for since, person in self.keepers if since > day)}


@dataclass(slots=True)
class House:
    school: School
    room: SchoolClass
    head: Person
    lead: Person
    leader: Person
    days: ContactDays


@dataclass(slots=True)
class Faults:
    """What must not be."""

    unheard: list[str] = field(default_factory=list)
    over_the_cap: list[str] = field(default_factory=list)
    out_of_school: list[str] = field(default_factory=list)
    otherwise_due: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return self.unheard + self.over_the_cap + self.out_of_school + self.otherwise_due


class Year:
    """One year. `run` goes through it; `faults` and `counts` say what came of it."""

    def __init__(self, stage: ClockStage, size: Size, *, daily_cap: int = 1, counts: bool = True) -> None:
        """`counts` False: nobody counts anew what is due, once it was counted."""
        self.stage = stage
        self._size = size
        self._daily_cap, self._is_counted = daily_cap, counts
        self.faults = Faults()
        self.counts: Counter[str] = Counter()
        self._random = Random(size.seed)
        self._houses: list[House] = []
        self._teachers: list[Teacher] = []
        self._children: list[Child] = []
        self._rules: list[ClockRule] = []
        self._plans: dict[date, list[tuple[Child, bool]]] = defaultdict(list)
        self._heard: dict[str, list[date]] = defaultdict(list)
        self._away: dict[str, set[date]] = defaultdict(set)

    # ----------------------------------------------------------------------------------------------------------- stage
    async def prepare(self) -> None:
        """Two schools with all charges, teachers of all manners, children on the register."""
        stage = self.stage
        for number in range(2):
            school = await factories.make_school(stage.town)
            room = await factories.make_class(school)
            head, lead, leader = [await factories.make_person() for _ in range(3)]
            await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
            await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
            await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
            calendar = await CalendarService(PlaceService()).of(str(school.id))
            self._houses.append(House(school, room, head, lead, leader, ContactDays(calendar)))
            manners = [*Manner, Manner.PROMPT, Manner.PROMPT, Manner.SLOW, Manner.SLOW]
            for place in range(self._size.teachers):
                person = await factories.make_person()
                await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=room)
                self._teachers.append(Teacher(person, manners[place % len(manners)], number))
            self._teachers.append(Teacher(lead, Manner.SLOW, number))
        stage.away = {str(each.person.id) for each in self._teachers if each.manner is Manner.DEAF}
        await self._new_rule(self._size.cadence)
        for number in range(self._size.children):
            await self._enter(self._teachers[number % len(self._teachers)])

    async def _new_rule(self, cadence: Mapping[Level, Beat]) -> None:
        since = self.stage.today
        own = await self.stage.rule(since, cadence=cadence, daily_cap=self._daily_cap)
        first, second, third = STEPS
        self._rules = [replace(each, until=each.until or since - DAY) for each in self._rules]
        self._rules.append(
            ClockRule(
                id=own,
                since=since,
                cadence=cadence,
                teacher_grace=first,
                lead_after=second,
                leader_after=third,
            )
        )

    async def _enter(self, keeper: Teacher) -> None:
        level = self._random.choices(list(Level), (14, 5, 1))[0]
        on = self.stage.today
        pupil = await self.stage.enter(level, keeper.person, room=self._houses[keeper.school].room, on=on)
        history, kept = History(on, [(on, level)]), [(on, str(keeper.person.id))]
        self._children.append(Child(pupil, keeper.school, history, keeper, keepers=kept))

    # ------------------------------------------------------------------------------------------------------------ days
    async def run(self) -> None:
        """All mornings, and what people do on each of them."""
        await self.prepare()
        for _ in range(self._size.days):
            await self._morning()
            self._check()
            await self._live()
            if self.stage.today.weekday() == 0:
                await self._compare()

    async def _morning(self) -> None:
        stage, before = self.stage, len(self.stage.told)
        day = stage.today + DAY
        stage.at(day, time(0, 5))
        if self._is_counted:
            await stage.works.counting.recount_all()
        await stage.works.telling.tell()
        stage.at(day, time(7, 45))
        while await stage.deliver():
            await stage.works.telling.tell()
        for person in stage.away:
            self._away[person].add(day)
        fresh = stage.told[before:]
        counts = Counter(each.person_id for each in fresh)
        self.faults.over_the_cap += [f"{day}: {person} {n}" for person, n in counts.items() if n > 1]
        if fresh and not self._houses[0].days.is_open(day):
            self.faults.out_of_school.append(f"{day}: {len(fresh)}")
        for each in fresh:
            self._heard[each.person_id].append(day)
        self.counts["messages"] += len(fresh)

    def _due(self, child: Child, day: date) -> DueDays | None:
        return due_days(child.history, self._rules, self._houses[child.school].days, day)

    def _overdue(self) -> list[tuple[Child, DueDays, int]]:
        """The children whose day has come, and how many school days ago that was."""
        found, today = [], self.stage.today
        for child in self._children:
            due = None if child.is_gone else self._due(child, today)
            if due is not None and due.first <= today:
                passed = self._houses[child.school].days.open_since(due.first, today)
                found.append((child, due, passed))
        return found

    def _check(self) -> None:
        """Whoever answers for what is overdue has heard of it, each by the day of the rule. What comes up after
        Friday's message is told on Monday."""
        today = self.stage.today
        if not self._houses[0].days.is_open(today):
            return
        for child, due, passed in self._overdue():
            house = self._houses[child.school]
            lead, leader = {str(house.lead.id)}, {str(house.leader.id)}
            # Where nobody keeps contact any more the head teacher answers for the child.
            keepers = child.kept_since(due.first) | ({str(house.head.id)} if child.keeper is None else set())
            for after, people, above in (
                (STEPS[0], keepers, lead | leader),
                (STEPS[1], lead, leader),
                (STEPS[2], leader, set[str]()),
            ):
                if passed < after:
                    continue
                self.counts["asked"] += 1
                since = house.days.open_after(due.first, after)
                is_lost = any(self._was_away(person, due.first) for person in keepers | lead)
                # Where somebody cannot be reached, whoever stands above has heard instead, and earlier.
                heard = self._have_heard(people | above, due.first) if is_lost else self._have_heard(people, since)
                if not heard:
                    self.faults.unheard.append(f"{today}: due {due.first}, step {after}, {child.keeper}")
            self._check_taken_over(child, due)

    def _check_taken_over(self, child: Child, due: DueDays) -> None:
        """Whoever takes over what is overdue hears of it by the next day of school."""
        since, person = child.keepers[-1]
        days, today = self._houses[child.school].days, self.stage.today
        is_new = child.keeper is not None and since > due.first and days.open_since(since, today) >= 1
        if is_new and not self._was_away(person, since):
            self.counts["asked of those who took over"] += 1
            if not self._have_heard({person}, since):
                self.faults.unheard.append(f"{today}: taken over {since}")

    def _have_heard(self, people: set[str], since: date) -> bool:
        return any(since <= day <= self.stage.today for person in people for day in self._heard[person])

    def _was_away(self, person: str, since: date) -> bool:
        return any(since <= day <= self.stage.today for day in self._away[person])

    # ---------------------------------------------------------------------------------------------------------- people
    async def _live(self) -> None:
        """What everybody does on a day: what they heard of, what they planned, and what else happens."""
        today, random = self.stage.today, self._random
        self.stage.at(today, time(16))
        for child, is_forced in self._plans.pop(today, []):
            await self._contact(child, is_forced=is_forced)
        for child, _, passed in self._overdue():
            self._react(child, passed)
            house = self._houses[child.school]
            is_left = child.keeper is None and self._has_heard(house.lead)
            if is_left or (passed >= STEPS[2] and self._has_heard(house.leader)):
                await self._give_to_another(child)
        if self._houses[0].days.is_open(today):
            for child in random.sample(self._children, max(1, len(self._children) // 150)):
                await self._contact(child)
        await self._events()

    def _has_heard(self, person: Person) -> bool:
        return self.stage.today in self._heard[str(person.id)]

    def _react(self, child: Child, passed: int) -> None:
        keeper, house, today = child.keeper, self._houses[child.school], self.stage.today
        if keeper is None:
            return
        if self._has_heard(keeper.person) and self._is_working(keeper):
            wait = {Manner.PROMPT: 0, Manner.SLOW: self._random.randint(1, 5)}.get(keeper.manner, -1)
            if wait >= 0:
                self._plans[today + DAY * (wait + 1)].append((child, False))
        is_asked = self._has_heard(house.lead) and passed >= STEPS[1]
        if is_asked and keeper.manner is not Manner.HOPELESS and self._is_working(keeper):
            self._plans[today + DAY * 2].append((child, True))

    def _is_working(self, teacher: Teacher) -> bool:
        today = self.stage.today
        return teacher.manner is not Manner.ILL or not date(2026, 10, 20) <= today <= date(2026, 12, 1)

    async def _contact(self, child: Child, *, is_forced: bool = False) -> None:
        """A visit when one is due or nearly, else a call; every fifth reaches nobody."""
        if child.is_gone or (child.keeper is None and not is_forced):
            return
        today, due = self.stage.today, self._due(child, self.stage.today)
        is_visit = bool(due and due.visit_due_on and due.visit_due_on <= today + DAY * 14)
        way = Way.VISIT if is_visit else Way.CALL
        is_reached = self._random.random() < 0.8
        agreed = today + DAY * self._random.randint(2, 9) if self._random.random() < 0.1 else None
        counted = self._is_counted
        await self.stage.record(child.pupil, way, is_reached=is_reached, next_on=agreed, recount=counted)
        made = Contact(today, way, is_reached, agreed)
        child.history = replace(child.history, contacts=[*child.history.contacts, made])
        self.counts["contacts" if is_reached else "attempts"] += 1

    async def _give_to_another(self, child: Child) -> None:
        others = [each for each in self._teachers if each.school == child.school and each.manner is Manner.PROMPT]
        child.keeper = self._random.choice(others)
        await self.stage.hand_over(child.pupil, child.keeper.person)
        child.keepers.append((self.stage.today, str(child.keeper.person.id)))
        self._plans[self.stage.today + DAY * 2].append((child, True))
        self.counts["handed over"] += 1

    async def _events(self) -> None:
        """Levels are given, children come and go, a teacher leaves, the rule changes, a lead cannot be reached."""
        today, random = self.stage.today, self._random
        if random.random() < len(self._children) / 1500:
            child = random.choice(self._children)
            level = random.choice(list(Level))
            if not child.is_gone:
                await self.stage.give(child.pupil, level)
                child.history = replace(child.history, levels=[*child.history.levels, (today, level)])
                self.counts["levels"] += 1
        if today.day == 10:
            here = [each for each in self._teachers if each.manner is not Manner.LEAVING or today < LEFT_ON]
            await self._enter(random.choice(here))
            child = random.choice(self._children)
            child.is_gone = True
            await Pupil.filter(id=child.pupil.id).update(status=PupilStatus.LEFT, left_on=today)
        if today == LEFT_ON:
            await self._leave()
        if today == CHANGED_ON:
            await self._new_rule({**SUGGESTED, Level.GREEN: Beat(45, 120), Level.YELLOW: Beat(20, 60)})
        lead = str(self._houses[0].lead.id)
        self.stage.away.discard(lead)
        if date(2026, 12, 1) <= today <= date(2026, 12, 31):
            self.stage.away.add(lead)

    async def _leave(self) -> None:
        for teacher in self._teachers:
            if teacher.manner is Manner.LEAVING:
                await leave_the_staff(teacher.person, self.stage.today)
                for child in self._children:
                    if child.keeper is teacher:
                        child.keeper = None
                        self.counts["left alone"] += 1

    # ------------------------------------------------------------------------------------------------------------ rows
    async def _compare(self) -> None:
        """The rows say what the year's own book says."""
        rows = {row.pupil_id: row for row in await ContactsDue.all()}
        today = local_date(self.stage.clock.now())
        for child in self._children:
            row, due = rows[child.pupil.id], None if child.is_gone else self._due(child, today)
            found = (row.due_on, row.visit_due_on) if row.due_on else None
            wanted = (due.due_on, due.visit_due_on) if due else None
            # Who has left today is found the next night.
            if found != wanted and not child.is_gone:
                self.faults.otherwise_due.append(f"{today}: {found} instead of {wanted}")
            self.counts["rows compared"] += 1
