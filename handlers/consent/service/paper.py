"""Consent on paper: forms to be printed, and what a guardian signed on one, entered by somebody on the staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of
from bot.storage.database import transaction
from handlers.accounts.service.child_records import Custody, EnrolledChild
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.views import GuardianView
from handlers.consent import texts
from handlers.consent.domain.decisions import AskFirst, Decision, FormInvalid, NoticeChanged
from handlers.consent.models import ConsentEvent
from handlers.consent.service.erasure import ErasureService
from handlers.consent.service.events import NewDecision, add_event, last_event
from handlers.consent.service.notice import Notice
from handlers.consent.service.within import child_within

PAPER: Final = "paper"
RECORDED: Final = "consent.recorded"
OLDEST_FORM: Final = timedelta(days=366)
_ASKED_FIRST: Final = "ask_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedForm:
    """What stands on a form. `version` is that of the notice on it; `has_asked`: whoever enters it has asked the
    guardian, who decided something else since."""

    child_id: str
    person_id: str
    decision: Decision
    signed_on: date
    version: str
    has_asked: bool = False


class PaperService:
    """Prints forms and takes them in."""

    def __init__(
        self,
        people: PeopleService,
        custody: Custody,
        erasure: ErasureService,
        notice: Notice,
        *,
        notices: BindingNotices,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._people = people
        self._custody = custody
        self._erasure = erasure
        self.notice = notice
        self._notices = notices
        self._audit = audit
        self._clock = clock

    @property
    def today(self) -> date:
        """The day in China."""
        return local_date(self._clock.now())

    async def children(self, actor: Actor, class_id: str) -> list[EnrolledChild]:
        """The children of a class; empty when it is out of reach."""
        return await self._custody.enrolled(reach_of(actor, Action.CONSENT_RECORD), class_id)

    async def guardians(self, actor: Actor, child_id: str) -> Sequence[GuardianView]:
        """Who may have signed for a child: those on the roster. Raises NotFound."""
        child_id, _ = await child_within(self._people, actor, Action.CONSENT_RECORD, child_id)
        return await self._people.guardians_of(child_id)

    async def record(self, actor: Actor, form: SignedForm) -> None:
        """Takes a signed form in; the guardian is told where they are bound. The same twice is once.

        Raises NotFound, FormInvalid, NoticeChanged (the form is an old one), and AskFirst when the guardian decided
        something else on the day they signed or later: they are asked first, and that this was seen is written down.
        """
        child_id, whose = await child_within(self._people, actor, Action.CONSENT_RECORD, form.child_id)
        guardians = {guardian.person_id for guardian in await self._people.guardians_of(child_id)}
        self._check(form, guardians)
        async with transaction():
            last = await last_event(child_id, form.person_id)
            must_ask = _is_overtaken(last, form) and not form.has_asked
            if must_ask:
                await self._note(actor, whose, _ASKED_FIRST)
            elif not _is_same(last, form):
                await self._take(actor, form, whose, last.created_at if last else None)
        if must_ask:
            raise AskFirst

    async def is_needed(self, reason: str, occurrence: str, openid_index: str) -> bool:
        """Whether a guardian still is to be told: not when they have decided themselves since. A `DeliveryCheck`."""
        event = await ConsentEvent.get_or_none(id=UUID(occurrence))
        if event is None or event.person_id is None:
            return False
        last = await last_event(str(event.pupil_id), str(event.person_id))
        return last is not None and last.id == event.id

    def _check(self, form: SignedForm, guardians: set[str]) -> None:
        is_in_time = self.today - OLDEST_FORM <= form.signed_on <= self.today
        if not is_in_time or form.person_id not in guardians or form.decision is Decision.WITHDRAWN:
            raise FormInvalid
        if form.version != self.notice.version:
            raise NoticeChanged(texts.FORM_IS_OLD, details={"version": self.notice.version})

    async def _take(self, actor: Actor, form: SignedForm, whose: Subject, last_at: datetime | None) -> None:
        assert whose.child_id is not None
        new = NewDecision(
            child_id=whose.child_id,
            person_id=form.person_id,
            decision=form.decision,
            version=form.version,
            channel=PAPER,
            entered_by=actor.person_id,
            signed_on=form.signed_on,
        )
        event = await add_event(new, self._clock.now(), last_at)
        await self._note(actor, whose, form.decision.value)
        # Who is kept away from the child counts neither way, and is told nothing.
        custody = await self._custody.of([new.child_id])
        if form.person_id not in custody.get(new.child_id, ()):
            return
        if form.decision is not Decision.GIVEN:
            await self._erasure.stop(new.child_id, form.person_id)
        await self._tell(actor, event)

    async def _note(self, actor: Actor, whose: Subject, purpose: str) -> None:
        subject = f"child:{whose.child_id}"
        await self._audit.record(actor, Action.CONSENT_RECORD, subject, whose=whose, purpose=purpose)

    async def _tell(self, actor: Actor, event: ConsentEvent) -> None:
        assert event.person_id is not None
        assert event.signed_on is not None
        child = (await self._people.pupil(actor, event.pupil_id)).pupil
        text = texts.TOLD_PAPER.format(name=child.name, decision=texts.DECISIONS[event.decision], day=event.signed_on)
        await self._notices.to_guardian(event.pupil_id, event.person_id, (RECORDED, str(event.id), text))


def _is_same(last: ConsentEvent | None, form: SignedForm) -> bool:
    return last is not None and (last.decision, last.notice_version) == (form.decision, form.version)


def _is_overtaken(last: ConsentEvent | None, form: SignedForm) -> bool:
    """Whether the guardian decided something else when they had signed already; on the same day nobody can tell."""
    if last is None or last.decision is form.decision:
        return False
    return (last.signed_on or local_date(last.created_at)) >= form.signed_on
