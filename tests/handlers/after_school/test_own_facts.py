"""What a family is told of its own before a rule, and what nobody else is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.capability import AnswerFacts, OwnMatter
from bot.clock import SHANGHAI
from bot.identity import VISITOR, Actor
from handlers.after_school.domain.asking import OVERVIEW, RULES, Asked, Matter, asked, touched
from handlers.after_school.domain.bills import PaymentKind
from handlers.after_school.domain.fees import Fee, FeeBasis
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.waivers import Verdict
from handlers.after_school.models import AfterSchoolDayOff, AfterSchoolPayment
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.leaving import OptOut
from handlers.after_school.service.months.bills import BillService
from handlers.after_school.texts import own_facts as texts
from tests.handlers.after_school.stage import NOW, Stage, hours, pool
from tests.handlers.after_school.waivers_stage import TERM, Waivers
from tests.knowledge.gate import base

FEE = Fee(FeeBasis.PER_TERM, 30_000, "县发改〔2026〕1号第3条")
ASKED = {
    Matter.HOURS: (
        "几点放学",
        "娃几点接",
        "今天几点接娃？",
        "我娃今天几点放学",
        "几点去学校接",
        "今天有课吗",
        "晚托几点结束",
    ),
    Matter.STANDING: ("报上了吗", "报上没", "我家娃报上了没有", "排到第几", "候补到第几了", "轮到我们了吗", "报了啥课"),
    Matter.FEE: ("交了没有", "钱交了没", "课后服务费交了吗", "我家要交多少钱", "还欠多少"),
    Matter.WAIVER: ("我家免不免", "减免批了没有", "减免批下来没", "免了没", "我家能免吗"),
}
TWO = (
    ("几点放学，多少钱", Matter.HOURS, Matter.FEE),
    ("晚托几点结束收多少钱", Matter.HOURS, Matter.FEE),
    ("报上了吗？要交多少钱", Matter.STANDING, Matter.FEE),
    ("报上没，几点接", Matter.STANDING, Matter.HOURS),
    ("我家要交多少钱，免不免", Matter.FEE, Matter.WAIVER),
)
OTHERWISE = (
    "减免",
    "学费交了没",
    "课后服务怎么报名",
    "报名要什么材料",
    "三年级几点放学",
    "几点",
    "暑假有没有托管班",
)


@pytest.mark.parametrize(("text", "matter"), [(text, matter) for matter, all_of in ASKED.items() for text in all_of])
def test_a_question_about_ones_own_is_understood(text: str, matter: Matter) -> None:
    assert asked(text) == (Asked(matter),)


@pytest.mark.parametrize(("text", "first", "second"), TWO)
def test_two_matters_in_one_question_are_understood(text: str, first: Matter, second: Matter) -> None:
    assert asked(text) == (Asked(first), Asked(second))


@pytest.mark.parametrize("text", OTHERWISE)
def test_any_other_question_is_not(text: str) -> None:
    assert asked(text) == ()


def test_a_name_is_whose_it_is() -> None:
    assert asked("林小禾报上了吗") == (Asked(Matter.STANDING, "林小禾"),)
    assert {each.who for each in asked("林小禾几点放学，多少钱")} == {"林小禾"}


def test_every_matter_has_its_rule() -> None:
    for matter, rule in RULES.items():
        [entry] = [entry for entry in base().entries if entry.question == rule]
        assert touched(rule, entry.topics, entry.attributes) == [matter]


def test_of_an_entry_about_everything_only_what_is_asked_counts() -> None:
    [entry] = [entry for entry in base().entries if entry.question == OVERVIEW]

    def about(question: str) -> set[Matter]:
        return set(touched(question, entry.topics, entry.attributes))

    assert about("晚托到几点多少钱") == {Matter.HOURS, Matter.FEE}
    assert about("晚托多少钱") == {Matter.FEE}
    assert about("晚托几点、多少钱、穷的收不收") == {Matter.HOURS, Matter.FEE, Matter.WAIVER}
    # Whoever asks how it goes in general has not asked to be told of a waiver.
    assert about("课后服务怎么个搞法") == {Matter.HOURS, Matter.FEE}


def facts_of(stage: Stage) -> AnswerFacts:
    [found] = [each for part in stage.assembly.parts for each in part.answer_facts]
    return found


async def told(stage: Stage, matter: Matter, actor: Actor | None = None, who: str = "") -> list[str]:
    return list(await facts_of(stage).facts(actor or stage.guardians[0], OwnMatter(matter, who)))


async def pay(stage: Stage, enrolment: str, amount: int, kind: PaymentKind = PaymentKind.PAID) -> None:
    known: dict[str, Any] = {"created_at": NOW, "updated_at": NOW, "at": NOW, "reference": str(uuid4())}
    await AfterSchoolPayment.create(
        plan_id=stage.plan_id, enrolment_id=enrolment, kind=kind, amount_fen=str(amount), **known
    )


async def test_what_is_paid_is_told(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("书法", 5, fee=FEE), pool("田径", 5, hours=hours("6")))
    name = stage.children[0].name
    assert await told(stage, Matter.FEE) == [f"{name}没有已经报上的课，现在没有课后服务费要交。"]
    own = await stage.sign_up(0, "书法")
    [line] = await told(stage, Matter.FEE)
    assert line.startswith(f"{name}：“书法”一学期300元，还没有收到缴费的记录")
    await pay(stage, own.id, 30_000)
    await pay(stage, own.id, 5_050, PaymentKind.REFUNDED)
    assert await told(stage, Matter.FEE) == [f"{name}：“书法”一学期300元，已经收到249.50元。"]
    await stage.sign_up(0, "田径")
    assert f"{name}：“田径”不收费，不用交钱。" in await told(stage, Matter.FEE)
    assert "书法" not in str(await told(stage, Matter.FEE, stage.guardians[1]))


async def test_a_day_off_is_told(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("书法", 5), first_day=NOW.date())
    await stage.sign_up(0, "书法")
    assert (await told(stage, Matter.HOURS))[-1] == "今天有课，17:20结束。"
    known: dict[str, Any] = {"plan_id": stage.plan_id, "reason": "运动会", "created_at": NOW, "updated_at": NOW}
    await AfterSchoolDayOff.create(day=NOW.date(), programme_id=None, **known)
    assert "今天没有课后服务的课" in (await told(stage, Matter.HOURS))[-1]


async def test_leave_of_today_is_told(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("书法", 5), pool("合唱", 5, hours=hours(start="17:30", end="18:10")), first_day=NOW.date())
    for title in ("书法", "合唱"):
        await stage.sign_up(0, title)
    today: dict[str, Any] = {"child_id": str(stage.children[0].id), "first_day": NOW.date(), "last_day": NOW.date()}
    leave = stage.machinery.services.get(LeaveService)
    await leave.ask(stage.guardians[0], NewLeave(**today, programme_id=stage.programmes["合唱"]), Source.CHAT)
    lines = await told(stage, Matter.HOURS)
    assert lines[-2:] == [
        "今天有课，17:20结束。",
        texts.ON_LEAVE_FROM.format(name=stage.children[0].name, titles="合唱"),
    ]
    whole = await leave.ask(stage.guardians[0], NewLeave(**today), Source.CHAT)
    assert (await told(stage, Matter.HOURS))[-1] == texts.ON_LEAVE.format(name=stage.children[0].name)
    await leave.withdraw(stage.guardians[0], whole.id)
    assert (await told(stage, Matter.HOURS))[-2] == "今天有课，17:20结束。"


async def test_whoever_stays_out_is_told_so_until_it_signs_up(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("书法", 5))
    child, actor = stage.children[0], stage.guardians[0]
    await stage.leaving.opt_out(actor, OptOut(child_id=str(child.id), source=Source.CHAT, reason="奶奶接"))
    for matter in (Matter.HOURS, Matter.STANDING):
        assert await told(stage, matter) == [texts.STAYS_OUT.format(name=child.name)]
    stage.clock.advance(timedelta(minutes=1))
    await stage.sign_up(0, "书法")
    assert "已经报上" in str(await told(stage, Matter.STANDING))


async def test_what_is_settled_is_told_as_settled(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("书法", 5, fee=FEE))
    name, bills = stage.children[0].name, stage.machinery.services.get(BillService)
    own = await stage.sign_up(0, "书法")
    await pay(stage, own.id, 30_000)
    stage.clock.set(datetime(2026, 12, 30, 9, tzinfo=SHANGHAI))
    await bills.settle(stage.admin, stage.plan_id)
    # No lesson was held: all of it goes back, and once it has, nothing is left to tell of a term that is over.
    assert await told(stage, Matter.FEE) == [f"{name}：“书法”已经结算，应交0元，已经收到300元，要退给您300元。"]
    assert await bills.refund(stage.admin, own.id) == 30_000
    assert await told(stage, Matter.FEE) == []


async def test_a_waiver_is_told_without_its_reason_and_the_look_is_written_down(stage: Stage) -> None:
    waivers = await Waivers(stage).build()
    actor = waivers.as_parent(waivers.mother)
    assert "现在没有减免申请" in str(await told(stage, Matter.WAIVER, actor))
    await waivers.decided(Verdict.GRANT, TERM)
    before = await AuditRow.filter(action="waiver.own").count()
    [line] = await told(stage, Matter.WAIVER, actor)
    assert "已同意，免50%" in line
    assert "困难" not in line
    assert await AuditRow.filter(action="waiver.own").count() == before + 1


@pytest.mark.parametrize("matter", list(Matter))
async def test_strangers_and_other_families_are_told_nothing(stage: Stage, matter: Matter) -> None:
    await stage.build(2)
    await stage.publish(pool("书法", 5, fee=FEE))
    await stage.sign_up(0, "书法")
    child = stage.children[0].name
    assert await told(stage, matter, VISITOR) == []
    assert await told(stage, matter, stage.head) == []
    assert await told(stage, matter, stage.admin) == []
    assert await told(stage, matter, stage.guardians[1], child) == []
    # A grant taken away is a child that is not the actor's any more.
    assert await told(stage, matter, replace(stage.guardians[0], grants=())) == []
    assert child not in str(await told(stage, matter, stage.guardians[1]))
    assert await told(stage, matter, stage.guardians[0], child) != []
