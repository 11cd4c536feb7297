"""The last word before a notice goes out: whether it is still wanted by this person, and its words of this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.clock import local_date
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.consent.domain.decisions import Standing
from handlers.consent.service.consents import ConsentService
from handlers.notices import texts
from handlers.notices.domain import LIVE, NO_CHILD, OUT, NoticeState
from handlers.notices.models import Notice, NoticeRecipient
from handlers.notices.service.reading import PAGE
from handlers.notices.service.rows import links_of, notice_id_of, reason_of
from handlers.notices.service.sending import AGAIN, CALL, ESCALATION, FIRST, occurrences_of
from handlers.notices.service.signing import APPROVE
from handlers.notices.service.tickets import tickets_for
from handlers.notices.service.waiting import children_waiting
from handlers.notices.service.wording import Words, composed

SOURCE: Final = "notice"
_SOON: Final = timedelta(minutes=1)
_REFUSED: Final = frozenset({Standing.REFUSED, Standing.WITHDRAWN})
_TOLD: Final = frozenset({DeliveryStatus.SENT, DeliveryStatus.UNKNOWN})
Verdict = Composed | NotNeeded | NotYet


@dataclass(frozen=True, slots=True)
class _Matter:
    """A notice and whose words are sent for it: its correction's, once that is out."""

    row: Notice
    words: Notice
    before: Notice | None

    @property
    def is_corrected(self) -> bool:
        """Whether the words are another's."""
        return self.words.id != self.row.id


