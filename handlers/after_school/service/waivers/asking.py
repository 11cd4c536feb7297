"""What families do: look, ask, show, withdraw, appeal; and the head teacher on behalf of a family without a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from bot.storage.files import FileStore
from bot.storage.pictures import Picture
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.scope import as_id
from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import (
    MOST_PICTURES,
    OPEN,
    EvidenceMissing,
    IllegalWaiverMove,
    TooMuchEvidence,
    WaiverInvalid,
    WaiverOpen,
    WaiverState,
    advance,
    check_words,
    hardship,
)
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverCategory
from handlers.after_school.service.waivers.listing import Listing
from handlers.after_school.service.waivers.rows import (
    categories_of,
    evidence_of,
    held,
    in_force,
    move,
    note,
    own_id,
    subject_of,
    within,
)
from handlers.after_school.service.waivers.terms import APPEAL_KEPT
from handlers.after_school.service.waivers.views import Option, OwnWaiver
from handlers.after_school.service.waivers.waived import end_of_case
from handlers.after_school.texts import waivers as texts

MOST_OWN: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What a family asks for. `how`: how whoever enters it for them knows; None: they ask themselves."""

    child_id: str
    category_id: str
    note: str = field(default="", repr=False)
    how: ConsentHow | None = None


class WaiverAsking:
    """The use cases."""

    def __init__(
        self, audiences: AccountsAudiences, listing: Listing, files: FileStore, *, audit: Audit, clock: Clock
    ) -> None:
        self._audiences = audiences
        self._listing = listing
        self._files = files
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def options(self, actor: Actor, child_id: str, action: Action = Action.WAIVER_OWN) -> list[Option]:
        """What a child's township waives for today; empty: nothing. Raises NotFound."""
        ward = await self._ward(actor, action, child_id)
        async with transaction():
            today = local_date(self._clock.now())
            listed = await self._listing.codes_of(ward.id, ward.township_id, today)
            # Staff who enter a case do not learn what a list says of a family.
            is_shown = action is Action.WAIVER_OWN
            found = [_option(row, is_shown and row.code in listed) for row in await in_force(ward.township_id, today)]
            await self._audit.record(actor, action, f"child:{ward.id}", whose=_whose(ward), purpose="options")
        return found

    async def child(self, actor: Actor, child_id: str) -> WardMeant:
        """A child staff may put a case in for. Raises NotFound."""
        return await self._ward(actor, Action.WAIVER_FILE, child_id)

    async def own(self, actor: Actor, child_id: str | None = None) -> list[OwnWaiver]:
        """The cases of the actor's children (or of one of them), the newest first."""
        reach = require(actor, Action.WAIVER_OWN)
        async with transaction():
            query = within(reach)
            rows = (
                await (query.filter(pupil_id=as_id(child_id)) if child_id else query)
                .order_by("-created_at", "id")
                .limit(MOST_OWN)
            )
            for row in rows:
                await self._audit.record(actor, Action.WAIVER_OWN, f"waiver:{row.id}", whose=subject_of(row))
            return await self._shown(rows)

    async def one(self, actor: Actor, waiver_id: str) -> OwnWaiver:
        """One of them. Raises NotFound."""
        async with transaction():
            row = await held(actor, Action.WAIVER_OWN, waiver_id)
            await self._audit.record(actor, Action.WAIVER_OWN, f"waiver:{row.id}", whose=subject_of(row))
            return (await self._shown([row]))[0]

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def ask(self, actor: Actor, asked: Asked) -> OwnWaiver:
        """The family asks. Named by a list it goes to the school at once, else a picture is wanted first. Raises
        NotFound, WaiverOpen, WaiverInvalid."""
        ward = await self._ward(actor, Action.WAIVER_OWN, asked.child_id)
        async with transaction():
            row = await self._begin(actor, Action.WAIVER_OWN, ward, asked)
            if row.is_listed:
                await self._hand_in(actor, row, self._clock.now())
            return (await self._shown([row]))[0]

    async def file(self, actor: Actor, asked: Asked, evidence: bytes) -> None:
        """Staff put a case in for a family, with the picture of a paper (b"": none). They do not see it again. Raises
        as `ask`, and EvidenceMissing, PictureUnreadable, PictureTooLarge, FileTooLarge."""
        ward = await self._ward(actor, Action.WAIVER_FILE, asked.child_id)
        if asked.how is None:
            raise WaiverInvalid(texts.NO_HOW)
        picture = await self._files.prepared(evidence) if evidence else None
        async with transaction():
            row = await self._begin(actor, Action.WAIVER_FILE, ward, asked)
            if picture is not None:
                await self._keep(row, picture)
            elif not row.is_listed:
                raise EvidenceMissing
            await self._hand_in(actor, row, self._clock.now())

    async def show(self, actor: Actor, waiver_id: str, evidence: bytes) -> OwnWaiver:
        """A picture of a paper. Raises NotFound, IllegalWaiverMove, TooMuchEvidence, PictureUnreadable,
        PictureTooLarge, FileTooLarge."""
        await held(actor, Action.WAIVER_OWN, waiver_id)  # whose it is comes before what was sent
        return await self.show_prepared(actor, waiver_id, await self._files.prepared(evidence))

    async def show_prepared(self, actor: Actor, waiver_id: str, picture: Picture) -> OwnWaiver:
        """As `show`, with a picture that is ready. Raises NotFound, IllegalWaiverMove, TooMuchEvidence."""
        async with transaction():
            row = await held(actor, Action.WAIVER_OWN, waiver_id, lock=True)
            if row.state not in (WaiverState.DRAFT, WaiverState.SUBMITTED, WaiverState.APPEALED):
                raise IllegalWaiverMove
            await self._keep(row, picture)
            await self._audit.record(
                actor, Action.WAIVER_OWN, f"waiver:{row.id}", whose=subject_of(row), fields=["evidence"]
            )
            return (await self._shown([row]))[0]

    async def submit(self, actor: Actor, waiver_id: str) -> OwnWaiver:
        """It goes to the school; once more is once. Raises NotFound, EvidenceMissing, IllegalWaiverMove."""
        async with transaction():
            row = await held(actor, Action.WAIVER_OWN, waiver_id, lock=True)
            if row.state is not WaiverState.SUBMITTED:
                if not row.is_listed and not await self._files.of(evidence_of(row.id)):
                    raise EvidenceMissing
                await self._hand_in(actor, row, self._clock.now())
            return (await self._shown([row]))[0]

    async def withdraw(self, actor: Actor, waiver_id: str) -> OwnWaiver:
        """The family does not want it (any more); the pictures go at once. Raises NotFound, IllegalWaiverMove."""
        now = self._clock.now()
        async with transaction():
            row = await held(actor, Action.WAIVER_OWN, waiver_id, lock=True)
            if row.state is not WaiverState.WITHDRAWN:
                await move(row, WaiverState.WITHDRAWN, own_id(actor), now)
                await end_of_case(row.id, now)
                await self._files.discard_all(evidence_of(row.id))
                await self._wrote(actor, row, "withdrawn")
            return (await self._shown([row]))[0]

    async def appeal(self, actor: Actor, waiver_id: str, text: str) -> OwnWaiver:
        """The family does not agree, once: a third person decides. Raises NotFound, IllegalWaiverMove,
        WaiverInvalid."""
        now = self._clock.now()
        async with transaction():
            row = await held(actor, Action.WAIVER_OWN, waiver_id, lock=True)
            if row.heard_by is not None:
                raise IllegalWaiverMove(texts.REFUSED_FINAL)
            advance(row.state, WaiverState.APPEALED)  # what cannot be appealed is said before what stands in the way
            said = check_words(text, "申诉的理由", required=True)
            await self._require_none_open(row)
            await move(row, WaiverState.APPEALED, own_id(actor), now, {"appeal": said})
            # What is to be looked at again must not go meanwhile; what has gone already has.
            await self._files.delete_from(evidence_of(row.id), now + APPEAL_KEPT)
            await self._wrote(actor, row, "appealed")
            return (await self._shown([row]))[0]

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _ward(self, actor: Actor, action: Action, child_id: str) -> WardMeant:
        """The child, at school and within reach. Raises NotFound."""
        reach = require(actor, action)
        ward = (await self._audiences.children([child_id])).get(child_id)
        if ward is None or not reach.covers(_whose(ward)):
            raise refusal(NotFound(), actor, action, Subject())
        return ward

    async def _begin(self, actor: Actor, action: Action, ward: WardMeant, asked: Asked) -> AfterSchoolWaiver:
        now, said = self._clock.now(), check_words(asked.note, "情况说明")
        today = local_date(now)
        rules = {str(row.id): row for row in await in_force(ward.township_id, today)}
        rule = rules.get(asked.category_id)
        if rule is None:
            raise WaiverInvalid(texts.NO_CATEGORY)
        listed = await self._listing.codes_of(ward.id, ward.township_id, today)
        if await AfterSchoolWaiver.filter(active_key=ward.id).exists():
            raise WaiverOpen
        is_own = action is Action.WAIVER_OWN
        try:
            row = await AfterSchoolWaiver.create(
                id=uuid4(), township_id=UUID(ward.township_id), school_id=UUID(ward.school_id), pupil_id=UUID(ward.id),
                category=str(rule.id), state=WaiverState.DRAFT, is_listed=rule.code in listed, note=said or None,
                terms=[], asked_by=own_id(actor) if is_own else None, entered_by=None if is_own else own_id(actor),
                consent_how=asked.how, active_key=ward.id, created_at=now, updated_at=now,
            )  # fmt: skip
        except IntegrityError as error:
            raise WaiverOpen from error
        await note(row.id, None, WaiverState.DRAFT, own_id(actor), now)
        await self._audit.record(actor, action, f"waiver:{row.id}", whose=subject_of(row), purpose="asked")
        return row

    async def _hand_in(self, actor: Actor, row: AfterSchoolWaiver, now: datetime) -> None:
        await move(row, WaiverState.SUBMITTED, own_id(actor), now, {"submitted_at": now, "reason": None})

    async def _keep(self, row: AfterSchoolWaiver, picture: Picture) -> None:
        owner = evidence_of(row.id)
        if len(await self._files.of(owner)) >= MOST_PICTURES:
            raise TooMuchEvidence
        await self._files.keep_prepared(owner, picture)

    async def _require_none_open(self, row: AfterSchoolWaiver) -> None:
        if await AfterSchoolWaiver.filter(active_key=str(row.pupil_id)).exists():
            raise WaiverOpen

    async def _wrote(self, actor: Actor, row: AfterSchoolWaiver, purpose: str) -> None:
        await self._audit.record(actor, Action.WAIVER_OWN, f"waiver:{row.id}", whose=subject_of(row), purpose=purpose)

    async def _shown(self, rows: Sequence[AfterSchoolWaiver]) -> list[OwnWaiver]:
        rules, wards = await categories_of(rows), await self._audiences.children({str(row.pupil_id) for row in rows})
        pictures = {row.id: len(await self._files.of(evidence_of(row.id))) for row in rows}
        return [_own(row, rules.get(row.category), wards.get(str(row.pupil_id)), pictures[row.id]) for row in rows]


