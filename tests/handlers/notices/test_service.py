"""Writing, signing, sending, reading, confirming, chasing and correcting notices, over a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.outbox import DeliveryStatus
from bot.delivery.pushes import Composed, NotNeeded, NotYet, PushClass
from bot.errors import NotFound, NotPermitted
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Guardianship, Pupil
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.deliveries.models import HandListLine
from handlers.notices.domain import (
    AnswerInvalid,
    Confirmation,
    How,
    IllegalNoticeMove,
    NoticeChanged,
    NoticeInvalid,
    NoticeRefused,
    NoticeState,
    NotOpenForConfirmation,
    Question,
    QuestionKind,
    SameSignature,
    Target,
    TooSoon,
    Who,
)
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from handlers.notices.service.tickets import TicketUnknown, tickets_for
from tests.factories import LONG_AGO
from tests.handlers.notices.stage import GUARDIANS, Stage, text_of

FORM = (
    Question("eat", QuestionKind.CHOICE, "在校吃午饭吗", ("吃", "不吃")),
    Question("why", QuestionKind.TEXT, "有什么要说的", is_required=False),
    Question("day", QuestionKind.DATE, "哪天来"),
)


@pytest.fixture
async def stage(settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock) -> Stage:
    stage = Stage(settings, redis, clock)
    await stage.build()
    return stage


# -------------------------------------------------------------------------------------------------------------- sending
async def test_one_message_names_all_children_of_a_guardian(stage: Stage) -> None:
    view = await stage.submitted()
    assert view.state is NoticeState.SCHEDULED
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.SENDING
    words = await stage.deliver(view.id)
    assert set(words) == {"mother", "father", "grandmother"}
    assert "孩子elder、孩子younger" in text_of(words["mother"])
    assert "孩子younger" not in text_of(words["father"])
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.SENT
    assert await NoticeRecipient.filter(notice_id=view.id).count() == 4
    assert await NoticeChild.filter(notice_id=view.id).count() == 4


async def test_a_child_with_nobody_is_put_on_the_list_of_calls(stage: Stage) -> None:
    view = await stage.submitted()
    await stage.sender.tick()
    (line,) = await HandListLine.filter(reason=f"notice:{view.id}")
    assert line.child_id == stage.town.children["alone"].id
    assert line.person_id is None


async def test_ticks_at_once_promise_each_once(stage: Stage) -> None:
    view = await stage.submitted()
    await asyncio.gather(*(stage.sender.tick() for _ in range(4)))
    rows = await stage.pushes(view.id)
    assert len(rows) == len({row.person_id for row in rows}) == 3
    assert await NoticeRecipient.filter(notice_id=view.id).count() == 4


async def test_freezing_twice_writes_nobody_twice(stage: Stage) -> None:
    """What the unique keys hold when two begin the same notice: a state put back is what a lost race looks like."""
    view = await stage.submitted()
    await stage.sender.tick()
    await Notice.filter(id=view.id).update(state=NoticeState.SCHEDULED)
    await stage.sender.tick()
    assert await NoticeRecipient.filter(notice_id=view.id).count() == 4
    assert await NoticeChild.filter(notice_id=view.id).count() == 4
    assert len(await stage.pushes(view.id)) == 3
    assert await HandListLine.filter(reason=f"notice:{view.id}").count() == 1


async def test_it_waits_for_its_hour(stage: Stage) -> None:
    at = stage.clock.now() + timedelta(hours=3)
    view = await stage.submitted(send_at=at)
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.SCHEDULED
    stage.clock.set(at)
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.SENDING


async def test_the_unticked_are_left_out(stage: Stage) -> None:
    actor, town = stage.actor("head"), stage.town
    view = await stage.desk.create(actor, stage.content())
    children = {str(town.children["younger"].id)}
    view = await stage.desk.untick(
        actor, view.id, view.version, children=children, people={str(town.people["father"].id)}
    )
    preview = await stage.reach.preview(actor, view.id)
    assert {child.name: child.is_ticked for child in preview.children} == {
        "孩子elder": True, "孩子younger": False, "孩子roster": True, "孩子alone": True,
    }  # fmt: skip
    await stage.signing.submit(actor, view.id, view.version)
    await stage.sender.tick()
    words = await stage.deliver(view.id)
    assert set(words) == {"mother", "grandmother"}
    assert "younger" not in text_of(words["mother"])


async def test_whoever_lost_the_child_meanwhile_is_not_told(stage: Stage) -> None:
    view = await stage.submitted()
    await stage.sender.tick()
    today = stage.clock.now().date()
    await Guardianship.filter(person_id=stage.town.people["father"].id).update(ended_on=today)
    words = await stage.deliver(view.id)
    assert words["father"] == NotNeeded("not_theirs")


async def test_a_family_that_said_no_is_told_without_the_name(stage: Stage) -> None:
    from handlers.consent.domain.decisions import Decision
    from handlers.consent.models import ConsentEvent

    now = stage.clock.now()
    await ConsentEvent.create(
        pupil_id=stage.town.children["elder"].id, person_id=stage.town.people["father"].id,
        decision=Decision.REFUSED, notice_version="1", channel="chat", items=[], created_at=now, updated_at=now,
    )  # fmt: skip
    view = await stage.submitted()
    await stage.sender.tick()
    words = await stage.deliver(view.id)
    assert "孩子elder" not in text_of(words["father"])
    assert "您的孩子" in text_of(words["father"])
    assert "孩子younger" in text_of(words["mother"])


async def test_staff_are_told_for_themselves(stage: Stage) -> None:
    audience = Audience(
        roles=frozenset({AudienceRole.HEAD_TEACHERS}), schools=frozenset({str(stage.town.schools[0].id)})
    )
    view = await stage.sent("leader", audience=audience, confirmation=Confirmation.BUTTON)
    report = await stage.reports.report(stage.actor("leader"), view.id)
    assert [person.name for person in report.staff] == ["head老师"]
    assert report.total.children == 0
    (own,) = await stage.reading.own(stage.actor("head"))
    assert (await stage.reading.confirm(stage.actor("head"), own.id, {}, How.CHAT)).is_confirmed


async def test_only_the_children_another_capability_chose(stage: Stage) -> None:
    stage.absent.today = {str(stage.town.children["younger"].id), str(stage.town.children["far"].id)}
    target = Target(stage.content().target.audience, "attendance", "absent")
    view = await stage.desk.create(stage.actor("head"), replace(stage.content(), target=target))
    preview = await stage.reach.preview(stage.actor("head"), view.id)
    assert [child.name for child in preview.children] == ["孩子younger"]
    stage.absent.today = set()
    assert (await stage.reach.preview(stage.actor("head"), view.id)).people == 0


async def test_recall_stops_what_is_unsent(stage: Stage) -> None:
    view = await stage.submitted()
    await stage.sender.tick()
    await stage.deliver(view.id, "mother")
    await stage.signing.recall(stage.actor("head"), view.id)
    statuses = {str(row.person_id): row.status for row in await stage.pushes(view.id)}
    assert statuses[str(stage.town.people["mother"].id)] is DeliveryStatus.SENT
    assert statuses[str(stage.town.people["father"].id)] is DeliveryStatus.NOT_NEEDED
    (own,) = await stage.reading.own(stage.actor("mother"))
    assert own.is_recalled
    with pytest.raises(IllegalNoticeMove):
        await stage.signing.recall(stage.actor("head"), view.id)


# --------------------------------------------------------------------------------------------------------------- rights
async def test_nobody_writes_beyond_their_reach(stage: Stage) -> None:
    with pytest.raises(NotFound):
        await stage.desk.create(stage.actor("head"), stage.content(1))
    with pytest.raises(NotFound):
        await stage.desk.create(stage.actor("leader"), stage.content(2))
    with pytest.raises(NotPermitted):
        await stage.desk.create(stage.actor("teacher"), stage.content())
    with pytest.raises(NotPermitted):
        await stage.desk.create(stage.actor("mother"), stage.content())


async def test_a_picked_child_beyond_reach_is_in_no_list(stage: Stage) -> None:
    picked = frozenset({str(stage.town.children["far"].id), str(stage.town.children["younger"].id)})
    content = stage.content(audience=Audience(roles=GUARDIANS, pupil_ids=picked))
    view = await stage.desk.create(stage.actor("head"), content)
    preview = await stage.reach.preview(stage.actor("head"), view.id)
    assert [child.name for child in preview.children] == ["孩子younger"]


async def test_each_sees_only_what_is_theirs(stage: Stage) -> None:
    view = await stage.sent("admin", 0, 1, 2, confirmation=Confirmation.BUTTON)
    report = await stage.reports.report(stage.actor("head"), view.id)
    assert report.total.children == 4
    assert (await stage.reports.report(stage.actor("admin"), view.id)).total.children == 6
    draft = await stage.desk.create(stage.actor("admin"), stage.content(0, 2))
    with pytest.raises(NotFound):
        await stage.desk.get(stage.actor("head"), draft.id)
    with pytest.raises(NotFound):
        await stage.signing.recall(stage.actor("head"), view.id)
    listed = await stage.desk.notices(stage.actor("head"))
    assert [each.id for each in listed.items] == [view.id]
    with pytest.raises(NotFound):
        await stage.chasing.tick(stage.actor("head"), view.id, [str(stage.town.children["far"].id)], How.PHONE)


async def test_somebody_elses_notice_is_not_there(stage: Stage) -> None:
    view = await stage.sent()
    with pytest.raises(NotFound):
        await stage.reading.read(stage.actor("far"), view.id)
    with pytest.raises(NotFound):
        await stage.reading.confirm(stage.actor("far"), view.id, {}, How.API)
    assert await stage.reading.own(stage.actor("far")) == []


# ----------------------------------------------------------------------------------------------------- second signature
async def test_an_urgent_one_needs_another_person(stage: Stage) -> None:
    view = await stage.submitted("leader", is_urgent=True)
    assert view.state is NoticeState.WAITING
    with pytest.raises(SameSignature):
        await stage.signing.approve(stage.actor("leader"), view.id, view.version)
    (ask,) = {row.person_id for row in await stage.pushes(view.id)} - {stage.town.people["second"].id}
    assert ask == stage.town.people["admin"].id
    words = await stage.compose([row for row in await stage.pushes(view.id) if row.person_id == ask])
    assert "审批" in text_of(words["admin"])
    (todo,) = await stage.signing.todos_of(stage.actor("admin"))
    assert (todo.count, todo.is_urgent) == (1, True)
    assert not await stage.signing.todos_of(stage.actor("leader"))
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.WAITING
    await stage.signing.approve(stage.actor("admin"), view.id, view.version)
    await stage.sender.tick()
    first = await stage.pushes(view.id, "first")
    assert {row.push_class for row in first} == {PushClass.URGENT}
    assert await AuditRow.filter(action="notice.approve", purpose="approve", outcome="done").exists()


async def test_whoever_changed_it_cannot_sign_second(stage: Stage) -> None:
    """Otherwise an approver could rewrite somebody's notice and send it alone."""
    draft = await stage.desk.create(stage.actor("head"), stage.content(is_urgent=True))
    changed = await stage.desk.edit(
        stage.actor("leader"), draft.id, stage.content(text="改过的", is_urgent=True), draft.version
    )
    view = await stage.signing.submit(stage.actor("head"), changed.id, changed.version)
    with pytest.raises(SameSignature):
        await stage.signing.approve(stage.actor("leader"), view.id, view.version)
    assert (await stage.signing.approve(stage.actor("admin"), view.id, view.version)).state is NoticeState.SCHEDULED


