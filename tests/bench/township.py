"""A township whose parents follow the 服务号, and a notice to all of them that the service begins to send by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from bot.clock import SystemClock, local_date
from bot.rights import Reach
from bot.storage.base import blind_index
from bot.storage.database import open_database
from handlers.accounts.domain import (
    PRIVACY_VERSION,
    Account,
    BindingWay,
    PlacementReason,
    PupilStatus,
    Relation,
    SchoolKind,
)
from handlers.accounts.models import (
    Guardianship,
    Person,
    Placement,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.notices.domain import NoticeContent, NoticeState, Target
from handlers.notices.models import Notice
from handlers.notices.service.rows import columns_of
from tests.settings import make_settings


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a notice goes."""

    database_url: str
    township_id: UUID
    parents: int


async def settle(database_url: str, parents: int) -> Settled:
    """Writes down so many families of one child and one parent each."""
    async with open_database(make_settings(database={"url": database_url})):
        now = datetime.now(UTC)
        own: dict[str, Any] = {"created_at": now, "updated_at": now}
        town = await Township.create(name="柳溪镇", county="白云县", **own)
        school = await School.create(township_id=town.id, name="柳溪镇中心小学", kind=SchoolKind.SCHOOL, **own)
        room = await SchoolClass.create(school_id=school.id, school_year=2026, grade=3, number=2, **own)
        people = [Person(id=uuid4(), name=f"家长{number}", **own) for number in range(parents)]
        pupils = [
            Pupil(id=uuid4(), school_id=school.id, school_class_id=room.id, name=f"孩子{number}",
                  status=PupilStatus.ENROLLED, **own)
            for number in range(parents)
        ]  # fmt: skip
        since = local_date(now)
        await Person.bulk_create(people)
        await Pupil.bulk_create(pupils)
        await Placement.bulk_create(
            Placement(pupil_id=each.id, school_class_id=room.id, since=since, reason=PlacementReason.ENROLLED, **own)
            for each in pupils
        )
        pairs = list(zip(people, pupils, strict=True))
        await Guardianship.bulk_create(
            Guardianship(pupil_id=pupil.id, person_id=person.id, relation=Relation.MOTHER, is_acting=True,
                         bound_at=now, bound_by=BindingWay.INVITATION, **own)
            for person, pupil in pairs
        )  # fmt: skip
        await WeChatIdentity.bulk_create(
            WeChatIdentity(account=Account.SERVICE, openid=_openid(number), person_id=person.id, bound_at=now,
                           openid_index=blind_index("openid", _openid(number)), privacy_agreed_at=now,
                           privacy_version=PRIVACY_VERSION, **own)
            for number, person in enumerate(people)
        )  # fmt: skip
    return Settled(database_url, town.id, parents)


def _openid(number: int) -> str:
    return f"oParent{number:021d}"


async def announce(settled: Settled, number: int) -> UUID:
    """A notice that is due: the service finds it, writes down whom it is for, and sends it. Signed as urgent, so that
    the hour of the measurement does not matter. Gives its id."""
    now = SystemClock().now()
    audience = Audience(roles=frozenset({AudienceRole.GUARDIANS}), township_id=str(settled.township_id))
    content = NoticeContent(
        title="明天开家长会", text="明天下午三点在教室开家长会，请准时到。", target=Target(audience), is_urgent=True
    )
    async with open_database(make_settings(database={"url": settled.database_url})):
        notice = await Notice.create(
            number=number, state=NoticeState.SCHEDULED, township_id=settled.township_id, sender="柳溪镇中心小学",
            written_on=local_date(now), written_by=uuid4(), changed_by=uuid4(), created_at=now, updated_at=now,
            **columns_of(content, Reach(is_any=True)),
        )  # fmt: skip
    return notice.id
