"""Adults who must not come near a child."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.base import blind_index
from bot.storage.database import Database
from handlers.accounts.domain import BindingState, Relation
from handlers.accounts.models import Bar, BindingRequest, Guardianship, Person
from handlers.accounts.service.bars import BarNeedsReason, BarNeedsSomebody, Candidate, meets, name_index
from handlers.accounts.service.outcomes import Claim, Result
from handlers.accounts.service.requests import Plea
from tests.factories import make_class, make_guardianship, make_pupil
from tests.handlers.accounts.binding_stage import (
    BIRTH,
    CHILD,
    LEADER,
    PROOF,
    PROTECTOR,
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
REASON = "人身安全保护令（2026）1号"


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Stage:
    return await make_stage(clock, metrics)


async def bar_father(stage: Stage) -> str:
    return await stage.bars.set_bar(
        await stage.actor(PROTECTOR), str(stage.pupil.id), person_id=str(stage.father.id), reason=REASON
    )


async def test_a_bar_is_for_those_who_protect_only(stage: Stage) -> None:
    for openid in (TEACHER, LEADER):
        with pytest.raises(NotPermitted):
            await stage.bars.set_bar(
                await stage.actor(openid), str(stage.pupil.id), person_id=str(stage.father.id), reason=REASON
            )
    elsewhere = await make_pupil(await make_class())
    with pytest.raises(NotFound):
        await stage.bars.set_bar(await stage.actor(PROTECTOR), str(elsewhere.id), name="王强", reason=REASON)
    with pytest.raises(NotFound):
        await stage.bars.bars_of(await stage.actor(PROTECTOR), str(elsewhere.id))


async def test_a_bar_needs_somebody_and_a_reason(stage: Stage) -> None:
    protector = await stage.actor(PROTECTOR)
    with pytest.raises(BarNeedsSomebody):
        await stage.bars.set_bar(protector, str(stage.pupil.id), reason=REASON)
    with pytest.raises(BarNeedsReason):
        await stage.bars.set_bar(protector, str(stage.pupil.id), name="王强", reason=" ")


async def test_a_barred_father_is_unbound_at_once_and_told_nothing(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")
    assert await stage.children(FATHER) == {CHILD}
    await bar_father(stage)
    assert await stage.children(FATHER) == set()
    assert (await identity_of(FATHER)).person_id is None
    assert await told(FATHER) == []


async def test_he_keeps_the_child_he_is_not_kept_from(stage: Stage) -> None:
    other = await make_pupil(stage.room, name="王小红")
    await make_guardianship(other, stage.father, bound_at=None)
    await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")
    await bar_father(stage)
    assert await stage.children(FATHER) == {"王小红"}


async def test_no_way_of_binding_is_open_to_him_and_none_says_why(stage: Stage) -> None:
    await bar_father(stage)
    father, stranger = await stage.actor(FATHER), await stage.actor(STRANGER)
    # by phone: as a number that nobody has
    assert await stage.binding.bind_by_phone(father, "13800000002") == await stage.binding.bind_by_phone(
        stranger, "13700000000"
    )
    # by a slip and his own name: as a wrong proof
    claim = Claim(relation=Relation.FATHER, name="王强")
    barred = await stage.binding.bind_by_invitation(father, await stage.code(), PROOF, claim)
    wrong = await stage.binding.bind_by_invitation(stranger, await stage.code(), WRONG, claim)
    assert barred == wrong
    # by an invitation made out to him before
    code = await stage.code(person_id=str(stage.father.id))
    assert (await stage.binding.bind_by_invitation(father, code, PROOF)).result is Result.WRONG_PROOF
    # by asking the school: as anybody, and it goes nowhere
    plea = Plea(
        child_name=CHILD, birth_date=BIRTH, school_id=str(stage.school.id), relation=Relation.FATHER, name="王强"
    )
    assert (await stage.binding.request_approval(father, plea)).result is Result.SENT_ON
    assert await stage.decisions.waiting(await stage.actor(TEACHER)) == []
    assert await stage.children(FATHER) == set()


async def test_with_a_false_name_his_slip_only_leads_to_the_head_teacher(stage: Stage) -> None:
    await bar_father(stage)
    for claim in (
        Claim(relation=Relation.OTHER, name="陈大明"),
        Claim(relation=Relation.MOTHER, name="李梅"),
    ):
        outcome = await stage.binding.bind_by_invitation(await stage.actor(FATHER), await stage.code(), PROOF, claim)
        assert outcome.result is Result.SENT_ON
    assert await stage.children(FATHER) == set()


async def test_the_mother_is_bound_all_the_same(stage: Stage) -> None:
    await bar_father(stage)
    assert (await stage.binding.bind_by_phone(await stage.actor(MOTHER), "13800000001")).is_bound
    assert await stage.children(MOTHER) == {CHILD}


async def test_a_phone_shared_with_somebody_barred_is_no_proof(stage: Stage) -> None:
    await Person.filter(id=stage.mother.id).update(phone_index=stage.father.phone_index)
    await bar_father(stage)
    outcome = await stage.binding.bind_by_phone(
        await stage.actor(FATHER), "13800000002", person_id=str(stage.mother.id)
    )
    assert outcome.result is Result.NOT_KNOWN


async def test_somebody_not_on_the_roster_is_met_by_name(stage: Stage) -> None:
    await stage.bars.set_bar(await stage.actor(PROTECTOR), str(stage.pupil.id), name="陈大明", reason=REASON)
    claim = Claim(relation=Relation.OTHER, name="陈 大明")
    outcome = await stage.binding.bind_by_invitation(await stage.actor(STRANGER), await stage.code(), PROOF, claim)
    assert outcome.result is Result.WRONG_PROOF


async def test_a_request_of_his_that_waited_goes_nowhere(stage: Stage) -> None:
    plea = Plea(
        child_name=CHILD, birth_date=BIRTH, school_id=str(stage.school.id), relation=Relation.OTHER, name="陈大明"
    )
    await stage.binding.request_approval(await stage.actor(STRANGER), plea)
    [waiting] = await stage.decisions.waiting(await stage.actor(TEACHER))
    await stage.bars.set_bar(await stage.actor(PROTECTOR), str(stage.pupil.id), name="陈大明", reason=REASON)
    with pytest.raises(Exception, match="儿童保护负责人"):
        await stage.decisions.decide(await stage.actor(TEACHER), waiting.id, approve=True)
    assert (await BindingRequest.get()).state is BindingState.PENDING
    assert not await Guardianship.filter(pupil_id=stage.pupil.id, bound_at__not_isnull=True).exists()


async def test_a_lifted_bar_lets_him_bind_again(stage: Stage) -> None:
    bar = await bar_father(stage)
    await stage.bars.lift(await stage.actor(PROTECTOR), bar)
    assert await stage.bars.bars_of(await stage.actor(PROTECTOR), str(stage.pupil.id)) == []
    assert (await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")).is_bound


async def test_a_bar_ends_with_its_last_day(stage: Stage) -> None:
    until = stage.clock.now().date()
    await stage.bars.set_bar(
        await stage.actor(PROTECTOR), str(stage.pupil.id), person_id=str(stage.father.id), reason=REASON, until=until
    )
    assert not (await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")).is_bound
    stage.clock.advance(timedelta(days=1))
    assert (await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")).is_bound


async def test_setting_reading_and_lifting_are_written_down(stage: Stage) -> None:
    await stage.binding.bind_by_phone(await stage.actor(FATHER), "13800000002")
    bar = await bar_father(stage)
    [seen] = await stage.bars.bars_of(await stage.actor(PROTECTOR), str(stage.pupil.id))
    assert (seen.person_name, seen.reason) == ("王强", REASON)
    await stage.bars.lift(await stage.actor(PROTECTOR), bar)
    rows = await audited("binding.bar")
    assert [row.fields_seen for row in rows] == [["bar"], ["reason"], ["until"]]
    assert {row.about for row in rows} == {str(stage.pupil.id)}
    assert {row.purpose for row in await audited("binding.undo")} == {"barred"}
    assert (await guardianship(stage.pupil, stage.father)).bound_at is None


async def test_whom_a_bar_meets(database: Database) -> None:
    strong, phone = name_index("王强"), blind_index("phone", "13800000002")
    by_name = Bar(name_index=strong, phone_index=phone)
    assert meets(by_name, Candidate(name_index=strong))
    assert meets(by_name, Candidate(phone_index=phone))
    # A family shares a phone: where both names are known, they decide.
    assert not meets(by_name, Candidate(name_index=name_index("李梅"), phone_index=phone))
    assert not meets(by_name, Candidate())


async def test_a_bar_set_while_he_binds_leaves_him_outside(stage: Stage) -> None:
    protector, father = await stage.actor(PROTECTOR), await stage.actor(FATHER)
    bar = stage.bars.set_bar(protector, str(stage.pupil.id), person_id=str(stage.father.id), reason=REASON)
    await asyncio.gather(stage.binding.bind_by_phone(father, "13800000002"), bar)
    assert await stage.children(FATHER) == set()
    assert (await guardianship(stage.pupil, stage.father)).bound_at is None