async def test_the_database_refuses_what_the_program_must_not_do(stage: Stage) -> None:
    """The control of the second signature and of the list: past the services, straight at the tables."""
    view = await stage.submitted(is_urgent=True)
    row = await stage.row(view.id)
    for lies in ({"approved_by": row.written_by}, {"state": NoticeState.SCHEDULED}, {"state": NoticeState.SENDING}):
        with pytest.raises((IntegrityError, OperationalError)):
            await Notice.filter(id=row.id).update(**lies)
    await Notice.filter(id=row.id).update(approved_by=stage.town.people["admin"].id, state=NoticeState.SCHEDULED)
    await stage.sender.tick()
    told = await NoticeRecipient.filter(notice_id=row.id).first()
    assert told is not None
    with pytest.raises(IntegrityError):
        await NoticeRecipient.create(
            notice_id=row.id, person_id=told.person_id, child_id=told.child_id, created_at=LONG_AGO, updated_at=LONG_AGO
        )


async def test_a_signature_is_for_the_words_that_were_read(stage: Stage) -> None:
    view = await stage.submitted(is_urgent=True)
    back = await stage.signing.take_back(stage.actor("head"), view.id)
    changed = await stage.desk.edit(
        stage.actor("head"), view.id, stage.content(text="别的话", is_urgent=True), back.version
    )
    await stage.signing.submit(stage.actor("head"), view.id, changed.version)
    with pytest.raises(NoticeChanged):
        await stage.signing.approve(stage.actor("leader"), view.id, view.version)


