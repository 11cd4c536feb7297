"""The month's word from the school: written for a class or for one child, sent once a month to each who wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, Slot
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.family import WordSent, check_word, moment_at, month_of
from handlers.contacts.models import ContactsWord
from handlers.contacts.service.family.reach import FamilyReach
from handlers.contacts.service.family.wishes import Wishes
from handlers.contacts.service.reach import own_id
from handlers.contacts.texts import family as texts

SOURCE: Final = "contacts_word"
REASON: Final = f"{SOURCE}:month"
_ACTION: Final = Action.CONTACTS_WORD
_SENT_AT: Final = time(18, 30)
"""After work, before the quiet hours."""
_TRIED_FOR: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Target:
    """A class or a child a word may be written for. `families`: how many guardians would read it; `written`: this
    month's, "" for none yet."""

    id: str
    is_class: bool
    name: str = field(repr=False)
    families: int
    written: str = field(repr=False)
    send_on: date | None
    is_sent: bool


class Words:
    """The use cases, the job, and a `PushSource`."""

    def __init__(
        self, reach: FamilyReach, wishes: Wishes, audiences: AccountsAudiences, caring: Caring, *, outbox: Outbox,
        audit: Audit, clock: Clock,
    ) -> None:  # fmt: skip
        self._reach = reach
        self._wishes = wishes
        self._audiences = audiences
        self._caring = caring
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    # ---------------------------------------------------------------------------------------------------------- writing
    async def targets(self, actor: Actor) -> list[Target]:
        """The actor's classes, then the children of theirs whose families want it. Raises NotPermitted."""
        require(actor, _ACTION)
        month = month_of(local_date(self._clock.now()))
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", fields=["families"], purpose="words")
            wards = await self._reach.wards(actor)
            wanting = await self._wishes.wanting(wards)
            rows = {row.target_key: row for row in await ContactsWord.filter(month=month)}
        found = []
        mine = require(actor, _ACTION).classes
        for room in sorted(mine & {ward.class_id for ward in wards.values() if ward.class_id}):
            near = [ward for ward in wards.values() if ward.class_id == room]
            count = sum(len(wanting.get(ward.id, ())) for ward in near)
            found.append(_target(room, near[0].class_name, count, rows.get(_key(room, month)), is_class=True))
        for child, people in wanting.items():
            name = f"{wards[child].name}（{wards[child].class_name}）"
            found.append(_target(child, name, len(people), rows.get(_key(child, month)), is_class=False))
        return found

    async def write(self, actor: Actor, target: str, words: str, send_on: date) -> None:
        """This month's word for a class or a child, in place of what was written before. Raises NotFound, NotPermitted,
        WordInvalid, WordSent."""
        today, now = local_date(self._clock.now()), self._clock.now()
        school, room, pupil = await self._place(actor, target)
        said, key = check_word(words, send_on, today), _key(str(pupil or room), month_of(today))
        async with transaction():
            row = await ContactsWord.filter(target_key=key).select_for_update().first()
            if row is None:
                row = await ContactsWord.create(
                    id=uuid4(), school_id=school, class_id=room, pupil_id=pupil, author_id=own_id(actor),
                    month=month_of(today), words=said, send_on=send_on, target_key=key, created_at=now, updated_at=now,
                )  # fmt: skip
            elif row.sent_at is not None:
                raise WordSent
            else:
                author = own_id(actor)
                assert author is not None
                row.words, row.send_on, row.author_id, row.updated_at = said, send_on, author, now
                await row.save(update_fields=["words", "send_on", "author_id", "updated_at"])
            whose = Subject(class_id=str(room) if room else None, child_id=str(pupil) if pupil else None)
            await self._audit.record(actor, _ACTION, f"contacts_word:{row.id}", whose=whose, purpose="write")

    # ---------------------------------------------------------------------------------------------------------- sending
    async def send_due(self) -> int:
        """Promises what is to go out today to all who want it; gives how many promises are new. What is promised is one
        for each month, child and guardian, however many words there are and however often this runs."""
        now = self._clock.now()
        today, count = local_date(now), 0
        rows = ContactsWord.filter(sent_at__isnull=True, send_on__lte=today, month=month_of(today))
        for own in await rows.order_by("send_on", "id").values_list("id", flat=True):
            async with transaction():
                row = await ContactsWord.filter(id=own, sent_at__isnull=True).select_for_update().first()
                if row is None:
                    continue
                count += await self._promise(row, today)
                row.sent_at = row.updated_at = now
                await row.save(update_fields=["sent_at", "updated_at"])
        return count

    async def _promise(self, row: ContactsWord, today: date) -> int:
        if row.pupil_id is not None:
            children = [str(row.pupil_id)]
        else:
            near = await self._caring.children_within(Reach(classes=frozenset({str(row.class_id)})))
            children = [ward.id for ward in near]
        not_before = max(self._clock.now(), moment_at(today, _SENT_AT))
        pushes = [
            NewPush(
                reason=REASON,
                occurrence=f"{row.month:%Y-%m}:{child}",
                person_id=person,
                rule=SOURCE,
                purpose=Purpose.NOTICE,
                not_before=not_before,
                expires_at=not_before + _TRIED_FOR,
                child_ids=(child,),
            )
            for child, people in (await self._wishes.wanting(children)).items()
            for person in sorted(people)
        ]
        return await self._outbox.promise(pushes) if pushes else 0

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Whoever does not want it any more, or whose family took its consent back, hears nothing."""
        children = {push.occurrence.partition(":")[2] for push in pushes}
        wanting = await self._wishes.wanting(children)
        wards = await self._audiences.children(children)
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            month, _, child = push.occurrence.partition(":")
            ward = wards.get(child)
            if ward is None or str(UUID(push.person_id)) not in wanting.get(child, frozenset()):
                found[push.id] = NotNeeded("not_wanted")
                continue
            row = await self._word(ward, date.fromisoformat(f"{month}-01"))
            found[push.id] = await self._composed(ward, row, local_date(now)) if row else NotNeeded("no_word")
        return found

    async def _word(self, ward: WardMeant, month: date) -> ContactsWord | None:
        """A child's own word stands before its class's."""
        keys = [_key(ward.id, month), *([_key(ward.class_id, month)] if ward.class_id else [])]
        rows = {row.target_key: row for row in await ContactsWord.filter(target_key__in=keys)}
        return next((rows[key] for key in keys if key in rows), None)

    async def _composed(self, ward: WardMeant, row: ContactsWord, today: date) -> Composed:
        author = (await self._audiences.names([str(row.author_id)])).get(str(row.author_id), "")
        said = texts.WORD.format(child=ward.name, school=ward.school, teacher=author, words=row.words)
        slots: dict[Slot, str | date | datetime] = {
            Slot.SUBJECT: texts.WORD_SUBJECT,
            Slot.WHEN: today,
            Slot.SENDER: ward.school,
            Slot.NOTE: row.words,
        }
        return Composed(text=f"{said}\n{texts.WORD_STOP}", line=said, slots=slots)

    # ------------------------------------------------------------------------------------------------------------ parts
    async def _place(self, actor: Actor, target: str) -> tuple[UUID, UUID | None, UUID | None]:
        """School, and class or child. Raises NotFound, NotPermitted."""
        own = str(as_id(target))
        if own in require(actor, _ACTION).classes:
            near = await self._caring.children_within(Reach(classes=frozenset({own})))
            if not near:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            return UUID(near[0].school_id), UUID(own), None
        ward = await self._reach.ward(actor, own)
        return UUID(ward.school_id), None, UUID(ward.id)


def _key(target: str, month: date) -> str:
    return f"{target}:{month:%Y-%m}"


def _target(own: str, name: str, families: int, row: ContactsWord | None, *, is_class: bool) -> Target:
    written, send_on = (row.words, row.send_on) if row else ("", None)
    return Target(own, is_class, name, families, written, send_on, row is not None and row.sent_at is not None)
