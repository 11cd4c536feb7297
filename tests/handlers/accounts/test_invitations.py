"""Who may invite whom, and what is handed out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.database import Database
from bot.wechat.client import QrCode
from bot.wechat.errors import QuotaExceeded
from handlers.accounts.domain import AppointmentKind, InvitationKind
from handlers.accounts.service.codes import ALPHABET, LENGTH, new_code, read_code, scene_of, spelled
from handlers.accounts.service.invitations import InvitationState, TermInvalid
from knowledge.safety import Guard
from tests.factories import make_appointment, make_class, make_person, make_pupil
from tests.handlers.accounts.binding_stage import (
    AS_MOTHER,
    CHILD,
    LEADER,
    PROOF,
    PROTECTOR,
    TEACHER,
    WRONG,
    Stage,
    audited,
    make_stage,
)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    return await make_stage(clock, metrics)


def test_codes_have_no_signs_that_look_alike() -> None:
    assert not set(ALPHABET) & set("0O1IL2Z5S8BU")
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)


def test_no_code_reads_like_a_cry_for_help() -> None:
    """Two letters in the middle of a code are no abbreviation, wherever they stand."""
    guard = Guard.load()
    codes = [new_code() for _ in range(5_000)]
    for pair in ("QJ", "qj"):
        codes += [code[:at] + pair + code[at + 2 :] for at in range(LENGTH - 1) for code in codes[:20]]
    said = [form for code in codes for form in (code, spelled(code), f"绑定 {spelled(code)}", f"邀请码{code.lower()}")]
    assert [text for text in said if guard.find(text)] == []
    assert guard.find("她被人 qj 了")


@pytest.mark.parametrize(
    "typed",
    [
        "ACDE-3467",
        "acde3467",
        " a c d e 3 4 6 7 ",
        "ＡＣＤＥ－３４６７",
        "邀请码：ACDE-3467。",
        "绑定 acde 3467",
        "i_ACDE3467",
        "A C D E 三 四 六 七",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert read_code(typed) == "ACDE3467"


@pytest.mark.parametrize("typed", ["", "ACDE346", "ACDE34677", "0000-0000", "小学报名要什么材料", "13812345678"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


async def test_a_slip_for_each_child_of_the_class(stage: Stage) -> None:
    await make_pupil(stage.room, name="王小红")
    slips = await stage.invitations.print_slips(await stage.actor(TEACHER), str(stage.room.id))
    assert {(slip.name, slip.where, slip.kind) for slip in slips} == {
        (CHILD, "三年级1班", InvitationKind.GUARDIAN),
        ("王小红", "三年级1班", InvitationKind.GUARDIAN),
    }
    codes = [slip.code.replace("-", "") for slip in slips]
    assert stage.wechat.scenes == [scene_of(code) for code in codes]
    assert all(spelled(code) in {slip.code for slip in slips} for code in codes)
    assert all(slip.qr_content for slip in slips)


async def test_without_wechat_the_slips_have_their_codes(stage: Stage) -> None:
    async def refuse(scene: str, life: timedelta) -> QrCode:
        raise QuotaExceeded("/cgi-bin/qrcode/create", errcode=45009)

    stage.wechat.create_qr_code = refuse  # type: ignore[method-assign]
    [slip] = await stage.invitations.print_slips(await stage.actor(TEACHER), str(stage.room.id))
    assert slip.qr_content is None
    assert read_code(slip.code)


async def test_nobody_invites_for_a_class_that_is_not_theirs(stage: Stage) -> None:
    room = await make_class()
    pupil = await make_pupil(room)
    teacher = await stage.actor(TEACHER)
    for wrong in (str(pupil.id), "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            await stage.invitations.issue(teacher, [wrong])
        with pytest.raises(NotFound):
            await stage.invitations.print_slips(teacher, wrong)
        with pytest.raises(NotFound):
            await stage.invitations.list(teacher, wrong)
        with pytest.raises(NotFound):
            await stage.invitations.revoke(teacher, wrong)
    with pytest.raises(NotPermitted):
        await stage.invitations.issue(await stage.actor(PROTECTOR), [str(stage.pupil.id)])
    with pytest.raises(NotPermitted):
        await stage.invitations.issue(await stage.actor("demo_g_000001"), [str(stage.pupil.id)])


async def test_only_a_guardian_on_the_roster_is_invited_by_name(stage: Stage) -> None:
    stranger = await make_person()
    with pytest.raises(NotFound):
        await stage.code(person_id=str(stranger.id))


async def test_the_staff_are_invited_by_those_who_appoint(stage: Stage) -> None:
    person = await make_person()
    with pytest.raises(NotFound):
        await stage.invitations.issue_to_staff(await stage.actor(LEADER), [str(person.id)])
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=stage.room)
    with pytest.raises(NotPermitted):
        await stage.invitations.issue_to_staff(await stage.actor(TEACHER), [str(person.id)])
    [slip] = await stage.invitations.issue_to_staff(await stage.actor(LEADER), [str(person.id)])
    assert slip.kind is InvitationKind.STAFF
    with pytest.raises(NotPermitted):
        await stage.invitations.revoke(await stage.actor(TEACHER), slip.id)
    await stage.invitations.revoke(await stage.actor(LEADER), slip.id)


@pytest.mark.parametrize("days", [0, 31, -1])
async def test_a_term_is_one_to_thirty_days(stage: Stage, days: int) -> None:
    with pytest.raises(TermInvalid):
        await stage.code(days=days)


async def test_the_list_says_what_became_of_each(stage: Stage) -> None:
    teacher = await stage.actor(TEACHER)

    async def states() -> list[InvitationState]:
        return [row.state for row in await stage.invitations.list(teacher, str(stage.room.id))]

    revoked = await stage.invitations.issue(teacher, [str(stage.pupil.id)], with_qr=False)
    await stage.invitations.revoke(teacher, revoked[0].id)
    await stage.invitations.revoke(teacher, revoked[0].id)
    assert await states() == [InvitationState.REVOKED]
    stage.clock.advance(timedelta(seconds=1))
    code = await stage.code()
    assert (await states())[0] is InvitationState.OPEN
    for _ in range(5):
        await stage.binding.bind_by_invitation(await stage.actor("demo_x_1"), code, WRONG)
    assert (await states())[0] is InvitationState.LOCKED
    stage.clock.advance(timedelta(seconds=1))
    code = await stage.code()
    await stage.binding.bind_by_invitation(await stage.actor("demo_g_000001"), code, PROOF, AS_MOTHER)
    assert (await states())[0] is InvitationState.USED
    stage.clock.advance(timedelta(seconds=1))
    await stage.code(days=1)
    stage.clock.advance(timedelta(days=2))
    assert (await states())[0] is InvitationState.EXPIRED


async def test_issuing_and_revoking_are_written_down(stage: Stage) -> None:
    teacher = await stage.actor(TEACHER)
    [slip] = await stage.invitations.issue(teacher, [str(stage.pupil.id)], with_qr=False)
    await stage.invitations.revoke(teacher, slip.id)
    rows = await audited("invitation.issue")
    assert [row.purpose for row in rows] == ["issued", "revoked"]
    assert {row.about for row in rows} == {str(stage.pupil.id)}
    assert slip.code.replace("-", "") not in repr([vars(row) for row in rows])
