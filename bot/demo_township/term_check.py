"""What the made-up township did at the beginning of its term: most classes have reported, some children are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock
from bot.delivery.outbox import Outbox
from bot.demo_township.plan import TownshipPlan
from bot.identity import SYSTEM, Actor
from bot.metrics import Metrics
from bot.storage.files import FileStore
from handlers.accounts.domain import AppointmentKind, SchoolKind
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.rolls import ClassRolls
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.service.holding import Holding
from handlers.duties.service.pushes import DutyReminders
from handlers.duties.service.tasks import TaskService
from handlers.term_check.domain.cases import KnownBy, StepKind
from handlers.term_check.domain.rules import SUGGESTED
from handlers.term_check.service.cases import CaseParts, CaseService, Talk
from handlers.term_check.service.returns import Handed, ReturnParts, ReturnService
from handlers.term_check.service.rounds import RoundKeeper
from handlers.term_check.service.rules import CheckRules, NewRule

_SAMPLE: Final = "演示用的样例，不是任何乡镇的文件"
_SILENT_EVERY: Final = 4
_MISSING_EVERY: Final = 3


async def put_term_checks(plan: TownshipPlan, ids: Mapping[str, UUID], clock: Clock) -> None:
    """In the caller's transaction, when the calendar is there; nothing in the holidays."""
    keeper, returns, cases, rules = _services(clock)
    ladder, limits = SUGGESTED
    centre = next(school.key for school in plan.schools if school.kind is SchoolKind.SCHOOL)
    rule = NewRule(
        since=plan.today, ladder=ladder, limits=limits, clause=_SAMPLE, centre_school_id=str(ids[centre])
    )  # fmt: skip
    await rules.set(SYSTEM, str(ids[""]), rule)
    for school in plan.schools:
        if school.kind is not SchoolKind.KINDERGARTEN and not await keeper.begin(str(ids[school.key])):
            return
    heads = {each.place: each.person for each in plan.charges if each.kind is AppointmentKind.HEAD_TEACHER}
    rooms = [room for room in plan.classes if room.key in heads and room.year == plan.year and room.grade > 0]
    for number, room in enumerate(rooms):
        if number % _SILENT_EVERY != _SILENT_EVERY - 1:
            head = await AccountsIdentity(clock).actor_of_person(ids[heads[room.key]])
            await _report(returns, cases, head, str(ids[room.key]), is_full=number % _MISSING_EVERY != 0)


async def _report(returns: ReturnService, cases: CaseService, head: Actor, room: str, *, is_full: bool) -> None:
    lines = (await returns.of_class(head, room)).lines
    missing = [] if is_full else [line.child_id for line in lines[:2]]
    reported = await returns.report(head, Handed(room, frozenset(missing), has_checked_contacts=is_full))
    for line, is_found in zip([line for line in reported.of.lines if line.is_open], (True, False), strict=False):
        own = line.case_id or ""
        await cases.talk(head, own, Talk(StepKind.CALL, "第一次没人接，晚上再打"))
        if is_found:
            await cases.talk(head, own, Talk(StepKind.VISIT, "见到奶奶，说过两天就送来"))
            await cases.locate(head, own, "跟父母在外地，等父亲送回来", KnownBy.GUARDIAN)


def _services(clock: Clock) -> tuple[RoundKeeper, ReturnService, CaseService, CheckRules]:
    places, offices, audit, audiences = PlaceService(), Offices(clock), Audit(clock), AccountsAudiences()
    rolls, calendars, holding = ClassRolls(), CalendarService(places), Holding(offices)
    reminders = DutyReminders(Outbox(clock, Metrics()), holding, offices, clock)
    tasks = TaskService(holding, offices, reminders, audit=audit, clock=clock)
    keeper = RoundKeeper(rolls, places, calendars, clock)
    returns = ReturnService(ReturnParts(rolls, places, audiences, calendars, keeper, tasks), audit, clock)
    parts = CaseParts(returns, rolls, offices, audiences, calendars, FileStore(clock))
    return keeper, returns, CaseService(parts, audit, clock), CheckRules(offices, places, audit, clock)
