"""Becoming somebody the system knows: by invitation and a second proof, or by the phone number WeChat confirms.

A try that fails is counted, so it must not be undone: these use cases return what came of them and raise only where
nothing is to be kept. `Outcome.checked` turns a failure into its named error, for the edges that want one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import InvalidInput
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts import texts
from handlers.accounts.domain import (
    RELATION_WORDS,
    BindingWay,
    InvitationKind,
    PupilStatus,
    Relation,
    mask_name,
    normalise_name,
    normalise_phone,
)
from handlers.accounts.models import Guardianship, Invitation, Person, Pupil, WeChatIdentity
from handlers.accounts.service.bars import Candidate, bars_on, is_barred
from handlers.accounts.service.codes import fingerprint, read_code
from handlers.accounts.service.invitations import MAX_PROOFS, InvitationState, state_of
from handlers.accounts.service.outcomes import Claim, Outcome, PersonOption, Proof, Result
from handlers.accounts.service.proofs import child_fits, phone_fits
from handlers.accounts.service.requests import BindingRequests, Plea, TooManyRequests
from handlers.accounts.service.ties import Ties, live_guardianships, subject_of
from handlers.accounts.service.unbinding import UnbindingService
from handlers.accounts.service.values import GuardianshipValues, PersonValues
from handlers.accounts.service.writing import Writer, one

MAX_FAILED_A_DAY: Final = 10
_NOBODY_IN_PARTICULAR: Final = Claim()


class BindingService(UnbindingService):
    """The use cases of whoever wants to be bound, beside those of whoever is."""

    def __init__(self, clock: Clock, audit: Audit, ties: Ties, writer: Writer, requests: BindingRequests) -> None:
        super().__init__(clock, audit, ties, writer)
        self._requests = requests

    # ---------------------------------------------------------------------------------------------------- invitations
    async def look_at_code(self, actor: Actor, code: str) -> tuple[Result | None, InvitationKind | None]:
        """Whether there is an open invitation of this code (then None), and who is invited. A wrong code counts as a
        failed try; one that is over does not."""
        require(actor, Action.BINDING_REQUEST)
        async with transaction():
            identity = await self._identity(actor)
            if self._has_failed_too_often(identity):
                return Result.TOO_OFTEN, None
            invitation = await self._invitation(code)
            if invitation is None:
                await self._count_failure(actor, identity, None)
                return Result.UNKNOWN_CODE, None
            return self._state(invitation, identity), invitation.kind

    async def bind_by_invitation(
        self, actor: Actor, code: str, proof: Proof, claim: Claim = _NOBODY_IN_PARTICULAR
    ) -> Outcome:
        """Binds the WeChat id to whom the code invites, if the second proof fits.

        Raises NotAuthenticated, PrivacyNotAgreed; NameInvalid for a claimed name that is none.
        """
        require(actor, Action.BINDING_REQUEST)
        async with transaction():
            identity = await self._identity(actor)
            if self._has_failed_too_often(identity):
                return Outcome(result=Result.TOO_OFTEN)
            invitation = await self._invitation(code)
            if invitation is None:
                await self._count_failure(actor, identity, None)
                return Outcome(result=Result.UNKNOWN_CODE)
            if (over := self._state(invitation, identity)) is not None:
                return Outcome(result=over)
            if invitation.kind is InvitationKind.STAFF:
                return await self._bind_staff(actor, identity, invitation, proof)
            return await self._bind_guardian(actor, identity, invitation, proof=proof, claim=claim)

    async def _bind_staff(
        self, actor: Actor, identity: WeChatIdentity, invitation: Invitation, proof: Proof
    ) -> Outcome:
        person = await Person.get_or_none(id=invitation.person_id, is_erased=False)
        if person is None:
            return Outcome(result=Result.CODE_OVER)
        if not phone_fits(proof.phone, person.phone):
            return await self._wrong_proof(actor, identity, invitation)
        if identity.person_id not in (None, person.id):
            return await self._let_decide(actor, identity, person.id)
        own = await self._open_guardianships(person)
        await self._ties.tie(actor, identity, person.id, own, BindingWay.INVITATION)
        await self._use(invitation, identity)
        return await self._bound(own, person.id)

    async def _bind_guardian(
        self, actor: Actor, identity: WeChatIdentity, invitation: Invitation, *, proof: Proof, claim: Claim
    ) -> Outcome:
        pupil = await Pupil.filter(id=invitation.pupil_id).select_for_update().first()
        if pupil is None or pupil.status is not PupilStatus.ENROLLED:
            return Outcome(result=Result.CODE_OVER)
        if not child_fits(proof, pupil):
            return await self._wrong_proof(actor, identity, invitation)
        if invitation.person_id is not None:
            return await self._bind_named(actor, identity, invitation, pupil)
        return await self._bind_claimed(actor, identity, invitation, pupil=pupil, claim=claim)

    async def _bind_named(
        self, actor: Actor, identity: WeChatIdentity, invitation: Invitation, pupil: Pupil
    ) -> Outcome:
        """The school has named who is to be bound: all children the roster gives them are theirs to see."""
        person = await Person.get(id=invitation.person_id)
        if await self._is_barred(pupil, person):
            return await self._wrong_proof(actor, identity, invitation)
        if identity.person_id is None and await self._ties.is_staff(person.id):
            return Outcome(result=Result.STAFF_FIRST)
        if identity.person_id not in (None, person.id):
            return await self._let_decide(actor, identity, person.id)
        own = await self._open_guardianships(person)
        await self._ties.tie(actor, identity, person.id, own, BindingWay.INVITATION)
        await self._use(invitation, identity)
        return await self._bound(own, person.id)

    async def _bind_claimed(
        self, actor: Actor, identity: WeChatIdentity, invitation: Invitation, *, pupil: Pupil, claim: Claim
    ) -> Outcome:
        """The slip is for any guardian: the asker says who they are, and only this child is bound."""
        known = await self._own_guardianship(identity, pupil)
        if known is None and claim.relation is None:
            return Outcome(result=Result.NEEDS_RELATION)
        person = await Person.get_or_none(id=identity.person_id) if identity.person_id else None
        bars = await bars_on(pupil.id, local_date(self._clock.now()))
        candidate = Candidate.of(person) if person else Candidate.named(claim.name) if claim.name else Candidate()
        if is_barred(bars, candidate):
            return await self._wrong_proof(actor, identity, invitation)
        if known is None and person is None:
            known = await self._claimed(pupil, claim)
            if known is None and claim.name is None:
                return Outcome(result=Result.NEEDS_NAME)
        if await self._must_be_decided(identity, known, has_bars=bool(bars)):
            if claim.name is None and person is None:
                return Outcome(result=Result.NEEDS_NAME)
            return await self._send_on(actor, identity, pupil, claim=claim, name=person.name if person else None)
        if known is None:
            known = await self._new_guardianship(pupil, person, claim)
        if identity.person_id is None and await self._ties.is_staff(known.person_id):
            return Outcome(result=Result.STAFF_FIRST)
        await self._ties.tie(actor, identity, known.person_id, [known], BindingWay.INVITATION)
        await self._use(invitation, identity)
        return await self._bound([known], known.person_id)

    async def _own_guardianship(self, identity: WeChatIdentity, pupil: Pupil) -> Guardianship | None:
        if identity.person_id is None:
            return None
        return await Guardianship.get_or_none(pupil_id=pupil.id, person_id=identity.person_id, ended_on=None)

    async def _claimed(self, pupil: Pupil, claim: Claim) -> Guardianship | None:
        """Whom of the roster the asker says to be: by the relation if one only has it, else by the name too."""
        rows = await Guardianship.filter(pupil_id=pupil.id, ended_on=None).prefetch_related("person")
        rows = [row for row in rows if not row.person.is_erased]
        if claim.name is not None:
            name = normalise_name(claim.name)
            return next((row for row in rows if row.person.name == name), None)
        fitting = [row for row in rows if row.relation is claim.relation]
        return fitting[0] if len(fitting) == 1 and claim.relation is not Relation.OTHER else None

    async def _must_be_decided(self, identity: WeChatIdentity, known: Guardianship | None, *, has_bars: bool) -> bool:
        """Whether a slip is not enough: somebody is kept from the child, or somebody else is bound as this person."""
        if known is not None and known.person_id == identity.person_id:
            return False
        if has_bars:
            return True
        if known is None:
            return False
        taken = WeChatIdentity.filter(person_id=known.person_id).exclude(id=identity.id)
        return known.bound_at is not None or await taken.exists()

    async def _new_guardianship(self, pupil: Pupil, person: Person | None, claim: Claim) -> Guardianship:
        person_id = person.id if person else one(await self._writer.put_persons([PersonValues(name=claim.name)])).id
        values = GuardianshipValues(pupil_id=pupil.id, person_id=person_id, relation=claim.relation)
        put = one(await self._writer.put_guardianships([values]))
        return await Guardianship.get(id=put.id)

    # ---------------------------------------------------------------------------------------------------------- phone
    async def bind_by_phone(self, actor: Actor, phone: str, *, person_id: str | None = None) -> Outcome:
        """Binds the WeChat id to whom the roster has under a number that WeChat has confirmed to be the asker's; where
        several share it, to the one named. Raises NotAuthenticated, PrivacyNotAgreed, PhoneInvalid."""
        require(actor, Action.BINDING_REQUEST)
        index = blind_index("phone", normalise_phone(phone))
        async with transaction():
            identity = await self._identity(actor)
            found = await Person.filter(phone_index=index, is_erased=False).order_by("id")
            open_to = {each.id: await self._open_guardianships(each, sharing=found) for each in found}
            staff = {each.id for each in found if await self._ties.is_staff(each.id)}
            people = [each for each in found if open_to[each.id] or each.id in staff]
            if person_id is not None:
                people = [each for each in people if str(each.id) == person_id]
            if not people:
                await self._denied(actor, Subject(), "phone_not_known")
                return Outcome(result=Result.NOT_KNOWN)
            if len(people) > 1:
                options = [await self._option(each, open_to[each.id]) for each in people]
                return Outcome(result=Result.CHOOSE, options=tuple(options))
            person = people[0]
            if identity.person_id not in (None, person.id):
                return await self._let_decide(actor, identity, person.id)
            own = open_to[person.id]
            await self._ties.tie(actor, identity, person.id, own, BindingWay.PHONE)
            return await self._bound(own, person.id)

    async def _option(self, person: Person, guardianships: Sequence[Guardianship]) -> PersonOption:
        words = dict.fromkeys(RELATION_WORDS[each.relation] for each in guardianships)
        return PersonOption(str(person.id), mask_name(person.name), "、".join(words) or texts.STAFF_WORD)

    # ------------------------------------------------------------------------------------------------------- requests
    async def request_approval(self, actor: Actor, plea: Plea) -> Outcome:
        """Asks the school to decide. The answer is the same whatever it finds. Raises NotFound for an unknown school,
        TooManyRequests, NameInvalid, NotAuthenticated, PrivacyNotAgreed."""
        require(actor, Action.BINDING_REQUEST)
        async with transaction():
            identity = await self._identity(actor)
            await self._requests.plead(actor, identity, plea)
        return Outcome(result=Result.SENT_ON)

    async def _send_on(
        self, actor: Actor, identity: WeChatIdentity, pupil: Pupil, *, claim: Claim, name: str | None
    ) -> Outcome:
        said = {"kind": "guardian", "name": name or normalise_name(claim.name or ""), "child": pupil.name}
        relation = claim.relation or Relation.OTHER
        try:
            await self._requests.file(actor, identity, pupil, said=said, relation=relation, school_id=pupil.school_id)
        except TooManyRequests:
            return Outcome(result=Result.TOO_OFTEN)
        return Outcome(result=Result.SENT_ON)

    async def _let_decide(self, actor: Actor, identity: WeChatIdentity, other: UUID) -> Outcome:
        """The WeChat id is another person's already: whether they are one is not for us to say."""
        await self._requests.ask_whether_same(identity, other)
        return Outcome(result=Result.SENT_ON)

    # ------------------------------------------------------------------------------------------------------ machinery
    async def _invitation(self, code: str) -> Invitation | None:
        """The invitation, locked: its tries are counted one after the other."""
        plain = read_code(code)
        if plain is None:
            return None
        return await Invitation.filter(code_index=fingerprint(plain)).select_for_update().first()

    def _state(self, invitation: Invitation, identity: WeChatIdentity) -> Result | None:
        state = state_of(invitation, self._clock.now())
        if state is InvitationState.OPEN:
            return None
        return Result.ALREADY if invitation.used_by == identity.id and identity.person_id else Result.CODE_OVER

    def _has_failed_too_often(self, identity: WeChatIdentity) -> bool:
        return identity.failed_on == local_date(self._clock.now()) and identity.failed_proofs >= MAX_FAILED_A_DAY

    async def _wrong_proof(self, actor: Actor, identity: WeChatIdentity, invitation: Invitation) -> Outcome:
        await self._count_failure(actor, identity, invitation)
        return Outcome(result=Result.WRONG_PROOF, tries_left=MAX_PROOFS - invitation.failed_proofs)

    async def _count_failure(self, actor: Actor, identity: WeChatIdentity, invitation: Invitation | None) -> None:
        now = self._clock.now()
        today = local_date(now)
        count = identity.failed_proofs + 1 if identity.failed_on == today else 1
        await WeChatIdentity.filter(id=identity.id).update(failed_proofs=count, failed_on=today, updated_at=now)
        identity.failed_proofs, identity.failed_on = count, today
        subject = Subject()
        if invitation is not None:
            invitation.failed_proofs += 1
            await Invitation.filter(id=invitation.id).update(failed_proofs=invitation.failed_proofs, updated_at=now)
            pupil = await Pupil.get_or_none(id=invitation.pupil_id) if invitation.pupil_id else None
            subject = await subject_of(pupil) if pupil else Subject(person_id=str(invitation.person_id))
        await self._denied(actor, subject, "proof_wrong")

    async def _denied(self, actor: Actor, subject: Subject, why: str) -> None:
        error = refusal(InvalidInput(details={"why": why}), actor, Action.BINDING_REQUEST, subject)
        await self._audit.note_denial(error)

    async def _use(self, invitation: Invitation, identity: WeChatIdentity) -> None:
        now = self._clock.now()
        await Invitation.filter(id=invitation.id).update(used_at=now, used_by=identity.id, updated_at=now)

    async def _is_barred(self, pupil: Pupil, person: Person) -> bool:
        return is_barred(await bars_on(pupil.id, local_date(self._clock.now())), Candidate.of(person))

    async def _open_guardianships(self, person: Person, sharing: Sequence[Person] = ()) -> list[Guardianship]:
        """What the roster gives the person, without children they are kept from; `sharing` are people with the same
        phone: where one of them is kept from a child, the phone alone is no proof for it."""
        rows = await live_guardianships(person_id=person.id)
        pupils = sorted({row.pupil_id for row in rows})
        await Pupil.filter(id__in=pupils).order_by("id").select_for_update()
        today = local_date(self._clock.now())
        open_rows = []
        for row in rows:
            bars = await bars_on(row.pupil_id, today)
            if not any(is_barred(bars, Candidate.of(each)) for each in (person, *sharing)):
                open_rows.append(row)
        return open_rows

    async def _bound(self, guardianships: Sequence[Guardianship], person_id: UUID) -> Outcome:
        names = await Pupil.filter(id__in=[row.pupil_id for row in guardianships]).order_by("name")
        return Outcome(
            result=Result.BOUND,
            children=tuple(pupil.name for pupil in names),
            is_staff=await self._ties.is_staff(person_id),
        )
