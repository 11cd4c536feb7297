"""Who has not answered: told through the outbox once a day at most, and a list of whom to ring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.identity import Actor
from bot.rights import Action, may
from bot.storage.database import transaction
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences, ChildMeant, WardMeant
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.scope import as_id, missing
from handlers.after_school.domain.ledger import NobodyToRemind, RemindedToday, Standing, TallyClosed
from handlers.after_school.domain.offers import EnrolmentClosed
from handlers.after_school.service.collection.desk import CollectionDesk, plan_at
from handlers.after_school.service.collection.ledger import NOTHING, ledger
from handlers.after_school.service.collection.tallies import TallyService
from handlers.after_school.service.collection.views import ClassTally, PlanAt, Ring, ToRing
from handlers.after_school.texts import collection as texts
from handlers.consent.domain.decisions import Standing as ConsentStanding
from handlers.consent.service.consents import ConsentService
from handlers.deliveries.service.lines import HandList, NewLine

SOURCE: Final = "tally"
_RULE: Final = "tally.remind"
_LIFE: Final = timedelta(days=2)
_GUARDIANS: Final = frozenset({AudienceRole.GUARDIANS})
_TO_ASK: Final = (Standing.DISAGREEING, Standing.UNANSWERED)
_REFUSED: Final = frozenset({ConsentStanding.REFUSED, ConsentStanding.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class ChasingParts:
    """What it works with."""

    desk: CollectionDesk
    tallies: TallyService
    audiences: AccountsAudiences
    people: PeopleService
    hand_list: HandList


class Chasing:
    """The use cases."""

    def __init__(self, parts: ChasingParts, *, outbox: Outbox, audit: Audit, clock: Clock) -> None:
        self._parts = parts
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- to ring
    async def to_ring(self, actor: Actor, plan_id: str, class_id: str) -> tuple[ClassTally, list[ToRing]]:
        """The children of a class to ask about, and whom. Raises NotFound."""
        tally = await self._parts.tallies.of_class(actor, plan_id, class_id)
        return tally, await self.rings(tally)

    async def rings(self, tally: ClassTally) -> list[ToRing]:
        """Of a list that was read: those with two answers first, by name."""
        lines = [line for standing in _TO_ASK for line in tally.of(standing)]
        known = await self._families([line.seat.child_id for line in lines])
        return [
            ToRing(line.seat, line.heard.standing, _whom(known.get(line.seat.child_id)))
            for line in lines
        ]  # fmt: skip

    async def reveal(self, actor: Actor, plan_id: str, class_id: str, person_id: str) -> str:
        """The phone of somebody on the list, "" for none; written down. Raises NotFound."""
        tally, rings = await self.to_ring(actor, plan_id, class_id)
        if str(as_id(person_id)) not in {each.person_id for ring in rings for each in ring.whom}:
            raise missing(actor, Action.CONTACT_REVEAL, tally.room.subject)
        return await self._parts.people.reveal(actor, "person", person_id, "phone")

    async def phones(self, actor: Actor, tally: ClassTally, rings: Sequence[ToRing]) -> Mapping[str, str]:
        """The phone of the first to call about each child, by person, each written down; {} for who may not see
        them."""
        if not may(actor, Action.CONTACT_REVEAL, tally.room.subject):
            return {}
        found: dict[str, str] = {}
        for ring in rings:
            if ring.whom and ring.whom[0].person_id not in found:
                own = ring.whom[0].person_id
                found[own] = await self._parts.people.reveal(actor, "person", own, "phone")
        return found

    async def _families(self, child_ids: Collection[str]) -> Mapping[str, ChildMeant]:
        if not child_ids:
            return {}
        meant = Audience(roles=_GUARDIANS, pupil_ids=frozenset(child_ids))
        found = await self._parts.audiences.children_of(meant, self._parts.desk.today)
        return {each.child.id: each for each in found}

    # ---------------------------------------------------------------------------------------------------------- to tell
    async def remind(self, actor: Actor, plan_id: str, class_id: str) -> int:
        """Tells the families of a class that have not answered; gives how many people. Raises NotFound, TallyClosed,
        EnrolmentClosed, NobodyToRemind, RemindedToday."""
        plan, room = await self._parts.desk.room(actor, Action.TALLY_ENTER, plan_id, class_id)
        now, today = self._clock.now(), self._parts.desk.today
        tally = await self._parts.tallies.of_class(actor, plan_id, class_id)
        if plan.is_over(today):
            raise EnrolmentClosed
        if tally.is_closed:
            raise TallyClosed
        children = frozenset(line.seat.child_id for line in tally.of(Standing.UNANSWERED))
        if not children:
            raise NobodyToRemind
        meant = Audience(roles=_GUARDIANS, pupil_ids=children)
        recipients = await self._parts.audiences.people(meant, today)
        pushes = [
            _push(plan, each.person_id, tuple(sorted(ward.id for ward in each.children)), now) for each in recipients
        ]
        known = {ward.id for each in recipients for ward in each.children}
        async with transaction():
            count = await self._outbox.promise(pushes)
            nobody = await self._parts.hand_list.add([_line(plan, child, now) for child in sorted(children - known)])
            if not count and not nobody:
                raise RemindedToday
            await self._audit.record(
                actor, Action.TALLY_ENTER, f"tally:{plan.id}", whose=room.subject, purpose="remind"
            )
        return count


class TallyPushes:
    """A `PushSource`: the last word before a family is told."""

    def __init__(self, audiences: AccountsAudiences, consents: ConsentService) -> None:
        self._audiences = audiences
        self._consents = consents

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """Plan by plan: who has answered meanwhile is left in peace."""
        by_plan: dict[str, list[Push]] = defaultdict(list)
        for push in pushes:
            by_plan[push.reason.partition(":")[2]].append(push)
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for plan_id, mine in by_plan.items():
            plan = await plan_at(UUID(plan_id))
            if plan is None or plan.is_over(local_date(now)):
                found |= {push.id: NotNeeded("over") for push in mine}
            else:
                found |= await self._of_plan(plan, mine, now)
        return found

    async def _of_plan(
        self, plan: PlanAt, pushes: Sequence[Push], now: datetime
    ) -> dict[str, Composed | NotNeeded | NotYet]:
        wards = await self._audiences.wards_of([push.person_id for push in pushes], local_date(now))
        meant = {push.id: wards.get(push.person_id, frozenset()) & frozenset(push.child_ids) for push in pushes}
        children = frozenset().union(*meant.values())
        known = await ledger(plan.id, children)
        silent = {child for child in children if known.get(child, NOTHING).standing is Standing.UNANSWERED}
        names = await self._names(silent)
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            mine = sorted({names[child] for child in meant[push.id] & silent if child in names})
            found[push.id] = _words(plan, mine) if mine else NotNeeded("answered")
        return found

    async def _names(self, child_ids: Collection[str]) -> Mapping[str, str]:
        """Not by name where a guardian has said no to the child's data being used."""
        standings = await self._consents.standings(child_ids) if child_ids else {}
        wards: Mapping[str, WardMeant] = await self._audiences.children(child_ids)
        return {
            child: texts.PUSH_YOURS if standings.get(child) in _REFUSED else ward.name for child, ward in wards.items()
        }