async def test_more_people_than_the_limit_need_it_too(
    settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock
) -> None:
    stage = Stage(settings, redis, clock, limit=2)
    await stage.build()
    view = await stage.submitted()
    assert view.state is NoticeState.WAITING
    rejected = await stage.signing.reject(stage.actor("leader"), view.id, view.version, "请写清几点")
    assert (rejected.state, rejected.why_rejected) == (NoticeState.DRAFT, "请写清几点")


async def test_a_label_blocks_wherever_it_stands(stage: Stage) -> None:
    found: list[dict[str, Any]] = [{"text": "低保家庭来领东西"}, {"title": "贫困生名单"}, {"text": "留 守儿童请来"}]
    for values in found:
        view = await stage.desk.create(stage.actor("head"), stage.content(**values))
        with pytest.raises(NoticeRefused) as refused:
            await stage.signing.submit(stage.actor("head"), view.id, view.version)
        assert "请" in refused.value.message


# --------------------------------------------------------------------------------------------------------- confirmation
async def test_any_guardian_is_enough_or_each_is_wanted(stage: Stage) -> None:
    for who, waits in ((Who.ANY, set()), (Who.EACH, {"father"}), (Who.ACTING, set())):
        view = await stage.sent(confirmation=Confirmation.BUTTON, who=who)
        await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.API)
        stage.clock.advance(timedelta(hours=5))
        await stage.chasing.remind(stage.actor("head"), view.id)
        names = {str(person.id): name for name, person in stage.town.people.items()}
        again = {names[str(row.person_id)] for row in await stage.pushes(view.id, "again-1")}
        assert again == {"grandmother"} | waits, who