def _whose(ward: WardMeant) -> Subject:
    return Subject(child_id=ward.id, class_id=ward.class_id, school_id=ward.school_id, township_id=ward.township_id)


def _option(row: AfterSchoolWaiverCategory, is_listed: bool) -> Option:
    kind = hardship(row.code)
    return Option(str(row.id), kind.title, row.percent, row.clause, row.evidence or kind.evidence, is_listed)


def _own(
    row: AfterSchoolWaiver, rule: AfterSchoolWaiverCategory | None, ward: WardMeant | None, pictures: int
) -> OwnWaiver:
    is_granted = row.state in (WaiverState.GRANTED, WaiverState.LAPSED)
    return OwnWaiver(
        id=str(row.id),
        child_id=str(row.pupil_id),
        child=ward.name if ward else "",
        title=hardship(rule.code).title if rule else texts.UNKNOWN_CATEGORY,
        state=row.state,
        is_listed=row.is_listed,
        pictures=pictures,
        note=row.note or "",
        reason=row.reason or "",
        asked_at=row.created_at,
        decided_at=row.heard_at or row.decided_at,
        percent=row.percent if is_granted else None,
        terms=tuple(row.terms) if is_granted else (),
        lapses_on=row.lapses_on if is_granted else None,
        can_appeal=row.state is WaiverState.REFUSED and row.heard_by is None,
        can_withdraw=row.state in OPEN or row.state is WaiverState.GRANTED,
    )
