"""Who is on the register: entered with a reason, reviewed on a day, ended with a reason. For the protection lead.

Whatever is shown is written down first, in the same transaction: without that line there is nothing to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of, refusal
from bot.storage.base import blind_index
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.register import (
    AlreadyEntered,
    FileEnded,
    Group,
    Level,
    Reason,
    TooOld,
    check_review,
    check_since,
    check_words,
    turns_of_age,
)
from handlers.contacts.models import ContactsFile, ContactsLevel
from handlers.contacts.service.reach import CareReach, Reaching, own_id, whose
from handlers.contacts.service.recounting import Recount, begin, hold, no_clock
from handlers.contacts.service.register.levels import LevelService, NewLevel, levels_of, newest_of, put_level
from handlers.contacts.service.register.views import ChildFile, FileView, LevelView, RegisterLine
from handlers.contacts.texts import register as texts

PAGE: Final = "/contacts/register"
_SOON: Final = timedelta(days=14)
_ACTION: Final = Action.CONTACTS_REGISTER


class Shown(StrEnum):
    """Which part of the register."""

    ALL = "all"
    REVIEW = "review"
    ORPHANED = "orphaned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A child to be entered. `level`: how closely contact is kept, needed where the child has none yet."""

    child_id: str
    group: Group
    reason: Reason
    words: str = field(default="", repr=False)
    since: date
    review_on: date
    level: NewLevel | None = None


