"""What became of a notice, child by child: from the list, from delivery, and from what people ticked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.clock import Clock, local_date
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.rights import Reach
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.audiences import AccountsAudiences, GuardianMeant, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.deliveries.domain import LineState
from handlers.deliveries.service.lines import HandList
from handlers.notices.domain import NO_CHILD, Confirmation, Confirmed, How, is_satisfied
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from handlers.notices.service.rows import as_id, reason_of
from handlers.notices.service.sending import CALL, occurrences_of
from handlers.notices.service.views import ChildOutcome, PersonOutcome

GONE: Final = "（已离校）"


@dataclass(frozen=True, slots=True)
class Told:
    """How the telling of one grown-up ended, over all sends: `status` of the best."""

    status: str
    channel: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything a line is made of."""

    told: Mapping[str, Told]
    wards: Mapping[str, WardMeant]
    guardians: Mapping[tuple[str, str], GuardianMeant]
    names: Mapping[str, str]
    ticks: Mapping[str, tuple[How, str | None, datetime | None]]


class Outcomes:
    """Over the tables."""

    def __init__(
        self, audiences: AccountsAudiences, offices: Offices, hand_list: HandList, outbox: Outbox, clock: Clock
    ) -> None:
        self._audiences = audiences
        self._offices = offices
        self._hand_list = hand_list
        self._outbox = outbox
        self._clock = clock

    async def told(self, row: Notice) -> dict[str, Told]:
        """By person. What delivery has forgotten the list still knows."""
        kept = await NoticeRecipient.filter(notice_id=row.id, told_at__not_isnull=True).values_list(
            "person_id", "channel", "told_at"
        )
        found = {str(person): Told(DeliveryStatus.SENT.value, channel or "", at) for person, channel, at in kept}
        for occurrence in occurrences_of(row):
            for person, state in (await self._outbox.reached(reason_of(row.id), occurrence)).items():
                before = found.get(person)
                if before is None or before.status != DeliveryStatus.SENT.value:
                    channel = state.channel.value if state.channel else ""
                    found[person] = Told(state.status.value, channel, state.at)
        return found

    async def children(
        self, row: Notice, reach: Reach, class_id: str | None = None, *, is_named: bool = True
    ) -> list[ChildOutcome]:
        """The children within reach, by class and name. Without `is_named` grown-ups have no names: for counting."""
        rows = [each for each in await NoticeChild.filter(notice_id=row.id) if _within(each, reach, row)]
        if class_id is not None:
            wanted = as_id(class_id)
            rows = [each for each in rows if each.class_id == wanted]
        ids = {str(each.child_id) for each in rows}
        lists: dict[str, list[NoticeRecipient]] = defaultdict(list)
        for each in await NoticeRecipient.filter(notice_id=row.id).exclude(child_id=NO_CHILD):
            if str(each.child_id) in ids:
                lists[str(each.child_id)].append(each)
        known = await self._known(row, rows, lists, is_named=is_named)
        found = [_child(row, each, lists[str(each.child_id)], known) for each in rows]
        return sorted(found, key=lambda each: (each.school, each.class_name, each.name, each.child_id))

    async def staff(self, row: Notice) -> list[PersonOutcome]:
        """Those who were told for themselves."""
        rows = await NoticeRecipient.filter(notice_id=row.id, child_id=NO_CHILD)
        people = [str(each.person_id) for each in rows]
        known = _Known(await self.told(row), {}, {}, await self._names(people), {})
        return sorted((_person(each, known) for each in rows), key=lambda each: (each.name, each.person_id))

    async def ticks(self, row: Notice) -> dict[str, tuple[How, str | None, datetime | None]]:
        """How a person told each child's family, who and when: here, or on the list of calls."""
        found: dict[str, tuple[How, str | None, datetime | None]] = {}
        for occurrence in (*occurrences_of(row), CALL):
            for child, line in (await self._hand_list.of_matter(reason_of(row.id), occurrence)).items():
                if line.state is LineState.TOLD and line.way is not None:
                    found[child] = (How(line.way.value), line.settled_by, line.settled_at)
        own = NoticeChild.filter(notice_id=row.id, hand_how__not_isnull=True)
        for child, how, person, at in await own.values_list("child_id", "hand_how", "hand_by", "hand_at"):
            found[str(child)] = (How(how), str(person) if person else None, at)
        return found

    async def _known(
        self,
        row: Notice,
        rows: Sequence[NoticeChild],
        lists: Mapping[str, Sequence[NoticeRecipient]],
        *,
        is_named: bool,
    ) -> _Known:
        children = frozenset(str(each.child_id) for each in rows)
        ticks = await self.ticks(row)
        people = {str(each.person_id) for own in lists.values() for each in own}
        people |= {person for _, person, _ in ticks.values() if person}
        return _Known(
            told=await self.told(row),
            wards=await self._audiences.children(children),
            guardians=await self._guardians(children) if is_named else {},
            names=await self._names(people) if is_named else {},
            ticks=ticks,
        )

    async def _guardians(self, children: frozenset[str]) -> dict[tuple[str, str], GuardianMeant]:
        if not children:
            return {}
        meant = Audience(roles=frozenset({AudienceRole.GUARDIANS}), pupil_ids=children)
        families = await self._audiences.children_of(meant, local_date(self._clock.now()))
        return {(each.child.id, guardian.person_id): guardian for each in families for guardian in each.guardians}

    async def _names(self, people: Collection[str]) -> dict[str, str]:
        return {person: caller.name for person, caller in (await self._offices.people(people)).items()}


def _within(child: NoticeChild, reach: Reach, row: Notice) -> bool:
    return (
        reach.is_any
        or str(row.township_id) in reach.townships
        or str(child.school_id) in reach.schools
        or str(child.class_id) in reach.classes
    )


def _child(row: Notice, child: NoticeChild, mine: Sequence[NoticeRecipient], known: _Known) -> ChildOutcome:
    own = str(child.child_id)
    ward = known.wards.get(own)
    people = tuple(sorted((_person(each, known) for each in mine), key=lambda each: (not each.is_acting, each.name)))
    how, by, at = known.ticks.get(own, (None, None, None))
    confirmed = [Confirmed(each.person_id, each.is_acting, each.confirmed_at is not None) for each in people]
    is_asked = row.confirmation is not Confirmation.NONE
    return ChildOutcome(
        child_id=own,
        name=ward.name if ward else GONE,
        school=ward.school if ward else "",
        class_id=str(child.class_id) if child.class_id else "",
        class_name=ward.class_name if ward else "",
        people=people,
        is_told=any(each.status == DeliveryStatus.SENT.value for each in people),
        is_opened=any(each.opened_at is not None for each in people),
        is_confirmed=is_asked and is_satisfied(row.who, confirmed, by_hand=child.confirmed_by_hand),
        by_hand=how,
        by_hand_by=known.names.get(by or "", ""),
        by_hand_at=at,
    )


def _person(row: NoticeRecipient, known: _Known) -> PersonOutcome:
    person = str(row.person_id)
    told = known.told.get(person, Told("", "", None))
    guardian = known.guardians.get((str(row.child_id), person))
    return PersonOutcome(
        person_id=person,
        name=known.names.get(person, ""),
        relation=guardian.relation_name if guardian else "",
        is_acting=row.is_acting,
        status=told.status,
        channel=told.channel,
        told_at=told.at if told.status == DeliveryStatus.SENT.value else None,
        opened_at=row.opened_at,
        confirmed_at=row.confirmed_at,
        how=row.how,
        answers=json.loads(row.answers) if row.answers else {},
    )
