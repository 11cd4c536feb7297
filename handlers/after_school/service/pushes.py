"""The last word before a family is told of a free place: whether it is still kept for them, and the words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bot.clock import to_local
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from handlers.accounts.service.people import PeopleService
from handlers.after_school import texts
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolEnrolment
from handlers.after_school.service.leaving import OFFER


class AfterSchoolPushes:
    """A `PushSource`."""

    def __init__(self, people: PeopleService) -> None:
        self._people = people

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """By party: an offer while it stands, the end of one while nothing newer has come of it."""
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
    is_offer = push.occurrence == OFFER
    wanted = EnrolmentState.OFFERED if is_offer else EnrolmentState.DECLINED
    own = [row for row in party if row.state is wanted and str(row.pupil_id) in push.child_ids]
    if not own or (is_offer and any(row.offered_until is None or row.offered_until <= now for row in own)):
        return NotNeeded("answered")
    known = {
        "names": texts.COMMA.join(sorted({names.get(str(row.pupil_id), "") for row in own} - {""})),
        "programme": texts.COMMA.join(sorted({row.programme.title for row in own})),
        "until": _moment(own[0].offered_until or now),
    }
    text, line = (texts.OFFER_TEXT, texts.OFFER_LINE) if is_offer else (texts.LAPSED_TEXT, texts.LAPSED_LINE)
    slots: dict[Slot, str | datetime] = {
        Slot.SUBJECT: texts.OFFER_SUBJECT if is_offer else texts.LAPSED_SUBJECT,
        Slot.WHEN: own[0].offered_until or now,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.OFFER_NOTE if is_offer else texts.LAPSED_NOTE,
    }
    return Composed(text=text.format(**known), line=line.format(**known), slots=slots)


def _moment(at: datetime) -> str:
    local = to_local(at)
    return texts.MOMENT.format(month=local.month, day=local.day, hour=local.hour, minute=local.minute)
