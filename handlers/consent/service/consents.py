"""Consent for each child: deciding, withdrawing, how it stands, and what it allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock
from bot.errors import NotPermitted
from bot.identity import Actor, Role
from bot.rights import Action, may, reach_of, require
from bot.storage.database import transaction
from handlers.accounts.service.audience_sql import Selection
from handlers.accounts.service.child_records import Custody, EnrolledChild
from handlers.accounts.service.people import ChildView, PeopleService
from handlers.consent import texts
from handlers.consent.domain.decisions import (
    Decided,
    Decision,
    NothingToWithdraw,
    NoticeChanged,
    Standing,
    is_answered,
    last_of_each,
    standing_of,
)
from handlers.consent.domain.register import Basis, ItemName, item_of
from handlers.consent.models import ConsentEvent
from handlers.consent.service.choosing import Choice, without_declined
from handlers.consent.service.erasure import ErasureService
from handlers.consent.service.events import NewDecision, add_event
from handlers.consent.service.notice import Notice
from handlers.consent.service.standings import Standings
from handlers.consent.service.within import child_within


@dataclass(frozen=True, slots=True)
class ConsentView:
    """How consent for a child stands, as one of its guardians may know it. `own` is what they decided last themselves,
    None for nothing; `stopped_by_another`: another guardian stands against it, and nobody is told who."""

    child_id: str
    standing: Standing
    own: Decision | None
    own_version: str | None
    own_at: datetime | None
    stopped_by_another: bool
    notice_version: str

    @property
    def needs_answer(self) -> bool:
        """Whether there is something to ask the family."""
        return not is_answered(self.standing)


@dataclass(frozen=True, slots=True)
class ClassConsent:
    """A class: how many children it has, and whose families have not answered. What they answered is nobody's
    business."""

    class_id: str
    school: str
    class_name: str
    children: int
    unanswered: tuple[EnrolledChild, ...]


class ConsentService:
    """Everything that is decided for a child's data. `notice` is the version in force."""

    def __init__(
        self,
        people: PeopleService,
        custody: Custody,
        erasure: ErasureService,
        notice: Notice,
        *,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._people = people
        self._custody = custody
        self._standings = Standings(custody)
        self._erasure = erasure
        self.notice = notice
        self._audit = audit
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------- guardians
    async def children(self, actor: Actor) -> Sequence[ChildView]:
        """The children the actor may decide for."""
        require(actor, Action.CONSENT_DECIDE)
        return await self._people.children_of(actor)

    async def state_of(self, actor: Actor, child_id: str) -> ConsentView:
        """How it stands, for a guardian of the child. Raises NotFound, NotPermitted."""
        child_id, _ = await child_within(self._people, actor, Action.CHILD_VIEW, child_id)
        return await self._view(actor, child_id)

    async def decide(
        self, actor: Actor, child_id: str, decision: Decision, version: str | None, channel: str
    ) -> ConsentView:
        """A guardian decides for a child, about the version of the notice they saw. Twice the same is once.

        Raises NoticeChanged when the notice in force is another one (a withdrawal needs none), NothingToWithdraw.
        """
        child_id, whose = await child_within(self._people, actor, Action.CONSENT_DECIDE, child_id)
        if decision is not Decision.WITHDRAWN and version != self.notice.version:
            raise NoticeChanged(details={"version": self.notice.version})
        if actor.person_id is None:
            raise NotPermitted
        async with transaction():
            before = await self._view(actor, child_id)
            if decision is Decision.WITHDRAWN:
                _check_withdrawable(before)
            if not _is_same(before, decision, self.notice.version):
                new = NewDecision(
                    child_id=child_id,
                    person_id=actor.person_id,
                    decision=decision,
                    version=self.notice.version,
                    channel=channel,
                )
                await add_event(new, self._clock.now(), before.own_at)
                await self._audit.record(
                    actor, Action.CONSENT_DECIDE, f"child:{child_id}", whose=whose, purpose=decision.value
                )
            if decision is not Decision.GIVEN:
                await self._erasure.stop(child_id, actor.person_id)
        return await self._view(actor, child_id)

    async def _view(self, actor: Actor, child_id: str) -> ConsentView:
        decided = await self._decided(child_id)
        custody = (await self._custody.of([child_id])).get(child_id, frozenset())
        standing = standing_of(decided, custody, self.notice.version)
        last = last_of_each(decided)
        own = last.get(actor.person_id or "")
        others = [one for person, one in last.items() if person in custody and person != actor.person_id]
        return ConsentView(
            child_id=child_id,
            standing=standing,
            own=own.decision if own else None,
            own_version=own.version if own else None,
            own_at=own.at if own else None,
            stopped_by_another=any(one.decision is not Decision.GIVEN for one in others),
            notice_version=self.notice.version,
        )

    # ---------------------------------------------------------------------------------------------- other capabilities
    async def allows(self, child_id: str, item: ItemName) -> bool:
        """Whether an item may be kept, or used, for a child: what a statutory duty asks always, anything else only
        while consent stands."""
        return bool(await self.allowed([child_id], item))

    async def allowed(self, child_ids: Collection[str], item: ItemName) -> frozenset[str]:
        """Those of the children for whom an item may be kept or used: for many at once."""
        wanted = item_of(item)
        if wanted.basis is Basis.DUTY:
            return frozenset(child_ids)
        return await self._standings.allowed(child_ids, item, self.notice.version)

    async def declined(self, child_ids: Collection[str], item: ItemName) -> frozenset[str]:
        """Those of the children whose families said no to an item that rests on consent, or said yes to a notice that
        is not in force any more. Unlike `allowed`, a family that was never asked is not among them: for what goes to
        the family itself, and does not keep anything."""
        return await self._standings.declined(child_ids, item, self.notice.version)

    def without_declined(self, choice: Choice, item: ItemName) -> Selection:
        """The people of a choice for their children but the `declined` ones, to be run or to become a part of an
        `INSERT … SELECT`; who has no other child among those meant is left out."""
        return without_declined(choice, item, self.notice.version, self._custody)

    async def standings(self, child_ids: Collection[str]) -> dict[str, Standing]:
        """How consent stands for each of many children; for services, which show it to nobody but the family."""
        return await self._standings.of(child_ids, self.notice.version)

    async def to_ask(self, person_id: str) -> list[str]:
        """The children of a guardian whose families have to be asked anew, because the notice has changed."""
        children = await self._custody.children_of(person_id)
        standings = await self.standings(children)
        return [child for child, standing in standings.items() if standing is Standing.OUTDATED]

    # ----------------------------------------------------------------------------------------------------------- staff
    async def overview(self, actor: Actor, class_id: str | None = None) -> list[ClassConsent]:
        """The classes within reach (or the one), and whose families have not answered yet; never what anybody said."""
        children = await self._custody.enrolled(reach_of(actor, Action.CONSENT_VIEW), class_id)
        standings = await self.standings([child.id for child in children])
        by_class: dict[str, list[EnrolledChild]] = defaultdict(list)
        for child in children:
            by_class[child.class_id].append(child)
        return [
            ClassConsent(
                class_id=one,
                school=members[0].school,
                class_name=members[0].class_name,
                children=len(members),
                unanswered=tuple(child for child in members if not is_answered(standings[child.id])),
            )
            for one, members in by_class.items()
        ]

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """For a head teacher: how many families have not answered. A `TodoSource`."""
        if not actor.has(Role.HEAD_TEACHER) or not may(actor, Action.CONSENT_VIEW):
            return []
        count = sum(len(one.unanswered) for one in await self.overview(actor))
        return [Todo(texts.TODO_UNANSWERED, count, "/consents")] if count else []

    # ------------------------------------------------------------------------------------------------------------ rows
    async def _decided(self, child_id: str) -> list[Decided]:
        """Everything decided for a child, in its order."""
        rows = ConsentEvent.filter(pupil_id=UUID(child_id), person_id__not_isnull=True).order_by("created_at", "id")
        columns = await rows.values_list("person_id", "decision", "notice_version", "created_at")
        return [Decided(str(person), Decision(decision), version, at) for person, decision, version, at in columns]


def _check_withdrawable(before: ConsentView) -> None:
    if before.own in (Decision.GIVEN, Decision.WITHDRAWN):
        return
    if before.standing not in (Standing.GIVEN, Standing.OUTDATED):
        raise NothingToWithdraw


def _is_same(before: ConsentView, decision: Decision, version: str) -> bool:
    if decision is Decision.WITHDRAWN:
        return before.own is Decision.WITHDRAWN
    return before.own is decision and before.own_version == version
