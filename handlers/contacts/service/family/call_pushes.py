"""The messages of a call: that it is proposed, agreed, called off, and the reminder to both before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from bot.clock import to_local
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.contacts.domain.family import REMINDED_BEFORE, CallState
from handlers.contacts.models import ContactsCall
from handlers.contacts.service.family.wishes import Wishes
from handlers.contacts.texts import family as texts

SOURCE: Final = "contacts_call"
TOLD: Final = f"{SOURCE}:told"
SOON: Final = f"{SOURCE}:soon"
_NEWS_FOR: Final = timedelta(days=2)
_PATH: Final = "/admin/contacts/calls"


def promises_of(row: ContactsCall, now: datetime) -> list[NewPush]:
    """What is to be said of a call as it is now: once for each state and hour, so one that is moved is told anew."""
    if row.state is CallState.AGREED:
        before = max(now, row.at - REMINDED_BEFORE)
        # Whoever proposed it hears that the other side agreed; both are reminded.
        return [
            _told(row, now),
            *(_push(SOON, row, each, before, row.at) for each in (row.teacher_id, row.guardian_id)),
        ]
    return [_told(row, now)]


def _told(row: ContactsCall, now: datetime) -> NewPush:
    to_family = row.is_from_family is (row.state is CallState.AGREED)
    if row.state is CallState.CANCELLED:
        to_family = row.closed_by != row.guardian_id
    until = now + _NEWS_FOR if row.state is CallState.CANCELLED else max(row.at, now + timedelta(minutes=1))
    return _push(TOLD, row, row.guardian_id if to_family else row.teacher_id, now, until)


def _push(reason: str, row: ContactsCall, person: UUID, not_before: datetime, expires_at: datetime) -> NewPush:
    return NewPush(
        reason=reason,
        occurrence=_occurrence(row),
        person_id=str(person),
        rule=SOURCE,
        purpose=Purpose.REMINDER,
        not_before=not_before,
        expires_at=expires_at,
        child_ids=(str(row.pupil_id),) if person == row.guardian_id else (),
    )


class CallPushes:
    """A `PushSource`: a call as it is when the message goes out."""

    def __init__(self, wishes: Wishes, audiences: AccountsAudiences) -> None:
        self._wishes = wishes
        self._audiences = audiences

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Of one that was moved or called off only the news is told; to a parent who does not want to
        hear from the school any more, nothing."""
        rows = {
            str(row.id): row
            for row in await ContactsCall.filter(id__in=[push.occurrence.partition(":")[0] for push in pushes])
        }
        children = {str(row.pupil_id) for row in rows.values()}
        wanting, wards = await self._wishes.wanting(children), await self._audiences.children(children)
        people = {str(each) for row in rows.values() for each in (row.teacher_id, row.guardian_id)}
        names = await self._audiences.names(people)
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            row = rows.get(push.occurrence.partition(":")[0])
            ward = wards.get(str(row.pupil_id)) if row else None
            is_family = row is not None and UUID(push.person_id) == row.guardian_id
            if row is None or ward is None or push.occurrence != _occurrence(row):
                found[push.id] = NotNeeded("changed")
            elif is_family and str(row.guardian_id) not in wanting.get(ward.id, frozenset()):
                found[push.id] = NotNeeded("not_wanted")
            elif row.at <= now and row.state is not CallState.CANCELLED:
                found[push.id] = NotNeeded("past")
            else:
                found[push.id] = _composed(push, row, ward, names, is_family=is_family)
        return found


def _composed(push: Push, row: ContactsCall, ward: WardMeant, names: Mapping[str, str], *, is_family: bool) -> Composed:
    key = "soon" if push.reason == SOON else row.state.value
    words = (texts.TO_FAMILY if is_family else texts.TO_TEACHER)[key]
    teacher = names.get(str(row.teacher_id), "")
    said = words.format(when=moment_words(row.at), teacher=teacher, school=ward.school, child=ward.name)
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.CALL_SUBJECT,
        Slot.WHEN: row.at,
        Slot.SENDER: ward.school,
        Slot.NOTE: texts.CALL_NOTES[key],
    }
    return Composed(text=said, line=said, slots=slots, path="" if is_family else _PATH)


def moment_words(at: datetime) -> str:
    """9月20日19:30."""
    local = to_local(at)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _occurrence(row: ContactsCall) -> str:
    return f"{row.id}:{row.state.value}:{row.at.timestamp():.0f}"
