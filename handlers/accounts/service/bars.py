"""Adults who must not come near the record of a child: setting a bar, lifting it, and knowing whom it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, reach_of, require
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts.domain import BindingState, normalise_name, normalise_phone
from handlers.accounts.models import (
    Bar,
    BindingRequest,
    Guardianship,
    Invitation,
    Person,
    Pupil,
    WeChatIdentity,
)
from handlers.accounts.service.ties import Ties, subject_of

LONGEST_REASON = 500


class BarNeedsSomebody(InvalidInput):
    """A bar names nobody it could meet."""

    code = "bar_needs_somebody"
    default_message = "请选定名册上的人，或填写要阻止的人的姓名，再保存。"


class BarNeedsReason(InvalidInput):
    """A bar without its ground, or with a whole file as one."""

    code = "bar_needs_reason"
    default_message = "请写明依据（比如文书编号），500字以内，再保存。"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adult who would come near a child, as far as known: indexes as they are kept."""

    person_id: UUID | None = None
    name_index: str | None = None
    phone_index: str | None = None

    @classmethod
    def of(cls, person: Person) -> Candidate:
        """Somebody on the roster."""
        return cls(person.id, name_index(person.name), person.phone_index)

    @classmethod
    def named(cls, name: str) -> Candidate:
        """Somebody who only said their name."""
        return cls(name_index=name_index(name))


@dataclass(frozen=True, slots=True)
class BarView:
    """A bar as staff with the right see it. `person_name` None: somebody who is not on the roster."""

    id: str
    pupil_id: str
    person_name: str | None
    reason: str
    since: date
    until: date | None


def check_bar(reason: str, person_id: str | None, name: str | None, phone: str | None) -> None:
    """Whether a bar can be set with these words. Raises BarNeedsSomebody, BarNeedsReason, PhoneInvalid."""
    if not person_id and not name:
        raise BarNeedsSomebody
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise BarNeedsReason
    if phone and not person_id:
        normalise_phone(phone)


def name_index(name: str) -> str:
    """By which a name is compared without being kept."""
    return blind_index("name", normalise_name(name))


def meets(bar: Bar, candidate: Candidate) -> bool:
    """Whether the bar is about the candidate: the same person; else the same name; without names, the same phone.

    A family may share a phone, so where both names are known they decide.
    """
    if bar.person_id is not None and bar.person_id == candidate.person_id:
        return True
    if bar.name_index and candidate.name_index:
        return bar.name_index == candidate.name_index
    return bool(bar.phone_index and bar.phone_index == candidate.phone_index)


async def bars_on(pupil_id: UUID, today: date) -> list[Bar]:
    """The bars in force for a child."""
    return await Bar.filter(Q(until=None) | Q(until__gte=today), pupil_id=pupil_id, since__lte=today)


def is_barred(bars: Sequence[Bar], candidate: Candidate) -> bool:
    """Whether one of the bars meets the candidate."""
    return any(meets(bar, candidate) for bar in bars)


