"""A family is asked, agrees, looks, and withdraws; another refuses; a notice changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import ASSEMBLY
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.dialogue.store import ChatStore
from bot.identity import Hat
from bot.storage.base import blind_index
from bot.storage.redis import REDIS
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Guardianship, Pupil
from handlers.consent import texts
from handlers.consent.chat import ConsentChat, Purpose, purpose_of
from handlers.consent.models import ConsentEvent
from tests import factories
from tests.town import OTHER_PARENT, OWNER, PARENT, Town, running_town


async def family(town: Town, *, children: int = 1) -> list[Pupil]:
    """A mother and a father with their phones, and children at one school."""
    school_class = await factories.make_class()
    mother, father = await factories.make_person(name="林安"), await factories.make_person(name="周远")
    names = ("林小禾", "林小田", "林小川")
    pupils = [await factories.make_pupil(school_class, name=names[number]) for number in range(children)]
    for pupil in pupils:
        await factories.make_guardianship(pupil, mother)
        await factories.make_guardianship(pupil, father, relation=Relation.FATHER)
    await factories.make_identity(PARENT, mother)
    await factories.make_identity(OTHER_PARENT, father)
    return pupils


async def said(town: Town, *words: str, openid: str = PARENT) -> str:
    """The last reply to what somebody says."""
    reply = None
    for word in words:
        reply = await town.person(openid).says(word)
    assert reply is not None
    assert len(reply.encode()) <= 2048
    return reply


async def decisions() -> list[tuple[str, str]]:
    return [(row.decision.value, row.channel) for row in await ConsentEvent.all().order_by("created_at")]


async def test_a_parent_reads_the_notice_and_agrees(town: Town) -> None:
    await family(town)
    asked = await said(town, "儿童信息授权")
    for must in ("林小禾", "还没有答复", "不同意", town.settings.support.officer, town.settings.support.complaint):
        assert must in asked
    whole = await said(town, "全文")
    assert "第1页" not in whole
    assert "第1/2页" in whole
    assert "您可以不同意" in await said(town, "下一页") + whole
    assert "已记下：您同意" in await said(town, "同意")
    assert await decisions() == [("given", "chat")]
    assert "已同意" in await said(town, "儿童信息授权")


@pytest.mark.parametrize("answer", ["好", "嗯嗯", "同意吗", "统一", "1", "不同意就不能上学吗"])
async def test_consent_is_taken_from_nothing_but_the_word_itself(town: Town, answer: str) -> None:
    await family(town)
    assert "请回复“同意”或“不同意”" in await said(town, "儿童信息授权", answer)
    assert await decisions() == []
    assert "已记下" in await said(town, "同意")


async def test_refusing_costs_nothing_and_is_as_easy(town: Town) -> None:
    await family(town)
    refused = await said(town, "儿童信息授权", "不同意")
    assert "入学、上课不受影响" in refused
    assert await decisions() == [("refused", "chat")]


async def test_the_child_is_chosen_when_there_are_several(town: Town) -> None:
    pupils = await family(town, children=3)
    asked = await said(town, "儿童信息授权")
    assert all(pupil.name in asked for pupil in pupils)
    assert "林小田" in await said(town, "2")
    await said(town, "同意")
    (event,) = await ConsentEvent.all()
    assert (await Pupil.get(id=event.pupil_id)).id == sorted(pupils, key=lambda pupil: pupil.name)[1].id


async def test_withdrawing_says_what_goes_and_what_stays(town: Town) -> None:
    await family(town)
    await said(town, "儿童信息授权", "同意")
    effects = await said(town, "撤回授权")
    assert texts.ITEM_TITLES["child.reminders"] in effects.split("依法保留")[0]
    assert texts.ITEM_TITLES["child.identity"] in effects.split("依法保留")[1]
    assert "保持原样" in await said(town, "不撤回")
    assert "已撤回" in await said(town, "撤回授权", "确认")
    assert await decisions() == [("given", "chat"), ("withdrawn", "chat")]
    assert "不用撤回" in await said(town, "撤回授权")


async def test_one_parent_s_refusal_stands_and_the_other_learns_only_that(town: Town) -> None:
    await family(town)
    await said(town, "儿童信息授权", "不同意", openid=OTHER_PARENT)
    agreed = await said(town, "儿童信息授权", "同意")
    assert texts.BY_ANOTHER in agreed
    assert "周远" not in agreed


async def test_a_parent_sees_what_is_kept_without_numbers(town: Town) -> None:
    (pupil,) = await family(town)
    shown = await said(town, "孩子的资料")
    assert "在校经历1项" in shown
    assert "不含学校依法单独保管的保护类记录" in shown
    assert "2017" not in shown
    assert pupil.roster_number
    assert pupil.roster_number not in shown


async def test_every_decision_is_written_down_and_nothing_else(town: Town) -> None:
    await family(town)
    await said(town, "儿童信息授权", "同意", "孩子的资料", "撤回授权", "确认")
    rows = await AuditRow.all().order_by("id")
    assert [(row.action, row.purpose, row.door) for row in rows] == [
        ("consent.decide", "given", "chat"),
        ("consent.decide", "withdrawn", "chat"),
    ]


async def test_strangers_and_staff_are_told_the_way(town: Town) -> None:
    assert "绑定" in await said(town, "儿童信息授权", openid="demo_g_000077")
    await family(town)
    person = await factories.make_person()
    await factories.make_guardianship(await factories.make_pupil(), person)
    await factories.make_appointment(
        AppointmentKind.HEAD_TEACHER, person, school_class=await factories.make_class(number=4)
    )
    await factories.make_identity("demo_h_0001", person, hat=Hat.STAFF)
    assert "切换身份" in await said(town, "撤回授权", openid="demo_h_0001")
    assert await decisions() == []


async def test_a_guardian_whose_guardianship_ended_meanwhile_decides_nothing(town: Town, clock: FrozenClock) -> None:
    await family(town)
    await said(town, "儿童信息授权")
    await Guardianship.all().update(ended_on=clock.now().date())
    clock.advance(timedelta(seconds=30))  # longer than anybody is remembered
    await said(town, "同意")
    assert await decisions() == []


async def test_families_are_asked_anew_when_the_notice_changes(database_url: str, clock: FrozenClock) -> None:
    async with running_town(database_url, clock) as before:
        await family(before)
        await said(before, "儿童信息授权", "同意")
    support = {"duty": [{"id": OWNER, "name": "赵主任"}], "storage": "省教育云平台"}
    async with running_town(database_url, clock, support=support) as after:
        # The other parent: the emulated WeChat counts its messages from one again.
        first = await said(after, "晚托多少钱", openid=OTHER_PARENT)
        assert first.startswith(texts.RENEW)
        assert texts.RENEW not in await said(after, "晚托多少钱", openid=OTHER_PARENT)
        asked = await said(after, "儿童信息授权", openid=OTHER_PARENT)
        assert "省教育云平台" in asked
        assert "请重新决定" in asked
        assert "已记下" in await said(after, "同意", openid=OTHER_PARENT)


async def test_the_reminder_comes_once_a_week_for_each_version_until_they_decide(
    database_url: str, clock: FrozenClock
) -> None:
    async with running_town(database_url, clock) as before:
        await family(before)
        await said(before, "儿童信息授权", "同意")
    duty = [{"id": OWNER, "name": "赵主任"}]

    async def told(town: Town, after: timedelta) -> bool:
        clock.advance(after)
        # As when the chat has forgotten what it knew, which it does by the clock of the store.
        await ChatStore(town.app[REDIS]).forget_profile(blind_index("openid", OTHER_PARENT))
        return texts.RENEW in await said(town, "晚托多少钱", openid=OTHER_PARENT)

    async with running_town(database_url, clock, support={"duty": duty, "storage": "省教育云平台"}) as moved:
        assert await told(moved, timedelta())
        for pause in (timedelta(0), timedelta(hours=1), timedelta(days=2), timedelta(days=4)):
            assert not await told(moved, pause)
        assert await told(moved, timedelta(days=1))
    async with running_town(database_url, clock, support={"duty": duty, "storage": "国家教育云"}) as again:
        clock.advance(timedelta(hours=1))
        assert await told(again, timedelta())
        assert not await told(again, timedelta(hours=1))
        await said(again, "儿童信息授权", "同意", openid=OTHER_PARENT)
        assert not await told(again, timedelta(days=8))


async def test_a_decision_about_a_notice_that_changed_meanwhile_is_asked_again(
    database_url: str, clock: FrozenClock
) -> None:
    async with running_town(database_url, clock) as town:
        await family(town)
        await said(town, "儿童信息授权")
        prefaces = [preface for part in town.app[ASSEMBLY].parts for preface in part.prefaces]
        (chat,) = [preface for preface in prefaces if isinstance(preface, ConsentChat)]
        consents = chat._consents
        consents.notice = replace(consents.notice, version="2.0000.0000")
        assert texts.CHANGED_MEANWHILE.strip() in await said(town, "同意")
        assert await decisions() == []
        assert "已记下" in await said(town, "同意")


@pytest.mark.parametrize(
    ("word", "purpose"),
    [
        ("儿童信息授权", Purpose.CONSENT),
        ("儿童信息受权", Purpose.CONSENT),
        ("儿童信息授", Purpose.CONSENT),
        ("儿童信信息授权", Purpose.CONSENT),
        ("儿童息信授权", Purpose.CONSENT),
        ("信息授权", Purpose.CONSENT),
        ("撤回授权", Purpose.WITHDRAW),
        ("撒回授权", Purpose.WITHDRAW),
        ("取消授权", Purpose.WITHDRAW),
        ("撤回同意", Purpose.WITHDRAW),
        ("孩子的资料", Purpose.DATA),
        ("孩子的资枓", Purpose.DATA),
        ("我孩子的资料", Purpose.DATA),
        ("孩子的材料", None),
        ("孩子资助", None),
        ("孩子休息", None),
        ("同意", None),
        ("学费多少钱", None),
        ("", None),
    ],
)
def test_slips_of_the_finger_are_forgiven(word: str, purpose: Purpose | None) -> None:
    assert purpose_of(word) is purpose
