"""Waivers, case by case: who may do what, what a list spares, and what the settlement is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import BaseORMException

from bot.audit.models import AuditRow
from bot.errors import AppError, NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import Database, transaction
from bot.storage.files import FileNotFound, Owner
from bot.storage.models import StoredFile
from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import (
    OPEN,
    TRANSITIONS,
    EvidenceMissing,
    Hands,
    IllegalWaiverMove,
    SamePerson,
    TooMuchEvidence,
    Verdict,
    WaiverInvalid,
    WaiverOpen,
    WaiverState,
    advance,
    masked,
    require_fresh,
)
from handlers.after_school.models import (
    AfterSchoolWaived,
    AfterSchoolWaiver,
    AfterSchoolWaiverEvent,
    AfterSchoolWaiverListed,
)
from handlers.after_school.service.waivers.asking import Asked
from handlers.after_school.service.waivers.deciding import Decision
from handlers.after_school.service.waivers.publishing import NothingToPublish
from handlers.after_school.service.waivers.records import WaiverRecords
from handlers.after_school.service.waivers.rules import NewList, NewRule
from handlers.after_school.service.waivers.terms import CLOSED_KEPT_DAYS, DRAFT_KEPT_DAYS
from tests.handlers.after_school.stage import Stage, pool
from tests.handlers.after_school.waivers_stage import FULL, HALF, NUMBERS, TERM, Waivers, png, workbook

S = WaiverState
DAYS = (date(2026, 9, 14), date(2026, 12, 18))


@pytest.fixture
async def waivers(stage: Stage) -> Waivers:
    return await Waivers(stage).build()


# -------------------------------------------------------------------------------------------------------------- rules
@given(state=st.sampled_from(S), to=st.sampled_from(S))
def test_only_what_the_table_names_may_follow(state: S, to: S) -> None:
    if to in TRANSITIONS[state]:
        assert advance(state, to) is to
    else:
        with pytest.raises(IllegalWaiverMove):
            advance(state, to)


def test_every_open_state_has_a_way_out_and_the_end_has_none() -> None:
    assert all(S.WITHDRAWN in TRANSITIONS[state] for state in OPEN)
    assert {state for state in S if not TRANSITIONS[state]} == {S.LAPSED, S.WITHDRAWN}


def test_a_name_on_the_public_list_is_masked() -> None:
    assert [masked(each) for each in ("王芳", "欧阳小明", "李")] == ["王*", "欧***", "李*"]


def test_nobody_decides_twice_about_a_case() -> None:
    hands = Hands(asked_by="a", entered_by="b", checked_by="c", decided_by="d")
    require_fresh("e", hands, {"f"})
    for person in (*"abcdf", None):
        with pytest.raises(SamePerson):
            require_fresh(person, hands, {"f"})


# ------------------------------------------------------------------------------------------------------------- asking
async def test_a_family_on_an_official_list_brings_no_paper(waivers: Waivers) -> None:
    await waivers.give_number(waivers.mother, NUMBERS[0])
    await waivers.listed(NUMBERS[0])
    options = {each.title: each.is_listed for each in await waivers.asking.options(waivers.mother, waivers.child)}
    assert options == {"低保家庭": True, "家里有突发困难": False}
    own = await waivers.asked(FULL)
    assert (own.state, own.is_listed, own.pictures) == (S.SUBMITTED, True, 0)


async def test_without_a_list_a_picture_is_wanted_before_it_goes_to_the_school(waivers: Waivers) -> None:
    own = await waivers.asked(HALF)
    assert own.state is S.DRAFT
    with pytest.raises(EvidenceMissing):
        await waivers.asking.submit(waivers.mother, own.id)
    await waivers.asking.show(waivers.mother, own.id, png())
    assert (await waivers.asking.submit(waivers.mother, own.id)).state is S.SUBMITTED
    again = await waivers.asking.submit(waivers.mother, own.id)
    assert (again.state, await waivers.path(own.id)) == (S.SUBMITTED, [S.DRAFT, S.SUBMITTED])


async def test_a_list_of_another_kind_another_time_or_undone_names_nobody(waivers: Waivers) -> None:
    await waivers.give_number(waivers.mother, NUMBERS[0])
    past = NewList(FULL, date(2025, 9, 1), date(2026, 8, 31))
    await waivers.rules.bring_in(waivers.decider, waivers.town, past, workbook([NUMBERS[0]]))
    await waivers.listed(NUMBERS[0], code="04")
    await waivers.listed(NUMBERS[0])
    lists = await waivers.rules.lists(waivers.decider, waivers.town)
    newest = next(each for each in lists if each.title == "低保家庭" and each.until > date(2027, 1, 1))
    await waivers.rules.undo(waivers.decider, newest.id)
    assert not any(each.is_listed for each in await waivers.asking.options(waivers.mother, waivers.child))
    with pytest.raises(WaiverInvalid):
        await waivers.rules.undo(waivers.decider, newest.id)


async def test_a_child_has_one_open_case_whoever_asks_at_the_same_moment(waivers: Waivers) -> None:
    kind = await waivers.kind(HALF)

    async def ask() -> object:
        try:
            return await waivers.asking.ask(waivers.mother, Asked(waivers.child, kind))
        except WaiverOpen as error:
            return error

    outcomes = await asyncio.gather(*(ask() for _ in range(6)))
    assert sum(not isinstance(each, WaiverOpen) for each in outcomes) == 1
    assert await AfterSchoolWaiver.all().count() == 1


async def test_a_case_is_its_family_s_and_nobody_else_s(waivers: Waivers) -> None:
    stranger = await waivers.stage.family()
    own = await waivers.handed_in()
    for attempt in (
        waivers.asking.one(stranger, own),
        waivers.asking.submit(stranger, own),
        waivers.asking.withdraw(stranger, own),
        waivers.asking.appeal(stranger, own, "不同意"),
        waivers.asking.show(stranger, own, png()),
        waivers.asking.options(stranger, waivers.child),
        waivers.asking.ask(stranger, Asked(waivers.child, await waivers.kind(HALF))),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await waivers.asking.own(stranger) == []
    assert [each.id for each in await waivers.asking.own(waivers.mother)] == [own]


async def test_six_pictures_are_enough_and_none_after_the_check(waivers: Waivers) -> None:
    own = (await waivers.asked(HALF)).id
    for _ in range(6):
        await waivers.asking.show(waivers.mother, own, png())
    with pytest.raises(TooMuchEvidence):
        await waivers.asking.show(waivers.mother, own, png())
    await waivers.asking.submit(waivers.mother, own)
    await waivers.deciding.check(waivers.checker, own)
    with pytest.raises(IllegalWaiverMove):
        await waivers.asking.show(waivers.mother, own, png())


async def test_evidence_is_made_anew_and_lies_encrypted(waivers: Waivers) -> None:
    await waivers.handed_in()
    connection = StoredFile._meta.db
    rows = await connection.execute_query_dict("SELECT content FROM stored_file")
    kept = await StoredFile.all()
    assert [row.media_type for row in kept] == ["image/jpeg"]
    assert png() not in bytes(rows[0]["content"])
    assert b"JFIF" not in bytes(rows[0]["content"])


# ---------------------------------------------------------------------------------------------------------- on behalf
async def test_the_head_teacher_puts_a_case_in_and_does_not_see_it_again(waivers: Waivers) -> None:
    head, kind = waivers.stage.head, await waivers.kind(HALF)
    with pytest.raises(WaiverInvalid):
        await waivers.asking.file(head, Asked(waivers.child, kind), png())
    with pytest.raises(EvidenceMissing):
        await waivers.asking.file(head, Asked(waivers.child, kind, how=ConsentHow.IN_PERSON), b"")
    await waivers.asking.file(head, Asked(waivers.child, kind, how=ConsentHow.IN_PERSON), png())
    row = await AfterSchoolWaiver.get()
    assert (row.state, row.asked_by, str(row.entered_by)) == (S.SUBMITTED, None, head.person_id)
    for attempt in (waivers.deciding.look(head, str(row.id)), waivers.deciding.queue(head), waivers.asking.own(head)):
        with pytest.raises(NotPermitted):
            await attempt
    await waivers.give_number(waivers.mother, NUMBERS[0])
    await waivers.listed(NUMBERS[0])
    assert not any(each.is_listed for each in await waivers.asking.options(head, waivers.child, Action.WAIVER_FILE))


async def test_who_put_a_case_in_does_not_check_it(waivers: Waivers) -> None:
    asked = Asked(waivers.child, await waivers.kind(HALF), how=ConsentHow.SIGNED_PAPER)
    await waivers.asking.file(waivers.checker, asked, png())
    own = str((await AfterSchoolWaiver.get()).id)
    with pytest.raises(SamePerson):
        await waivers.deciding.check(waivers.checker, own)
    await waivers.deciding.check(waivers.decider, own)


# ----------------------------------------------------------------------------------------------------------- deciding
async def test_one_checks_another_decides_and_a_third_hears_the_appeal(waivers: Waivers) -> None:
    own = await waivers.checked()
    grant = Decision(Verdict.GRANT, (TERM,))
    with pytest.raises(SamePerson):
        await waivers.deciding.decide(waivers.checker, own, grant)
    await waivers.deciding.decide(waivers.decider, own, Decision(Verdict.REFUSE, reason="证明过期"))
    seen = await waivers.asking.one(waivers.mother, own)
    assert (seen.state, seen.reason, seen.can_appeal, seen.percent) == (S.REFUSED, "证明过期", True, None)
    await waivers.asking.appeal(waivers.mother, own, "证明没有过期")
    for actor in (waivers.checker, waivers.decider):
        with pytest.raises(SamePerson):
            await waivers.deciding.decide(actor, own, grant)
    await waivers.deciding.decide(waivers.third, own, grant)
    seen = await waivers.asking.one(waivers.mother, own)
    assert (seen.state, seen.percent, seen.terms) == (S.GRANTED, 50, (TERM,))
    assert await waivers.path(own) == [S.DRAFT, S.SUBMITTED, S.CHECKED, S.REFUSED, S.APPEALED, S.GRANTED]


async def test_an_appeal_is_heard_once(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.REFUSE)
    await waivers.asking.appeal(waivers.mother, own, "不同意")
    await waivers.deciding.decide(waivers.third, own, Decision(Verdict.REFUSE, reason="仍不符合"))
    assert not (await waivers.asking.one(waivers.mother, own)).can_appeal
    with pytest.raises(IllegalWaiverMove):
        await waivers.asking.appeal(waivers.mother, own, "还是不同意")


async def test_a_parent_on_the_staff_does_not_decide_for_their_own_child(waivers: Waivers) -> None:
    own = await waivers.handed_in()
    with pytest.raises(SamePerson):
        await waivers.deciding.check(waivers.as_parent(waivers.checker), own)
    father = await waivers.stage.family(waivers.stage.children[0])
    await waivers.deciding.check(waivers.checker, own)
    with pytest.raises(SamePerson):
        await waivers.deciding.decide(
            replace(waivers.decider, person_id=father.person_id), own, Decision(Verdict.GRANT, (TERM,))
        )


@pytest.mark.parametrize(
    "columns",
    [
        {"checked_by": "a", "decided_by": "a"},
        {"asked_by": "a", "checked_by": "a"},
        {"entered_by": "a", "checked_by": "b", "decided_by": "a"},
        {"checked_by": "a", "decided_by": "b", "heard_by": "a"},
        {"checked_by": "a", "decided_by": "b", "heard_by": "b"},
        {"decided_by": "a"},
        {"checked_by": "a", "heard_by": "b"},
    ],
)
async def test_the_database_itself_refuses_the_same_hands(
    database: Database, waivers: Waivers, columns: dict[str, str]
) -> None:
    own, people = await waivers.handed_in(), {"a": uuid4(), "b": uuid4()}
    values = {"asked_by": None, **{name: people[key] for name, key in columns.items()}}
    with pytest.raises(BaseORMException):
        async with transaction():
            await AfterSchoolWaiver.filter(id=own).update(**values)
    # The control: other hands pass.
    await AfterSchoolWaiver.filter(id=own).update(checked_by=uuid4(), decided_by=uuid4(), heard_by=uuid4())


async def test_the_history_is_append_only(waivers: Waivers) -> None:
    own = await waivers.handed_in()
    for attempt in (
        AfterSchoolWaiverEvent.filter(waiver_id=own).update(to_state=S.GRANTED),
        AfterSchoolWaiverEvent.filter(waiver_id=own).delete(),
    ):
        with pytest.raises(BaseORMException):
            async with transaction():
                await attempt


async def test_two_who_decide_at_the_same_moment_decide_once(waivers: Waivers) -> None:
    own = await waivers.checked()

    async def decide(actor: Actor, decision: Decision) -> bool:
        try:
            await waivers.deciding.decide(actor, own, decision)
        except AppError:
            return False
        return True

    done = await asyncio.gather(
        decide(waivers.decider, Decision(Verdict.GRANT, (TERM,))),
        decide(waivers.third, Decision(Verdict.REFUSE, reason="不符合")),
    )
    assert sum(done) == 1
    assert len(await waivers.path(own)) == 4


async def test_a_case_given_back_may_be_completed(waivers: Waivers) -> None:
    own = await waivers.handed_in()
    with pytest.raises(WaiverInvalid):
        await waivers.deciding.give_back(waivers.checker, own, " ")
    await waivers.deciding.give_back(waivers.checker, own, "请补拍第二页")
    seen = await waivers.asking.one(waivers.mother, own)
    assert (seen.state, seen.reason) == (S.DRAFT, "请补拍第二页")
    await waivers.asking.show(waivers.mother, own, png("black"))
    assert (await waivers.asking.submit(waivers.mother, own)).reason == ""


async def test_only_those_within_reach_see_a_case(waivers: Waivers) -> None:
    own = await waivers.handed_in()
    grant = replace(waivers.checker.grants[0], schools=frozenset({str(uuid4())}))
    elsewhere = replace(waivers.third, roles=waivers.checker.roles, grants=(grant,))
    with pytest.raises(NotFound):
        await waivers.deciding.look(elsewhere, own)
    lines, total = await waivers.deciding.queue(elsewhere)
    assert (lines, total) == ([], 0)
    lines, total = await waivers.deciding.queue(waivers.checker)
    assert ([each.id for each in lines], total) == ([own], 1)


# --------------------------------------------------------------------------------------------------- what falls away
async def test_the_settlement_is_told_how_much_and_nothing_of_why(waivers: Waivers) -> None:
    await waivers.decided(Verdict.GRANT)
    assert await waivers.waived.percent_of([waivers.child, str(uuid4())], *DAYS) == {waivers.child: 50}
    assert await waivers.waived.percent_of([waivers.child], date(2027, 9, 13), date(2027, 12, 20)) == {}
    assert await waivers.waived.percent_of([], *DAYS) == {}


async def test_the_amount_follows_the_rule_of_the_day_it_was_asked_for(waivers: Waivers) -> None:
    own = await waivers.checked()
    rule = NewRule(code=HALF, percent=30, since=date(2026, 9, 9), clause="新文件")
    await waivers.rules.set(waivers.decider, waivers.town, rule)
    waivers.later(days=2)
    await waivers.deciding.decide(waivers.decider, own, Decision(Verdict.GRANT, (TERM,)))
    assert await waivers.waived.percent_of([waivers.child], *DAYS) == {waivers.child: 50}


async def test_only_terms_that_are_not_over_can_be_granted(waivers: Waivers) -> None:
    own = await waivers.checked()
    for terms in ((), ("去年春季学期",)):
        with pytest.raises(WaiverInvalid):
            await waivers.deciding.decide(waivers.decider, own, Decision(Verdict.GRANT, terms))
    assert (await waivers.row(own)).state is S.CHECKED


async def test_a_grant_after_the_sign_up_has_closed_marks_a_refund(waivers: Waivers) -> None:
    own = await waivers.checked()
    await waivers.stage.publish(pool("围棋", 10))
    waivers.later(days=3)
    await waivers.deciding.decide(waivers.decider, own, Decision(Verdict.GRANT, (TERM,)))
    assert (await waivers.deciding.look(waivers.third, own)).refunds == {TERM: False}
    await waivers.deciding.refunded(waivers.third, own, TERM)
    await waivers.deciding.refunded(waivers.third, own, TERM)
    assert (await waivers.deciding.look(waivers.third, own)).refunds == {TERM: True}
    with pytest.raises(NotFound):
        await waivers.deciding.refunded(waivers.third, own, "别的学期")


async def test_a_grant_in_time_marks_none(waivers: Waivers) -> None:
    await waivers.stage.publish(pool("围棋", 10))
    own = await waivers.decided(Verdict.GRANT)
    assert (await waivers.deciding.look(waivers.third, own)).refunds == {}


async def test_what_was_granted_lapses_with_its_last_term(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.GRANT)
    assert await waivers.deciding.lapse() == 0
    waivers.later(days=137)
    assert await waivers.deciding.lapse() == 1
    assert await waivers.deciding.lapse() == 0
    assert (await waivers.row(own)).state is S.LAPSED
    # The term that was granted is settled by it even afterwards.
    assert await waivers.waived.percent_of([waivers.child], *DAYS) == {waivers.child: 50}


async def test_a_family_that_gives_it_up_pays_again_and_its_pictures_go(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.GRANT)
    await waivers.asking.withdraw(waivers.mother, own)
    assert await waivers.waived.percent_of([waivers.child], *DAYS) == {}
    assert await StoredFile.all().count() == 0
    await waivers.asking.withdraw(waivers.mother, own)
    assert (await waivers.path(own))[-1] is S.WITHDRAWN


# ------------------------------------------------------------------------------------------------------- papers, term
async def test_papers_go_so_many_days_after_the_decision(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.REFUSE)
    files = waivers.stage.machinery.files
    waivers.later(days=29)
    pictures = (await waivers.deciding.look(waivers.third, own)).pictures
    assert (await waivers.deciding.picture(waivers.third, own, pictures[0])).media_type == "image/jpeg"
    waivers.later(days=2)
    with pytest.raises(FileNotFound):
        await waivers.deciding.picture(waivers.third, own, pictures[0])
    assert [owner for owner, _ in await files.overdue()] == [Owner("waiver", own)]


async def test_an_appeal_keeps_its_papers_until_it_is_heard(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.REFUSE)
    await waivers.asking.appeal(waivers.mother, own, "不同意")
    waivers.later(days=31)
    assert await waivers.stage.machinery.files.overdue() == []


async def test_old_cases_and_forgotten_drafts_go(waivers: Waivers) -> None:
    records = WaiverRecords(waivers.stage.machinery.files)
    draft = (await waivers.asked()).id
    today = date(2026, 9, 8)
    assert await records.due(today + timedelta(days=DRAFT_KEPT_DAYS - 1)) == []
    due = await records.due(today + timedelta(days=DRAFT_KEPT_DAYS + 2))
    assert [each.subject for each in due] == [f"after_school_case:{draft}"]
    await records.dispose(due[0])
    await records.dispose(due[0])
    closed = await waivers.decided(Verdict.REFUSE)
    due = await records.due(today + timedelta(days=CLOSED_KEPT_DAYS + 2))
    assert [each.subject for each in due] == [f"after_school_case:{closed}"]


async def test_what_a_family_is_given_and_what_goes_with_its_consent(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.GRANT)
    records = WaiverRecords(waivers.stage.machinery.files)
    data = await records.child_data(waivers.child, str(waivers.mother.person_id))
    assert data["课后服务费用减免"] == [{"学期": TERM, "减免比例": "50%"}]
    [case] = data["课后服务费用减免申请"]
    assert (case["申请的类别"], case["办到哪一步"], case["您写的情况"]) == ("家里有突发困难", "已同意", "家里困难")
    people = [str(each.person_id) for each in (waivers.checker, waivers.decider)]
    assert not any(person in str(data) for person in people)
    assert await records.dependents([waivers.child], people) == {"after_school_cases": 4}
    assert await records.dependents([str(uuid4())], [str(uuid4())]) == {}
    await records.erase_child(waivers.child, keep_duty=True)
    assert await AfterSchoolWaiver.filter(id=own).count() == await StoredFile.all().count() == 0
    assert await waivers.waived.percent_of([waivers.child], *DAYS) == {waivers.child: 50}
    await records.erase_child(waivers.child, keep_duty=False)
    assert await AfterSchoolWaived.all().count() == 0


# ---------------------------------------------------------------------------------------------------------- the audit
async def test_every_look_and_every_deed_is_written_down(waivers: Waivers) -> None:
    own = await waivers.decided(Verdict.REFUSE)
    before = await AuditRow.all().count()
    view = await waivers.deciding.look(waivers.third, own)
    await waivers.deciding.picture(waivers.third, own, view.pictures[0])
    await waivers.deciding.queue(waivers.third)
    await waivers.asking.own(waivers.mother)
    await waivers.asking.one(waivers.mother, own)
    rows = await AuditRow.all().order_by("id")
    assert len(rows) == before + 5
    assert [row.subject for row in rows[-5:]] == [f"waiver:{own}"] * 2 + ["waivers:queue"] + [f"waiver:{own}"] * 2
    deeds = {row.purpose for row in rows if row.action == "waiver.decide"}
    assert deeds == {"checked", "refuse"}
    assert not any("突发" in str(row.__dict__) or row.purpose == HALF for row in rows)


# -------------------------------------------------------------------------------------------------------------- lists
async def test_of_a_list_only_fingerprints_are_kept(waivers: Waivers) -> None:
    await waivers.give_number(waivers.mother, NUMBERS[0])
    numbers = [*NUMBERS, NUMBERS[0].lower(), "不详", 440524188001010014]
    content = workbook(numbers, title="2026年低保对象名单（含身份证号）")
    new = NewList(FULL, date(2026, 9, 1), date(2027, 8, 31))
    found = await waivers.rules.bring_in(waivers.decider, waivers.town, new, content)
    assert (found.rows, found.unreadable, found.known) == (3, 2, 1)
    rows = await AfterSchoolWaiverListed.all()
    assert len(rows) == 2
    assert not any(number in str(vars(row)) for row in rows for number in NUMBERS)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not a workbook", "not_a_workbook"),
        (workbook(["1"], head="学号"), "waiver_invalid"),
        (workbook(["1", "abc"]), "waiver_invalid"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_in_words(waivers: Waivers, content: bytes, code: str) -> None:
    new = NewList(FULL, date(2026, 9, 1), date(2027, 8, 31))
    with pytest.raises(AppError) as caught:
        await waivers.rules.bring_in(waivers.decider, waivers.town, new, content)
    assert "请" in caught.value.message
    assert await AfterSchoolWaiverListed.all().count() == 0
    assert code


async def test_rules_follow_one_another_by_their_days(waivers: Waivers) -> None:
    early = NewRule(code=HALF, percent=30, since=date(2026, 9, 1), clause="新文件")
    with pytest.raises(WaiverInvalid):
        await waivers.rules.set(waivers.decider, waivers.town, early)
    later = NewRule(code=HALF, percent=30, since=date(2026, 10, 1), clause="新文件")
    await waivers.rules.set(waivers.decider, waivers.town, later)
    rows = {row.kind.code: row for row in await waivers.rules.categories(waivers.decider, waivers.town)}
    assert len(rows) == 10
    current, coming = rows[HALF].current, rows[HALF].coming
    assert current is not None
    assert coming is not None
    assert (current.percent, current.until, coming.percent) == (50, date(2026, 9, 30), 30)
    assert rows["01"].current is None
    await waivers.rules.stop(waivers.decider, waivers.town, FULL)
    waivers.later(days=1)
    assert [each.percent for each in await waivers.asking.options(waivers.mother, waivers.child)] == [50]


async def test_only_the_township_s_own_office_sets_its_rules(waivers: Waivers) -> None:
    rule = NewRule(code=HALF, percent=30, since=date(2026, 10, 1), clause="新文件")
    with pytest.raises(NotPermitted):
        await waivers.rules.set(waivers.checker, waivers.town, rule)
    with pytest.raises(NotFound):
        await waivers.rules.set(waivers.decider, str(uuid4()), rule)
    with pytest.raises(NotFound):
        await waivers.rules.lists(waivers.decider, str(UUID(int=1)))


# -------------------------------------------------------------------------------------------------- the public list
async def test_there_is_no_public_list_without_a_rule_that_asks_for_it(waivers: Waivers) -> None:
    await waivers.decided(Verdict.GRANT)
    with pytest.raises(NothingToPublish):
        await waivers.publishing.lines(waivers.third, TERM)
    waivers.publishing.ground = "县教发〔2026〕1号第五条"
    [line] = await waivers.publishing.lines(waivers.third, TERM)
    name = waivers.stage.children[0].name
    assert line.name == masked(name) != name
    assert await waivers.publishing.terms(waivers.third) == [TERM]
