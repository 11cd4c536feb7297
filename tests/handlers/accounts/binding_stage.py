"""A small school with everything binding needs: services over the open database, and people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.models import OutboxMessage
from bot.delivery.outbox import Outbox, text_of
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.wechat.client import QrCode
from handlers.accounts.domain import Account, AppointmentKind, Relation
from handlers.accounts.models import Guardianship, Person, Pupil, School, SchoolClass, Township, WeChatIdentity
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.binding import BindingService
from handlers.accounts.service.decisions import DecisionService
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.outcomes import Claim, Proof
from handlers.accounts.service.requests import BindingRequests
from handlers.accounts.service.switching import SwitchService
from handlers.accounts.service.ties import Ties
from handlers.accounts.service.wechat_ids import IdentityService
from handlers.accounts.service.writing import Writer
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
    make_township,
)

CHILD, BIRTH = "王小明", date(2018, 3, 5)
PROOF = Proof(child_name=CHILD, birth_date=BIRTH)
WRONG = Proof(child_name=CHILD, birth_date=date(2018, 3, 6))
AS_MOTHER = Claim(relation=Relation.MOTHER)
TEACHER, LEADER, PROTECTOR = "demo_h_0001", "demo_a_0001", "demo_p_0001"


class FakeWeChat:
    """The one call of the 服务号's API that is made here."""

    def __init__(self) -> None:
        self.scenes: list[str] = []

    async def create_qr_code(self, scene: str, life: timedelta) -> QrCode:
        self.scenes.append(scene)
        return QrCode(f"ticket-{scene}", f"http://weixin.qq.com/q/{scene}")


@dataclass
class Stage:
    """The school and the services."""

    clock: FrozenClock
    identity: AccountsIdentity
    identities: IdentityService
    binding: BindingService
    requests: BindingRequests
    decisions: DecisionService
    bars: BarService
    invitations: InvitationService
    switching: SwitchService
    wechat: FakeWeChat
    township: Township
    school: School
    room: SchoolClass
    pupil: Pupil
    mother: Person
    father: Person
    teacher: Person

    async def actor(self, openid: str) -> Actor:
        """Whoever holds the WeChat id, with it, privacy rules agreed to."""
        account = Account.MINI_PROGRAM if openid.startswith("mp_") else Account.SERVICE
        known = await self.identities.agree(account, openid)
        self.identity.forget(known.openid_index)
        return replace(await self.identity.actor_of(known.openid_index), identity_id=known.id)

    async def code(self, **values: Any) -> str:
        """The code of a new slip for the child."""
        slips = await self.invitations.issue(await self.actor(TEACHER), [str(self.pupil.id)], with_qr=False, **values)
        return slips[0].code

    async def children(self, openid: str) -> set[str]:
        """The names of the children the WeChat id sees."""
        actor = await self.actor(openid)
        ids = {child for grant in actor.grants for child in grant.children}
        return {pupil.name for pupil in await Pupil.filter(id__in=list(ids))}


async def make_stage(clock: FrozenClock, metrics: Metrics) -> Stage:
    """One class with a head teacher, a school's leader and a protection lead; one child, whose parents are on the
    roster and not bound."""
    audit, notices = Audit(clock), BindingNotices(Outbox(clock, metrics), clock)
    identity = AccountsIdentity(clock)
    ties = Ties(clock, audit, notices, identity.forget)
    writer = Writer(clock)
    requests = BindingRequests(clock, audit, notices)
    wechat = FakeWeChat()
    township = await make_township()
    school = await make_school(township, name="柳溪小学")
    room = await make_class(school)
    pupil = await make_pupil(room, name=CHILD, birth_date=BIRTH, roster_number="G321302201803051234")
    mother = await make_person(name="李梅", phone="13800000001")
    father = await make_person(name="王强", phone="13800000002")
    await make_guardianship(pupil, mother, bound_at=None)
    await make_guardianship(pupil, father, relation=Relation.FATHER, bound_at=None)
    teacher = await make_person(name="赵老师", phone="13900000001")
    await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room)
    await make_identity(TEACHER, teacher)
    leader, protector = await make_person(), await make_person()
    await make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await make_identity(LEADER, leader)
    await make_appointment(AppointmentKind.PROTECTION_LEAD, protector, school=school)
    await make_identity(PROTECTOR, protector)
    return Stage(
        clock=clock,
        identity=identity,
        identities=IdentityService(clock, ties, requests),
        binding=BindingService(clock, audit, ties, writer, requests),
        requests=requests,
        decisions=DecisionService(clock, audit, ties, notices, writer),
        bars=BarService(clock, audit, ties),
        invitations=InvitationService(clock, audit, lambda: wechat),  # type: ignore[arg-type,return-value]
        switching=SwitchService(clock, audit, identity.forget),
        wechat=wechat,
        township=township,
        school=school,
        room=room,
        pupil=pupil,
        mother=mother,
        father=father,
        teacher=teacher,
    )


async def told(openid: str) -> list[str]:
    """What is promised to be told to a WeChat id."""
    rows = await OutboxMessage.filter(openid_index=blind_index("openid", openid)).order_by("created_at")
    return [text_of(row.payload) for row in rows]


async def audited(action: str, outcome: str = "done") -> list[AuditRow]:
    """The rows of the audit for an action."""
    return await AuditRow.filter(action=action, outcome=outcome).order_by("id")


async def identity_of(openid: str) -> WeChatIdentity:
    """The row of a WeChat id."""
    return await WeChatIdentity.get(openid_index=blind_index("openid", openid))


async def guardianship(pupil: Pupil, person: Person) -> Guardianship:
    """The row that joins them."""
    return await Guardianship.get(pupil_id=pupil.id, person_id=person.id)