class NoticePushes:
    """A `PushSource`."""

    def __init__(
        self,
        audiences: AccountsAudiences,
        consents: ConsentService,
        offices: Offices,
        outbox: Outbox,
        public_url: str,
    ) -> None:
        self._audiences = audiences
        self._consents = consents
        self._offices = offices
        self._outbox = outbox
        self._public_url = public_url.rstrip("/")

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Verdict]:
        """Notice by notice."""
        by_notice: dict[UUID | None, list[Push]] = defaultdict(list)
        for push in pushes:
            by_notice[notice_id_of(push.reason)].append(push)
        found: dict[str, Verdict] = {}
        for notice_id, mine in by_notice.items():
            row = await Notice.get_or_none(id=notice_id) if notice_id else None
            if row is None:
                found |= {push.id: NotNeeded("gone") for push in mine}
                continue
            for_staff = [push for push in mine if push.occurrence.startswith((APPROVE, ESCALATION))]
            found |= {push.id: await self._task(row, push) for push in for_staff}
            for_readers = [push for push in mine if push not in for_staff]
            if for_readers:
                found |= await self._read(row, for_readers, now)
        return found

    # ----------------------------------------------------------------------------------------------------------- tasks
    async def _task(self, row: Notice, push: Push) -> Verdict:
        """What staff have to do about it."""
        known = {"sender": row.sender, "title": row.title, "number": row.number}
        if push.occurrence.startswith(APPROVE):
            if row.state is not NoticeState.WAITING or push.occurrence != f"{APPROVE}-{row.version}":
                return NotNeeded("decided")
            why = texts.WHY_URGENT if row.is_urgent else texts.WHY_MANY
            text, line = texts.APPROVE_TEXT.format(**known, why=why), texts.APPROVE_LINE.format(**known)
        else:
            waiting = await children_waiting(row)
            if row.state not in LIVE or not waiting:
                return NotNeeded("confirmed")
            count = len(waiting)
            text = texts.ESCALATED_TEXT.format(**known, count=count)
            line = texts.ESCALATED_LINE.format(**known, count=count)
        slots = {Slot.SUBJECT: row.title, Slot.SENDER: row.sender, Slot.NOTE: line}
        return Composed(text=text, line=line, slots=slots, path=f"/admin/notices/{row.id}")

    # --------------------------------------------------------------------------------------------------------- readers
    async def _read(self, row: Notice, pushes: Sequence[Push], now: datetime) -> dict[str, Verdict]:
        if row.state not in OUT or row.state is NoticeState.RECALLED:
            return {push.id: NotNeeded("recalled") for push in pushes}
        matter = await _matter_of(row)
        people = [push.person_id for push in pushes]
        wards = await self._wards(row, people, now)
        waiting = await self._waiting(row, pushes, wards)
        told = await self._told(matter.before, people) if matter.before else {}
        named = await self._names({child for children in wards.values() for child in children})
        tickets = await tickets_for(row, people, now)
        verdicts: dict[str, Verdict] = {}
        for push in pushes:
            verdict = _verdict(push, matter, wards, waiting, told, now)
            children = sorted(waiting.get(push.person_id, frozenset()) & wards.get(push.person_id, frozenset()))
            names = sorted({named[child] for child in children if child in named})
            verdicts[push.id] = verdict or self._composed(matter, push, names, tickets[push.person_id])
        if matter.is_corrected:
            going = [push.person_id for push in pushes if isinstance(verdicts[push.id], Composed)]
            await NoticeRecipient.filter(notice_id=row.id, person_id__in=going).update(has_new_words=True)
        return verdicts

    def _composed(self, matter: _Matter, push: Push, names: Sequence[str], ticket: str) -> Composed:
        words = matter.words
        is_again = push.occurrence.startswith((AGAIN, CALL))
        kind = "again" if is_again else "correction" if matter.before else "first"
        path = f"{PAGE}/{ticket}"
        return composed(
            Words(
                number=matter.row.number,
                kind=kind,
                title=words.title,
                text=words.text,
                sender=words.sender,
                written_on=words.written_on,
                confirmation=words.confirmation,
                deadline=words.deadline,
                links=links_of(words),
                children=names,
                corrects=matter.before.number if matter.before else None,
                path=path,
                address=f"{self._public_url}{path}" if self._public_url else "",
            )
        )

    async def _wards(self, row: Notice, people: Sequence[str], now: datetime) -> dict[str, frozenset[str]]:
        """The children of the list each may still be told about today; staff who are still there have `NO_CHILD`."""
        rows = await NoticeRecipient.filter(notice_id=row.id, person_id__in=people).values_list("person_id", "child_id")
        listed: dict[str, set[str]] = defaultdict(set)
        for person, child in rows:
            listed[str(person)].add(str(child))
        today = local_date(now)
        wards = await self._audiences.wards_of(people, today)
        staff = await self._audiences.staff_places([p for p, own in listed.items() if NO_CHILD in own], today)
        return {
            person: frozenset(
                child for child in own if child in wards.get(person, ()) or (child == NO_CHILD and person in staff)
            )
            for person, own in listed.items()
        }

    async def _waiting(
        self, row: Notice, pushes: Sequence[Push], wards: Mapping[str, frozenset[str]]
    ) -> dict[str, frozenset[str]]:
        """The children each push is about: all of them the first time, later those nobody has confirmed for."""
        if all(push.occurrence == FIRST for push in pushes):
            return dict(wards)
        among = {child for children in wards.values() for child in children} - {NO_CHILD}
        waiting = await children_waiting(row, among)
        rows = NoticeRecipient.filter(
            notice_id=row.id, person_id__in=[push.person_id for push in pushes], confirmed_at__not_isnull=True
        )
        done = {(str(person), str(child)) for person, child in await rows.values_list("person_id", "child_id")}
        first = {push.person_id for push in pushes if push.occurrence == FIRST}
        return {
            person: children
            if person in first
            else frozenset(child for child in children if child in waiting and (person, child) not in done)
            for person, children in wards.items()
        }

    async def _told(self, before: Notice, people: Sequence[str]) -> dict[str, DeliveryStatus]:
        """How far the original has come with each: the best of its sends."""
        found: dict[str, DeliveryStatus] = {}
        for occurrence in occurrences_of(before):
            for person, state in (await self._outbox.reached(reason_of(before.id), occurrence, people)).items():
                if found.get(person) not in _TOLD:
                    found[person] = state.status
        return found

    async def _names(self, child_ids: set[str]) -> dict[str, str]:
        """How children are named: not by name where a guardian has said no to their data being used."""
        wanted = child_ids - {NO_CHILD}
        standings = await self._consents.standings(wanted) if wanted else {}
        wards = await self._audiences.children(wanted)
        return {
            child: texts.PUSH_YOURS if standings.get(child) in _REFUSED else ward.name for child, ward in wards.items()
        }


def _verdict(
    push: Push,
    matter: _Matter,
    wards: Mapping[str, frozenset[str]],
    waiting: Mapping[str, frozenset[str]],
    told: Mapping[str, DeliveryStatus],
    now: datetime,
) -> NotNeeded | NotYet | None:
    """None: it goes."""
    if not wards.get(push.person_id):
        return NotNeeded("not_theirs")
    if push.occurrence != FIRST and (not waiting.get(push.person_id) or matter.row.state not in LIVE):
        return NotNeeded("confirmed")
    if matter.is_corrected and push.occurrence != FIRST:
        return NotNeeded("corrected")
    if matter.before is None:
        return None
    status = told.get(push.person_id)
    if status is DeliveryStatus.SENDING:
        return NotYet(now + _SOON)
    return None if status in _TOLD else NotNeeded("told_anew")


async def _matter_of(row: Notice) -> _Matter:
    """With the last correction that is out, and the notice it corrects."""
    words = row
    while words.corrected_by is not None:
        later = await Notice.get_or_none(id=words.corrected_by)
        if later is None or later.state not in OUT or later.state is NoticeState.RECALLED:
            break
        words = later
    before = await Notice.get_or_none(id=row.corrects) if row.corrects else None
    return _Matter(row, words, before)
