"""Binding by invitation and by confirmed phone number, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.errors import NotAuthenticated
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.domain import Account, AppointmentKind, Relation
from handlers.accounts.models import Guardianship, Invitation, Person, WeChatIdentity
from handlers.accounts.service.binding import MAX_FAILED_A_DAY, BindingService
from handlers.accounts.service.codes import fingerprint, read_code
from handlers.accounts.service.invitations import MAX_PROOFS
from handlers.accounts.service.outcomes import (
    Claim,
    InvitationOver,
    MoreNeeded,
    PersonUnclear,
    PhoneNotKnown,
    Proof,
    ProofWrong,
    Result,
    TooManyTries,
    UnknownCode,
)
from handlers.accounts.service.wechat_ids import PrivacyNotAgreed
from tests.factories import make_appointment, make_class, make_guardianship, make_identity, make_person, make_pupil
from tests.handlers.accounts.binding_stage import (
    AS_MOTHER,
    BIRTH,
    CHILD,
    PROOF,
    TEACHER,
    WRONG,
    Stage,
    audited,
    guardianship,
    identity_of,
    make_stage,
    told,
)

MOTHER, FATHER, STRANGER = "demo_g_000001", "demo_g_000002", "demo_g_000009"


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    return await make_stage(clock, metrics)


# --------------------------------------------------------------------------------------------------------- invitations
async def test_a_slip_and_the_child_s_birthday_bind_the_mother_on_the_roster(stage: Stage) -> None:
    code, mother = await stage.code(), await stage.actor(MOTHER)
    first = await stage.binding.bind_by_invitation(mother, code, PROOF)
    assert first.result is Result.NEEDS_RELATION
    with pytest.raises(MoreNeeded):
        first.checked()
    outcome = await stage.binding.bind_by_invitation(mother, code, PROOF, AS_MOTHER)
    assert (outcome.result, outcome.children) == (Result.BOUND, (CHILD,))
    assert await stage.children(MOTHER) == {CHILD}
    assert (await identity_of(MOTHER)).person_id == stage.mother.id


@pytest.mark.parametrize("said", ["G321302201803051234", "321302201803051234", " g3213 0220 1803 051234 "])
async def test_the_number_on_the_roster_is_a_proof_too(stage: Stage, said: str) -> None:
    proof = Proof(roster_number=said)
    outcome = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), proof, AS_MOTHER)
    assert outcome.is_bound


async def test_a_code_is_good_once(stage: Stage) -> None:
    code = await stage.code()
    await stage.binding.bind_by_invitation(await stage.actor(MOTHER), code, PROOF, AS_MOTHER)
    again = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), code, PROOF, AS_MOTHER)
    assert again.result is Result.ALREADY
    other = await stage.binding.bind_by_invitation(
        await stage.actor(FATHER), code, PROOF, Claim(relation=Relation.FATHER)
    )
    with pytest.raises(InvitationOver):
        other.checked()
    assert await stage.children(FATHER) == set()


async def test_a_code_is_over_after_its_day_and_when_revoked(stage: Stage) -> None:
    mother, old = await stage.actor(MOTHER), await stage.code(days=1)
    stage.clock.advance(timedelta(days=1))
    assert (await stage.binding.bind_by_invitation(mother, old, PROOF, AS_MOTHER)).result is Result.CODE_OVER
    first = await stage.code()
    await stage.code()
    assert (await stage.binding.bind_by_invitation(mother, first, PROOF, AS_MOTHER)).result is Result.CODE_OVER


async def test_only_a_fingerprint_of_the_code_is_kept(stage: Stage, database: Database) -> None:
    code = (await stage.code()).replace("-", "")
    rows = await database.connection.execute_query_dict("SELECT * FROM accounts_invitation")
    assert code not in repr(rows)
    assert (await Invitation.get()).code_index == fingerprint(code)


async def test_an_unknown_code_is_refused_and_counted(stage: Stage) -> None:
    actor = await stage.actor(STRANGER)
    outcome = await stage.binding.bind_by_invitation(actor, "AAAA-AAAA", PROOF)
    with pytest.raises(UnknownCode):
        outcome.checked()
    assert (await identity_of(STRANGER)).failed_proofs == 1


async def test_five_wrong_proofs_end_an_invitation_for_everybody(stage: Stage) -> None:
    code = await stage.code()
    left = []
    for _ in range(MAX_PROOFS):
        outcome = await stage.binding.bind_by_invitation(await stage.actor(STRANGER), code, WRONG)
        left.append(outcome.tries_left)
        with pytest.raises(ProofWrong):
            outcome.checked()
    assert left == [4, 3, 2, 1, 0]
    outcome = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), code, PROOF, AS_MOTHER)
    assert outcome.result is Result.CODE_OVER
    denied = await audited("binding.request", "denied")
    assert len(denied) == MAX_PROOFS
    assert {row.about for row in denied} == {str(stage.pupil.id)}


async def test_a_wechat_id_fails_only_so_often_a_day(stage: Stage) -> None:
    actor = await stage.actor(STRANGER)
    for _ in range(MAX_FAILED_A_DAY):
        await stage.binding.bind_by_invitation(actor, "AAAA-AAAA", PROOF)
    code = await stage.code()
    outcome = await stage.binding.bind_by_invitation(actor, code, PROOF, AS_MOTHER)
    with pytest.raises(TooManyTries):
        outcome.checked()
    stage.clock.advance(timedelta(days=1))
    assert (await stage.binding.bind_by_invitation(actor, code, PROOF, AS_MOTHER)).is_bound


class _Unlocked(BindingService):
    """As it must not be: the invitation is read without its lock."""

    async def _invitation(self, code: str) -> Invitation | None:
        found = await Invitation.get_or_none(code_index=fingerprint(read_code(code) or ""))
        await asyncio.sleep(0)
        return found


async def _guess(stage: Stage, service: BindingService) -> int:
    """Thirty WeChat ids guess at once; gives how many guesses were looked at."""
    code = await stage.code()
    actors = [await stage.actor(f"demo_x_{number:04d}") for number in range(30)]
    outcomes = await asyncio.gather(*(service.bind_by_invitation(actor, code, WRONG) for actor in actors))
    return sum(outcome.result is Result.WRONG_PROOF for outcome in outcomes)


async def test_guesses_at_the_same_moment_are_counted_one_by_one(stage: Stage) -> None:
    assert await _guess(stage, stage.binding) == MAX_PROOFS


@pytest.mark.engine("postgres")
async def test_without_the_lock_more_guesses_would_be_looked_at(stage: Stage) -> None:
    """The test above can fail."""
    parts: dict[str, Any] = vars(stage.binding)
    unlocked = _Unlocked(parts["_clock"], parts["_audit"], parts["_ties"], parts["_writer"], parts["_requests"])
    assert await _guess(stage, unlocked) > MAX_PROOFS


async def test_two_who_use_one_code_at_once_are_not_both_bound(stage: Stage) -> None:
    code = await stage.code()
    claims = {MOTHER: Relation.MOTHER, FATHER: Relation.FATHER}
    actors = {openid: await stage.actor(openid) for openid in claims}
    outcomes = await asyncio.gather(
        *(
            stage.binding.bind_by_invitation(actors[openid], code, PROOF, Claim(relation=relation))
            for openid, relation in claims.items()
        )
    )
    assert sorted(outcome.result for outcome in outcomes) == [Result.BOUND, Result.CODE_OVER]


async def test_before_the_privacy_rules_are_agreed_to_nothing_is_bound(stage: Stage) -> None:
    known = await stage.identities.introduce(Account.SERVICE, MOTHER)
    actor = Actor(openid_index=known.openid_index, identity_id=known.id)
    with pytest.raises(PrivacyNotAgreed):
        await stage.binding.bind_by_invitation(actor, await stage.code(), PROOF, AS_MOTHER)
    with pytest.raises(NotAuthenticated):
        await stage.binding.bind_by_invitation(Actor(), await stage.code(), PROOF)


async def test_a_grandmother_who_is_not_on_the_roster_says_her_name(stage: Stage) -> None:
    code, actor = await stage.code(), await stage.actor(STRANGER)
    claim = Claim(relation=Relation.PATERNAL_GRANDMOTHER)
    assert (await stage.binding.bind_by_invitation(actor, code, PROOF, claim)).result is Result.NEEDS_NAME
    claim = Claim(relation=Relation.PATERNAL_GRANDMOTHER, name="陈秀英")
    assert (await stage.binding.bind_by_invitation(actor, code, PROOF, claim)).is_bound
    person = await Person.get(id=(await identity_of(STRANGER)).person_id)
    assert person.name == "陈秀英"
    assert (await guardianship(stage.pupil, person)).relation is Relation.PATERNAL_GRANDMOTHER


async def test_a_second_child_is_bound_to_the_same_person(stage: Stage) -> None:
    sister = await make_pupil(stage.room, name="王小红", birth_date=BIRTH)
    await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), PROOF, AS_MOTHER)
    [slip] = await stage.invitations.issue(await stage.actor(TEACHER), [str(sister.id)], with_qr=False)
    proof = Proof(child_name="王小红", birth_date=BIRTH)
    outcome = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), slip.code, proof, AS_MOTHER)
    assert outcome.is_bound
    assert await stage.children(MOTHER) == {CHILD, "王小红"}
    assert await Guardianship.filter(person_id=stage.mother.id).count() == 2


async def test_an_invitation_by_name_binds_all_children_of_the_person(stage: Stage) -> None:
    elsewhere = await make_pupil(await make_class(), name="王小红")
    await make_guardianship(elsewhere, stage.mother, bound_at=None)
    code = await stage.code(person_id=str(stage.mother.id))
    outcome = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), code, PROOF)
    assert outcome.is_bound
    assert await stage.children(MOTHER) == {CHILD, "王小红"}


async def test_a_slip_does_not_take_somebody_bound_out_of_their_place(stage: Stage) -> None:
    await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), PROOF, AS_MOTHER)
    code, stranger = await stage.code(), await stage.actor(STRANGER)
    asked = await stage.binding.bind_by_invitation(stranger, code, PROOF, AS_MOTHER)
    assert asked.result is Result.NEEDS_NAME
    claim = Claim(relation=Relation.MOTHER, name="李梅")
    assert (await stage.binding.bind_by_invitation(stranger, code, PROOF, claim)).result is Result.SENT_ON
    assert await stage.children(STRANGER) == set()
    assert await stage.children(MOTHER) == {CHILD}
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    assert (waiting.asker, waiting.is_on_roster) == ("李梅", True)


async def test_a_guardian_s_slip_gives_nobody_the_charges_of_a_teacher(stage: Stage) -> None:
    await make_appointment(
        AppointmentKind.HEAD_TEACHER, stage.mother, school_class=await make_class(stage.school, number=2)
    )
    outcome = await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), PROOF, AS_MOTHER)
    assert outcome.result is Result.STAFF_FIRST
    assert (await stage.actor(MOTHER)).roles == {Role.VISITOR}


async def test_the_other_guardians_and_the_head_teacher_are_told(stage: Stage) -> None:
    await stage.binding.bind_by_invitation(
        await stage.actor(FATHER), await stage.code(), PROOF, Claim(relation=Relation.FATHER)
    )
    await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), PROOF, AS_MOTHER)
    assert await told(FATHER) == ["【绑定提醒】王小明的妈妈刚刚绑定了。不是您认识的人，请马上联系班主任。"]
    assert len(await told(TEACHER)) == 2
    assert "三年级1班王小明的妈妈" in (await told(TEACHER))[1]
    assert await told(MOTHER) == []


async def test_every_binding_is_written_down_without_names(stage: Stage) -> None:
    await stage.binding.bind_by_invitation(await stage.actor(MOTHER), await stage.code(), PROOF, AS_MOTHER)
    rows = await audited("binding.request")
    assert {row.subject.partition(":")[0] for row in rows if row.subject} == {"identity", "guardianship"}
    assert str(stage.pupil.id) in {row.about for row in rows}
    assert {row.purpose for row in rows} == {"bound_by_invitation"}
    assert CHILD not in repr([vars(row) for row in rows])


# --------------------------------------------------------------------------------------------------------------- staff
async def staff_code(stage: Stage, person: Person) -> str:
    [slip] = await stage.invitations.issue_to_staff(await stage.actor("demo_a_0001"), [str(person.id)], with_qr=False)
    return slip.code


@pytest.mark.parametrize("said", ["0009", "13900000009", "+86 139 0000 0009"])
async def test_a_teacher_is_bound_by_invitation_and_the_end_of_the_phone_number(stage: Stage, said: str) -> None:
    person = await make_person(name="钱老师", phone="13900000009")
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=stage.room)
    code = await staff_code(stage, person)
    wrong = await stage.binding.bind_by_invitation(await stage.actor("demo_t_0009"), code, Proof(phone="0008"))
    assert wrong.result is Result.WRONG_PROOF
    outcome = await stage.binding.bind_by_invitation(await stage.actor("demo_t_0009"), code, Proof(phone=said))
    assert outcome.is_bound
    assert outcome.is_staff
    assert (await stage.actor("demo_t_0009")).roles == {Role.TEACHER}


# --------------------------------------------------------------------------------------------------------------- phone
async def test_the_confirmed_number_binds_all_children_the_roster_gives(stage: Stage) -> None:
    sister = await make_pupil(stage.room, name="王小红")
    await make_guardianship(sister, stage.mother, bound_at=None)
    outcome = await stage.binding.bind_by_phone(await stage.actor("mp_" + MOTHER), "13800000001")
    assert set(outcome.children) == {CHILD, "王小红"}
    assert await stage.children("mp_" + MOTHER) == {CHILD, "王小红"}


async def test_a_number_that_is_not_on_the_roster_binds_nobody(stage: Stage) -> None:
    with pytest.raises(PhoneNotKnown):
        (await stage.binding.bind_by_phone(await stage.actor(STRANGER), "13700000000")).checked()


async def test_of_several_with_one_number_the_asker_says_which(stage: Stage) -> None:
    await Person.filter(id=stage.father.id).update(phone_index=stage.mother.phone_index)
    actor = await stage.actor("mp_" + MOTHER)
    outcome = await stage.binding.bind_by_phone(actor, "13800000001")
    with pytest.raises(PersonUnclear):
        outcome.checked()
    assert {(each.name, each.what) for each in outcome.options} == {("李*", "妈妈"), ("王*", "爸爸")}
    chosen = await stage.binding.bind_by_phone(actor, "13800000001", person_id=str(stage.mother.id))
    assert chosen.is_bound
    other = await stage.binding.bind_by_phone(actor, "13800000001", person_id=str(stage.teacher.id))
    assert other.result is Result.NOT_KNOWN


async def test_a_lost_phone_s_wechat_id_is_let_go_when_a_new_one_is_proved(stage: Stage) -> None:
    await make_identity("mp_" + MOTHER, stage.mother, account=Account.MINI_PROGRAM)
    await make_identity(MOTHER, stage.mother)
    await Guardianship.filter(person_id=stage.mother.id).update(bound_at=stage.clock.now())
    outcome = await stage.binding.bind_by_phone(await stage.actor("demo_new_1"), "13800000001")
    assert outcome.is_bound
    assert await stage.children("demo_new_1") == {CHILD}
    assert await stage.children(MOTHER) == set()
    assert await stage.children("mp_" + MOTHER) == set()
    assert "已经换到另一个微信号" in (await told(MOTHER))[0]


# ----------------------------------------------------------------------------------------------------------- unbinding
async def test_who_unbinds_sees_nothing_and_may_bind_again(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    await stage.binding.unbind(await stage.actor(MOTHER))
    assert await stage.children(MOTHER) == set()
    assert (await guardianship(stage.pupil, stage.mother)).bound_at is None
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    assert await stage.children(MOTHER) == {CHILD}
    assert {row.purpose for row in await audited("binding.undo")} == {"own_wish"}


async def test_both_ids_of_one_wechat_user_are_unbound_together(stage: Stage) -> None:
    await stage.identities.introduce(Account.SERVICE, MOTHER, "union")
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    await stage.identities.introduce(Account.MINI_PROGRAM, "mp_" + MOTHER, "union")
    assert await stage.children("mp_" + MOTHER) == {CHILD}
    await stage.binding.unbind(await stage.actor("mp_" + MOTHER))
    assert await stage.children(MOTHER) == set()


async def test_the_head_teacher_unbinds_a_guardian_of_her_class_only(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    foreign = await make_pupil(await make_class())
    await make_guardianship(foreign, stage.mother)
    teacher = await stage.actor(TEACHER)
    with pytest.raises(Exception, match="没有找到"):
        await stage.binding.unbind_guardian(teacher, str(foreign.id), str(stage.mother.id))
    await stage.binding.unbind_guardian(teacher, str(stage.pupil.id), str(stage.mother.id))
    assert await stage.children(MOTHER) == set()
    assert (await identity_of(MOTHER)).person_id is None


async def test_a_new_confirmed_number_takes_the_place_of_the_old(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    await stage.binding.change_phone(await stage.actor(MOTHER), "13800000077")
    assert (await Person.get(id=stage.mother.id)).phone == "13800000077"
    assert (await stage.binding.bind_by_phone(await stage.actor(STRANGER), "13800000001")).result is Result.NOT_KNOWN
    assert [row.fields_seen for row in await audited("profile.change")] == [["phone"]]


async def test_somebody_who_leaves_is_taken_out_and_binds_again(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    row = await identity_of(MOTHER)
    await stage.identities.erase(row.openid_index)
    assert not await WeChatIdentity.filter(id=row.id).exists()
    assert await Person.filter(id=stage.mother.id).exists()
    assert (await guardianship(stage.pupil, stage.mother)).bound_at is None
    await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")
    assert await stage.children(MOTHER) == {CHILD}
