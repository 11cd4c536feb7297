"""The last word before a family is told of a free place or of a draw: whether it still stands, and the words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bot.clock import to_local
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from handlers.accounts.service.people import PeopleService
from handlers.after_school import texts
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolEnrolment
from handlers.after_school.service.leaving import DRAWN, LAPSED, OFFER
from handlers.after_school.texts import drawing


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    text: str
    line: str
    note: str


_S = EnrolmentState
_OF: Final[Mapping[str, Sequence[tuple[EnrolmentState, _Words]]]] = {
    OFFER: ((_S.OFFERED, _Words(texts.OFFER_SUBJECT, texts.OFFER_TEXT, texts.OFFER_LINE, texts.OFFER_NOTE)),),
    LAPSED: ((_S.DECLINED, _Words(texts.LAPSED_SUBJECT, texts.LAPSED_TEXT, texts.LAPSED_LINE, texts.LAPSED_NOTE)),),
    DRAWN: (
        (_S.ENROLLED, _Words(drawing.SUBJECT, drawing.GOT_TEXT, drawing.GOT_LINE, drawing.NOTE)),
        (_S.WAITLISTED, _Words(drawing.SUBJECT, drawing.WAITING_TEXT, drawing.WAITING_LINE, drawing.NOTE)),
        (_S.DECLINED, _Words(drawing.SUBJECT, drawing.ASIDE_TEXT, drawing.ASIDE_LINE, drawing.NOTE)),
    ),
}
"""What is said at each occurrence of sign-ups in which state."""


class AfterSchoolPushes:
    """A `PushSource`."""

    def __init__(self, people: PeopleService) -> None:
        self._people = people

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """By party: an offer while it stands, the end of one or a draw while nothing newer has come of it."""
        parties = {push.id: UUID(push.reason.partition(":")[2]) for push in pushes}
        rows: dict[UUID, list[AfterSchoolEnrolment]] = defaultdict(list)
        for row in await AfterSchoolEnrolment.filter(party_id__in=list(set(parties.values()))).select_related(
            "programme"
        ):
            rows[row.party_id].append(row)
        children = await self._people.children_known({child for push in pushes for child in push.child_ids})
        names = {child: view.name for child, view in children.items()}
        return {push.id: _words(push, rows[parties[push.id]], names, now) for push in pushes}


def _words(
    push: Push, party: Sequence[AfterSchoolEnrolment], names: Mapping[str, str], now: datetime
) -> Composed | NotNeeded:
    own = [row for row in party if str(row.pupil_id) in push.child_ids]
    said = _said(push.occurrence, own, now)
    if said is None:
        return NotNeeded("answered")
    meant, words = said
    known = {
        "names": texts.COMMA.join(sorted({names.get(str(row.pupil_id), "") for row in meant} - {""})),
        "programme": texts.COMMA.join(sorted({row.programme.title for row in meant})),
        "until": _moment(meant[0].offered_until or now),
    }
    slots: dict[Slot, str | datetime] = {
        Slot.SUBJECT: words.subject,
        Slot.WHEN: meant[0].offered_until or now,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: words.note,
    }
    return Composed(text=words.text.format(**known), line=words.line.format(**known), slots=slots)


def _said(
    occurrence: str, own: Sequence[AfterSchoolEnrolment], now: datetime
) -> tuple[Sequence[AfterSchoolEnrolment], _Words] | None:
    """What is said about which of the sign-ups; None when something newer has come of them."""
    wanted = _OF[occurrence]
    meant = next(
        ((rows, words) for state, words in wanted if (rows := [row for row in own if row.state is state])), None
    )
    if meant is None or (occurrence == OFFER and any(_has_run_out(row, now) for row in meant[0])):
        return None
    return meant


def _has_run_out(row: AfterSchoolEnrolment, now: datetime) -> bool:
    return row.offered_until is None or row.offered_until <= now


def _moment(at: datetime) -> str:
    local = to_local(at)
    return texts.MOMENT.format(month=local.month, day=local.day, hour=local.hour, minute=local.minute)
