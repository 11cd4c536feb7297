"""A look past one's own at night: the protection lead's telephone says so at once, and not of whom."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from bot.app import ASSEMBLY, limiter_of, push_worker_of
from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Door, Hat
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Township
from handlers.accounts.service.identity import AccountsIdentity
from handlers.contacts.domain.glass import Ground
from handlers.contacts.service.glass.opening import GlassService
from handlers.contacts.service.glass.watching import GlassWatching
from tests import factories
from tests.handlers.duties.stage import make_term
from tests.scenarios.test_hand_over import pushes
from tests.town import Town, running_town

LEAD, LEADER = "demo_p_0001", "demo_l_0001"
WHY = "昨晚没有回家，邻居说他一个人在家"


async def deliver(town: Town) -> None:
    """The worker, until nothing is left for now."""
    worker = push_worker_of(town.app, limiter_of(town.app))
    while await worker.run_once():
        pass


@pytest.mark.parametrize("has_phone", [True, False])
async def test_the_lead_is_told_at_night_and_without_a_phone_the_leader(
    database_url: str, clock: FrozenClock, has_phone: bool
) -> None:
    clock.set(datetime(2026, 9, 1, 23, 30, tzinfo=SHANGHAI))
    async with running_town(database_url, clock) as town:
        school = await factories.make_school()
        room = await factories.make_class(school)
        await make_term(await Township.get(id=school.township_id), date(2026, 9, 1), date(2027, 1, 22))
        child = await factories.make_pupil(room, name="何若曦")
        head = (await factories.make_appointment(AppointmentKind.HEAD_TEACHER, school_class=room)).person_id
        lead, leader = await factories.make_person(), await factories.make_person()
        await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
        await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
        if has_phone:
            await factories.make_identity(LEAD, lead)
        await factories.make_identity(LEADER, leader)
        for openid in (LEAD, LEADER):
            await town.person(openid).says("帮助")
        services = vars(town.app[ASSEMBLY])["_machinery"].services
        identity = services.get(AccountsIdentity)
        actor = await identity.actor_of_person(str(head), hat=Hat.STAFF, door=Door.CONSOLE)
        await services.get(GlassService).open(actor, str(child.id), Ground.DANGER, WHY)
        await deliver(town)
        told, passed_on = (LEAD, LEADER) if has_phone else (LEADER, LEAD)
        [text] = [each for each in pushes(town.person(told)) if "紧急查看" in each]
        assert "09月01日23:30有人紧急查看了一份家校联系资料" in text
        assert "何若曦" not in text
        assert WHY not in text
        assert not [each for each in pushes(town.person(passed_on)) if "紧急查看" in each]
        other = await identity.actor_of_person(str(lead.id), hat=Hat.STAFF, door=Door.CONSOLE)
        assert [todo.count for todo in await services.get(GlassWatching).todos_of(other)] == [1]