def _push(plan: PlanAt, person_id: str, child_ids: tuple[str, ...], now: datetime) -> NewPush:
    return NewPush(
        reason=f"{SOURCE}:{plan.id}",
        occurrence=local_date(now).isoformat(),
        person_id=person_id,
        rule=_RULE,
        purpose=Purpose.REMINDER,
        not_before=now,
        expires_at=now + _LIFE,
        child_ids=child_ids,
    )


def _line(plan: PlanAt, child_id: str, now: datetime) -> NewLine:
    return NewLine(
        reason=f"{SOURCE}:{plan.id}",
        occurrence=local_date(now).isoformat(),
        person_id=None,
        child_id=child_id,
        purpose=Purpose.REMINDER,
        not_before=now,
        expires_at=now + _LIFE,
        rule=_RULE,
    )


def _words(plan: PlanAt, names: Sequence[str]) -> Composed:
    known = {"title": plan.title, "names": texts.COMMA.join(names)}
    line = texts.PUSH_LINE.format(**known)
    slots = {Slot.SUBJECT: texts.PUSH_SUBJECT, Slot.SENDER: plan.title, Slot.NOTE: known["names"]}
    return Composed(text=texts.PUSH_TEXT.format(**known), line=line, slots=slots)


def _whom(child: ChildMeant | None) -> list[Ring]:
    if child is None:
        return []
    return [Ring(each.person_id, each.name, each.relation_name, each.is_bound) for each in child.guardians]
