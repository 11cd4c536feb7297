"""What joins a WeChat id to a person and a person to the children they have proved to look after, and what parts them.

Low-level: whoever calls has checked the rights and opened the transaction. Locks are taken in one order: identities,
then the invitation, then pupils, then further identities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import SYSTEM, Actor
from bot.rights import Action, Subject
from handlers.accounts.domain import Account, BindingState, BindingWay, PupilStatus
from handlers.accounts.models import (
    Appointment,
    BindingRequest,
    Guardianship,
    Invitation,
    Pupil,
    School,
    Session,
    WeChatIdentity,
)
from handlers.accounts.service.notices import BindingNotices

Forget = Callable[[str], None]
"""Told the blind index of a WeChat id whose parts have changed: who caches them lets go."""


class Ties:
    """Binds and unbinds, writes it down, tells those concerned."""

    def __init__(self, clock: Clock, audit: Audit, notices: BindingNotices, forget: Forget) -> None:
        self._clock = clock
        self._audit = audit
        self._notices = notices
        self._forget = forget

    # -------------------------------------------------------------------------------------------------------- binding
    async def tie(
        self,
        actor: Actor,
        identity: WeChatIdentity,
        person_id: UUID,
        guardianships: Sequence[Guardianship],
        way: BindingWay,
    ) -> None:
        """The WeChat id is the person's from now on, and the guardianships are proved. An id the person had at the
        same account before is let go: it was lost, or given away."""
        now = self._clock.now()
        await self._let_old_go(actor, identity, person_id)
        if identity.person_id != person_id:
            await self.move(identity, person_id)
            await self._audit.record(
                replace(actor, person_id=str(person_id)),
                Action.BINDING_REQUEST,
                f"identity:{identity.id}",
                whose=Subject(person_id=str(person_id)),
                fields=["person"],
                purpose=f"bound_by_{way.value}",
            )
        for guardianship in guardianships:
            await self.prove(actor, guardianship, way, now)
        self._forget(identity.openid_index)

    async def prove(self, actor: Actor, guardianship: Guardianship, way: BindingWay, now: datetime) -> None:
        """The guardian sees the child from now on; who is to know is told. Nothing happens a second time."""
        if guardianship.bound_at is not None:
            return
        await Guardianship.filter(id=guardianship.id).update(bound_at=now, bound_by=way, updated_at=now)
        guardianship.bound_at, guardianship.bound_by = now, way
        pupil = await Pupil.get(id=guardianship.pupil_id)
        await self._audit.record(
            actor,
            Action.BINDING_REQUEST,
            f"guardianship:{guardianship.id}",
            whose=await subject_of(pupil),
            fields=["bound_at"],
            purpose=f"bound_by_{way.value}",
        )
        await self._notices.bound(guardianship, pupil)

    async def move(self, identity: WeChatIdentity, person_id: UUID) -> None:
        """The id, and with it what was opened with it, is this person's from now on."""
        now = self._clock.now()
        await WeChatIdentity.filter(id=identity.id).update(person_id=person_id, hat=None, bound_at=now, updated_at=now)
        await Session.filter(identity_id=identity.id).update(hat=None, updated_at=now)
        identity.person_id, identity.bound_at = person_id, now
        self._forget(identity.openid_index)

    async def share(self, identity: WeChatIdentity, person_id: UUID) -> None:
        """Another id of the same WeChat user is the person's too."""
        await self.move(identity, person_id)
        await self._audit.record(
            SYSTEM,
            Action.BINDING_REQUEST,
            f"identity:{identity.id}",
            whose=Subject(person_id=str(person_id)),
            fields=["person"],
            purpose="same_wechat_user",
        )

    async def _let_old_go(self, actor: Actor, identity: WeChatIdentity, person_id: UUID) -> None:
        of_person = WeChatIdentity.filter(person_id=person_id).exclude(id=identity.id)
        old = await of_person.filter(account=identity.account).order_by("id").select_for_update()
        # With the id that was lost goes whatever else the same WeChat user had.
        users = {each.unionid_index for each in old} - {None, identity.unionid_index}
        if users:
            old += await of_person.filter(unionid_index__in=users).exclude(account=identity.account).select_for_update()
        if old:
            await self.close_sessions(Q(person_id=person_id))
        for each in old:
            await self.untie(actor, each, purpose="replaced", keep_proofs=True)
            await self._notices.replaced(each, f"{each.id}:{identity.id}")

    # ------------------------------------------------------------------------------------------------------ unbinding
    async def untie(self, actor: Actor, identity: WeChatIdentity, *, purpose: str, keep_proofs: bool = False) -> None:
        """The id is nobody's; what was opened with it closes. When it was the person's last, nothing of theirs counts
        as proved any more (unless `keep_proofs`: another id takes its place)."""
        now, person_id = self._clock.now(), identity.person_id
        if person_id is None:
            return
        await WeChatIdentity.filter(id=identity.id).update(person_id=None, hat=None, bound_at=None, updated_at=now)
        await self.close_sessions(Q(identity_id=identity.id))
        if not keep_proofs and not await WeChatIdentity.filter(person_id=person_id).exists():
            await self.close_sessions(Q(person_id=person_id))
            await Guardianship.filter(person_id=person_id, bound_at__not_isnull=True).update(
                bound_at=None, bound_by=None, updated_at=now
            )
        identity.person_id, identity.bound_at = None, None
        await self._audit.record(
            actor,
            Action.BINDING_UNDO,
            f"identity:{identity.id}",
            whose=Subject(person_id=str(person_id)),
            fields=["person"],
            purpose=purpose,
        )
        self._forget(identity.openid_index)

    async def disprove(self, actor: Actor, guardianship: Guardianship, *, purpose: str) -> None:
        """The guardian does not see the child any more. Somebody with no child and no charge left is nobody here."""
        now = self._clock.now()
        if guardianship.bound_at is not None:
            await Guardianship.filter(id=guardianship.id).update(bound_at=None, bound_by=None, updated_at=now)
            guardianship.bound_at = None
            pupil = await Pupil.get(id=guardianship.pupil_id)
            await self._audit.record(
                actor,
                Action.BINDING_UNDO,
                f"guardianship:{guardianship.id}",
                whose=await subject_of(pupil),
                fields=["bound_at"],
                purpose=purpose,
            )
        identities = await WeChatIdentity.filter(person_id=guardianship.person_id).order_by("id").select_for_update()
        has_child = await Guardianship.filter(
            person_id=guardianship.person_id, bound_at__not_isnull=True, ended_on=None
        ).exists()
        is_left = has_child or await self.is_staff(guardianship.person_id)
        for identity in identities:
            if not is_left:
                await self.untie(actor, identity, purpose=purpose)
            self._forget(identity.openid_index)

    async def close_sessions(self, which: Q) -> None:
        """Whoever is logged in so is logged out."""
        now = self._clock.now()
        await Session.filter(which, revoked_at=None).update(revoked_at=now, updated_at=now)

    async def erase(self, actor: Actor, identity: WeChatIdentity) -> None:
        """Everything WeChat gave goes; the person stays on the roster, and may be bound again."""
        await self.untie(actor, identity, purpose="left")
        await BindingRequest.filter(identity_id=identity.id).delete()
        await Session.filter(identity_id=identity.id).delete()
        await Invitation.filter(used_by=identity.id).update(used_by=None)
        await WeChatIdentity.filter(id=identity.id).delete()
        self._forget(identity.openid_index)

    async def withdraw_requests(self, identity: WeChatIdentity, pupil_id: UUID | None = None) -> None:
        """What the asker has been waiting for is no longer needed."""
        waiting = BindingRequest.filter(identity_id=identity.id, state=BindingState.PENDING)
        waiting = waiting.filter(pupil_id=pupil_id) if pupil_id is not None else waiting
        await waiting.update(state=BindingState.WITHDRAWN, updated_at=self._clock.now())

    # ------------------------------------------------------------------------------------------------------ what is so
    async def is_staff(self, person_id: UUID) -> bool:
        """Whether the person is charged with something today."""
        today = local_date(self._clock.now())
        return await Appointment.filter(
            Q(until=None) | Q(until__gte=today), person_id=person_id, since__lte=today
        ).exists()

    async def is_held(self, person_id: UUID, *, besides: UUID, account: Account) -> bool:
        """Whether another WeChat id at the account is bound to the person already."""
        return await WeChatIdentity.filter(person_id=person_id, account=account).exclude(id=besides).exists()


async def live_guardianships(*, person_id: UUID | None = None, pupil_id: UUID | None = None) -> list[Guardianship]:
    """Those that have not ended, of children who are at a school."""
    rows = Guardianship.filter(ended_on=None, pupil__status=PupilStatus.ENROLLED)
    rows = rows.filter(person_id=person_id) if person_id else rows
    rows = rows.filter(pupil_id=pupil_id) if pupil_id else rows
    return await rows.order_by("created_at", "id")


async def subject_of(pupil: Pupil) -> Subject:
    """Whose affair a child's is."""
    school = await School.get(id=pupil.school_id)
    return Subject(
        child_id=str(pupil.id),
        class_id=str(pupil.school_class_id) if pupil.school_class_id else None,
        school_id=str(pupil.school_id),
        township_id=str(school.township_id),
    )