class BarService:
    """The use cases of those who protect children."""

    def __init__(self, clock: Clock, audit: Audit, ties: Ties) -> None:
        self._clock = clock
        self._audit = audit
        self._ties = ties

    async def set_bar(
        self,
        actor: Actor,
        pupil_id: str,
        *,
        reason: str,
        person_id: str | None = None,
        name: str | None = None,
        phone: str | None = None,
        until: date | None = None,
    ) -> str:
        """Bars somebody from today, and unbinds them at once; gives the id of the bar. Nobody is told.

        Named by `person_id`, or by `name` and perhaps `phone`. Raises NotFound, BarNeedsSomebody, BarNeedsReason,
        PhoneInvalid.
        """
        check_bar(reason, person_id, name, phone)
        now = self._clock.now()
        async with transaction():
            pupil = await self._pupil(actor, pupil_id)
            person = await self._whom(pupil, person_id, name)
            shown = person.name if person else name
            number = normalise_phone(phone) if phone and person is None else None
            bar = await Bar.create(
                id=uuid4(),
                pupil_id=pupil.id,
                person_id=person.id if person else None,
                name_index=name_index(shown) if shown else None,
                phone_index=blind_index("phone", number) if number else None,
                reason=reason.strip(),
                set_by=actor.person_id,
                since=local_date(now),
                until=until,
                created_at=now,
                updated_at=now,
            )
            await self._audit.record(
                actor, Action.BINDING_BAR, f"bar:{bar.id}", whose=await subject_of(pupil), fields=["bar"]
            )
            await self._part(actor, bar)
        return str(bar.id)

    async def lift(self, actor: Actor, bar_id: str) -> None:
        """The bar ended yesterday. Who was unbound binds anew. Raises NotFound."""
        now = self._clock.now()
        async with transaction():
            bar = await Bar.filter(id=bar_id).select_for_update().first()
            if bar is None:
                reach_of(actor, Action.BINDING_BAR)
                raise NotFound
            pupil = await self._pupil(actor, str(bar.pupil_id))
            yesterday = date.fromordinal(local_date(now).toordinal() - 1)
            await Bar.filter(id=bar.id).update(until=yesterday, updated_at=now)
            await self._audit.record(
                actor,
                Action.BINDING_BAR,
                f"bar:{bar.id}",
                whose=await subject_of(pupil),
                fields=["until"],
                purpose="lifted",
            )

    async def bars_of(self, actor: Actor, pupil_id: str) -> list[BarView]:
        """The bars in force for a child, with their grounds: the read is written down. Raises NotFound."""
        async with transaction():
            pupil = await self._pupil(actor, pupil_id)
            bars = await bars_on(pupil.id, local_date(self._clock.now()))
            people = {row.id: row.name for row in await Person.filter(id__in=[bar.person_id for bar in bars])}
            await self._audit.record(
                actor, Action.BINDING_BAR, f"pupil:{pupil.id}", whose=await subject_of(pupil), fields=["reason"]
            )
        return [
            BarView(
                id=str(bar.id),
                pupil_id=str(bar.pupil_id),
                person_name=people.get(bar.person_id) if bar.person_id else None,
                reason=bar.reason,
                since=bar.since,
                until=bar.until,
            )
            for bar in bars
        ]

    async def _whom(self, pupil: Pupil, person_id: str | None, name: str | None) -> Person | None:
        """The person on the roster who is meant; None for somebody who is not on it. Raises NotFound."""
        if person_id is not None:
            person = await Person.get_or_none(id=person_id)
            if person is None:
                raise NotFound
            return person
        rows = await Guardianship.filter(pupil_id=pupil.id).prefetch_related("person")
        wanted = normalise_name(name or "")
        found = {row.person_id: row.person for row in rows if row.person.name == wanted}
        return next(iter(found.values())) if len(found) == 1 else None

    async def _pupil(self, actor: Actor, pupil_id: str) -> Pupil:
        """The child, locked: who is binding just now comes before or after the bar, not in between."""
        reach_of(actor, Action.BINDING_BAR)
        pupil = await Pupil.filter(id=pupil_id).select_for_update().first()
        if pupil is None:
            raise NotFound
        require(actor, Action.BINDING_BAR, await subject_of(pupil))
        return pupil

    async def _part(self, actor: Actor, bar: Bar) -> None:
        """Whoever the bar meets loses the child, their invitations and their requests."""
        now = self._clock.now()
        rows = await Guardianship.filter(pupil_id=bar.pupil_id).prefetch_related("person")
        met = {row.person_id for row in rows if meets(bar, Candidate.of(row.person))}
        for row in rows:
            if row.person_id in met and row.bound_at is not None:
                await self._ties.disprove(actor, row, purpose="barred")
        if bar.person_id is not None:
            met.add(bar.person_id)
        invitations = Invitation.filter(pupil_id=bar.pupil_id, person_id__in=list(met), used_at=None, revoked_at=None)
        await invitations.update(revoked_at=now, updated_at=now)
        identities = await WeChatIdentity.filter(person_id__in=list(met)).values_list("id", flat=True)
        requests = BindingRequest.filter(
            pupil_id=bar.pupil_id, identity_id__in=list(identities), state=BindingState.PENDING
        )
        await requests.update(state=BindingState.REJECTED, decided_at=now, updated_at=now)