async def test_of_the_acting_guardian_nobody_elses_word_counts(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.BUTTON, who=Who.ACTING)
    await stage.reading.confirm(stage.actor("father"), view.id, {}, How.API)
    families = await stage.reports.families(stage.actor("head"), view.id)
    assert not next(each for each in families if each.name == "孩子elder").is_confirmed
    await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.API)
    families = await stage.reports.families(stage.actor("head"), view.id)
    assert next(each for each in families if each.name == "孩子elder").is_confirmed


async def test_answers_are_checked_kept_and_given_again(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.FORM, questions=FORM)
    for wrong in ({}, {"eat": "也许", "day": "2026-09-08"}, {"eat": "吃", "day": "明天"}, {"other": "1"}):
        with pytest.raises(AnswerInvalid):
            await stage.reading.confirm(stage.actor("mother"), view.id, wrong, How.API)
    answers = {"eat": "2", "day": "2026-09-08"}
    own = await stage.reading.confirm(stage.actor("mother"), view.id, answers, How.API)
    assert own.answers == {"eat": "不吃", "day": "2026-09-08"}
    before = await NoticeRecipient.filter(person_id=stage.town.people["mother"].id).values_list("updated_at", flat=True)
    stage.clock.advance(timedelta(minutes=1))
    await stage.reading.confirm(stage.actor("mother"), view.id, own.answers, How.API)
    rows = NoticeRecipient.filter(person_id=stage.town.people["mother"].id)
    assert await rows.values_list("updated_at", flat=True) == before
    report = await stage.reports.report(stage.actor("head"), view.id)
    assert report.choices == {"eat": {"不吃": 1}}


async def test_reading_is_known_by_the_own_link(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.OPENED)
    row, mother = await stage.row(view.id), str(stage.town.people["mother"].id)
    ticket = (await tickets_for(row, [mother], stage.clock.now()))[mother]
    seen = await stage.reading.by_ticket(ticket)
    assert not seen.is_read
    assert (await stage.reading.opened(ticket)).is_confirmed
    assert {each.name for each in seen.children} == {"孩子elder", "孩子younger"}
    with pytest.raises(TicketUnknown):
        await stage.reading.by_ticket("x" * 32)
    await Guardianship.filter(person_id=mother).update(ended_on=stage.clock.now().date())
    with pytest.raises(TicketUnknown):
        await stage.reading.by_ticket(ticket)


