"""A head teacher writes one sentence in the chat; families get it, confirm it, and who is not reached is called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bot.app import ASSEMBLY, limiter_of, push_worker_of
from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, FrozenClock
from bot.emulator.follower import Follower
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Person, Pupil, School, SchoolClass
from handlers.notices.domain import Confirmation, NoticeState
from handlers.notices.models import Notice, NoticeRecipient
from tests import factories
from tests.town import OTHER_PARENT, PARENT, Town, running_town

HEAD, LEADER, SECOND = "demo_h_0001", "demo_t_0009", "demo_a_0002"


@dataclass
class Room:
    """Class 3(2): a mother of twins with a phone, a father with a phone, a grandmother without one."""

    school: School
    room: SchoolClass
    twins: list[Pupil]
    other: Pupil
    alone: Pupil
    mother: Person
    father: Person
    head: Person


async def class_of(town: Town) -> Room:
    school = await factories.make_school(name="柳河小学")
    room = await factories.make_class(school, grade=3, number=2)
    mother, father = await factories.make_person(name="林安"), await factories.make_person(name="周远")
    twins = [await factories.make_pupil(room, name=name) for name in ("林小禾", "林小田")]
    other, alone = await factories.make_pupil(room, name="周小川"), await factories.make_pupil(room, name="杨平安")
    for twin in twins:
        await factories.make_guardianship(twin, mother)
    await factories.make_guardianship(other, father, relation=Relation.FATHER)
    await factories.make_guardianship(
        alone, await factories.make_person(name="王桂英"), relation=Relation.PATERNAL_GRANDMOTHER, bound_at=None
    )
    head = await factories.make_person(name="李秋云")
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    for openid, person in ((PARENT, mother), (OTHER_PARENT, father), (HEAD, head)):
        await factories.make_identity(openid, person)
    return Room(school, room, twins, other, alone, mother, father, head)


async def deliver(town: Town) -> None:
    """Sends what is due now."""
    worker = push_worker_of(town.app, limiter_of(town.app))
    while await worker.run_once():
        pass


async def tick(town: Town) -> None:
    """What the clock does, and the worker."""
    job = next(job for job in town.app[ASSEMBLY].jobs if job.id == "notices.tick")
    await job.run()
    await job.run()
    await deliver(town)
    await job.run()


def received(person: Follower) -> list[str]:
    """What was pushed to a phone."""
    return [item.text for item in person.screen if item.is_push]


async def open_windows(town: Town) -> None:
    """Who has just written can be written to."""
    for openid in (PARENT, OTHER_PARENT):
        await town.person(openid).says("你好")


async def said(town: Town, word: str, openid: str = PARENT) -> str:
    reply = await town.person(openid).says(word)
    assert reply is not None
    assert len(reply.encode()) <= 2048
    return reply


async def test_a_head_teacher_writes_a_sentence_and_families_confirm(town: Town) -> None:
    room = await class_of(town)
    await open_windows(town)
    preview = await said(town, "通知 三(2)班 明天带跳绳", HEAD)
    assert "柳河小学三年级2班" in preview
    assert "4个孩子，3人" in preview
    assert "联系不上1个孩子的家里：杨平安" in preview
    assert "还没有发出" in preview
    assert await NoticeRecipient.all().count() == 0
    sent = await said(town, "确认 要回复", HEAD)
    assert "通知1" in sent
    await tick(town)
    (push,) = received(town.person(PARENT))
    assert "明天带跳绳" in push
    assert "林小田、林小禾" in push
    assert "“明天”是9月2日（星期三）" in push
    assert "收到 1" in push
    (other,) = received(town.person(OTHER_PARENT))
    assert "周小川" in other
    assert "林小禾" not in other
    listed = await said(town, "我的通知")
    assert "等您确认" in listed
    assert "msgmenucontent=收到 1" in listed
    assert "已记下" in await said(town, "收到 1")
    assert "已确认" in await said(town, "我的通知")
    rows = await NoticeRecipient.filter(person_id=room.mother.id)
    assert all(row.confirmed_at is not None and row.how == "chat" for row in rows)
    assert (await Notice.get(number=1)).state is NoticeState.SENT
    assert await AuditRow.filter(action="notice.write", purpose="schedule").exists()
    assert await AuditRow.filter(action="notice.read", purpose="confirm").exists()


async def test_cancel_leaves_nothing(town: Town) -> None:
    await class_of(town)
    await said(town, "通知三(2)班明天带跳绳", HEAD)
    assert "没有发出" in await said(town, "取消", HEAD)
    assert await Notice.all().count() == 0
    await tick(town)
    assert received(town.person(PARENT)) == []


@pytest.mark.parametrize("name", ["三(2)班", "三年级2班", "0302", "302班", "三2班", "柳河小学三(2)班"])
async def test_the_class_is_understood_however_it_is_written(town: Town, name: str) -> None:
    await class_of(town)
    assert "柳河小学三年级2班" in await said(town, f"通知 {name} 明天带跳绳", HEAD)


async def test_a_class_of_somebody_else_is_not_known(town: Town) -> None:
    room = await class_of(town)
    await factories.make_class(room.school, grade=4, number=1)
    assert "不归您管" in await said(town, "通知 四(1)班 明天带跳绳", HEAD)
    assert await Notice.all().count() == 0


async def test_a_label_does_not_go_out(town: Town) -> None:
    await class_of(town)
    answer = await said(town, "通知 三(2)班 留守儿童明天到办公室", HEAD)
    assert "“留守”" in answer
    assert "请" in answer
    assert await Notice.all().count() == 0


async def test_a_wrong_weekday_is_pointed_out(town: Town) -> None:
    await class_of(town)
    assert "9月8日是星期二" in await said(town, "通知 三(2)班 9月8日（星期三）开家长会", HEAD)


async def test_a_parent_cannot_write_one(town: Town) -> None:
    await class_of(town)
    await said(town, "通知 三(2)班 明天带跳绳")
    assert await Notice.all().count() == 0


async def test_an_unconfirmed_family_is_reminded_then_called(town: Town) -> None:
    await class_of(town)
    await open_windows(town)
    await said(town, "通知 三(2)班 明天带跳绳", HEAD)
    await said(town, "确认 要回复", HEAD)
    await tick(town)
    await said(town, "收到")
    town.clock.advance(timedelta(hours=25))
    await tick(town)
    again = received(town.person(OTHER_PARENT))
    assert len(again) == 2
    assert "再次提醒" in again[1]
    assert len(received(town.person(PARENT))) == 1
    await town.person(HEAD).says("你好")
    town.clock.advance(timedelta(hours=25))
    await tick(town)
    (task,) = received(town.person(HEAD))
    assert "2户没有回应" in task
    notice = await Notice.get()
    assert notice.escalated_at is not None
    assert notice.next_reminder_at is None


async def test_a_recalled_notice_says_so(town: Town) -> None:
    await class_of(town)
    await open_windows(town)
    await said(town, "通知 三(2)班 明天带跳绳", HEAD)
    await said(town, "确认", HEAD)
    await tick(town)
    assert "撤回" in await said(town, "撤回通知 1", HEAD)
    assert "已撤回" in await said(town, "我的通知")
    assert "已经撤回" in await said(town, "我的通知 1")


async def test_a_large_notice_waits_for_another_signature(database_url: str, clock: FrozenClock) -> None:
    async with running_town(database_url, clock, limits={"notice_people_unsigned": 2}) as town:
        await class_of(town)
        assert "另一位同事审批" in await said(town, "通知 三(2)班 明天带跳绳", HEAD)
        assert "审批" in await said(town, "确认", HEAD)
        await tick(town)
        assert (await Notice.get()).state is NoticeState.WAITING
        assert received(town.person(PARENT)) == []


async def test_a_stranger_is_told_how_to_get_there(town: Town) -> None:
    assert "绑定" in await said(town, "我的通知")


QUESTIONS = [
    ["eat", "choice", "在校吃午饭吗", ["吃", "不吃"], True],
    ["why", "text", "还有什么要说", [], False],
    ["day", "date", "哪天来", [], True],
]


async def test_a_form_is_filled_in_by_replying(town: Town) -> None:
    room = await class_of(town)
    await said(town, "通知 三(2)班 请报名", HEAD)
    await said(town, "确认 要回复", HEAD)
    notice = await Notice.get()
    notice.confirmation, notice.content = Confirmation.FORM, {**notice.content, "questions": QUESTIONS}
    await notice.save()
    await tick(town)
    assert "要填回执" in await said(town, "回执 1")
    assert "1到2" in await said(town, "也许")
    assert "跳过" in await said(town, "2")
    assert "请回复日期" in await said(town, "跳过")
    assert "日期" in await said(town, "那天")
    asked = await said(town, "9月8日")
    assert "1. 在校吃午饭吗：不吃" in asked
    assert "2. 还有什么要说：（没有填）" in asked
    assert "已记下" in await said(town, "确认")
    rows = await NoticeRecipient.filter(person_id=room.mother.id)
    assert [json.loads(row.answers or "") for row in rows] == [{"eat": "不吃", "day": "2026-09-08"}] * 2
    assert "已经确认过" in await said(town, "收到 1")


async def test_it_cannot_be_told_which_one_is_meant(town: Town) -> None:
    await class_of(town)
    for text in ("明天带跳绳", "后天带彩笔"):
        await said(town, f"通知 三(2)班 {text}", HEAD)
        await said(town, "确认 要回复", HEAD)
    await tick(town)
    which = await said(town, "收到")
    assert "有2份通知" in which
    assert "收到 2" in which
    assert "《后天带彩笔》" in await said(town, "收到 2")
    assert "《明天带跳绳》" in await said(town, "收到")
    assert "没有等您确认" in await said(town, "收到")
    assert "没有找到" in await said(town, "收到 9")


async def test_a_tap_is_as_good_as_the_words(town: Town) -> None:
    room = await class_of(town)
    await said(town, "通知 三(2)班 明天带跳绳", HEAD)
    await said(town, "确认 要回复", HEAD)
    await tick(town)
    listed = await said(town, "我的通知")
    found = re.search(r"msgmenucontent=(.+?)&msgmenuid=(.+?)\"", listed)
    assert found is not None
    assert "已记下" in await said(town, found[1])
    assert await NoticeRecipient.filter(person_id=room.mother.id, confirmed_at=None).count() == 0


async def test_at_night_it_waits_for_the_morning(town: Town) -> None:
    await class_of(town)
    town.clock.set(datetime(2026, 9, 1, 22, 0, tzinfo=SHANGHAI))
    await open_windows(town)
    assert "9月2日（星期三）早上7点以后发出" in await said(town, "通知 三(2)班 明天带跳绳", HEAD)
    await said(town, "确认", HEAD)
    await tick(town)
    assert received(town.person(PARENT)) == []
    town.clock.set(datetime(2026, 9, 2, 7, 1, tzinfo=SHANGHAI))
    await tick(town)
    (push,) = received(town.person(PARENT))
    assert "“明天”是9月2日（星期三）" in push


async def test_an_administrator_is_asked_which_school(town: Town) -> None:
    room = await class_of(town)
    other = await factories.make_school(await room.school.township, name="柳庄小学")
    namesake = await factories.make_class(other, grade=3, number=2)
    await factories.make_guardianship(await factories.make_pupil(namesake))
    admin = await factories.make_person()
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=await room.school.township)
    await factories.make_identity(SECOND, admin)
    asked = await said(town, "通知 三(2)班 明天带跳绳", SECOND)
    assert "哪一所" in asked
    assert "柳庄小学三年级2班" in asked
    number = next(line[0] for line in asked.splitlines() if "柳庄小学" in line)
    assert "柳庄小学三年级2班的监护人" in await said(town, number, SECOND)
    await said(town, "取消", SECOND)
    assert "柳庄小学三年级2班" in await said(town, "通知 柳庄小学三(2)班 明天带跳绳", SECOND)
    await said(town, "取消", SECOND)
    assert "全镇" in await said(town, "通知 全镇 明天放假", SECOND)