class RegisterService:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self, reaching: Reaching, levels: LevelService, audiences: AccountsAudiences, caring: Caring, *,
        audit: Audit, clock: Clock, recount: Recount = no_clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._levels = levels
        self._audiences = audiences
        self._caring = caring
        self._audit = audit
        self._clock = clock
        self._recount = recount

    # --------------------------------------------------------------------------------------------------------- looking
    async def lines(self, actor: Actor, shown: Shown = Shown.ALL, level: Level | None = None) -> list[RegisterLine]:
        """The register within reach, class by class. Raises NotPermitted."""
        async with transaction():
            reach = CareReach(class_reach=reach_of(actor, _ACTION))
            await self._audit.record(actor, _ACTION, "contacts:register", purpose="list", fields=["group", "level"])
            found = await self._lines(await self._reaching.wards_within(reach))
        soon = local_date(self._clock.now()) + _SOON
        return [
            line
            for line in found
            if (level is None or line.level is level)
            and (shown is not Shown.REVIEW or line.review_on <= soon)
            and (shown is not Shown.ORPHANED or line.is_orphaned)
        ]

    async def child(self, actor: Actor, child_id: str) -> ChildFile:
        """Everything the register holds of a child, ended files too. Raises NotFound, also for a child that was never
        on it."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        async with transaction():
            fields = ["group", "reason", "level", "end_reason"]
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=fields)
            found = await self.file_of(ward)
            if found is None:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            return found

    async def file_of(self, ward: WardMeant, *, with_sealed: bool = True) -> ChildFile | None:
        """The same for whoever has the right to it and has written it down; None for nothing. Without `with_sealed`
        nothing of what is sealed."""
        rows = ContactsFile.filter(pupil_id=UUID(ward.id)).order_by("-since", "-created_at", "id")
        files = await (rows if with_sealed else rows.filter(sealed_at__isnull=True))
        return await self._child(ward, files) if files else None

    async def candidate(self, actor: Actor, child_id: str) -> tuple[WardMeant, Level | None]:
        """A child at school that could be entered, and its level. Raises NotFound."""
        ward = await self._reaching.ward_for(actor, _ACTION, child_id)
        async with transaction():
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["level"], purpose="candidate"
            )
            return ward, (await levels_of([UUID(ward.id)])).get(ward.id)

    async def child_of(self, actor: Actor, file_id: str) -> str:
        """Whose file it is, ended ones too. Raises NotFound."""
        return str((await self._near(actor, file_id)).pupil_id)

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Reviews that are due, and children nobody keeps contact with."""
        if actor.person_id is None or not may(actor, _ACTION):
            return []
        lines = await self._lines(await self._reaching.wards_within(CareReach(class_reach=reach_of(actor, _ACTION))))
        today = local_date(self._clock.now())
        reviews = sum(line.review_on <= today for line in lines)
        orphans = sum(line.is_orphaned for line in lines)
        todos = [
            Todo(texts.TODO_REVIEW, reviews, f"{PAGE}?show={Shown.REVIEW.value}"),
            Todo(texts.TODO_ORPHANED, orphans, f"{PAGE}?show={Shown.ORPHANED.value}", is_urgent=True),
        ]
        return [todo for todo in todos if todo.count]

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def enter(self, actor: Actor, entry: Entry) -> str:
        """The child is on the register; gives the id of its file. Raises NotFound, TooOld, AlreadyEntered,
        RegisterInvalid."""
        ward = await self._reaching.ward_for(actor, _ACTION, entry.child_id)
        now, pupil = self._clock.now(), UUID(ward.id)
        today = local_date(now)
        born = (await self._caring.births([ward.id])).get(ward.id)
        if born is not None and turns_of_age(born) <= today:
            raise TooOld
        async with transaction():
            await begin(pupil, UUID(ward.school_id), now)
            await hold([pupil])
            file = await self._create(actor, ward, entry, now)
            if entry.level is not None:
                await put_level(pupil, entry.level, own_id(actor), now)
            elif not await ContactsLevel.filter(pupil_id=pupil).exists():
                check_words("", texts.LEVEL)
            await self._wrote(actor, file, "enter")
            await self._recount([pupil])
        return str(file.id)

    async def review(self, actor: Actor, file_id: str, next_on: date) -> None:
        """Somebody has looked, and it goes on; the next time on a day. Raises NotFound, FileEnded, RegisterInvalid."""
        now = self._clock.now()
        async with transaction():
            row = await self._held(actor, file_id)
            row.review_on = check_review(next_on, local_date(now))
            row.reviewed_by, row.reviewed_at, row.updated_at = own_id(actor), now, now
            await row.save(update_fields=["review_on", "reviewed_by", "reviewed_at", "updated_at"])
            await self._wrote(actor, row, "review")

    async def end(self, actor: Actor, file_id: str, reason: str) -> None:
        """The reason for it has gone. The child leaves the register with its last file. Raises NotFound, FileEnded,
        RegisterInvalid."""
        now = self._clock.now()
        async with transaction():
            row = await self._held(actor, file_id)
            await end_file(row, check_words(reason, "结束的原因"), own_id(actor), now)
            await self._wrote(actor, row, "end")
            await self._recount([row.pupil_id])

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _create(self, actor: Actor, ward: WardMeant, entry: Entry, now: datetime) -> ContactsFile:
        today, key = local_date(now), file_key(UUID(ward.id), entry.group)
        words = check_words(entry.words, "说明", required=entry.reason is Reason.OTHER)
        since, review_on = check_since(entry.since, today), check_review(entry.review_on, today)
        if await ContactsFile.filter(active_key=key).exists():
            raise AlreadyEntered
        try:
            return await ContactsFile.create(
                id=uuid4(), pupil_id=UUID(ward.id), school_id=UUID(ward.school_id),
                township_id=UUID(ward.township_id), care_group=entry.group.value, reason=entry.reason.value,
                reason_words=words or None, since=since, decided_by=own_id(actor), decided_at=now,
                review_on=review_on, active_key=key, created_at=now, updated_at=now,
            )  # fmt: skip
        except IntegrityError as error:
            raise AlreadyEntered from error

    async def _held(self, actor: Actor, file_id: str) -> ContactsFile:
        """An open file within reach, with its child held. Raises NotFound, FileEnded."""
        row = await self._near(actor, file_id)
        await hold([row.pupil_id])
        await row.refresh_from_db()
        if row.ended_on is not None:
            raise FileEnded
        return row

    async def _near(self, actor: Actor, file_id: str) -> ContactsFile:
        reach = reach_of(actor, _ACTION)
        row = await ContactsFile.get_or_none(id=as_id(file_id))
        ward = (await self._audiences.children([str(row.pupil_id)])).get(str(row.pupil_id)) if row else None
        if row is None or ward is None or not reach.covers(whose(ward)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row

    async def _wrote(self, actor: Actor, row: ContactsFile, purpose: str) -> None:
        subject = Subject(child_id=str(row.pupil_id), school_id=str(row.school_id), township_id=str(row.township_id))
        await self._audit.record(actor, _ACTION, f"contacts_file:{row.id}", whose=subject, purpose=purpose)

    async def _lines(self, wards: Mapping[str, WardMeant]) -> list[RegisterLine]:
        """Lines of children who are on the register, in the order of the wards."""
        files: dict[str, list[ContactsFile]] = defaultdict(list)
        rows = ContactsFile.filter(pupil_id__in=list(wards), ended_on__isnull=True) if wards else None
        for row in await rows.order_by("since", "id") if rows else []:
            files[str(row.pupil_id)].append(row)
        levels = await newest_of([UUID(each) for each in files])
        keepers = await self._reaching.keepers(files)
        names = await self._audiences.names({person for persons in keepers.values() for person in persons})
        return [
            RegisterLine(
                wards[child],
                tuple(Group(row.care_group) for row in files[child]),
                levels[child].level if child in levels else None,
                _first_review(files[child], levels.get(child)),
                tuple(names[person] for person in keepers.get(child, ()) if person in names),
            )
            for child in wards
            if child in files
        ]

    async def _child(self, ward: WardMeant, files: Sequence[ContactsFile]) -> ChildFile:
        pupil = UUID(ward.id)
        levels = await ContactsLevel.filter(pupil_id=pupil).order_by("-set_at", "-created_at", "-id")
        people = {row.set_by for row in levels}
        people |= {each for row in files for each in (row.decided_by, row.reviewed_by, row.ended_by) if each}
        names = await self._audiences.names({str(each) for each in people})
        born = (await self._caring.births([ward.id])).get(ward.id)
        keepers = (await self._reaching.keepers([ward.id])).get(ward.id, ())
        level = levels[0].level if levels else None
        ordered = sorted(files, key=lambda row: row.ended_on is not None)
        return ChildFile(
            ward,
            turns_of_age(born) if born else None,
            tuple(_file(row, names) for row in ordered),
            tuple(_level(row, names) for row in levels),
            await self._levels.suggested(pupil, level, is_paired=bool(keepers)),
        )


def file_key(pupil: UUID, group: Group) -> str:
    """By what the open file of a child and a group is known."""
    return blind_index("contacts.file", f"{pupil}:{group.value}")


async def end_file(row: ContactsFile, reason: str, by: UUID | None, now: datetime) -> None:
    """A file ends, in the caller's transaction, which holds its child."""
    row.ended_on, row.ended_by, row.end_reason = local_date(now), by, reason
    row.active_key, row.updated_at = None, now
    await row.save(update_fields=["ended_on", "ended_by", "end_reason", "active_key", "updated_at"])


def _first_review(files: Sequence[ContactsFile], level: ContactsLevel | None) -> date:
    days = [row.review_on for row in files]
    return min(days if level is None else [*days, level.review_on])


def _file(row: ContactsFile, names: Mapping[str, str]) -> FileView:
    def name(person: UUID | None) -> str:
        return names.get(str(person), "")

    return FileView(
        str(row.id), Group(row.care_group), Reason(row.reason), row.reason_words or "", row.since,
        name(row.decided_by), row.decided_at, row.review_on, name(row.reviewed_by), row.reviewed_at, row.ended_on,
        name(row.ended_by), row.end_reason or "",
    )  # fmt: skip


def _level(row: ContactsLevel, names: Mapping[str, str]) -> LevelView:
    return LevelView(row.level, row.reason, names.get(str(row.set_by), ""), row.set_at, row.review_on)
