"""The check at the beginning of a term, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.capability import Capability, EntryPoints, Machinery
from bot.scheduler.jobs import Every, Job
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.rolls import ClassRolls
from handlers.calendar.service.calendars import CalendarService
from handlers.duties.service.tasks import TaskService
from handlers.term_check.admin.board import BoardPages
from handlers.term_check.admin.cases import CasePages
from handlers.term_check.admin.classes import ClassPages
from handlers.term_check.admin.rules import RulePages
from handlers.term_check.chat import TermCheckChat
from handlers.term_check.service.board import Board
from handlers.term_check.service.cases import CaseParts, CaseService
from handlers.term_check.service.ladder import SOURCE, Climbing
from handlers.term_check.service.records import CheckRecords
from handlers.term_check.service.returns import ReturnParts, ReturnService
from handlers.term_check.service.rounds import RoundKeeper
from handlers.term_check.service.rules import CheckRules

# Whom it tells follows from what classes report from day to day: no rehearsal knows that.
_PACE: Final = timedelta(minutes=20)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    clock, audit, get = machinery.clock, machinery.audit, machinery.services.get
    rolls, places, offices, calendars = ClassRolls(), PlaceService(), Offices(clock), get(CalendarService)
    audiences = get(AccountsAudiences)
    keeper = RoundKeeper(rolls, places, calendars, clock)
    returns = ReturnService(ReturnParts(rolls, places, audiences, calendars, keeper, get(TaskService)), audit, clock)
    cases = CaseService(CaseParts(returns, rolls, offices, audiences, calendars, machinery.files), audit, clock)
    rules, board = CheckRules(offices, places, audit, clock), Board(rolls, offices, calendars, audit, clock)
    climbing, records = Climbing(machinery.outbox, offices, calendars, clock), CheckRecords(machinery.files, clock)
    machinery.services.add(keeper, returns, cases, rules, board, climbing)

    async def run() -> None:
        await keeper.keep()
        await climbing.climb()
        await climbing.ask()

    return EntryPoints(
        routes=TermCheckChat(returns, cases).routes(),
        admin=(
            *ClassPages(returns).routes(),
            *BoardPages(board, clock).routes(),
            *CasePages(cases).routes(),
            *RulePages(rules).routes(),
        ),
        jobs=(Job("term_check.run", Every(_PACE), run),),
        pushes={SOURCE: climbing},
        todos=(returns, cases),
        child_records=(records,),
        retention=(records,),
        dependents=(records,),
    )


TERM_CHECK = Capability(name="term_check", build=build)