async def test_a_teacher_ticks_who_was_told_by_phone(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.BUTTON)
    child = str(stage.town.children["alone"].id)
    await stage.chasing.tick(stage.actor("head"), view.id, [child], How.PHONE, is_confirmed=True)
    families = await stage.reports.families(stage.actor("head"), view.id)
    told = next(each for each in families if each.child_id == child)
    assert (told.by_hand, told.by_hand_by, told.is_confirmed) == (How.PHONE, "head老师", True)
    (line,) = await HandListLine.filter(child_id=child)
    assert line.state.value == "told"
    report = await stage.reports.report(stage.actor("head"), view.id)
    assert (report.total.by_hand, report.total.not_reached) == (1, 1)


async def test_words_said_on_the_phone_are_entered_for_the_family(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.FORM, questions=FORM)
    child, person = str(stage.town.children["roster"].id), str(stage.town.people["grandmother"].id)
    answers = {"eat": "吃", "day": "2026-09-08"}
    await stage.chasing.confirmed_by_hand(stage.actor("head"), view.id, child, person, How.PHONE, answers)
    row = await NoticeRecipient.get(notice_id=view.id, person_id=person)
    assert (row.how, row.entered_by) == (How.PHONE, stage.town.people["head"].id)


async def test_reminders_stop_and_people_take_over(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.BUTTON, remind_hours=24, remind_times=1)
    with pytest.raises(TooSoon):
        await stage.chasing.remind(stage.actor("head"), view.id)
    await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.CHAT)
    for _ in range(4):
        stage.clock.advance(timedelta(hours=24))
        await stage.sender.tick()
    assert {row.occurrence for row in await stage.pushes(view.id)} == {"first", "again-1", "escalation"}
    (task,) = await stage.pushes(view.id, "escalation")
    assert task.person_id == stage.town.people["head"].id
    lines = await HandListLine.filter(reason=f"notice:{view.id}", occurrence="call")
    assert {line.child_id for line in lines} == {stage.town.children[key].id for key in ("roster", "alone")}


async def test_nothing_is_said_again_after_the_deadline(stage: Stage) -> None:
    deadline = stage.clock.now() + timedelta(hours=20)
    view = await stage.sent(confirmation=Confirmation.BUTTON, deadline=deadline)
    stage.clock.advance(timedelta(hours=24))
    await stage.sender.tick()
    assert {row.occurrence for row in await stage.pushes(view.id)} == {"first"}
    stage.clock.advance(timedelta(days=4))
    await stage.sender.tick()
    assert (await stage.row(view.id)).state is NoticeState.CLOSED
    with pytest.raises(NotOpenForConfirmation):
        await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.CHAT)
    assert await NoticeRecipient.filter(notice_id=view.id, channel="customer_service").count() == 3


# ----------------------------------------------------------------------------------------------------------- correction
async def test_a_correction_goes_to_exactly_those_who_got_the_original(stage: Stage) -> None:
    view = await stage.submitted(confirmation=Confirmation.BUTTON)
    await stage.sender.tick()
    await stage.deliver(view.id, "mother")
    await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.CHAT)
    draft = await stage.desk.correct(stage.actor("head"), view.id)
    assert (await stage.desk.correct(stage.actor("head"), view.id)).id == draft.id
    changed = replace(draft.content, text="改为带毽子。")
    draft = await stage.desk.edit(stage.actor("head"), draft.id, changed, draft.version)
    await stage.signing.submit(stage.actor("head"), draft.id, draft.version)
    await stage.sender.tick()
    words = await stage.deliver(draft.id)
    assert set(words) == {"mother"}
    assert "更正" in text_of(words["mother"])
    assert "毽子" in text_of(words["mother"])
    late = await stage.deliver(view.id)
    assert "毽子" in text_of(late["father"])
    assert "更正" not in text_of(late["father"])
    await stage.sender.tick()
    assert {row.person_id for row in await stage.pushes(draft.id)} == {stage.town.people["mother"].id}
    assert not (await stage.reading.read(stage.actor("mother"), draft.id)).is_confirmed
    old = await stage.reading.read(stage.actor("mother"), view.id)
    assert (old.is_open, old.corrected_by) == (False, draft.id)
    theirs = await stage.reading.read(stage.actor("father"), view.id)
    assert (theirs.text, theirs.is_open) == ("改为带毽子。", True)


