"""Collecting, put together."""

from __future__ import annotations

from dataclasses import dataclass

from bot.capability import Machinery
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.rolls import ClassRolls
from handlers.after_school.service.collection.audiences import StandingAudiences
from handlers.after_school.service.collection.chasing import Chasing, ChasingParts, TallyPushes
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.entering import Entering
from handlers.after_school.service.collection.lists import CollectionLists
from handlers.after_school.service.collection.records import CollectionRecords, TallyDuties
from handlers.after_school.service.collection.tallies import TallyService
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.service.sign_up import SignUpService
from handlers.consent.service.consents import ConsentService
from handlers.deliveries.service.lines import HandList


@dataclass(frozen=True, slots=True)
class Collection:
    """Its services."""

    tallies: TallyService
    entering: Entering
    chasing: Chasing
    lists: CollectionLists
    pushes: TallyPushes
    audiences: StandingAudiences
    records: CollectionRecords
    duties: TallyDuties


def collection_over(machinery: Machinery) -> Collection:
    """Over the machinery of one application and the services built before."""
    clock, audit, get = machinery.clock, machinery.audit, machinery.services.get
    people, audiences = get(PeopleService), get(AccountsAudiences)
    desk = CollectionDesk(ClassRolls(), people, clock)
    tallies = TallyService(desk, audiences, audit, clock)
    parts = ChasingParts(desk, tallies, audiences, people, get(HandList))
    return Collection(
        tallies=tallies,
        entering=Entering(desk, get(SignUpService), get(LeavingService), audit=audit, clock=clock),
        chasing=Chasing(parts, outbox=machinery.outbox, audit=audit, clock=clock),
        lists=CollectionLists(desk, audit, clock),
        pushes=TallyPushes(audiences, get(ConsentService)),
        audiences=StandingAudiences(desk),
        records=CollectionRecords(),
        duties=TallyDuties(desk, clock),
    )
