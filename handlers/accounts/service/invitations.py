"""Invitations: a code on paper, or a QR code that carries it, by which somebody may bind once until a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.logs import get_logger
from bot.rights import Action, Subject, reach_of, require
from bot.storage.database import transaction
from bot.wechat.client import WeChatClient
from bot.wechat.errors import WeChatError
from handlers.accounts.domain import InvitationKind, PupilStatus
from handlers.accounts.models import Appointment, Guardianship, Invitation, Person, Pupil, School, SchoolClass
from handlers.accounts.service.codes import fingerprint, new_code, scene_of, spelled
from handlers.accounts.service.notices import class_words
from handlers.accounts.service.ties import subject_of

DEFAULT_DAYS: Final = 14
# What a temporary parametric QR code lives at most.
MOST_DAYS: Final = 30
MOST_AT_ONCE: Final = 2000
MAX_PROOFS: Final = 5
_QR_CALLS_AT_ONCE: Final = 8

_log = get_logger(__name__)


class TermInvalid(InvalidInput):
    """An invitation would be good for no time, or for longer than its QR code."""

    code = "term_invalid"
    default_message = "有效期请选 1 到 30 天。"


class TooManyInvitations(InvalidInput):
    """More at once than anybody hands out."""

    code = "too_many_invitations"
    default_message = "一次最多发 2000 张，请分班办理。"


class InvitationState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"
    LOCKED = "locked"
    """Too many wrong proofs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """An invitation to be handed out: the only time its `code` is seen. `qr_content` is what the QR code holds, None
    when WeChat could not be asked: the code alone does it too. `name` is the child's, or of somebody on the staff."""

    id: str
    kind: InvitationKind
    name: str
    where: str
    code: str
    qr_content: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation that was handed out, without its code."""

    id: str
    kind: InvitationKind
    name: str
    state: InvitationState
    issued_at: datetime
    expires_at: datetime


class InvitationService:
    """The use cases of those who invite."""

    def __init__(self, clock: Clock, audit: Audit, wechat: Callable[[], WeChatClient]) -> None:
        self._clock = clock
        self._audit = audit
        self._wechat = wechat

    async def issue(
        self,
        actor: Actor,
        pupil_ids: Sequence[str],
        *,
        person_id: str | None = None,
        days: int = DEFAULT_DAYS,
        with_qr: bool = True,
    ) -> Sequence[Slip]:
        """An invitation for each child, for any guardian who holds the slip, or for one that is on the roster
        (`person_id`). What was issued before for the same and is still open is void from now on.

        Raises NotFound, TermInvalid, TooManyInvitations.
        """
        _check(len(pupil_ids), days)
        slips: list[Slip] = []
        async with transaction():
            for pupil_id in dict.fromkeys(pupil_ids):
                pupil = await Pupil.get_or_none(id=pupil_id, status=PupilStatus.ENROLLED)
                subject = await subject_of(pupil) if pupil else Subject()
                require(actor, Action.INVITATION_ISSUE, subject)
                assert pupil is not None
                guardian = await self._guardian(pupil, person_id)
                where = await class_words(pupil)
                slip = await self._make(
                    actor, days, kind=InvitationKind.GUARDIAN, pupil_id=pupil.id, person_id=guardian, whose=subject
                )
                slips.append(replace(slip, name=pupil.name, where=where))
        return await self._with_qr(slips) if with_qr else slips

    async def print_slips(self, actor: Actor, class_id: str, *, days: int = DEFAULT_DAYS) -> Sequence[Slip]:
        """One slip for each child of the class, ordered by name. Raises NotFound."""
        room = await SchoolClass.get_or_none(id=class_id)
        require(actor, Action.INVITATION_ISSUE, await _subject_of_class(room))
        pupils = await Pupil.filter(school_class_id=class_id, status=PupilStatus.ENROLLED).order_by("name", "id")
        return await self.issue(actor, [str(pupil.id) for pupil in pupils], days=days)

    async def issue_to_staff(
        self, actor: Actor, person_ids: Sequence[str], *, days: int = DEFAULT_DAYS, with_qr: bool = True
    ) -> Sequence[Slip]:
        """An invitation for each of the staff. Raises NotFound, TermInvalid, TooManyInvitations."""
        _check(len(person_ids), days)
        slips: list[Slip] = []
        async with transaction():
            for person_id in dict.fromkeys(person_ids):
                person = await Person.get_or_none(id=person_id, is_erased=False)
                subject = await self._staff_subject(actor, person_id)
                assert person is not None
                slip = await self._make(
                    actor, days, kind=InvitationKind.STAFF, pupil_id=None, person_id=person.id, whose=subject
                )
                slips.append(replace(slip, name=person.name))
        return await self._with_qr(slips) if with_qr else slips

    async def list(self, actor: Actor, class_id: str) -> list[InvitationView]:
        """What was handed out for the children of a class, the newest first. Raises NotFound."""
        room = await SchoolClass.get_or_none(id=class_id)
        require(actor, Action.INVITATION_ISSUE, await _subject_of_class(room))
        names = dict(await Pupil.filter(school_class_id=class_id).values_list("id", "name"))
        rows = await Invitation.filter(pupil_id__in=list(names)).order_by("-created_at", "id")
        now = self._clock.now()
        return [
            InvitationView(
                id=str(row.id),
                kind=row.kind,
                name=str(names[row.pupil_id]),
                state=state_of(row, now),
                issued_at=row.created_at,
                expires_at=row.expires_at,
            )
            for row in rows
            if row.pupil_id is not None
        ]

    async def revoke(self, actor: Actor, invitation_id: str) -> None:
        """The invitation is void; doing it twice equals doing it once. Raises NotFound."""
        reach_of(actor, Action.INVITATION_ISSUE)
        async with transaction():
            row = await Invitation.filter(id=invitation_id).select_for_update().first()
            if row is None:
                raise NotFound
            if row.pupil_id is None:
                subject = await self._staff_subject(actor, str(row.person_id))
            else:
                subject = await subject_of(await Pupil.get(id=row.pupil_id))
                require(actor, Action.INVITATION_ISSUE, subject)
            await Invitation.filter(id=row.id, revoked_at=None, used_at=None).update(
                revoked_at=self._clock.now(), updated_at=self._clock.now()
            )
            await self._audit.record(
                actor,
                Action.INVITATION_ISSUE,
                f"invitation:{row.id}",
                whose=subject,
                fields=["revoked_at"],
                purpose="revoked",
            )

    # ------------------------------------------------------------------------------------------------------ machinery
    async def _make(
        self,
        actor: Actor,
        days: int,
        *,
        kind: InvitationKind,
        pupil_id: UUID | None,
        person_id: UUID | None,
        whose: Subject,
    ) -> Slip:
        now, code = self._clock.now(), new_code()
        same = Invitation.filter(kind=kind, pupil_id=pupil_id, person_id=person_id, used_at=None, revoked_at=None)
        await same.update(revoked_at=now, updated_at=now)
        row = await Invitation.create(
            id=uuid4(),
            kind=kind,
            code_index=fingerprint(code),
            pupil_id=pupil_id,
            person_id=person_id,
            issued_by=actor.person_id,
            expires_at=now + timedelta(days=days),
            created_at=now,
            updated_at=now,
        )
        await self._audit.record(
            actor, Action.INVITATION_ISSUE, f"invitation:{row.id}", whose=whose, fields=["code"], purpose="issued"
        )
        return Slip(
            id=str(row.id),
            kind=kind,
            name="",
            where="",
            code=spelled(code),
            qr_content=None,
            expires_at=row.expires_at,
        )

    async def _guardian(self, pupil: Pupil, person_id: str | None) -> UUID | None:
        if person_id is None:
            return None
        row = await Guardianship.get_or_none(pupil_id=pupil.id, person_id=person_id, ended_on=None)
        if row is None:
            raise NotFound
        return row.person_id

    async def _staff_subject(self, actor: Actor, person_id: str) -> Subject:
        """Where the person works, within the actor's reach. Raises NotFound."""
        reach = reach_of(actor, Action.STAFF_EDIT)
        for row in await Appointment.filter(person_id=person_id):
            subject = Subject(
                person_id=person_id,
                school_id=str(row.school_id) if row.school_id else None,
                township_id=str(row.township_id),
            )
            if reach.covers(subject):
                return subject
        require(actor, Action.STAFF_EDIT, Subject())
        raise NotFound

    async def _with_qr(self, slips: Sequence[Slip]) -> Sequence[Slip]:
        """The slips with their QR codes. After the transaction: what is not to be had does not undo the codes."""
        gate = asyncio.Semaphore(_QR_CALLS_AT_ONCE)

        async def drawn(slip: Slip) -> Slip:
            code = slip.code.replace("-", "")
            async with gate:
                try:
                    term = slip.expires_at - self._clock.now()
                    made = await self._wechat().create_qr_code(scene_of(code), term)
                except WeChatError as error:
                    _log.warning("qr_code_not_made", cause=error.code)
                    return slip
            return replace(slip, qr_content=made.url)

        return await asyncio.gather(*(drawn(slip) for slip in slips))


def state_of(row: Invitation, now: datetime) -> InvitationState:
    """What became of it."""
    if row.used_at is not None:
        return InvitationState.USED
    if row.revoked_at is not None:
        return InvitationState.REVOKED
    if row.failed_proofs >= MAX_PROOFS:
        return InvitationState.LOCKED
    return InvitationState.EXPIRED if row.expires_at <= now else InvitationState.OPEN


async def _subject_of_class(room: SchoolClass | None) -> Subject:
    if room is None:
        return Subject()
    school = await School.get(id=room.school_id)
    return Subject(class_id=str(room.id), school_id=str(school.id), township_id=str(school.township_id))


def _check(count: int, days: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise TermInvalid
    if count > MOST_AT_ONCE:
        raise TooManyInvitations
