"""What could not be proved, and who decides it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.database import Database
from handlers.accounts.domain import Account, AppointmentKind, BindingState, Relation
from handlers.accounts.models import Appointment, BindingRequest, Guardianship, Person, Pupil
from handlers.accounts.service.decisions import AlreadyDecided, ChildUnclear, NotDecidable
from handlers.accounts.service.notices import ASKED, BindingNotices
from handlers.accounts.service.outcomes import Result
from handlers.accounts.service.requests import MAX_WAITING, Plea, TooManyRequests
from tests.factories import make_appointment, make_class, make_guardianship, make_identity, make_person, make_pupil
from tests.handlers.accounts.binding_stage import (
    BIRTH,
    CHILD,
    LEADER,
    TEACHER,
    Stage,
    audited,
    guardianship,
    identity_of,
    make_stage,
    told,
)

ASKER, OTHER = "demo_g_000003", "demo_g_000004"


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    return await make_stage(clock, metrics)


async def plead(stage: Stage, openid: str = ASKER, **values: object) -> Result:
    said = {
        "child_name": CHILD,
        "birth_date": BIRTH,
        "school_id": str(stage.school.id),
        "relation": Relation.PATERNAL_GRANDMOTHER,
        "name": "陈秀英",
        **values,
    }
    outcome = await stage.binding.request_approval(await stage.actor(openid), Plea(**said))  # type: ignore[arg-type]
    return outcome.result


async def test_the_head_teacher_is_told_and_approves(stage: Stage) -> None:
    assert await plead(stage) is Result.SENT_ON
    teacher = await stage.actor(TEACHER)
    [waiting] = await stage.decisions.waiting(teacher)
    assert (waiting.child, waiting.where, waiting.asker) == (CHILD, "柳溪小学三年级1班", "陈秀英")
    assert waiting.is_known
    assert not waiting.is_on_roster
    assert waiting.number in (await told(TEACHER))[0]
    assert CHILD not in (await told(TEACHER))[0]
    assert await stage.decisions.by_number(teacher, waiting.number) == waiting.id
    await stage.decisions.decide(teacher, waiting.id, approve=True)
    assert await stage.children(ASKER) == {CHILD}
    assert "绑定成功" in (await told(ASKER))[0]
    assert [row.purpose for row in await audited("binding.decide")] == ["approved"]


async def test_what_is_rejected_binds_nobody_and_cannot_be_decided_again(stage: Stage) -> None:
    await plead(stage)
    teacher = await stage.actor(TEACHER)
    [waiting] = await stage.decisions.waiting(teacher)
    await stage.decisions.decide(teacher, waiting.id, approve=False)
    assert await stage.children(ASKER) == set()
    assert "没有通过" in (await told(ASKER))[0]
    with pytest.raises(AlreadyDecided):
        await stage.decisions.decide(teacher, waiting.id, approve=True)


async def test_a_guardian_on_the_roster_is_found_by_name(stage: Stage) -> None:
    await plead(stage, name="李梅", relation=Relation.MOTHER)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    assert waiting.is_on_roster
    await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=True)
    assert (await guardianship(stage.pupil, stage.mother)).bound_at is not None
    assert (await identity_of(ASKER)).person_id == stage.mother.id


async def test_the_answer_does_not_tell_whether_the_child_is_there(stage: Stage) -> None:
    assert await plead(stage) is await plead(stage, OTHER, child_name="赵无名")
    assert await stage.decisions.waiting(await stage.actor(TEACHER)) != []
    leader = await stage.actor(LEADER)
    unknown = [each for each in await stage.decisions.waiting(leader) if not each.is_known]
    assert [each.child for each in unknown] == ["赵无名"]
    with pytest.raises(ChildUnclear):
        await stage.decisions.decide(leader, unknown[0].id, approve=True)
    await stage.decisions.decide(leader, unknown[0].id, approve=True, pupil_id=str(stage.pupil.id))
    assert await stage.children(OTHER) == {CHILD}


async def test_another_class_s_head_teacher_neither_sees_nor_decides(stage: Stage) -> None:
    await plead(stage)
    person = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=await make_class(stage.school, number=2))
    await make_identity("demo_h_0002", person)
    foreign = await stage.actor("demo_h_0002")
    assert await stage.decisions.waiting(foreign) == []
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    with pytest.raises(NotFound):
        await stage.decisions.decide(foreign, waiting.id, approve=True)
    with pytest.raises(NotFound):
        await stage.decisions.by_number(foreign, waiting.number)
    with pytest.raises(NotPermitted):
        await stage.decisions.waiting(await stage.actor(ASKER))


async def test_without_a_head_teacher_the_school_s_leader_is_told(stage: Stage) -> None:
    await Appointment.filter(person_id=stage.teacher.id).update(until=stage.clock.now().date() - timedelta(days=1))
    await plead(stage)
    assert "等您核对" in (await told(LEADER))[0]
    assert await told(TEACHER) == []


async def test_nobody_decides_on_their_own_request(stage: Stage) -> None:
    await plead(stage, TEACHER, name="赵老师", relation=Relation.FATHER)
    teacher = await stage.actor(TEACHER)
    assert await stage.decisions.waiting(teacher) == []
    assert await told(TEACHER) == []
    leader = await stage.actor(LEADER)
    [waiting] = await stage.decisions.waiting(leader)
    with pytest.raises(NotPermitted):
        await stage.decisions.decide(teacher, waiting.id, approve=True)
    await stage.decisions.decide(leader, waiting.id, approve=True)
    assert (await guardianship(stage.pupil, stage.teacher)).bound_at is not None


async def test_no_approval_gives_somebody_a_colleague_s_charges(stage: Stage) -> None:
    await make_appointment(AppointmentKind.SCHOOL_LEADER, stage.mother, school=stage.school)
    await plead(stage, name="李梅", relation=Relation.MOTHER)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    with pytest.raises(NotDecidable):
        await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=True)
    assert (await identity_of(ASKER)).person_id is None


async def test_the_same_request_twice_is_one_and_too_many_are_refused(stage: Stage) -> None:
    for _ in range(3):
        await plead(stage)
    assert len(await stage.decisions.waiting(await stage.actor(TEACHER))) == 1
    for number in range(MAX_WAITING - 1):
        await plead(stage, child_name="赵无" + "名山水"[number])
    with pytest.raises(TooManyRequests):
        await plead(stage, child_name="赵无尽")


async def test_what_is_decided_need_not_be_told(stage: Stage) -> None:
    await plead(stage)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    notices = vars(stage.decisions)["_notices"]
    assert isinstance(notices, BindingNotices)
    index = blind_index("openid", TEACHER)
    assert await notices.is_needed(ASKED, waiting.id, index)
    await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=False)
    assert not await notices.is_needed(ASKED, waiting.id, index)


async def test_todos_count_what_waits_for_those_who_decide(stage: Stage) -> None:
    assert await stage.decisions.todos_of(await stage.actor(TEACHER)) == []
    await plead(stage)
    [todo] = await stage.decisions.todos_of(await stage.actor(TEACHER))
    assert todo.count == 1
    assert await stage.decisions.todos_of(await stage.actor(ASKER)) == []


# ----------------------------------------------------------------------------------------------- one user, two people
async def two_people(stage: Stage) -> tuple[Person, Person]:
    """One WeChat user, bound as the mother at the 服务号 and as somebody of the same name at the mini-program."""
    double = await make_person(name="李梅", phone="13800000055")
    other = await make_pupil(stage.room, name="王小红")
    await make_guardianship(other, double, bound_at=None)
    await stage.binding.bind_by_phone(await stage.actor(ASKER), "13800000001")
    await stage.binding.bind_by_phone(await stage.actor("mp_" + ASKER), "13800000055")
    await stage.identities.introduce(Account.SERVICE, ASKER, "union")
    await stage.identities.introduce(Account.MINI_PROGRAM, "mp_" + ASKER, "union")
    return stage.mother, double


async def test_two_people_of_one_wechat_user_are_never_joined_silently(stage: Stage) -> None:
    await two_people(stage)
    assert await stage.children(ASKER) == {CHILD}
    assert await stage.children("mp_" + ASKER) == {"王小红"}
    await stage.identities.introduce(Account.MINI_PROGRAM, "mp_" + ASKER, "union")
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    assert waiting.is_same_person


async def test_when_somebody_says_they_are_one_both_ids_see_all(stage: Stage) -> None:
    mother, double = await two_people(stage)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=True)
    assert await stage.children(ASKER) == {CHILD, "王小红"}
    assert await stage.children("mp_" + ASKER) == {CHILD, "王小红"}
    assert {(await identity_of(each)).person_id for each in (ASKER, "mp_" + ASKER)} == {mother.id}
    assert not await Guardianship.filter(person_id=double.id, bound_at__not_isnull=True).exists()


async def test_when_somebody_says_they_are_not_they_stay_apart_and_nobody_asks_again(stage: Stage) -> None:
    await two_people(stage)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=False)
    await stage.identities.introduce(Account.MINI_PROGRAM, "mp_" + ASKER, "union")
    assert await stage.decisions.waiting(await stage.actor(TEACHER)) == []
    assert await stage.children(ASKER) == {CHILD}
    assert await stage.children("mp_" + ASKER) == {"王小红"}


# ------------------------------------------------------------------------------------------------------------ later on
async def test_a_request_goes_with_the_child_to_another_class(stage: Stage) -> None:
    await plead(stage)
    room, person = await make_class(stage.school, number=2), await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=room)
    await make_identity("demo_h_0002", person)
    await Pupil.filter(id=stage.pupil.id).update(school_class_id=room.id)
    assert await stage.decisions.waiting(await stage.actor(TEACHER)) == []
    [waiting] = await stage.decisions.waiting(await stage.actor("demo_h_0002"))
    await stage.decisions.decide(await stage.actor("demo_h_0002"), waiting.id, approve=True)


async def test_what_was_decided_is_forgotten_in_the_end_and_what_waits_is_not(stage: Stage) -> None:
    await plead(stage)
    await plead(stage, OTHER)
    first, _ = await stage.decisions.waiting(await stage.actor(TEACHER))
    await stage.decisions.decide(await stage.actor(TEACHER), first.id, approve=False)
    await stage.code()
    assert await stage.requests.forget_old() == 0
    stage.clock.advance(timedelta(days=200))
    assert await stage.requests.forget_old() == 2
    assert [row.state for row in await BindingRequest.all()] == [BindingState.PENDING]
