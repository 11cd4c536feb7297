"""A town, a calendar that can be changed, reasons that say what a test says, and planners over a real database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.models import OutboxPush
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from bot.delivery.reminding import Choice, DueReminder, Occurrence, Reminded, ReminderReason, Rule
from bot.metrics import Metrics
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.calendar.domain import Facts, SchoolCalendar, Term
from handlers.reminders.service.planner import ReminderPlanner
from handlers.reminders.service.source import ReminderSource

FIRST_TERM = Term(date(2026, 9, 1), date(2027, 1, 22), "上学期")
SECOND_TERM = Term(date(2027, 3, 1), date(2027, 7, 9), "下学期")


def at(month: int, day: int, hour: int = 8, minute: int = 0, *, year: int = 2026) -> datetime:
    """A moment in China."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


@dataclass
class Calendars:
    """Calendars by school; the common one under None. `change` puts another in the place of one."""

    by_school: dict[str | None, SchoolCalendar] = field(default_factory=dict)
    version: int = 1

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """As the service gives them."""
        found = (
            self.by_school.get(school_id)
            or self.by_school.get(None)
            or SchoolCalendar(Facts((FIRST_TERM, SECOND_TERM)))
        )
        found.version = self.version
        return found

    async def as_of_now(self) -> Calendars:
        """As the service gives them."""
        return self

    def change(self, facts: Facts, school_id: str | None = None) -> None:
        """From now on."""
        self.version += 1
        self.by_school[school_id] = SchoolCalendar(facts, self.version)


@dataclass
class Matters:
    """A reason: occurrences by id, and whom each is for; without an entry the guardians at its schools."""

    name: str = "matter"
    rule: Rule = field(default_factory=Rule)
    days: dict[str, Occurrence] = field(default_factory=dict)
    people: dict[str, Sequence[Reminded]] = field(default_factory=dict)
    unwanted: set[str] = field(default_factory=set)
    audiences: AccountsAudiences = field(default_factory=AccountsAudiences)
    composed: list[DueReminder] = field(default_factory=list)

    def put(self, id: str, day: date, *schools: str, people: Sequence[str] = ()) -> None:
        """Something that happens, on another day than before if it was there."""
        self.days[id] = Occurrence(id=id, day=day, schools=schools)
        if people:
            self.people[id] = [Reminded(person) for person in people]

    async def occurrences(self, first: date, last: date) -> Sequence[Occurrence]:
        """As `ReminderReason`."""
        return [each for each in self.days.values() if first <= each.day <= last]

    async def recipients(
        self, occurrence: Occurrence, schools: Collection[str], today: date
    ) -> Sequence[Choice | Reminded]:
        """As `ReminderReason`."""
        if occurrence.id in self.people:
            return self.people[occurrence.id]
        everybody = Audience(roles=frozenset({AudienceRole.GUARDIANS}), schools=frozenset(schools), has_points=False)
        return [await self.audiences.select(everybody, today)]

    async def compose(
        self, reminders: Sequence[DueReminder], now: datetime
    ) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """As `ReminderReason`."""
        self.composed += reminders
        return {
            each.push.id: NotNeeded("unwanted") if each.occurrence in self.unwanted else words(each)
            for each in reminders
        }


def words(due: DueReminder) -> Composed:
    """Which day is told, and which was told before."""
    told = f"，不是{due.told}" if due.told else ""
    line = f"{due.occurrence}：{due.day}{told}"
    return Composed(text=line, line=line, slots={Slot.SUBJECT: due.occurrence, Slot.WHEN: due.day})


@dataclass
class Stage:
    """Planners over one database; a second one is another `Stage` over the same parts."""

    clock: FrozenClock
    calendars: Calendars = field(default_factory=Calendars)
    matters: Matters = field(default_factory=Matters)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.clock, Metrics())
        self.planner = ReminderPlanner(self.reasons, self.calendars, self.outbox, self.clock)
        self.source = ReminderSource(self.reasons, self.calendars, self.matters.audiences, self.outbox)

    def reasons(self) -> Sequence[ReminderReason]:
        """The only one."""
        return [self.matters]

    def second(self) -> Stage:
        """Another process."""
        return Stage(self.clock, self.calendars, self.matters)

    async def tick(self, moment: datetime | None = None) -> int:
        """Plans, at a moment."""
        if moment is not None:
            self.clock.set(moment)
        return await self.planner.tick()

    async def deliver(self, moment: datetime | None = None) -> list[tuple[str, str]]:
        """Does what a worker does: asks for the words of what is due and settles it; gives whom it told what."""
        if moment is not None:
            self.clock.set(moment)
        now = self.clock.now()
        rows = await OutboxPush.filter(status=DeliveryStatus.PLANNED, not_before__lte=now).order_by("not_before", "id")
        late = [row for row in rows if row.expires_at <= now]
        due = [row for row in rows if row.expires_at > now]
        await OutboxPush.filter(id__in=[row.id for row in late]).update(status=DeliveryStatus.EXPIRED)
        verdicts = await self.source.compose([as_push(row) for row in due], now)
        told = []
        for row in due:
            verdict = verdicts.get(str(row.id), NotNeeded("left_out"))
            if isinstance(verdict, NotYet):
                row.not_before = verdict.not_before
            elif isinstance(verdict, NotNeeded):
                row.status, row.last_error = DeliveryStatus.NOT_NEEDED, verdict.why
            else:
                row.status = DeliveryStatus.SENT
                told.append((str(row.person_id), verdict.text))
            row.updated_at = now
            await row.save()
        return sorted(told)


def as_push(row: OutboxPush) -> Push:
    """As the worker hands it over."""
    return Push(
        id=str(row.id),
        reason=row.reason,
        occurrence=row.occurrence,
        person_id=str(row.person_id),
        rule=row.rule,
        purpose=row.purpose,
        push_class=row.push_class,
        child_ids=tuple(row.child_ids.split("+")) if row.child_ids else (),
        not_before=row.not_before,
        expires_at=row.expires_at,
    )


async def promised() -> list[tuple[str, datetime]]:
    """Everything promised: what, from when on, in China's time."""
    rows = await OutboxPush.all().order_by("not_before", "occurrence", "person_id")
    return [(row.occurrence, row.not_before.astimezone(SHANGHAI)) for row in rows]


async def statuses() -> dict[str, int]:
    """How many promises there are of each status."""
    found: dict[str, int] = {}
    for status in await OutboxPush.all().values_list("status", flat=True):
        found[str(status)] = found.get(str(status), 0) + 1
    return found


EVENING = time(18, 0)
HOUR = timedelta(hours=1)
