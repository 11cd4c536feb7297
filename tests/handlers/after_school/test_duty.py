"""Who is on duty, the day's check and what happened: the service and its page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.audit.log import Audit
from bot.clock import FrozenClock
from bot.errors import InvalidInput, NotFound, NotPermitted
from bot.storage.database import Database
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.days import CheckInvalid, CheckPoint, DutyRole, IncidentInvalid
from handlers.after_school.models import AfterSchoolDayCheck, AfterSchoolDutySlot, AfterSchoolIncident
from handlers.after_school.service.days.duty import DutyService
from tests.handlers.after_school.days_stage import TUESDAY, Service, at, make_service

ALL = [point.value for point in CheckPoint]


@pytest.fixture
async def service(database: Database, clock: FrozenClock) -> Service:
    clock.set(at(TUESDAY, 16))
    return await make_service(clock)


@pytest.fixture
def duty(database: Database, clock: FrozenClock) -> DutyService:
    return DutyService(Offices(clock), AccountsAudiences(), Audit(clock), clock)


async def test_duty_is_planned_once_for_each_day_and_taken_back(duty: DutyService, service: Service) -> None:
    leader, school = await service.actor(service.leader), str(service.school.id)
    days = [TUESDAY, TUESDAY + timedelta(weeks=1)]
    assert await duty.put(leader, school, days, DutyRole.GUIDE, str(service.drawer.id)) == 2
    assert await duty.put(leader, school, days, DutyRole.GUIDE, str(service.drawer.id)) == 0
    seen = await duty.day(leader, school, TUESDAY)
    assert [(slot.role, slot.name) for slot in seen.slots] == [(DutyRole.GUIDE, service.drawer.name)]
    await duty.remove(leader, school, seen.slots[0].id)
    assert await AfterSchoolDutySlot.all().count() == 1
    with pytest.raises(NotFound):
        await duty.remove(leader, school, seen.slots[0].id)


async def test_only_staff_of_the_place_is_put_on_duty_and_only_by_the_school(
    duty: DutyService, service: Service, clock: FrozenClock
) -> None:
    leader, school = await service.actor(service.leader), str(service.school.id)
    other = await make_service(clock)
    for person in (service.mothers[0], other.drawer):
        with pytest.raises(InvalidInput):
            await duty.put(leader, school, [TUESDAY], DutyRole.TEACHER, str(person.id))
    with pytest.raises(NotPermitted):
        await duty.put(await service.actor(service.duty), school, [TUESDAY], DutyRole.TEACHER, str(service.head.id))
    with pytest.raises(NotFound):
        await duty.put(await other.actor(other.leader), school, [TUESDAY], DutyRole.TEACHER, str(other.head.id))


async def test_who_is_on_duty_today_checks_the_day_and_others_do_not(duty: DutyService, service: Service) -> None:
    leader, head = await service.actor(service.leader), await service.actor(service.head)
    school = str(service.school.id)
    with pytest.raises(NotFound):
        await duty.check(head, school, TUESDAY, ALL, "")
    await duty.put(leader, school, [TUESDAY], DutyRole.ADMINISTRATOR, str(service.head.id))
    assert [own for own, _ in await duty.schools(head)] == [school]
    with pytest.raises(CheckInvalid):
        await duty.check(head, school, TUESDAY, ALL[1:], "")
    await duty.check(head, school, TUESDAY, ALL[1:], "一位老师迟到")
    await duty.check(head, school, TUESDAY, ALL, "")
    row = await AfterSchoolDayCheck.get()
    assert row.points == ALL
    assert not row.note
    with pytest.raises(NotFound):
        await duty.check(head, school, TUESDAY + timedelta(days=1), ALL, "")


async def test_what_happened_stays_open_until_somebody_says_what_was_done(
    duty: DutyService, service: Service, clock: FrozenClock
) -> None:
    leader, school = await service.actor(service.leader), str(service.school.id)
    for text in ("摔", "长" * 501):
        with pytest.raises(IncidentInvalid):
            await duty.report(leader, school, TUESDAY, text)
    incident = await duty.report(leader, school, TUESDAY, "操场摔了一跤，膝盖擦伤")
    assert [todo.count for todo in await duty.todos_of(leader)] == [1]
    other = await make_service(clock)
    with pytest.raises(NotFound):
        await duty.close(await other.actor(other.leader), school, incident, "已送卫生室")
    with pytest.raises(NotFound):
        await duty.close(await other.actor(other.leader), str(other.school.id), incident, "已送卫生室")
    assert await duty.todos_of(await service.actor(service.mothers[0])) == []
    await duty.close(leader, school, incident, "已送卫生室，告诉了家长")
    assert [todo.count for todo in await duty.todos_of(leader)] == [0]
    assert "操场" in str((await AfterSchoolIncident.get()).text)
