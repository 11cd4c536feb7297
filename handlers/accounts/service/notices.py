"""Who is told of what about bindings: messages promised in the transaction of what they tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.delivery.outbox import NewMessage, Outbox
from handlers.accounts import texts
from handlers.accounts.domain import (
    RELATION_WORDS,
    Account,
    AppointmentKind,
    BindingState,
    class_name,
)
from handlers.accounts.models import (
    Appointment,
    BindingRequest,
    Guardianship,
    Pupil,
    SchoolClass,
    WeChatIdentity,
)

BOUND = "accounts.bound"
ASKED = "accounts.asked"
DECIDED = "accounts.decided"
REPLACED = "accounts.replaced"
REASONS = (BOUND, ASKED, DECIDED, REPLACED)
# The window for customer-service messages closes after 48 hours.
LIFE = timedelta(hours=47)


class BindingNotices:
    """Tells the people around a child, and answers the worker whether a message still holds."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    async def bound(self, guardianship: Guardianship, pupil: Pupil) -> None:
        """The child's other bound guardians and the head teacher learn of a binding. No word about the family."""
        others = await Guardianship.filter(pupil_id=pupil.id, bound_at__not_isnull=True, ended_on=None).exclude(
            person_id=guardianship.person_id
        )
        relation = RELATION_WORDS[guardianship.relation]
        occurrence = _occurrence(guardianship)
        to_family = texts.TOLD_FAMILY.format(child=pupil.name, relation=relation)
        await self._tell([other.person_id for other in others], BOUND, occurrence, to_family)
        teachers = await self.head_teachers(pupil.school_class_id)
        to_teacher = texts.TOLD_TEACHER.format(where=await class_words(pupil), child=pupil.name, relation=relation)
        await self._tell([each for each in teachers if each != guardianship.person_id], BOUND, occurrence, to_teacher)

    async def asked(self, request: BindingRequest, number: str, asker_person: UUID | None) -> None:
        """Those who decide learn that somebody waits."""
        text = texts.TOLD_REQUEST.format(number=number)
        deciders = await self.deciders(request)
        await self._tell([each for each in deciders if each != asker_person], ASKED, str(request.id), text)

    async def decided(self, request: BindingRequest, identity: WeChatIdentity, *, approved: bool) -> None:
        """The asker learns of the decision, at the account they asked from if it can be written to."""
        text = texts.TOLD_APPROVED if approved else texts.TOLD_REJECTED
        await self._enqueue([identity], DECIDED, str(request.id), text)

    async def replaced(self, identity: WeChatIdentity, occurrence: str) -> None:
        """Whoever held the old WeChat id learns that it is bound no more."""
        await self._enqueue([identity], REPLACED, occurrence, texts.TOLD_REPLACED)

    async def to_guardian(self, pupil_id: UUID, person_id: UUID, message: tuple[str, str, str]) -> None:
        """Tells a guardian who is bound to the child; others have no account for it. `message`: reason, occurrence,
        text. Whose reason it is answers the worker whether it still is needed."""
        if await Guardianship.filter(
            pupil_id=pupil_id, person_id=person_id, bound_at__not_isnull=True, ended_on=None
        ).exists():
            await self._tell([person_id], *message)

    async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """Whether it still is to be told: not of what is decided, and to nobody who is bound no more."""
        if reason == ASKED and not await BindingRequest.filter(id=occurrence, state=BindingState.PENDING).exists():
            return False
        if reason in (ASKED, BOUND):
            return await WeChatIdentity.filter(openid_index=openid_index, person_id__not_isnull=True).exists()
        return True

    # -------------------------------------------------------------------------------------------------------- to whom
    async def head_teachers(self, class_id: UUID | None) -> list[UUID]:
        """Who leads the class today."""
        if class_id is None:
            return []
        return await self._appointed(AppointmentKind.HEAD_TEACHER, school_class_id=class_id)

    async def deciders(self, request: BindingRequest) -> list[UUID]:
        """The head teacher of the class; the school's leader where there is none or no class is known."""
        identity = await WeChatIdentity.get(id=request.identity_id)
        teachers = [each for each in await self.head_teachers(request.class_id) if each != identity.person_id]
        if teachers or request.school_id is None:
            return teachers
        return await self._appointed(AppointmentKind.SCHOOL_LEADER, school_id=request.school_id)

    async def _appointed(self, kind: AppointmentKind, **where: UUID) -> list[UUID]:
        today = local_date(self._clock.now())
        rows = await Appointment.filter(Q(until=None) | Q(until__gte=today), kind=kind, since__lte=today, **where)
        return sorted({row.person_id for row in rows})

    async def _tell(self, people: Iterable[UUID], reason: str, occurrence: str, text: str) -> None:
        wanted = list(people)
        if wanted:
            identities = await WeChatIdentity.filter(person_id__in=wanted)
            await self._enqueue(identities, reason, occurrence, text)

    async def _enqueue(self, identities: Sequence[WeChatIdentity], reason: str, occurrence: str, text: str) -> None:
        expires = self._clock.now() + LIFE
        messages = [
            NewMessage(reason=reason, occurrence=occurrence, openid=each.openid, text=text, expires_at=expires)
            for each in identities
            if each.account is Account.SERVICE
        ]
        if messages:
            await self._outbox.enqueue(*messages)


async def class_words(pupil: Pupil) -> str:
    """三年级2班; "" for a child in no class."""
    if pupil.school_class_id is None:
        return ""
    row = await SchoolClass.get(id=pupil.school_class_id)
    return class_name(row.grade, row.number)


def _occurrence(guardianship: Guardianship) -> str:
    """One for each time the guardian is bound."""
    moment = guardianship.bound_at
    return f"{guardianship.id}:{moment.timestamp() if moment else 0:.0f}"
