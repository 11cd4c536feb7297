"""For which place a notice is, within its author's reach, and in whose name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from handlers.accounts.service.audience import Audience
from handlers.accounts.service.offices import Offices
from handlers.notices.domain import NoticeInvalid, Target
from handlers.notices.models import Notice
from handlers.notices.service.recipients import Recipients
from handlers.notices.service.rows import subject_of, target_of

_WHERE = "请选择是哪个学校或班级的通知。"


@dataclass(frozen=True, slots=True)
class PlaceOf:
    """Whose a notice is: the class, else the school, else the township. `audience`: filled in where the author named
    no place; `reach`: the author's."""

    township_id: str
    school_id: str | None
    class_id: str | None
    sender: str
    audience: Audience
    reach: Reach

    @classmethod
    def of_row(cls, row: Notice) -> PlaceOf:
        """Of a notice that is there."""
        audience = target_of(row).audience
        subject = subject_of(row)
        assert audience.reach is not None
        return cls(str(row.township_id), subject.school_id, subject.class_id, row.sender, audience, audience.reach)

    @property
    def subject(self) -> Subject:
        """For the table of rights and the audit."""
        return Subject(class_id=self.class_id, school_id=self.school_id, township_id=self.township_id)

    @property
    def columns(self) -> dict[str, Any]:
        """As they are kept."""
        return {
            "township_id": UUID(self.township_id),
            "school_id": UUID(self.school_id) if self.school_id else None,
            "class_id": UUID(self.class_id) if self.class_id else None,
            "sender": self.sender,
        }


class Places:
    """Over the classes and schools there are."""

    def __init__(self, offices: Offices, recipients: Recipients) -> None:
        self._offices = offices
        self.recipients = recipients

    async def of(self, actor: Actor, target: Target) -> PlaceOf:
        """Raises NotFound for a place out of reach, NoticeInvalid where it cannot be told whose it is."""
        reach = require(actor, Action.NOTICE_WRITE)
        audience = _filled(target.audience, reach)
        subjects = [await self._offices.subject(class_id=each) for each in sorted(audience.classes)]
        subjects += [await self._offices.subject(school_id=each) for each in sorted(audience.schools)]
        if audience.township_id and not subjects:
            subjects.append(Subject(township_id=audience.township_id))
        for subject in subjects:
            # Of a place that is named the nearest id counts: a class of a school within reach is within reach.
            if not reach.covers(subject):
                raise refusal(NotFound(), actor, Action.NOTICE_WRITE, subject)
        subjects = subjects or [await self._own(reach)]
        narrow = [each for each in subjects if each.school_id] or subjects
        towns, schools, classes = (
            {getattr(each, kind) for each in narrow} for kind in ("township_id", "school_id", "class_id")
        )
        if len(towns) != 1 or None in towns:
            raise NoticeInvalid(_WHERE)
        town, school = towns.pop(), schools.pop() if len(schools) == 1 else None
        room = classes.pop() if len(classes) == 1 and school else None
        return PlaceOf(town, school, room, await self._sender(reach, town, school, room), audience, reach)

    async def _own(self, reach: Reach) -> Subject:
        """Where an author belongs who named no place: there is one, or it must be said."""
        if len(reach.townships) == 1:
            return Subject(township_id=next(iter(reach.townships)))
        if len(reach.schools) == 1:
            return await self._offices.subject(school_id=next(iter(reach.schools)))
        if len(reach.classes) == 1:
            return await self._offices.subject(class_id=next(iter(reach.classes)))
        raise NoticeInvalid(_WHERE)

    async def _sender(self, reach: Reach, town: str, school: str | None, room: str | None) -> str:
        """In the name of the widest place the author speaks for, no wider than the notice needs."""
        if reach.is_any or town in reach.townships:
            own = town
        elif school is not None and school in reach.schools:
            own = school
        else:
            own = room or school or town
        return (await self._offices.names([own])).get(own, "")


def _filled(audience: Audience, reach: Reach) -> Audience:
    """No place named means everything the author reaches; the reach goes with the audience wherever it is resolved."""
    bounded = replace(audience, reach=reach)
    if audience.classes or audience.schools or audience.township_id or audience.pupil_ids or audience.person_ids:
        return bounded
    if reach.townships or reach.is_any:
        return replace(bounded, township_id=next(iter(reach.townships)) if len(reach.townships) == 1 else None)
    if reach.schools:
        return replace(bounded, schools=reach.schools)
    return replace(bounded, classes=reach.classes)
