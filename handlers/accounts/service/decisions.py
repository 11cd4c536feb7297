"""Deciding what could not be proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput, NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action, may, reach_of, refusal, require
from bot.storage.database import transaction
from handlers.accounts import texts
from handlers.accounts.domain import BindingState, BindingWay, PupilStatus, Relation, class_name
from handlers.accounts.models import BindingRequest, Guardianship, Pupil, School, SchoolClass, WeChatIdentity
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.requests import SAME_PERSON, is_kept_away, number_of, said_of, subject_of_request
from handlers.accounts.service.scope import as_id, missing
from handlers.accounts.service.ties import Ties, live_guardianships, subject_of
from handlers.accounts.service.values import GuardianshipValues, PersonValues
from handlers.accounts.service.views import PageOf
from handlers.accounts.service.writing import Writer, one

LISTED: Final = 100
TODO_PATH: Final = "/admin/bindings"


class NotDecidable(Conflict):
    """It cannot be approved as it stands; `message` says whom to ask."""

    code = "request_not_decidable"
    default_message = texts.NOT_DECIDABLE


class AlreadyDecided(Conflict):
    """Somebody was first, or the asker needs it no more."""

    code = "request_decided"
    default_message = texts.ALREADY_DECIDED


class ChildUnclear(InvalidInput):
    """The school has to say which child is meant."""

    code = "child_unclear"
    default_message = texts.CHILD_UNCLEAR


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as those who decide see it. `is_known`: the child was found; `is_on_roster`: so was the asker.
    `is_same_person`: the WeChat user is bound as two people, who may be one."""

    id: str
    number: str
    child: str
    where: str
    asker: str
    relation: Relation
    asked_at: datetime
    is_known: bool
    is_on_roster: bool
    is_same_person: bool