async def test_a_change_that_does_not_matter_keeps_confirmations(stage: Stage) -> None:
    view = await stage.sent(confirmation=Confirmation.BUTTON)
    await stage.reading.confirm(stage.actor("mother"), view.id, {}, How.CHAT)
    draft = await stage.desk.correct(stage.actor("head"), view.id)
    changed = replace(draft.content, text="请带跳绳，操场集合。", is_material=False)
    draft = await stage.desk.edit(stage.actor("head"), draft.id, changed, draft.version)
    await stage.signing.submit(stage.actor("head"), draft.id, draft.version)
    await stage.sender.tick()
    await stage.deliver(draft.id)
    assert (await stage.reading.read(stage.actor("mother"), draft.id)).is_confirmed


async def test_a_message_on_its_way_is_waited_for(stage: Stage) -> None:
    view = await stage.submitted()
    await stage.sender.tick()
    (row,) = [each for each in await stage.pushes(view.id) if each.person_id == stage.town.people["mother"].id]
    row.status = DeliveryStatus.SENDING
    await row.save()
    draft = await stage.desk.correct(stage.actor("head"), view.id)
    await stage.signing.submit(stage.actor("head"), draft.id, draft.version)
    await stage.sender.tick()
    pushes = await stage.pushes(draft.id)
    assert isinstance((await stage.compose(pushes))["mother"], NotYet)
    row.status = DeliveryStatus.SENT
    await row.save()
    assert isinstance((await stage.compose(pushes))["mother"], Composed)
    row.status = DeliveryStatus.PLANNED
    await row.save()
    assert (await stage.compose(pushes))["mother"] == NotNeeded("told_anew")


# ------------------------------------------------------------------------------------------------------------- findings
async def test_another_notice_about_the_same_day_is_pointed_at(stage: Stage) -> None:
    await stage.submitted("admin", 0, 1, title="家长会", text="9月10日（星期四）开家长会。")
    content = stage.content(title="家长会", text="9月11日（星期五）开家长会。")
    (found,) = await stage.desk.findings(stage.actor("head"), content)
    assert found.code == "other_date"
    assert "9月10日" in found.message
    assert not await stage.desk.findings(
        stage.actor("admin"), stage.content(2, title="家长会", text="9月11日开家长会。")
    )


async def test_what_cannot_be_kept_is_refused(stage: Stage) -> None:
    from handlers.notices.domain import Link

    past = stage.clock.now() - timedelta(hours=1)
    for values in (
        {"title": " "},
        {"text": "长" * 501},
        {"deadline": past},
        {"links": (Link("图", "http://a.cn/x.jpg"),)},
        {"links": (Link("图", "https://user@a.cn/x.jpg"),)},
        {"links": (Link("图", "https://127.0.0.1/x.jpg"),)},
        {"confirmation": Confirmation.FORM},
        {"questions": FORM},
    ):
        with pytest.raises(NoticeInvalid):
            await stage.desk.create(stage.actor("head"), stage.content(**values))


# ---------------------------------------------------------------------------------------------------------------- terms
async def test_what_is_kept_about_a_child_is_given_erased_and_ends(stage: Stage) -> None:
    from bot.storage.files import FileStore
    from handlers.notices.service.records import NoticeRecords

    records = NoticeRecords(FileStore(stage.clock))
    view = await stage.sent(confirmation=Confirmation.FORM, questions=FORM)
    child, mother = str(stage.town.children["elder"].id), str(stage.town.people["mother"].id)
    await stage.reading.confirm(stage.actor("mother"), view.id, {"eat": "吃", "day": "2026-09-08"}, How.API)
    (heading,) = (await records.child_data(child, mother)).values()
    assert "在校吃午饭吗：吃" in str(heading)
    assert await records.dependents([child], []) == {"notices": 2}
    await records.erase_child(child, keep_duty=True)
    assert (await NoticeRecipient.filter(child_id=child, person_id=mother).get()).answers is None
    await records.erase_child(child, keep_duty=False)
    assert not await NoticeRecipient.filter(child_id=child).exists()
    assert await Pupil.filter(id=child).exists()
    await stage.signing.close(stage.actor("head"), view.id)
    stage.clock.advance(timedelta(days=366))
    (due,) = await records.due(stage.clock.now().date())
    await records.dispose(due)
    assert not await Notice.filter(id=view.id).exists()
