"""What those who decide do: the queue, a case with its papers, and the deeds, each by another person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, may, require
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.after_school.domain.waivers import (
    WAITING,
    SamePerson,
    Verdict,
    WaiverState,
    check_words,
    hardship,
    lapse_of,
    require_fresh,
)
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverEvent
from handlers.after_school.service.waivers.listing import Listing
from handlers.after_school.service.waivers.rows import (
    category_of,
    evidence_of,
    hands_of,
    held,
    move,
    own_id,
    subject_of,
    within,
)
from handlers.after_school.service.waivers.telling import ResultPushes, family_of
from handlers.after_school.service.waivers.terms import choices, chosen
from handlers.after_school.service.waivers.views import CaseLine, CaseStep, CaseView
from handlers.after_school.service.waivers.waived import put_waived, refund, refunds_of
from handlers.after_school.texts import waivers as texts
from handlers.calendar.service.calendars import CalendarService

PAGE: Final = "/waivers"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides: for which terms when it is granted, why when it is not."""

    verdict: Verdict
    terms: tuple[str, ...] = ()
    reason: str = ""


class WaiverDeciding:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self,
        audiences: AccountsAudiences,
        listing: Listing,
        calendars: CalendarService,
        pushes: ResultPushes,
        files: FileStore,
        *,
        audit: Audit,
        clock: Clock,
        evidence_days: int,
    ) -> None:
        """`evidence_days`: so long papers are kept after a decision."""
        self._audiences = audiences
        self._listing = listing
        self._calendars = calendars
        self._pushes = pushes
        self._files = files
        self._audit = audit
        self._clock = clock
        self._kept = timedelta(days=evidence_days)

    # --------------------------------------------------------------------------------------------------------- looking
    async def queue(
        self, actor: Actor, states: Sequence[WaiverState] = WAITING, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[CaseLine], int]:
        """The cases within reach in some states, the oldest first, and how many there are. Who and how far, no more."""
        reach = require(actor, Action.WAIVER_VIEW)
        async with transaction():
            query = within(reach).filter(state__in=list(states))
            rows = await query.order_by("created_at", "id").offset(offset).limit(limit)
            await self._audit.record(actor, Action.WAIVER_VIEW, "waivers:queue", purpose="queue")
            wards = await self._audiences.children({str(row.pupil_id) for row in rows})
            return [_line(row, wards.get(str(row.pupil_id))) for row in rows], await query.count()

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """What waits within reach, as a number."""
        if actor.person_id is None or not may(actor, Action.WAIVER_DECIDE):
            return []
        count = await within(require(actor, Action.WAIVER_DECIDE)).filter(state__in=list(WAITING)).count()
        return [Todo(texts.WAITS, count, PAGE)] if count else []

    async def look(self, actor: Actor, waiver_id: str) -> CaseView:
        """A case with all that is known. Raises NotFound."""
        async with transaction():
            row = await held(actor, Action.WAIVER_VIEW, waiver_id)
            read = ["category", "note", "reason", "appeal", "evidence"]
            await self._audit.record(actor, Action.WAIVER_VIEW, f"waiver:{row.id}", whose=subject_of(row), fields=read)
            return await self._shown(actor, row)

    async def picture(self, actor: Actor, waiver_id: str, picture_id: str) -> FileContent:
        """One of its papers. Raises NotFound, FileNotFound."""
        async with transaction():
            row = await held(actor, Action.WAIVER_VIEW, waiver_id)
            await self._audit.record(
                actor, Action.WAIVER_VIEW, f"waiver:{row.id}", whose=subject_of(row), fields=["evidence"]
            )
            return await self._files.read(evidence_of(row.id), picture_id)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def check(self, actor: Actor, waiver_id: str) -> None:
        """Somebody has looked at it, and finds it complete. Raises NotFound, IllegalWaiverMove, SamePerson."""
        now = self._clock.now()
        async with transaction():
            row = await self._taken(actor, waiver_id, now)
            await move(row, WaiverState.CHECKED, own_id(actor), now, {"checked_by": own_id(actor), "checked_at": now})
            await self._wrote(actor, row, "checked")

    async def give_back(self, actor: Actor, waiver_id: str, reason: str) -> None:
        """Something is missing: the family is told, and may hand it in again. Raises as `check`, and WaiverInvalid."""
        now = self._clock.now()
        async with transaction():
            row = await self._taken(actor, waiver_id, now)
            said = check_words(reason, "要补什么", required=True)
            await move(row, WaiverState.DRAFT, own_id(actor), now, {"reason": said})
            await self._pushes.promise(row, now)
            await self._wrote(actor, row, "given_back")

    async def decide(self, actor: Actor, waiver_id: str, decision: Decision) -> None:
        """Another person than the one who checked decides; on an appeal, a third one. Raises NotFound,
        IllegalWaiverMove, SamePerson, WaiverInvalid."""
        now = self._clock.now()
        async with transaction():
            row = await self._taken(actor, waiver_id, now)
            by = ("heard_by", "heard_at") if row.state is WaiverState.APPEALED else ("decided_by", "decided_at")
            columns = {by[0]: own_id(actor), by[1]: now}
            if decision.verdict is Verdict.GRANT:
                await self._grant(actor, row, decision, columns, now)
            else:
                reason = check_words(decision.reason, "不同意的理由", required=True)
                await move(row, WaiverState.REFUSED, own_id(actor), now, {**columns, "reason": reason})
            await self._files.delete_from(evidence_of(row.id), now + self._kept)
            await self._pushes.promise(row, now)
            await self._wrote(actor, row, decision.verdict.value)

    async def refunded(self, actor: Actor, waiver_id: str, term: str) -> None:
        """What had been paid for a term was given back. Raises NotFound."""
        now = self._clock.now()
        async with transaction():
            row = await held(actor, Action.WAIVER_DECIDE, waiver_id)
            if not await refund(row.id, term, own_id(actor), now):
                raise NotFound(texts.NOT_DUE)
            await self._wrote(actor, row, "refunded")

    async def lapse(self) -> int:
        """What was granted for terms that are over, is over; gives how many cases that were."""
        now = self._clock.now()
        due = AfterSchoolWaiver.filter(state=WaiverState.GRANTED, lapses_on__lt=local_date(now))
        lapsed = 0
        for own in await due.values_list("id", flat=True):
            async with transaction():
                row = await AfterSchoolWaiver.filter(id=own).select_for_update().first()
                if row is not None and row.state is WaiverState.GRANTED:
                    await move(row, WaiverState.LAPSED, None, now)
                    lapsed += 1
        return lapsed

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _taken(self, actor: Actor, waiver_id: str, now: datetime) -> AfterSchoolWaiver:
        """The case, locked, for somebody it has not gone through before."""
        row = await held(actor, Action.WAIVER_DECIDE, waiver_id, lock=True)
        require_fresh(actor.person_id, hands_of(row), await self._family(row, now))
        return row

    async def _family(self, row: AfterSchoolWaiver, now: datetime) -> frozenset[str]:
        return await family_of(self._audiences, str(row.pupil_id), local_date(now))

    async def _grant(
        self, actor: Actor, row: AfterSchoolWaiver, decision: Decision, columns: Mapping[str, object], now: datetime
    ) -> None:
        """By the township's rule: nobody sets an amount for one family."""
        spans = chosen(await choices(self._calendars, str(row.school_id), local_date(now)), decision.terms)
        percent = (await category_of(row)).percent
        granted = {"terms": [each.name for each in spans], "percent": percent, "lapses_on": lapse_of(spans)}
        await move(row, WaiverState.GRANTED, own_id(actor), now, {**columns, **granted, "reason": None})
        await put_waived(row, percent, spans, now)

    async def _wrote(self, actor: Actor, row: AfterSchoolWaiver, purpose: str) -> None:
        await self._audit.record(
            actor, Action.WAIVER_DECIDE, f"waiver:{row.id}", whose=subject_of(row), purpose=purpose
        )

    async def _shown(self, actor: Actor, row: AfterSchoolWaiver) -> CaseView:
        now, rule = self._clock.now(), await category_of(row)
        kind, today = hardship(rule.code), local_date(now)
        ward = (await self._audiences.children([str(row.pupil_id)])).get(str(row.pupil_id))
        listed = await self._listing.codes_of(str(row.pupil_id), str(row.township_id), today)
        return CaseView(
            id=str(row.id),
            child=ward.name if ward else texts.GONE,
            school=ward.school if ward else "",
            class_name=ward.class_name if ward else "",
            title=kind.title,
            clause=rule.clause,
            evidence=rule.evidence or kind.evidence,
            percent=rule.percent if row.percent is None else row.percent,
            state=row.state,
            on_list=rule.code in listed,
            pictures=[each.id for each in await self._files.of(evidence_of(row.id))],
            note=row.note or "",
            reason=row.reason or "",
            appeal=row.appeal or "",
            consent_how=row.consent_how,
            steps=await self._steps(row.id),
            terms=tuple(row.terms),
            lapses_on=row.lapses_on,
            choices=await choices(self._calendars, str(row.school_id), today),
            refunds=await refunds_of(row.id),
            is_mine_to_do=row.state in WAITING and _is_fresh(actor, row, await self._family(row, now)),
        )

    async def _steps(self, waiver_id: UUID) -> list[CaseStep]:
        rows = await AfterSchoolWaiverEvent.filter(waiver_id=waiver_id).order_by("at", "created_at")
        names = await self._audiences.names({str(row.by_person) for row in rows if row.by_person})
        return [CaseStep(row.at, row.to_state, names.get(str(row.by_person), "")) for row in rows]


def _is_fresh(actor: Actor, row: AfterSchoolWaiver, family: frozenset[str]) -> bool:
    try:
        require_fresh(actor.person_id, hands_of(row), family)
    except SamePerson:
        return False
    return True


def _line(row: AfterSchoolWaiver, ward: WardMeant | None) -> CaseLine:
    since = row.submitted_at or row.created_at
    if ward is None:
        return CaseLine(str(row.id), texts.GONE, "", "", row.state, since)
    return CaseLine(str(row.id), ward.name, ward.school, ward.class_name, row.state, since)
