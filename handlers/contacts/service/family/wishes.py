"""Who wants to hear from the school: nothing is sent to anybody else.

Two things have to stand: the family's consent to this use of the child's data, and this guardian's own yes. Either can
be withdrawn at any moment, and is asked again when something goes out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.consent.domain.register import ItemName
from handlers.consent.service.consents import ConsentService
from handlers.contacts.domain.family import OPEN, CallState, WishHow
from handlers.contacts.models import ContactsCall, ContactsWish, ContactsWord
from handlers.contacts.service.family.reach import FamilyReach
from handlers.contacts.service.reach import own_id, whose
from handlers.contacts.texts import family as texts

ITEM: Final = ItemName.CHILD_FAMILY_WORD
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class GuardianWish:
    """A guardian of a child, and whether something may be sent to them. `is_wanted` None: never said. `is_allowed`: the
    family's consent stands."""

    person_id: str
    name: str = field(repr=False)
    is_wanted: bool | None
    is_allowed: bool


class Wishes:
    """The use cases."""

    def __init__(
        self, reach: FamilyReach, consents: ConsentService, custody: Custody, offices: Offices, *, audit: Audit,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._reach = reach
        self._consents = consents
        self._custody = custody
        self._offices = offices
        self._audit = audit
        self._clock = clock

    # ----------------------------------------------------------------------------------------------- for those who send
    async def wanting(self, child_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """By child the guardians something may be sent to now; those of whom nobody wants it are left out."""
        allowed = await self._consents.allowed(child_ids, ITEM) if child_ids else frozenset()
        custody = await self._custody.of(allowed) if allowed else {}
        found: dict[str, frozenset[str]] = {}
        for child, said in (await _said(allowed)).items():
            wanted = {person for person, is_wanted in said.items() if is_wanted} & custody.get(child, frozenset())
            if wanted:
                found[child] = frozenset(wanted)
        return found

    # -------------------------------------------------------------------------------------------------------- guardians
    async def say(self, actor: Actor, child_id: str, *, is_wanted: bool) -> bool:
        """A guardian says for themselves whether they want it; twice is once. Gives whether the family's consent
        stands: without it nothing is sent all the same. Raises NotFound, NotPermitted."""
        subject = Subject(child_id=str(as_id(child_id)))
        if not reach_of(actor, Action.CONTACTS_FAMILY).covers(subject):
            raise refusal(NotFound(), actor, Action.CONTACTS_FAMILY, Subject())
        person = own_id(actor)
        assert person is not None
        async with transaction():
            if await self._add(as_id(child_id), person, WishHow.CHAT, None, is_wanted=is_wanted):
                purpose = "want" if is_wanted else "want_no_more"
                await self._audit.record(
                    actor, Action.CONTACTS_FAMILY, f"child:{subject.child_id}", whose=subject, purpose=purpose
                )
        return await self._consents.allows(str(subject.child_id), ITEM)

    # ------------------------------------------------------------------------------------------------------------ staff
    async def of(self, actor: Actor, child_id: str) -> list[GuardianWish]:
        """The guardians of a child, the acting one first. Raises NotFound, NotPermitted."""
        ward = await self._reach.ward(actor, child_id)
        async with transaction():
            await self._audit.record(
                actor, Action.CONTACTS_WORD, f"child:{ward.id}", whose=whose(ward), fields=["guardians"]
            )
            callers, _ = await self._offices.guardians(ward.id)
        said = (await _said([ward.id])).get(ward.id, {})
        is_allowed = await self._consents.allows(ward.id, ITEM)
        return [GuardianWish(each.person_id, each.name, said.get(each.person_id), is_allowed) for each in callers]

    async def enter(self, actor: Actor, child_id: str, person_id: str, how: WishHow, *, is_wanted: bool) -> None:
        """What a guardian said to the teacher, and how. Raises NotFound, NotPermitted."""
        ward = await self._reach.ward(actor, child_id)
        callers, _ = await self._offices.guardians(ward.id)
        if str(as_id(person_id)) not in {each.person_id for each in callers} or how is WishHow.CHAT:
            raise refusal(NotFound(), actor, Action.CONTACTS_WORD, Subject())
        async with transaction():
            if await self._add(UUID(ward.id), as_id(person_id), how, own_id(actor), is_wanted=is_wanted):
                purpose = "want" if is_wanted else "want_no_more"
                await self._audit.record(
                    actor, Action.CONTACTS_WORD, f"child:{ward.id}", whose=whose(ward), purpose=purpose
                )

    # ------------------------------------------------------------------------------------------------------------ parts
    async def _add(self, pupil: UUID, person: UUID, how: WishHow, by: UUID | None, *, is_wanted: bool) -> bool:
        last = await ContactsWish.filter(pupil_id=pupil, person_id=person).order_by("-said_at", "-id").first()
        if (last.is_wanted if last else False) is is_wanted:
            return False
        now = self._clock.now()
        await ContactsWish.create(
            id=uuid4(), pupil_id=pupil, person_id=person, is_wanted=is_wanted, how=how, entered_by=by,
            said_at=max(now, last.said_at + _TICK) if last else now, created_at=now, updated_at=now,
        )  # fmt: skip
        if not is_wanted:
            await _close_calls(now, pupil_id=pupil, guardian_id=person)
        return True


class FamilyRecords:
    """A `ChildRecords` and a `Dependents`: what rests on consent here, for the family's copy, and to go when the
    consent goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """The guardian's own wish and calls, and the words about this child."""
        own = {"pupil_id": UUID(child_id)}
        wishes = await ContactsWish.filter(**own, person_id=UUID(person_id)).order_by("said_at")
        calls = await ContactsCall.filter(**own, guardian_id=UUID(person_id)).order_by("at")
        words = await ContactsWord.filter(**own).order_by("month")
        found: Sequence[tuple[str, list[dict[str, str]]]] = (
            (texts.DATA_WISHES, [{texts.DATA_DAY: _day(row.said_at), texts.DATA_WHAT: texts.WISHES[row.is_wanted]}
                                 for row in wishes]),
            (texts.DATA_WORDS, [{texts.DATA_DAY: f"{row.month:%Y-%m}", texts.DATA_WHAT: row.words} for row in words]),
            (texts.DATA_CALLS, [{texts.DATA_DAY: _day(row.at), texts.DATA_WHAT: texts.CALL_STATES[row.state]}
                                for row in calls]),
        )  # fmt: skip
        return {title: rows for title, rows in found if rows}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """All of it rests on consent."""
        own = {"pupil_id": UUID(child_id)}
        await _close_calls(self._clock.now(), **own)
        for table in (ContactsWish, ContactsCall, ContactsWord):
            await table.filter(**own).delete()

    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How much there is about the children or the people."""
        children, people = [UUID(each) for each in child_ids], [UUID(each) for each in person_ids]
        among = (
            ContactsWish.filter(Q(pupil_id__in=children) | Q(person_id__in=people)),
            ContactsCall.filter(Q(pupil_id__in=children) | Q(teacher_id__in=people) | Q(guardian_id__in=people)),
            ContactsWord.filter(Q(pupil_id__in=children) | Q(author_id__in=people)),
        )
        number = sum([await query.count() for query in among])
        return {"contacts_family": number} if number else {}


async def _said(child_ids: Collection[str]) -> Mapping[str, Mapping[str, bool]]:
    """By child and guardian what was said last."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    rows = ContactsWish.filter(pupil_id__in=list(child_ids)).order_by("said_at", "id") if child_ids else None
    for row in await rows if rows else ():
        found[str(row.pupil_id)][str(row.person_id)] = row.is_wanted
    return found


async def _close_calls(now: datetime, **among: Any) -> None:
    """A call nobody wants any more is called off: what was promised of it says nothing when it is due."""
    await ContactsCall.filter(state__in=list(OPEN), **among).update(
        state=CallState.CANCELLED, active_key=None, closed_at=now, updated_at=now
    )


def _day(moment: datetime) -> str:
    return local_date(moment).isoformat()