class DecisionService:
    """The use cases of those who decide."""

    def __init__(self, clock: Clock, audit: Audit, ties: Ties, notices: BindingNotices, writer: Writer) -> None:
        self._clock = clock
        self._audit = audit
        self._ties = ties
        self._notices = notices
        self._writer = writer

    async def waiting(self, actor: Actor) -> list[Waiting]:
        """What waits for the actor's decision, the oldest first; never what they asked for themselves."""
        return [await self._shown(row) for row in await self._pending(actor)]

    async def page(self, actor: Actor, *, offset: int = 0, limit: int = LISTED) -> PageOf[Waiting]:
        """Some of what waits, the oldest first, and how much there is in all."""
        query = await self._asked(actor)
        total = await query.count()
        rows = await query.prefetch_related("identity").order_by("created_at", "id").offset(offset).limit(limit)
        return PageOf([await self._shown(row) for row in rows], total)

    async def one(self, actor: Actor, request_id: str) -> Waiting:
        """One that waits. Raises NotFound, AlreadyDecided."""
        row = await BindingRequest.get_or_none(id=as_id(request_id))
        if row is None:
            raise missing(actor, Action.BINDING_DECIDE)
        require(actor, Action.BINDING_DECIDE, await subject_of_request(row))
        if row.state is not BindingState.PENDING:
            raise AlreadyDecided
        return await self._shown(row)

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """For the console's first page."""
        if not may(actor, Action.BINDING_DECIDE):
            return []
        count = await (await self._asked(actor)).count()
        return [Todo(texts.TODO_REQUESTS, count, TODO_PATH)] if count else []

    async def by_number(self, actor: Actor, number: str) -> str:
        """The id of what is listed under a number. Raises NotFound, or Conflict where two have the same."""
        found = [row for row in await self._pending(actor) if number_of(row.id) == number]
        if not found:
            raise NotFound(texts.NO_SUCH_REQUEST)
        if len(found) > 1:
            raise Conflict(texts.TWO_OF_A_NUMBER)
        return str(found[0].id)

    async def decide(self, actor: Actor, request_id: str, *, approve: bool, pupil_id: str | None = None) -> Waiting:
        """Approves or rejects; the asker is told. `pupil_id` says which child, where the request could not.

        Raises NotFound, AlreadyDecided, ChildUnclear, NotDecidable.
        """
        async with transaction():
            request, identity = await self._locked(actor, request_id)
            shown = await self._shown(request)
            if request.state is not BindingState.PENDING:
                raise AlreadyDecided
            if approve:
                await self._approve(actor, request, identity, pupil_id)
            now = self._clock.now()
            state = BindingState.APPROVED if approve else BindingState.REJECTED
            await BindingRequest.filter(id=request.id).update(
                state=state, decided_by=actor.person_id, decided_at=now, updated_at=now, pupil_id=request.pupil_id
            )
            await self._audit.record(
                actor,
                Action.BINDING_DECIDE,
                f"request:{request.id}",
                whose=await subject_of_request(request),
                fields=["state"],
                purpose=state.value,
            )
            await self._notices.decided(request, identity, approved=approve)
        return shown

    async def _approve(
        self, actor: Actor, request: BindingRequest, identity: WeChatIdentity, pupil_id: str | None
    ) -> None:
        said = said_of(request)
        if said["kind"] == SAME_PERSON:
            await self._make_one(actor, identity, UUID(said["person"]))
            return
        pupil = await self._pupil_of(actor, request, pupil_id)
        request.pupil_id = pupil.id
        person_id = identity.person_id or await self._claimed(pupil, said["name"])
        today = local_date(self._clock.now())
        people = [identity.person_id, person_id]
        if await is_kept_away(pupil, today, people=people, name=said["name"]):
            raise NotDecidable(texts.ASK_PROTECTION_LEAD)
        if person_id is None:
            person_id = one(await self._writer.put_persons([PersonValues(name=said["name"])])).id
        elif identity.person_id is None and await self._ties.is_staff(person_id):
            raise NotDecidable(texts.STAFF_BY_INVITATION)
        known = await Guardianship.get_or_none(pupil_id=pupil.id, person_id=person_id)
        if known is None or known.ended_on is not None:
            values = GuardianshipValues(pupil_id=pupil.id, person_id=person_id, relation=request.relation)
            put = one(await self._writer.put_guardianships([values]))
            known = await Guardianship.get(id=put.id)
        await self._ties.tie(actor, identity, person_id, [known], BindingWay.APPROVAL)

    async def _make_one(self, actor: Actor, identity: WeChatIdentity, person_id: UUID) -> None:
        """What was proved by the WeChat user as one person counts for the other, whose the id is from now on."""
        former = identity.person_id
        carried: list[Guardianship] = []
        for row in await live_guardianships(person_id=former) if former else []:
            if row.bound_at is None:
                continue
            values = GuardianshipValues(pupil_id=row.pupil_id, person_id=person_id, relation=row.relation)
            put = one(await self._writer.put_guardianships([values]))
            carried.append(await Guardianship.get(id=put.id))
        for row in carried:
            pupil = await Pupil.get(id=row.pupil_id)
            if await is_kept_away(pupil, local_date(self._clock.now()), people=[person_id]):
                raise NotDecidable(texts.ASK_PROTECTION_LEAD)
        await self._ties.untie(actor, identity, purpose="same_person")
        await self._ties.tie(actor, identity, person_id, carried, BindingWay.APPROVAL)

    async def _pupil_of(self, actor: Actor, request: BindingRequest, pupil_id: str | None) -> Pupil:
        wanted = pupil_id if request.pupil_id is None else str(request.pupil_id)
        if wanted is None:
            raise ChildUnclear
        pupil = await Pupil.filter(id=wanted, status=PupilStatus.ENROLLED).select_for_update().first()
        if pupil is None:
            raise NotFound
        require(actor, Action.BINDING_DECIDE, await subject_of(pupil))
        return pupil

    async def _claimed(self, pupil: Pupil, name: str) -> UUID | None:
        """Whom of the child's guardians the name is of."""
        rows = await Guardianship.filter(pupil_id=pupil.id, ended_on=None).prefetch_related("person")
        people = {row.person_id for row in rows if row.person.name == name and not row.person.is_erased}
        return people.pop() if len(people) == 1 else None

    # ------------------------------------------------------------------------------------------------------ machinery
    async def _locked(self, actor: Actor, request_id: str) -> tuple[BindingRequest, WeChatIdentity]:
        reach_of(actor, Action.BINDING_DECIDE)
        request = await BindingRequest.get_or_none(id=request_id)
        if request is None:
            raise NotFound(texts.NO_SUCH_REQUEST)
        subject = await subject_of_request(request)
        require(actor, Action.BINDING_DECIDE, subject)
        identity = await WeChatIdentity.filter(id=request.identity_id).select_for_update().first()
        request = await BindingRequest.filter(id=request_id).select_for_update().get()
        if identity is None:
            raise NotFound(texts.NO_SUCH_REQUEST)
        if _is_own(actor, identity):
            raise refusal(NotPermitted(texts.NOT_YOUR_OWN), actor, Action.BINDING_DECIDE, subject)
        return request, identity

    async def _pending(self, actor: Actor) -> list[BindingRequest]:
        query = await self._asked(actor)
        return list(await query.prefetch_related("identity").order_by("created_at", "id").limit(LISTED))

    async def _asked(self, actor: Actor) -> QuerySet[BindingRequest]:
        """What waits within reach; never what the actor asked for themselves."""
        reach = reach_of(actor, Action.BINDING_DECIDE)
        rows = BindingRequest.filter(state=BindingState.PENDING)
        if not reach.is_any:
            schools = set(reach.schools) | {
                str(each)
                for each in await School.filter(township_id__in=list(reach.townships)).values_list("id", flat=True)
            }
            # Where the child is now, not where it was when somebody asked.
            pupils = await Pupil.filter(school_class_id__in=list(reach.classes)).values_list("id", flat=True)
            rows = rows.filter(Q(pupil_id__in=list(pupils)) | Q(school_id__in=list(schools)))
        if actor.identity_id is not None:
            rows = rows.exclude(identity_id=actor.identity_id)
        if actor.person_id is not None:
            mine = await WeChatIdentity.filter(person_id=actor.person_id).values_list("id", flat=True)
            rows = rows.filter(identity_id__not_in=list(mine)) if mine else rows
        return rows

    async def _shown(self, request: BindingRequest) -> Waiting:
        said = said_of(request)
        pupil = await Pupil.get_or_none(id=request.pupil_id) if request.pupil_id else None
        school = await School.get_or_none(id=request.school_id) if request.school_id else None
        room = await SchoolClass.get_or_none(id=pupil.school_class_id) if pupil and pupil.school_class_id else None
        return Waiting(
            id=str(request.id),
            number=number_of(request.id),
            child=pupil.name if pupil else said.get("child", ""),
            where=(school.name if school else "") + (class_name(room.grade, room.number) if room else ""),
            asker=said["name"],
            relation=request.relation,
            asked_at=request.created_at,
            is_known=pupil is not None,
            is_on_roster=pupil is not None and await self._claimed(pupil, said["name"]) is not None,
            is_same_person=said["kind"] == SAME_PERSON,
        )


def _is_own(actor: Actor, identity: WeChatIdentity) -> bool:
    if actor.identity_id is not None and actor.identity_id == str(identity.id):
        return True
    return actor.person_id is not None and actor.person_id == (str(identity.person_id) if identity.person_id else None)
