"""Deciding, erasing, copies of data and terms, on a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import VISITOR
from bot.storage.base import blind_index
from bot.storage.database import Database
from bot.storage.erasures import ErasureNote
from handlers.accounts.domain import BindingState, InvitationKind, PupilStatus, SessionKind
from handlers.accounts.models import (
    Bar,
    BindingRequest,
    Guardianship,
    Invitation,
    Person,
    Placement,
    Pupil,
    Session,
    WeChatIdentity,
)
from handlers.consent.domain.decisions import Decision, ErasureKind, NothingToWithdraw, NoticeChanged, Standing, pair_of
from handlers.consent.domain.register import REGISTER, Basis, ItemName
from handlers.consent.models import ConsentEvent, DataItem, ErasureRow
from handlers.consent.service.download import as_page
from handlers.consent.service.register import RegisterKeeper
from tests import factories
from tests.factories import LONG_AGO
from tests.handlers.consent.conftest import Family, Stage, guardian, head_teacher, statement

GIVEN, REFUSED, WITHDRAWN = Decision.GIVEN, Decision.REFUSED, Decision.WITHDRAWN


async def audited(action: str) -> list[AuditRow]:
    return await AuditRow.filter(action=action).order_by("id")


# ------------------------------------------------------------------------------------------------------------ deciding
async def test_consent_is_kept_with_who_what_version_when_and_how(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    before = await stage.consents.state_of(mother, family.child_id)
    assert (before.standing, before.needs_answer, before.own) == (Standing.UNASKED, True, None)
    after = await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    assert (after.standing, after.needs_answer, after.own) == (Standing.GIVEN, False, GIVEN)
    (event,) = await ConsentEvent.all()
    assert (str(event.pupil_id), str(event.person_id)) == (family.child_id, str(family.mother.id))
    assert (event.notice_version, event.channel) == (stage.notice.version, "chat")
    assert event.created_at == stage.clock.now()
    (row,) = await audited("consent.decide")
    assert (row.actor, row.subject, row.purpose) == (str(family.mother.id), f"child:{family.child_id}", "given")
    assert row.about == family.child_id


async def test_deciding_the_same_twice_is_deciding_once(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    for _ in range(2):
        await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "api")
    assert await ConsentEvent.all().count() == 1
    assert len(await audited("consent.decide")) == 1


async def test_the_last_decision_counts_within_one_tick_of_the_clock(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    for decision in (GIVEN, WITHDRAWN, GIVEN, WITHDRAWN):
        view = await stage.consents.decide(mother, family.child_id, decision, stage.notice.version, "chat")
        assert view.own is decision


async def test_a_decision_about_another_version_is_not_taken(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    with pytest.raises(NoticeChanged) as refused:
        await stage.consents.decide(mother, family.child_id, GIVEN, "0.0000.0000", "api")
    assert refused.value.details == {"version": stage.notice.version}
    assert not await ConsentEvent.exists()


async def test_who_never_agreed_has_nothing_to_withdraw(stage: Stage, family: Family) -> None:
    with pytest.raises(NothingToWithdraw):
        await stage.consents.decide(guardian(family.mother, family.child_id), family.child_id, WITHDRAWN, None, "chat")


async def test_one_guardian_may_withdraw_what_the_other_gave(stage: Stage, family: Family) -> None:
    mother, father = guardian(family.mother, family.child_id), guardian(family.father, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    assert await stage.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)
    await stage.consents.decide(father, family.child_id, WITHDRAWN, None, "chat")
    assert not await stage.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)
    seen = await stage.consents.state_of(mother, family.child_id)
    assert (seen.standing, seen.own, seen.stopped_by_another) == (Standing.WITHDRAWN, GIVEN, True)


async def test_a_refusal_stands_until_the_same_guardian_thinks_otherwise(stage: Stage, family: Family) -> None:
    mother, father = guardian(family.mother, family.child_id), guardian(family.father, family.child_id)
    version = stage.notice.version
    await stage.consents.decide(father, family.child_id, REFUSED, version, "chat")
    view = await stage.consents.decide(mother, family.child_id, GIVEN, version, "chat")
    assert view.standing is Standing.REFUSED
    await stage.consents.decide(father, family.child_id, GIVEN, version, "chat")
    assert (await stage.consents.state_of(mother, family.child_id)).standing is Standing.GIVEN


async def test_statutory_duties_go_on_after_a_refusal(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, REFUSED, stage.notice.version, "chat")
    allowed = {item.name for item in REGISTER if await stage.consents.allows(family.child_id, item.name)}
    assert allowed == {item.name for item in REGISTER if item.basis is Basis.DUTY}


async def test_who_is_barred_or_no_guardian_any_more_decides_nothing(
    stage: Stage, family: Family, clock: FrozenClock
) -> None:
    mother, father = guardian(family.mother, family.child_id), guardian(family.father, family.child_id)
    version = stage.notice.version
    await stage.consents.decide(mother, family.child_id, GIVEN, version, "chat")
    await stage.consents.decide(father, family.child_id, REFUSED, version, "chat")
    bar = await Bar.create(
        pupil_id=family.child.id,
        person_id=family.father.id,
        reason="法院裁定",
        since=date(2026, 9, 1),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    assert await stage.consents.allows(family.child_id, ItemName.CHILD_SIGN_UP)
    await bar.delete()
    assert not await stage.consents.allows(family.child_id, ItemName.CHILD_SIGN_UP)
    await Guardianship.filter(person_id=family.father.id).update(ended_on=date(2026, 8, 31))
    assert await stage.consents.allows(family.child_id, ItemName.CHILD_SIGN_UP)


async def test_unbinding_a_phone_does_not_undo_a_refusal(stage: Stage, family: Family) -> None:
    father = guardian(family.father, family.child_id)
    await stage.consents.decide(father, family.child_id, REFUSED, stage.notice.version, "chat")
    await Guardianship.filter(person_id=family.father.id).update(bound_at=None)
    mother = guardian(family.mother, family.child_id)
    view = await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    assert view.standing is Standing.REFUSED


async def test_a_notice_that_changed_in_what_matters_asks_anew(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    renamed, moved = stage.after(officer="王老师"), stage.after(storage="省教育云")
    assert await renamed.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)
    assert await renamed.consents.to_ask(str(family.mother.id)) == []
    assert not await moved.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)
    assert await moved.consents.to_ask(str(family.mother.id)) == [family.child_id]
    assert (await moved.consents.state_of(mother, family.child_id)).needs_answer
    view = await moved.consents.decide(mother, family.child_id, GIVEN, moved.notice.version, "chat")
    assert view.standing is Standing.GIVEN
    assert await moved.consents.to_ask(str(family.mother.id)) == []


async def test_many_children_are_asked_about_at_once(stage: Stage, family: Family) -> None:
    other = await factories.make_pupil(family.school_class)
    await factories.make_guardianship(other, family.mother)
    mother = guardian(family.mother, family.child_id, str(other.id))
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    both = [family.child_id, str(other.id)]
    assert await stage.consents.allowed(both, ItemName.CHILD_REMINDERS) == {family.child_id}
    assert await stage.consents.allowed(both, ItemName.CHILD_IDENTITY) == set(both)


@pytest.mark.parametrize("use", ["state", "decide", "download", "summary", "erase", "preview"])
async def test_another_family_s_child_is_not_there(stage: Stage, family: Family, use: str) -> None:
    stranger = guardian(await factories.make_person(), str((await factories.make_pupil()).id))
    uses: dict[str, Callable[[str], Awaitable[object]]] = {
        "state": lambda child: stage.consents.state_of(stranger, child),
        "decide": lambda child: stage.consents.decide(stranger, child, GIVEN, stage.notice.version, "api"),
        "download": lambda child: stage.downloads.download(stranger, child),
        "summary": lambda child: stage.downloads.summary(stranger, child),
        "erase": lambda child: stage.erasure.erase(stranger, child),
        "preview": lambda child: stage.erasure.preview(stranger, child),
    }
    messages = []
    for child in (family.child_id, "00000000-0000-4000-8000-000000000000", "none"):
        with pytest.raises(NotFound) as refused:
            await uses[use](child)
        assert refused.value.denial is not None
        messages.append((refused.value.code, refused.value.message, refused.value.details))
    assert messages[0] == messages[1] == messages[2]
    assert not await AuditRow.exists()
    assert not await ConsentEvent.exists()


async def test_staff_and_visitors_decide_nothing(stage: Stage, family: Family) -> None:
    teacher = head_teacher(await factories.make_person(), family.school_class)
    for actor in (teacher, VISITOR):
        for child in (family.child_id, "00000000-0000-4000-8000-000000000000", "none"):
            with pytest.raises(NotPermitted):
                await stage.consents.decide(actor, child, GIVEN, stage.notice.version, "api")
            with pytest.raises(NotPermitted):
                await stage.downloads.download(actor, child)
            with pytest.raises(NotPermitted):
                await stage.erasure.erase(actor, child)


# -------------------------------------------------------------------------------------------------------------- staff
async def test_staff_see_who_has_not_answered_and_never_what_anybody_said(stage: Stage, family: Family) -> None:
    agreed, refused = [await factories.make_pupil(family.school_class) for _ in range(2)]
    elsewhere = await factories.make_pupil(await factories.make_class(family.school, number=2))
    version = stage.notice.version
    for child, decision in ((agreed, GIVEN), (refused, REFUSED)):
        parent = await factories.make_person()
        await factories.make_guardianship(child, parent)
        await stage.consents.decide(guardian(parent, str(child.id)), str(child.id), decision, version, "chat")
    teacher = head_teacher(await factories.make_person(), family.school_class)
    (one,) = await stage.consents.overview(teacher)
    assert (one.children, [child.id for child in one.unanswered]) == (3, [family.child_id])
    assert str(elsewhere.id) not in repr(one)
    assert "refused" not in repr(one)
    with pytest.raises(NotPermitted):
        await stage.consents.overview(guardian(family.mother, family.child_id))


# ------------------------------------------------------------------------------------------------------------- erasure
async def test_withdrawal_erases_what_rests_on_consent_at_once_and_keeps_the_rest(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    stage.diary.consented[family.child_id] = "照片"
    stage.diary.duty[family.child_id] = "考勤"
    await statement(family.child, family.mother)
    pending = await statement(family.child, family.grandmother, BindingState.PENDING)
    await stage.consents.decide(mother, family.child_id, WITHDRAWN, None, "chat")
    assert stage.diary.consented == {}
    assert stage.diary.duty == {family.child_id: "考勤"}
    assert [request.id for request in await BindingRequest.all()] == [pending.id]
    assert (await Pupil.get(id=family.child.id)).id_number == "110101201705060011"
    assert await ConsentEvent.all().count() == 2
    (row,) = await ErasureRow.all()
    assert (row.kind, row.subject_id) == (ErasureKind.STOPPED, pair_of(family.child_id, str(family.mother.id)))


async def test_a_guardian_may_ask_for_erasure_and_sees_first_what_it_does(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    stage.diary.consented[family.child_id] = "照片"
    preview = await stage.erasure.preview(mother, family.child_id)
    assert not preview.is_done
    assert stage.diary.consented
    done = await stage.erasure.erase(mother, family.child_id)
    assert replace(preview, is_done=True) == done
    assert stage.diary.consented == {}
    (row,) = await audited("child.erase")
    assert (row.subject, row.purpose) == (f"child:{family.child_id}", "request")
    assert "child.pictures" in row.fields_seen
    (erased,) = await stage.log.notes()
    assert (erased.kind, erased.subject_id) == ("child.consented", family.child_id)


async def test_an_erasure_that_cannot_be_written_down_does_not_happen(stage: Stage, family: Family) -> None:
    class Broken(RuntimeError):
        pass

    class Failing:
        async def child_data(self, child_id: str, person_id: str) -> dict[str, object]:
            return {}

        async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
            raise Broken

    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    await statement(family.child, family.mother)
    stage.records.append(Failing())
    with pytest.raises(Broken):
        await stage.consents.decide(mother, family.child_id, WITHDRAWN, None, "chat")
    assert await BindingRequest.all().count() == 1
    assert not await ErasureRow.exists()
    assert (await stage.consents.state_of(mother, family.child_id)).standing is Standing.GIVEN
    assert [row.purpose for row in await audited("consent.decide")] == ["given"]


async def test_a_restored_backup_is_made_to_forget_again(stage: Stage, family: Family, clock: FrozenClock) -> None:
    """The backup was made while consent stood; the erasures after it are done again, with the moments they had."""
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    await statement(family.child, family.mother)
    stage.diary.consented[family.child_id] = "照片"
    at = clock.now() + timedelta(days=1)
    notes = [
        ErasureNote("consent.stopped", pair_of(family.child_id, str(family.mother.id)), at),
        ErasureNote("wechat", "somebodysindex", at),
    ]
    clock.advance(timedelta(days=3))
    assert await stage.log.replay(notes) == 2
    assert await stage.log.replay(notes) == 2
    assert not await BindingRequest.exists()
    assert stage.diary.consented == {}
    assert not await stage.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)
    assert await ConsentEvent.all().count() == 2
    assert stage.leaver.erased == ["somebodysindex"] * 2
    assert {(entry.kind, entry.done_at) for entry in await stage.log.notes()} == {
        ("consent.stopped", at),
        ("wechat", at),
    }
    assert await stage.log.notes(at + timedelta(seconds=1)) == []


async def test_consent_given_after_the_erasure_is_not_taken_back_by_a_replay(
    stage: Stage, family: Family, clock: FrozenClock
) -> None:
    mother = guardian(family.mother, family.child_id)
    at = clock.now()
    clock.advance(timedelta(days=1))
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    await stage.log.replay([ErasureNote("consent.stopped", pair_of(family.child_id, str(family.mother.id)), at)])
    assert await stage.consents.allows(family.child_id, ItemName.CHILD_REMINDERS)


# ------------------------------------------------------------------------------------------------------------ download
async def test_a_copy_holds_the_child_s_data_in_clear_and_is_written_down(stage: Stage, family: Family) -> None:
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    data = await stage.downloads.download(mother, family.child_id)
    sections = {section.title: section.records for section in data.sections}
    child = dict(sections["孩子"][0])
    assert (child["姓名"], child["出生日期"]) == (family.child.name, "2017-05-06")
    assert child["身份证件号"] == "110101201705060011"
    assert [dict(record)["决定"] for record in sections["您的授权决定"]] == ["同意"]
    assert len(sections["在校经历"]) == 1
    (row,) = await audited("child.download")
    assert (row.actor, row.subject) == (str(family.mother.id), f"child:{family.child_id}")
    assert family.child.name not in str(row.fields_seen)


async def test_a_copy_holds_nothing_of_other_people(stage: Stage, family: Family) -> None:
    father = guardian(family.father, family.child_id)
    await stage.consents.decide(father, family.child_id, REFUSED, stage.notice.version, "chat")
    await statement(family.child, family.father)
    data = await stage.downloads.download(guardian(family.mother, family.child_id), family.child_id)
    page = as_page(data)
    for person in (family.father, family.grandmother):
        assert person.name not in page
        assert (person.phone or "-") not in page
    assert "我是孩子的妈妈" not in page
    assert family.mother.phone
    assert family.mother.phone in page


async def test_a_copy_says_the_same_whether_anything_was_left_out_or_not(stage: Stage, family: Family) -> None:
    """The same sentence, byte for byte, and the same headings, with and without protected rows."""
    mother = guardian(family.mother, family.child_id)
    plain = await stage.downloads.download(mother, family.child_id)
    await Bar.create(
        pupil_id=family.child.id,
        person_id=family.father.id,
        reason="由保护负责人限制",
        since=date(2026, 8, 1),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    protected = await stage.downloads.download(mother, family.child_id)
    assert protected == plain
    assert as_page(protected).encode() == as_page(plain).encode()
    other = await factories.make_pupil(family.school_class)
    await factories.make_guardianship(other, family.mother)
    both = guardian(family.mother, family.child_id, str(other.id))
    copy = await stage.downloads.download(both, str(other.id))
    assert copy.sentence.encode() == plain.sentence.encode()
    assert [section.title for section in copy.sections] == [section.title for section in plain.sections]
    assert copy.sentence in as_page(copy)


async def test_a_summary_shows_headings_only_and_leaves_no_row(stage: Stage, family: Family) -> None:
    summary = await stage.downloads.summary(guardian(family.mother, family.child_id), family.child_id)
    assert ("在校经历", 1) in summary
    assert not await AuditRow.exists()


# ----------------------------------------------------------------------------------------------------------- retention
async def leaves(child: Pupil, last_day: date) -> None:
    await Pupil.filter(id=child.id).update(status=PupilStatus.GRADUATED, left_on=last_day, school_class_id=None)


async def test_a_pupil_who_left_is_sealed_then_reduced(stage: Stage, family: Family, clock: FrozenClock) -> None:
    stage.diary.duty[family.child_id] = "考勤"
    mother = guardian(family.mother, family.child_id)
    await stage.consents.decide(mother, family.child_id, GIVEN, stage.notice.version, "chat")
    await leaves(family.child, date(2026, 9, 1))
    assert (await stage.retention.run(is_dry=False)).due == ()

    clock.set(datetime(2027, 3, 1, 3, 0, tzinfo=SHANGHAI))
    dry = await stage.retention.run(is_dry=True)
    assert [due.subject for due in dry.due] == [f"pupil:{family.child_id}"]
    assert (await Pupil.get(id=family.child.id)).sealed_at is None
    await stage.retention.run(is_dry=False)
    sealed = await Pupil.get(id=family.child.id)
    assert sealed.sealed_at is not None
    assert sealed.name == family.child.name
    assert (await stage.retention.run(is_dry=True)).due == ()

    clock.set(datetime(2029, 9, 2, 3, 0, tzinfo=SHANGHAI))
    report = await stage.retention.run(is_dry=False)
    assert report.failed == ()
    assert family.child.name not in "".join(report.lines)
    reduced = await Pupil.get(id=family.child.id)
    assert [reduced.birth_date, reduced.id_number, reduced.match_index, reduced.sex] == [None, None, None, ""]
    assert reduced.name != family.child.name
    assert await Placement.filter(pupil_id=family.child.id).count() == 1
    assert not await Guardianship.filter(pupil_id=family.child.id).exists()
    assert not await ConsentEvent.exists()
    assert stage.diary.duty == {}
    assert ("child", family.child_id) in {(entry.kind, entry.subject_id) for entry in await stage.log.notes()}
    assert (await stage.retention.run(is_dry=False)).due == ()
    assert {row.subject for row in await audited("retention.run")} == {f"pupil:{family.child_id}"}


async def test_grown_ups_who_are_here_for_nobody_else_go_with_the_child(
    stage: Stage, family: Family, clock: FrozenClock
) -> None:
    sibling = await factories.make_pupil(family.school_class)
    await factories.make_guardianship(sibling, family.mother)
    await factories.make_identity("demo_g_000009", family.father)
    await leaves(family.child, date(2026, 9, 1))
    clock.set(datetime(2029, 9, 2, 3, 0, tzinfo=SHANGHAI))
    await stage.retention.run(is_dry=False)
    mother, father = await Person.get(id=family.mother.id), await Person.get(id=family.father.id)
    assert (mother.is_erased, mother.name) == (False, family.mother.name)
    assert [father.is_erased, father.phone, father.phone_index] == [True, None, None]
    assert father.name != family.father.name
    assert (await WeChatIdentity.get(openid_index=blind_index("openid", "demo_g_000009"))).person_id is None


async def test_who_comes_back_to_school_is_left_alone(stage: Stage, family: Family, clock: FrozenClock) -> None:
    await leaves(family.child, date(2026, 9, 1))
    clock.set(datetime(2029, 9, 2, 3, 0, tzinfo=SHANGHAI))
    due = (await stage.term.due(date(2029, 9, 2)))[0]
    await Pupil.filter(id=family.child.id).update(status=PupilStatus.ENROLLED, left_on=None)
    await stage.term.dispose(due)
    assert (await Pupil.get(id=family.child.id)).name == family.child.name


async def test_what_is_done_with_goes_after_its_days(stage: Stage, family: Family, clock: FrozenClock) -> None:
    async def invite(code: str, **values: datetime) -> None:
        await Invitation.create(
            kind=InvitationKind.GUARDIAN, code_index=code, pupil_id=family.child.id, created_at=LONG_AGO,
            updated_at=LONG_AGO, expires_at=values.get("expires_at", clock.now() + timedelta(days=400)),
            used_at=values.get("used_at"), revoked_at=values.get("revoked_at"),
        )  # fmt: skip

    old = clock.now() - timedelta(days=40)
    await invite("open")
    await invite("used", used_at=old)
    await invite("revoked", revoked_at=old)
    await invite("expired", expires_at=old)
    await invite("just-used", used_at=clock.now())
    for secret, expires in (("old", old), ("new", clock.now() + timedelta(days=1))):
        await Session.create(
            kind=SessionKind.API, secret_index=secret, person_id=family.mother.id, expires_at=expires, seen_at=old,
            created_at=LONG_AGO, updated_at=LONG_AGO,
        )  # fmt: skip
    done = await statement(family.child, family.mother)
    waiting = await statement(family.child, family.grandmother, BindingState.PENDING)
    await BindingRequest.all().update(updated_at=clock.now() - timedelta(days=100))
    report = await stage.retention.run(is_dry=False)
    assert len(report.due) == 3
    assert {row.code_index for row in await Invitation.all()} == {"open", "just-used"}
    assert [row.secret_index for row in await Session.all()] == ["new"]
    assert [row.id for row in await BindingRequest.all()] == [waiting.id]
    assert done.id != waiting.id
    assert (await stage.retention.run(is_dry=False)).due == ()


async def test_one_that_fails_stops_no_other_and_stays_due(stage: Stage, family: Family, clock: FrozenClock) -> None:
    from bot.errors import Conflict

    class Stuck:
        async def child_data(self, child_id: str, person_id: str) -> dict[str, object]:
            return {}

        async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
            if child_id == family.child_id:
                raise Conflict

    other = await factories.make_pupil(family.school_class)
    for child in (family.child, other):
        await leaves(child, date(2026, 9, 1))
    stage.records.append(Stuck())
    clock.set(datetime(2029, 9, 2, 3, 0, tzinfo=SHANGHAI))
    report = await stage.retention.run(is_dry=False)
    assert [due.subject for due in report.failed] == [f"pupil:{family.child_id}"]
    assert (await Pupil.get(id=family.child.id)).name == family.child.name
    assert (await Pupil.get(id=other.id)).name != other.name
    assert [due.subject for due in (await stage.retention.run(is_dry=True)).due] == [f"pupil:{family.child_id}"]


# ------------------------------------------------------------------------------------------------------------ register
async def test_the_register_is_written_into_its_table(database: Database, clock: FrozenClock) -> None:
    await DataItem.create(
        name="gone", title="-", basis=Basis.DUTY, kept_days=1, created_at=LONG_AGO, updated_at=LONG_AGO
    )
    for days in (1095, 730):
        async with RegisterKeeper(days, clock):
            rows = {row.name: row for row in await DataItem.all()}
        assert sorted(rows) == sorted(item.name for item in REGISTER)
        assert rows["child.identity"].kept_days == days
        assert rows["child.pictures"].basis is Basis.CONSENT
