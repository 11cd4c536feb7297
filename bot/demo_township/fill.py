"""Writing a planned township into an empty database: in one transaction, through the services that keep the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, FrozenClock
from bot.config import Settings
from bot.delivery.outbox import Outbox
from bot.demo_township.after_school import put_plans, put_waiver_rules
from bot.demo_township.calendar import point_days, terms_around, town_days
from bot.demo_township.plan import MINI_PROGRAM_PREFIX, UNION_PREFIX, TownshipPlan
from bot.demo_township.term_check import put_term_checks
from bot.errors import Conflict, Unavailable
from bot.identity import SYSTEM, Actor
from bot.metrics import Metrics
from bot.storage.database import transaction
from bot.wechat.client import WeChatClient
from handlers.accounts.domain import (
    FIRST_MONTH,
    PLACE_OF_APPOINTMENT,
    Account,
    BindingWay,
    PlaceKind,
    school_year_days,
)
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.founding import BoundIdentity, holds_people, put_identities
from handlers.accounts.service.invitations import DEFAULT_DAYS, InvitationService
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.requests import BindingRequests, Plea
from handlers.accounts.service.ties import Ties
from handlers.accounts.service.values import (
    AppointmentValues,
    ClassValues,
    GuardianshipValues,
    PersonValues,
    PupilValues,
    SchoolValues,
)
from handlers.accounts.service.wechat_ids import IdentityService
from handlers.accounts.service.writing import Writer
from handlers.calendar.service.founding import put_calendar
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.founding import MadeDecision, put_decisions
from handlers.consent.service.notice import notice_of

SLICE: Final = 1000
_CHANNEL: Final = "chat"
_EXPIRED_DAYS_AGO: Final = 6
_BAR_REASON: Final = "演示：法院人身安全保护令"

Item = TypeVar("Item")
Told = Callable[[int, int], None]
"""Hears how many rows are written, and of how many."""


class HoldsPeople(Conflict):
    """There is somebody on record already, who must not be mixed with invented people."""

    code = "holds_people"
    default_message = "这个数据库里已经有人员资料，不能再填演示数据。请在配置里换一个空的数据库再试。"


async def fill(plan: TownshipPlan, settings: Settings, told: Told = lambda done, total: None) -> Mapping[str, UUID]:
    """Writes everything or nothing; gives the ids by the keys of the plan. The database is open and migrated.

    Raises HoldsPeople.
    """
    async with transaction():
        if await holds_people():
            raise HoldsPeople
        return await _Filling(plan, settings, told).run()


class _Filling:
    """One filling: what became of each key of the plan."""

    def __init__(self, plan: TownshipPlan, settings: Settings, told: Told) -> None:
        self._plan = plan
        self._settings = settings
        self._told = told
        # As early as the day allows: nothing lies ahead of whoever looks at it that day.
        self._now = datetime.combine(plan.today, time(0), SHANGHAI)
        self._clock = FrozenClock(self._now)
        self._writer = Writer(self._clock)
        self._ids: dict[str, UUID] = {}
        self._done = 0
        self._total = sum(map(len, (plan.persons, plan.pupils, plan.ties, plan.charges, plan.persons, plan.consents)))

    async def run(self) -> Mapping[str, UUID]:
        """Parents before children."""
        await self._schools()
        await self._persons()
        await self._pupils()
        await self._ties()
        await self._charges()
        await self._identities()
        await self._consents()
        await self._matters()
        await self._calendar()
        await put_plans(self._plan, self._ids, self._clock)
        await put_waiver_rules(self._plan, self._ids, self._clock)
        await put_term_checks(self._plan, self._ids, self._clock)
        return self._ids

    async def _schools(self) -> None:
        plan = self._plan
        self._ids[""] = (await self._writer.put_township(plan.name, plan.county)).id
        for school in plan.schools:
            values = SchoolValues(
                township_id=self._ids[""],
                name=school.name,
                kind=school.kind,
                parent_id=self._ids[school.parent] if school.parent else None,
            )
            self._ids[school.key] = (await self._writer.put_school(values)).id
        for room in plan.classes:
            wanted = ClassValues(
                school_id=self._ids[room.school], school_year=room.year, grade=room.grade, number=room.number
            )
            self._ids[room.key] = (await self._writer.put_class(wanted)).id

    async def _persons(self) -> None:
        async for some in self._slices(self._plan.persons):
            puts = await self._writer.put_persons(
                [PersonValues(name=each.name, phone=each.phone, id_number=each.id_number) for each in some]
            )
            self._ids |= {each.key: put.id for each, put in zip(some, puts, strict=True)}

    async def _pupils(self) -> None:
        this_year = school_year_days(self._plan.year)[0]
        last_year = date(self._plan.year - 1, FIRST_MONTH, 1)
        async for some in self._slices(self._plan.pupils):
            values = [
                PupilValues(
                    on=last_year if each.before else this_year,
                    name=each.name,
                    class_id=self._ids[each.before or each.room],
                    sex=each.sex,
                    birth_date=each.birth_date,
                    roster_number=each.roster_number,
                    id_number=each.id_number,
                )
                for each in some
            ]
            puts = await self._writer.put_pupils(values)
            self._ids |= {each.key: put.id for each, put in zip(some, puts, strict=True)}
        moved = [
            PupilValues(id=self._ids[each.key], class_id=self._ids[each.room], on=this_year)
            for each in self._plan.pupils
            if each.before
        ]
        await self._writer.put_pupils(moved)

    async def _ties(self) -> None:
        async for some in self._slices(self._plan.ties):
            await self._writer.put_guardianships(
                [
                    GuardianshipValues(
                        pupil_id=self._ids[each.pupil],
                        person_id=self._ids[each.person],
                        relation=each.relation,
                        is_acting=each.is_acting,
                        bound_at=self._days_ago(each.bound_days_ago),
                        bound_by=None if each.bound_days_ago is None else BindingWay.INVITATION,
                    )
                    for each in some
                ]
            )

    async def _charges(self) -> None:
        since = school_year_days(self._plan.year)[0]
        async for some in self._slices(self._plan.charges):
            values: list[AppointmentValues] = []
            for each in some:
                place, row_id = PLACE_OF_APPOINTMENT[each.kind], self._ids[each.place]
                values.append(
                    AppointmentValues(
                        person_id=self._ids[each.person],
                        kind=each.kind,
                        since=since,
                        township_id=row_id if place is PlaceKind.TOWNSHIP else None,
                        school_id=row_id if place is PlaceKind.SCHOOL else None,
                        class_id=row_id if place is PlaceKind.CLASS else None,
                        subject=each.subject,
                    )
                )
            await self._writer.put_appointments(values)

    async def _identities(self) -> None:
        async for some in self._slices(self._plan.persons):
            bound = [
                BoundIdentity(account, prefix + each.openid, UNION_PREFIX + each.openid, self._ids[each.key])
                for each in some
                if each.openid
                for account, prefix in ((Account.SERVICE, ""), (Account.MINI_PROGRAM, MINI_PROGRAM_PREFIX))
            ]
            await put_identities(bound, self._now)

    async def _consents(self) -> None:
        version = notice_of(self._settings.support).version
        async for some in self._slices(self._plan.consents):
            made = [
                MadeDecision(
                    self._ids[each.pupil],
                    self._ids[each.person],
                    Decision.GIVEN if each.is_given else Decision.REFUSED,
                )
                for each in some
            ]
            await put_decisions(made, version=version, channel=_CHANNEL, now=self._now)

    async def _matters(self) -> None:
        """What is under way: invitations that ran out, adults who are barred, somebody who waits for a decision."""
        services = _Services(self._clock)
        for pupil in self._plan.expired:
            past = FrozenClock(self._now - timedelta(days=DEFAULT_DAYS + _EXPIRED_DAYS_AGO))
            await invitations(past).issue(SYSTEM, [str(self._ids[pupil])], with_qr=False)
        for pupil, person in self._plan.bars:
            await services.bars.set_bar(
                SYSTEM, str(self._ids[pupil]), person_id=str(self._ids[person]), reason=_BAR_REASON
            )
        for plea in self._plan.pleas:
            child = self._plan.pupil(plea.pupil)
            school = next(room.school for room in self._plan.classes if room.key == child.room)
            known = await services.identities.introduce(Account.SERVICE, plea.openid, UNION_PREFIX + plea.openid)
            await services.identities.agree(Account.SERVICE, plea.openid)
            actor = Actor(openid_index=known.openid_index, identity_id=known.id)
            await services.bindings.request_approval(
                actor,
                Plea(
                    child_name=child.name,
                    birth_date=child.birth_date,
                    school_id=str(self._ids[school]),
                    relation=plea.relation,
                    name=plea.name,
                ),
            )

    async def _calendar(self) -> None:
        year = self._plan.year
        point = next(self._ids[school.key] for school in self._plan.schools if school.parent)
        days = [(None, one) for one in town_days(year)], [(point, one) for one in point_days(year)]
        await put_calendar(self._ids[""], terms_around(year), [*days[0], *days[1]], self._now)

    def _days_ago(self, days: int | None) -> datetime | None:
        return None if days is None else self._now - timedelta(days=days)

    async def _slices(self, items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
        for start in range(0, len(items), SLICE):
            some = items[start : start + SLICE]
            yield some
            self._done += len(some)
            self._told(self._done, self._total)


class _Services:
    """Those that act for people, at one moment."""

    def __init__(self, clock: Clock) -> None:
        audit, writer = Audit(clock), Writer(clock)
        notices = BindingNotices(Outbox(clock, Metrics()), clock)
        ties = Ties(clock, audit, notices, lambda index: None)
        requests = BindingRequests(clock, audit, notices)
        self.identities = IdentityService(clock, ties, requests)
        self.bindings = BindingService(clock, audit, ties, writer, requests)
        self.bars = BarService(clock, audit, ties)


def invitations(clock: Clock) -> InvitationService:
    """Invitations without QR codes: nobody is at the other end."""
    return InvitationService(clock, Audit(clock), _no_wechat)


def _no_wechat() -> WeChatClient:
    raise Unavailable
