"""A guardian is bound in the chat, and everything that follows from it, over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from bot.app import ASSEMBLY
from bot.capability import Machinery, Services
from bot.clock import FrozenClock
from bot.emulator.follower import Follower
from bot.emulator.qr_codes import CodeOver
from bot.identity import Actor
from bot.storage.base import blind_index
from handlers.accounts.domain import Account, AppointmentKind, Relation
from handlers.accounts.models import Guardianship, Person, Pupil, School, SchoolClass, WeChatIdentity
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.invitations import InvitationService, Slip
from handlers.accounts.service.wechat_ids import IdentityService
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
)
from tests.scenarios.test_hand_over import pushes
from tests.town import Town, running_town

MOTHER, FATHER, STRANGER = "demo_g_000001", "demo_g_000002", "demo_g_000009"
TEACHER, LEADER, PROTECTOR = "demo_h_0001", "demo_a_0007", "demo_p_0001"
CHILD, BIRTH = "王小明", date(2018, 3, 5)


@dataclass
class Village:
    """A school in the town."""

    town: Town
    school: School
    room: SchoolClass
    pupil: Pupil
    mother: Person
    father: Person
    teacher: Person

    @property
    def invitations(self) -> InvitationService:
        return self._services.get(InvitationService)

    @property
    def bars(self) -> BarService:
        return self._services.get(BarService)

    @property
    def identities(self) -> IdentityService:
        return self._services.get(IdentityService)

    async def actor(self, openid: str) -> Actor:
        identity = self._services.get(AccountsIdentity)
        identity.forget()
        return await identity.actor_of(blind_index("openid", openid))

    async def slip(self) -> Slip:
        [slip] = await self.invitations.issue(await self.actor(TEACHER), [str(self.pupil.id)])
        return slip

    async def bound(self, openid: str = MOTHER, relation: str = "妈妈") -> Follower:
        """Somebody who has been bound by a slip."""
        person = self.town.person(openid)
        slip = await self.slip()
        await person.says(f"绑定 {slip.code}")
        if "同意" in (person.last_reply or ""):
            await person.says("同意")
        await person.says("王小明 2018年3月5日")
        await person.says(relation)
        assert "绑定成功" in (person.last_reply or "")
        return person

    @property
    def _services(self) -> Services:
        machinery: Machinery = vars(self.town.app[ASSEMBLY])["_machinery"]
        return machinery.services


@pytest.fixture
async def village(database_url: str, clock: FrozenClock) -> AsyncIterator[Village]:
    async with running_town(database_url, clock) as town:
        yield await settle(town)


async def settle(town: Town) -> Village:
    """One class, a child with two parents on the roster, and those who work there."""
    school = await make_school(name="柳溪小学")
    room = await make_class(school)
    pupil = await make_pupil(room, name=CHILD, birth_date=BIRTH, roster_number="G321302201803051234")
    mother, father = await make_person(name="李梅"), await make_person(name="王强")
    await make_guardianship(pupil, mother, bound_at=None)
    await make_guardianship(pupil, father, relation=Relation.FATHER, bound_at=None)
    teacher = await make_person(name="赵老师")
    await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room)
    await make_identity(TEACHER, teacher)
    for openid, kind in ((LEADER, AppointmentKind.SCHOOL_LEADER), (PROTECTOR, AppointmentKind.PROTECTION_LEAD)):
        person = await make_person()
        await make_appointment(kind, person, school=school)
        await make_identity(openid, person)
    return Village(town, school, room, pupil, mother, father, teacher)


def said(reply: str | None, *words: str) -> str:
    """The reply, which has all the words."""
    assert reply is not None
    for word in words:
        assert word in reply, reply
    return reply


# ------------------------------------------------------------------------------------------------------------ by a slip
async def test_a_mother_who_does_not_follow_yet_scans_her_slip_and_is_bound(village: Village) -> None:
    slip = await village.slip()
    mother = village.town.person(MOTHER, is_following=False)
    assert slip.qr_content is not None
    said(await mother.scans_code(slip.qr_content), "只用来核对身份", "同意")
    said(await mother.says("同意"), "姓名和出生日期")
    said(await mother.says("王小明 2018年3月5日"), "什么人", "2. 妈妈")
    said(await mother.says("2"), "绑定成功", CHILD, "儿童信息授权")
    said(await mother.says("我的孩子"), "王小明，柳溪小学三年级1班")


async def test_a_follower_scans_it_and_may_say_things_in_her_own_way(village: Village) -> None:
    slip, mother = await village.slip(), village.town.person(MOTHER)
    assert slip.qr_content is not None
    said(await mother.scans_code(slip.qr_content), "同意")
    said(await mother.says("啥意思"), "请回复“同意”")
    said(await mother.says("好的"), "姓名和出生日期")
    said(await mother.says("我家孩子叫王小明"), "还差出生日期")
    said(await mother.says("二零一八年三月五号"), "什么人")
    said(await mother.says("我是孩子的妈"), "请回复前面的数字", "退出")
    said(await mother.says("母亲"), "绑定成功")


async def test_the_code_is_typed_and_read_out(village: Village) -> None:
    slip, mother = await village.slip(), village.town.person(MOTHER)
    said(await mother.says("绑定"), "同意")
    said(await mother.says("同意"), "1. 我有学校发的邀请码")
    said(await mother.says("1"), "8个字母和数字")
    said(await mother.says("在哪里看"), "没有看到邀请码", "退出")
    said(await mother.says(" ".join(slip.code.lower())), "姓名和出生日期")
    said(await mother.says("G321302201803051234"), "什么人")
    said(await mother.says("妈妈"), "绑定成功")


async def test_without_agreement_nothing_is_kept(village: Village) -> None:
    stranger = village.town.person(STRANGER)
    said(await stranger.says("绑定"), "同意")
    said(await stranger.says("不同意"), "没有记下您的任何信息")
    assert not await WeChatIdentity.filter(openid_index=blind_index("openid", STRANGER)).exists()
    said(await stranger.says("晚托多少钱"), "300元")


async def test_the_dialogue_can_be_left_and_does_not_lock_out_questions(village: Village) -> None:
    slip, mother = await village.slip(), village.town.person(MOTHER)
    await mother.says(f"绑定{slip.code}")
    await mother.says("同意")
    said(await mother.says("退出"), "先不办了")
    said(await mother.says("晚托多少钱"), "300元")
    said(await mother.says(slip.code), "姓名和出生日期")


async def test_wrong_proofs_are_counted_over_messages_until_the_code_is_dead(village: Village) -> None:
    slip, stranger = await village.slip(), village.town.person(STRANGER)
    await stranger.says(slip.code)
    await stranger.says("同意")
    for left in (4, 3, 2, 1):
        said(await stranger.says("王小明 2018年3月6日"), "对不上", f"还可以试{left}次")
    said(await stranger.says("王小明 2018年3月6日"), "已经停用")
    said(await stranger.says(slip.code), "已经用过、作废或过期")


async def test_unknown_codes_are_counted_too(village: Village) -> None:
    stranger = village.town.person(STRANGER)
    await stranger.says("AAAA-AAAA")
    await stranger.says("同意")
    for _ in range(9):
        said(await stranger.says("AAAA-AAAA"), "没有这个邀请码")
    said(await stranger.says("AAAA-AAAA"), "今天试的次数太多了")
    slip = await village.slip()
    said(await stranger.says(slip.code), "今天试的次数太多了")


async def test_an_old_qr_code_tells_us_nothing_and_an_old_code_is_over(village: Village) -> None:
    slip = await village.slip()
    village.town.clock.advance(timedelta(days=15))
    assert slip.qr_content is not None
    with pytest.raises(CodeOver):
        await village.town.person(MOTHER).scans_code(slip.qr_content)
    await village.town.person(MOTHER).says(slip.code)
    said(await village.town.person(MOTHER).says("同意"), "过期")


async def test_family_and_head_teacher_are_told(village: Village) -> None:
    teacher = village.town.person(TEACHER)
    await teacher.says("绑定申请")
    father = await village.bound(FATHER, "爸爸")
    await village.bound(MOTHER)
    await village.town.deliver()
    assert any("王小明的妈妈刚刚绑定了" in text for text in pushes(father))
    assert len([text for text in pushes(teacher) if "三年级1班王小明的" in text]) == 2
    assert pushes(village.town.person(MOTHER)) == []


async def test_a_repeated_delivery_binds_once_and_says_the_same(village: Village) -> None:
    slip, mother = await village.slip(), village.town.person(MOTHER)
    await mother.says(slip.code)
    await mother.says("同意")
    await mother.says("王小明20180305")
    said(await mother.says("妈妈", copies=3), "绑定成功")
    assert {delivery.verdict.text for delivery in mother.exchanges[-1].deliveries} == {mother.last_reply}


# --------------------------------------------------------------------------------------------------- without a code
async def test_without_a_code_the_head_teacher_decides_in_the_chat(village: Village) -> None:
    teacher, granny = village.town.person(TEACHER), village.town.person(STRANGER)
    said(await teacher.says("待办"), "没有等您核对")
    await granny.says("我是家长")
    said(await granny.says("同意"), "2. 我没有邀请码")
    said(await granny.says("2"), "姓名和出生日期")
    said(await granny.says("王小明 2018.3.5"), "哪所学校", "1. 柳溪小学")
    said(await granny.says("柳溪小学"), "什么人")
    said(await granny.says("奶奶"), "您自己的姓名")
    said(await granny.says("我叫陈秀英"), "已经转给学校核对")
    said(await granny.says("我的孩子"), "还没有绑定")
    await village.town.deliver()
    [push] = [text for text in pushes(teacher) if "绑定申请" in text]
    listed = said(await teacher.says("绑定申请"), "陈秀英", "王小明的奶奶", "名册上没有这位家长")
    number = listed.partition("：\n")[2][:4]
    assert number in push
    said(await teacher.says("同意"), "")
    said(await teacher.says("同意 9"), "请带上编号")
    said(await teacher.says(f"同意{number}"), "已同意")
    said(await teacher.says(f"同意 {number}"), "没有这个编号")
    await village.town.deliver()
    assert any("绑定成功" in text for text in pushes(granny))
    said(await granny.says("我的孩子"), CHILD)


async def test_a_parent_s_words_are_not_a_decision(village: Village) -> None:
    mother = await village.bound()
    reply = await mother.says("拒绝 1234")
    assert "编号" not in (reply or "")


# ------------------------------------------------------------------------------------------------------ once somebody
async def test_a_teacher_who_is_a_parent_switches_with_one_word(village: Village) -> None:
    await make_guardianship(await make_pupil(await make_class(), name="赵小雨"), village.teacher)
    teacher = village.town.person(TEACHER)
    said(await teacher.says("我的孩子"), "切换身份")
    said(await teacher.says("切换身份"), "家长身份")
    said(await teacher.says("我的孩子"), "赵小雨")
    said(await teacher.says("切换身份"), "老师身份")
    said(await teacher.says("绑定申请"), "没有等您核对")
    mother = await village.bound()
    said(await mother.says("切换身份"), "只有一种身份")


async def test_a_teacher_is_bound_with_the_end_of_her_number(village: Village) -> None:
    person = await make_person(name="钱老师", phone="13900000009")
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=village.room)
    [slip] = await village.invitations.issue_to_staff(await village.actor(LEADER), [str(person.id)])
    teacher = village.town.person("demo_t_0009")
    await teacher.says(slip.code)
    said(await teacher.says("同意"), "后四位")
    said(await teacher.says("尾号是0008"), "对不上")
    said(await teacher.says("零零零九"), "绑定成功，老师您好")


async def test_unbinding_asks_first(village: Village) -> None:
    mother = await village.bound()
    said(await mother.says("解除绑定"), "确定解除吗")
    said(await mother.says("不是"), "没有变")
    said(await mother.says("我的孩子"), CHILD)
    await mother.says("解除绑定")
    said(await mother.says("是"), "已经解除绑定")
    said(await mother.says("我的孩子"), "还没有绑定")
    said(await mother.says("解除绑定"), "没有绑定")


async def test_a_barred_father_reads_what_anybody_reads(village: Village) -> None:
    father = await village.bound(FATHER, "爸爸")
    await village.bars.set_bar(
        await village.actor(PROTECTOR), str(village.pupil.id), person_id=str(village.father.id), reason="法院文书"
    )
    await village.actor(FATHER)
    said(await father.says("我的孩子"), "还没有绑定")
    slip = await village.slip()
    await father.says(slip.code)
    said(await father.says("王小明 2018年3月5日"), "什么人")
    reply = said(await father.says("爸爸"), "您自己的姓名")
    said(await father.says("王强"), "对不上", "还可以试4次")
    await village.town.deliver()
    seen = "".join([reply, *pushes(father), *(item.text for item in father.screen)])
    assert not any(word in seen for word in ("禁止", "限制", "法院", "保护令", "不能绑定"))


async def test_who_unfollows_is_forgotten_and_comes_back(village: Village) -> None:
    mother = await village.bound()
    await mother.unfollows()
    assert not await WeChatIdentity.filter(openid_index=blind_index("openid", MOTHER)).exists()
    assert await Person.filter(id=village.mother.id).exists()
    assert not await Guardianship.filter(pupil_id=village.pupil.id, bound_at__not_isnull=True).exists()
    await mother.follows()
    said(await mother.says("我的孩子"), "还没有绑定")
    await village.bound()
    said(await mother.says("我的孩子"), CHILD)


async def test_the_service_account_learns_who_is_the_same_user(village: Village) -> None:
    """Bound here first; the mini-program's id joins when the platform has told the unionid of this one."""
    await village.bound()
    await WeChatIdentity.filter(openid_index=blind_index("openid", MOTHER)).update(unionid_index=None)
    mini = await village.identities.introduce(Account.MINI_PROGRAM, f"mp_{MOTHER}", f"u{MOTHER}")
    assert mini.person_id is None
    await village.identities.learn_unionids()
    known = await village.identities.look_up(blind_index("openid", f"mp_{MOTHER}"))
    assert known is not None
    assert known.person_id == str(village.mother.id)


# ----------------------------------------------------------------------------------------------------- plaintext mode
async def test_in_plaintext_mode_nobody_is_bound(database_url: str, clock: FrozenClock) -> None:
    async with running_town(database_url, clock, wechat={"mode": "plain"}) as town:
        village = await settle(town)
        slip = await village.slip()
        stranger = town.person(STRANGER)
        for words in ("绑定", slip.code, "解除绑定"):
            said(await stranger.says(words), "不能确认是您本人")
        # Whoever cannot be told for certain is nobody in particular: the words of those who decide mean nothing.
        for words in ("绑定申请", "同意 1234"):
            assert "核对" not in (await town.person(TEACHER).says(words) or "")
        assert slip.qr_content is not None
        said(await stranger.scans_code(slip.qr_content), "不能确认是您本人")
