"""What somebody who is bound may do about it, and what the school may."""

from __future__ import annotations

from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import NotAuthenticated, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts.domain import PRIVACY_VERSION
from handlers.accounts.models import Guardianship, Pupil, WeChatIdentity
from handlers.accounts.service.ties import Ties, subject_of
from handlers.accounts.service.values import PersonValues
from handlers.accounts.service.wechat_ids import PrivacyNotAgreed
from handlers.accounts.service.writing import Writer


class UnbindingService:
    """The use cases. The actor's `identity_id` is the WeChat id."""

    def __init__(self, clock: Clock, audit: Audit, ties: Ties, writer: Writer) -> None:
        self._clock = clock
        self._audit = audit
        self._ties = ties
        self._writer = writer

    async def unbind(self, actor: Actor) -> None:
        """The actor's WeChat user is nobody here from now on, at both accounts, and logged out everywhere."""
        require(actor, Action.BINDING_UNDO)
        async with transaction():
            identity = await self._identity(actor, must_agree=False)
            mine = Q(id=identity.id)
            if identity.unionid_index is not None:
                mine |= Q(unionid_index=identity.unionid_index)
            for each in await WeChatIdentity.filter(mine).order_by("id").select_for_update():
                await self._ties.untie(actor, each, purpose="own_wish")
                await self._ties.withdraw_requests(each)

    async def unbind_guardian(self, actor: Actor, pupil_id: str, person_id: str) -> None:
        """The school unbinds a guardian of a child: a lost phone, or one bound by mistake. All their WeChat ids are
        let go and their sessions end; they bind anew. Raises NotFound."""
        pupil = await Pupil.get_or_none(id=pupil_id)
        subject = await subject_of(pupil) if pupil else Subject()
        require(actor, Action.BINDING_DECIDE, subject)
        async with transaction():
            row = await Guardianship.get_or_none(pupil_id=pupil_id, person_id=person_id)
            if row is None:
                raise NotFound
            if await self._ties.is_staff(row.person_id):
                # A colleague's charge is not this one's to end: only the child is let go.
                await self._ties.disprove(actor, row, purpose="by_school")
                return
            for each in await WeChatIdentity.filter(person_id=row.person_id).order_by("id").select_for_update():
                await self._ties.untie(actor, each, purpose="by_school")
            await self._ties.disprove(actor, row, purpose="by_school")

    async def change_phone(self, actor: Actor, phone: str) -> None:
        """The number WeChat has confirmed is the person's from now on. Raises PhoneInvalid, NotAuthenticated."""
        require(actor, Action.PROFILE_CHANGE)
        if actor.person_id is None:
            raise NotAuthenticated
        async with transaction():
            values = PersonValues(id=UUID(actor.person_id), phone=phone)
            await self._writer.put_persons([values])
            await self._audit.record(
                actor,
                Action.PROFILE_CHANGE,
                f"person:{actor.person_id}",
                whose=Subject(person_id=actor.person_id),
                fields=["phone"],
                purpose="confirmed_by_wechat",
            )

    async def _identity(self, actor: Actor, *, must_agree: bool = True) -> WeChatIdentity:
        """The actor's WeChat id, locked: what it tries, it tries one after the other."""
        identity = None
        if actor.identity_id is not None:
            identity = await WeChatIdentity.filter(id=actor.identity_id).select_for_update().first()
        if identity is None:
            raise NotAuthenticated
        if must_agree and identity.privacy_version != PRIVACY_VERSION:
            raise PrivacyNotAgreed
        return identity
