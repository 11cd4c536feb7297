"""Draws over a real database: who gets what and why, that anybody comes to the same, and whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push
from bot.errors import NotFound, NotPermitted
from bot.rights import Action
from bot.storage.database import transaction
from bot.wechat.replies import MAX_TEXT_BYTES
from handlers.accounts.domain import PupilStatus
from handlers.after_school.domain.draw import ChoiceEnd, DrawTooEarly, Entrant, draw
from handlers.after_school.domain.offers import Window
from handlers.after_school.domain.plans import IllegalPlanMove, Selection
from handlers.after_school.domain.statements import ConsentHow, Source
from handlers.after_school.domain.states import EnrolmentState, IllegalEnrolmentMove
from handlers.after_school.models import AfterSchoolDraw, AfterSchoolDrawn, AfterSchoolEnrolment, AfterSchoolPool
from handlers.after_school.service.book import Move, open_plans
from handlers.after_school.service.drawing.holding import DrawingService
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.drawing.views import ChoiceTold, DrawTold, HeldDraw
from handlers.after_school.service.drawing.wording import explanation, reply
from handlers.after_school.service.offers import PoolDraft
from handlers.after_school.service.views import EnrolmentView
from tests.handlers.after_school.collecting import Collecting
from tests.handlers.after_school.stage import NOW, Stage, check, course, hours, pool
from tests.handlers.console.stage import browser_of, console_app

S, VIA = EnrolmentState, Source.MINIPROGRAM
CLOSES = NOW + timedelta(days=2)
_TOGETHER = 250


def drawn_for(title: str, places: int | None, **values: object) -> PoolDraft:
    return pool(title, places, selection=Selection.DRAW, **values)


async def hold(stage: Stage) -> HeldDraw | None:
    """When nobody may sign up any more."""
    stage.clock.set(max(CLOSES, stage.clock.now()))
    return await stage.machinery.services.get(DrawingService).hold(stage.admin, stage.plan_id)


async def told(stage: Stage, view: EnrolmentView) -> DrawTold:
    found = await stage.machinery.services.get(DrawReading).of_enrolment(view.id)
    assert found is not None
    return found


async def ranked(stage: Stage, *titles: str) -> list[list[EnrolmentView]]:
    """Every family wants all of these, in this order."""
    numbers = range(len(stage.children))
    return [
        [await stage.sign_up(number, title, rank=rank) for rank, title in enumerate(titles, 1)] for number in numbers
    ]


async def states_of(stage: Stage, views: Sequence[EnrolmentView]) -> list[EnrolmentState]:
    return [await stage.state_of(view) for view in views]


async def lucky_of(stage: Stage, views: Sequence[Sequence[EnrolmentView]]) -> int:
    """Whose first choice it is."""
    [number] = [number for number, own in enumerate(views) if await stage.state_of(own[0]) is S.ENROLLED]
    return number


async def recomputed() -> None:
    """From what is kept of each draw, and nothing else."""
    for row in await AfterSchoolDraw.all():
        kept = {str(each.party_id): each for each in await AfterSchoolDrawn.filter(draw_id=row.id)}
        entrants = [
            Entrant(
                key,
                tuple((choice["pool"],) for choice in each.choices if choice["left_out"] is None),
                each.missed_before,
            )
            for key, each in kept.items()
        ]
        places = {each["pool"]: each["places"] for each in row.programme_ids}
        places = {own: len(entrants) if number is None else number for own, number in places.items()}
        for result in draw(entrants[::-1], places, bytes.fromhex(row.seed)):
            own = kept[result.key]
            refused = [{"choice": each.choice, "last_turn": each.last_turn} for each in result.refused]
            assert (own.turn, own.choice, own.refused) == (result.turn, result.choice, refused)


async def test_each_child_gets_its_dearest_choice_that_has_room(stage: Stage) -> None:
    await stage.build(6)
    await stage.publish(drawn_for("围棋", 2), drawn_for("画画", 1))
    views = await ranked(stage, "围棋", "画画")
    held = await hold(stage)
    assert held is not None
    assert (held.children, held.lucky) == (6, 3)
    await check()
    await recomputed()
    by_turn = sorted([(await told(stage, own[0]), own) for own in views], key=lambda each: each[0].turn)
    assert [one.turn for one, _ in by_turn] == [1, 2, 3, 4, 5, 6]
    assert [await states_of(stage, own) for _, own in by_turn] == [
        [S.ENROLLED, S.DECLINED],
        [S.ENROLLED, S.DECLINED],
        [S.DECLINED, S.ENROLLED],
        *([[S.WAITLISTED, S.WAITLISTED]] * 3),
    ]
    waiting = await AfterSchoolEnrolment.filter(programme_id=stage.programmes["围棋"], state=S.WAITLISTED)
    assert [row.position for row in sorted(waiting, key=lambda row: row.turn)] == [1, 2, 3]
    assert [str(row.id) for row in sorted(waiting, key=lambda row: row.turn)] == [own[0].id for _, own in by_turn[3:]]
    third, ends = by_turn[2][0], [each.end for each in by_turn[2][0].choices]
    assert ends == [ChoiceEnd.NO_ROOM, ChoiceEnd.GOT]
    assert third.choices[0].last_turn == 2
    assert [each.end for each in by_turn[0][0].choices] == [ChoiceEnd.GOT, ChoiceEnd.NOT_NEEDED]
    noted = await AuditRow.filter(action=Action.SERVICE_PUBLISH.value, purpose="draw")
    assert len(noted) == 1


async def test_held_again_it_finds_only_what_came_in_since(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(drawn_for("围棋", 2))
    await ranked(stage, "围棋")
    assert await hold(stage) is not None
    rows = await AfterSchoolEnrolment.all().order_by("id").values_list("state", "turn")
    assert await hold(stage) is None
    assert await AfterSchoolEnrolment.all().order_by("id").values_list("state", "turn") == rows
    assert await AfterSchoolDraw.all().count() == 1


async def test_only_after_the_last_window_by_who_may_publish(stage: Stage) -> None:
    await stage.build(1)
    drawing = stage.machinery.services.get(DrawingService)
    await stage.publish(drawn_for("围棋", 2), windows={3: Window(NOW - timedelta(hours=1), CLOSES + timedelta(days=1))})
    await stage.sign_up(0, "围棋", rank=1)
    with pytest.raises(DrawTooEarly):
        await hold(stage)
    stage.clock.advance(timedelta(days=1))
    for actor in (stage.head, stage.guardians[0]):
        with pytest.raises(NotPermitted):
            await drawing.hold(actor, stage.plan_id)
    with pytest.raises(NotFound):
        await drawing.hold(stage.admin, "nothing")
    await stage.offers.close(stage.admin, stage.plan_id, stage.version)
    with pytest.raises(IllegalPlanMove):
        await drawing.hold(stage.admin, stage.plan_id)
    assert not await AfterSchoolDraw.exists()


async def test_who_came_away_with_nothing_is_first_the_next_time(stage: Stage) -> None:
    await stage.build(5)
    await stage.publish(drawn_for("围棋", 1))
    first = await ranked(stage, "围棋")
    await hold(stage)
    missed = {number for number, [own] in enumerate(first) if await stage.state_of(own) is S.WAITLISTED}
    assert len(missed) == 4
    window = Window(NOW, CLOSES + timedelta(days=1))
    await stage.publish(drawn_for("象棋", 4, hours=hours("1", "18:00", "19:00")), title="冬季课后服务", window=window)
    second = [own for [own] in await ranked(stage, "象棋")]
    stage.clock.advance(timedelta(days=1))
    await hold(stage)
    assert {number for number, own in enumerate(second) if await stage.state_of(own) is S.ENROLLED} == missed
    [lucky] = set(range(5)) - missed
    assert (await told(stage, second[lucky])).turn == 5
    assert "上次没抽到" in "".join(explanation(await told(stage, second[min(missed)])))
    await check()
    await recomputed()


async def test_a_choice_that_clashes_by_now_takes_no_part_and_says_why(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(
        drawn_for("围棋", 9), drawn_for("画画", 9), pool("看护", 9, hours=hours("1", "16:30", "17:00")),
        PoolDraft(title="书法", places=9, programmes=(
            course("书法", selection=Selection.DRAW, hours=hours("2", "18:00", "19:00")),
        )),
    )  # fmt: skip
    views = [await stage.sign_up(0, title, rank=rank) for rank, title in enumerate(("围棋", "书法"), 1)]
    alone = await stage.sign_up(1, "画画", rank=1)
    await stage.sign_up(0, "看护")
    await stage.sign_up(1, "看护")
    held = await hold(stage)
    assert held is not None
    assert (held.children, held.lucky) == (2, 1)
    assert await states_of(stage, views) == [S.DECLINED, S.ENROLLED]
    found = await told(stage, views[0])
    assert [each.end for each in found.choices] == [ChoiceEnd.CLASH, ChoiceEnd.GOT]
    assert await stage.state_of(alone) is S.DECLINED
    await check()
    await recomputed()


async def test_a_child_that_left_the_school_takes_no_place(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(drawn_for("围棋", 1))
    views = [own for [own] in await ranked(stage, "围棋")]
    gone = stage.children[0]
    gone.status = PupilStatus.LEFT
    await gone.save()
    await hold(stage)
    assert await states_of(stage, views) == [S.DECLINED, S.ENROLLED]
    assert [each.end for each in (await told(stage, views[0])).choices] == [ChoiceEnd.GONE]


async def test_places_nobody_counts_are_for_all(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(drawn_for("围棋", None))
    views = [own for [own] in await ranked(stage, "围棋")]
    await hold(stage)
    assert set(await states_of(stage, views)) == {S.ENROLLED}
    await recomputed()


async def test_whoever_is_entered_after_the_draw_comes_in_turn(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(drawn_for("围棋", 2))
    for number in range(1):
        await stage.sign_up(number, "围棋", rank=1)
    await hold(stage)
    late = {"actor": stage.admin, "source": Source.PHONE, "consent_how": ConsentHow.BY_PHONE}
    entered = [await stage.sign_up(number, "围棋", **late) for number in (1, 2, 3)]
    assert [(each.state, each.position) for each in entered] == [
        (S.ENROLLED, None),
        (S.WAITLISTED, 1),
        (S.WAITLISTED, 2),
    ]
    assert await hold(stage) is None, "nobody is left who waits for a draw"
    await stage.leaving.withdraw(stage.guardians[1], entered[0].id, VIA)
    assert await states_of(stage, entered) == [S.WITHDRAWN, S.OFFERED, S.WAITLISTED]
    await recomputed()
    await check()


async def test_a_place_accepted_later_ends_the_other_choices(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(drawn_for("围棋", 1), drawn_for("画画", 0))
    views = await ranked(stage, "围棋", "画画")
    await hold(stage)
    lucky = await lucky_of(stage, views)
    await stage.leaving.withdraw(stage.guardians[lucky], views[lucky][0].id, VIA)
    other = 1 - lucky
    assert await states_of(stage, views[other]) == [S.OFFERED, S.WAITLISTED]
    await stage.leaving.accept(stage.guardians[other], views[other][0].id, VIA)
    assert await states_of(stage, views[other]) == [S.ENROLLED, S.ENDED]
    await check()


# ------------------------------------------------------------------------------------------------------------- telling
async def test_families_are_told_once_and_of_nobody_else(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(drawn_for("围棋", 1), drawn_for("画画", 0))
    views = await ranked(stage, "围棋", "画画")
    await hold(stage)
    rows = await OutboxPush.filter(occurrence="drawn")
    assert sorted(str(row.person_id) for row in rows) == sorted(actor.person_id or "" for actor in stage.guardians)
    source = stage.assembly.pushes["after_school"]
    names = {str(child.id): child.name for child in stage.children}
    order = [str(actor.person_id) for actor in stage.guardians]
    promised = [
        Push(
            str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class,
            tuple(row.child_ids.split()), row.not_before, row.expires_at,
        )
        for row in sorted(rows, key=lambda row: order.index(str(row.person_id)))
    ]  # fmt: skip
    said = await source.compose(promised, stage.clock.now())
    for number, push in enumerate(promised):
        words = said[push.id]
        assert isinstance(words, Composed)
        assert names[str(stage.children[number].id)] in words.text
        is_lucky = await stage.state_of(views[number][0]) is S.ENROLLED
        assert ("抽中了" in words.text) is is_lucky
        assert ("没有抽中" in words.text) is not is_lucky
    lucky = await lucky_of(stage, views)
    await stage.leaving.withdraw(stage.guardians[lucky], views[lucky][0].id, VIA)
    assert isinstance((await source.compose([promised[lucky]], stage.clock.now()))[promised[lucky].id], NotNeeded)


def test_a_family_of_many_children_reads_what_a_reply_has_room_for(clock: FrozenClock) -> None:
    choices = tuple(ChoiceTold(rank, "一门名字起得很长的兴趣课", ChoiceEnd.NO_ROOM, 12) for rank in range(1, 10))
    one = DrawTold(clock.now(), 1, 12, True, choices, "a" * 32, str(uuid4()), "b" * 64)
    alone, both = reply([("林小禾", one)]), reply([("林小禾", one), ("林小田", one)])
    assert one.number in alone
    assert "林小田的结果这里放不下" in both
    assert max(len(alone.encode()), len(both.encode())) <= MAX_TEXT_BYTES


# ------------------------------------------------------------------------------------------------------------- at size
async def crowd(stage: Stage, size: int, titles: Sequence[str]) -> None:
    """Families who all want all of these, each in an order of its own, as the office entered them."""
    for begin in range(0, size, _TOGETHER):
        async with transaction():
            for _ in range(_TOGETHER):
                await stage.family(agreed=False)
        numbers = range(begin, begin + _TOGETHER)
        entered = {"actor": stage.admin, "source": Source.PHONE, "consent_how": ConsentHow.BY_PHONE}
        for rank in range(1, len(titles) + 1):
            wanted = [(number, titles[(number + rank) % len(titles)]) for number in numbers]
            asked = [stage.asked(number, title, rank=rank, **entered) for number, title in wanted]
            for outcome in await stage.signing.sign_up_all(asked):
                assert not isinstance(outcome, Exception), outcome


@pytest.mark.trial
async def test_five_thousand_children_are_drawn_for_and_anybody_comes_to_the_same(stage: Stage) -> None:
    size, wished = 5_000, ("围棋", "画画", "书法")
    await stage.build()
    await stage.publish(*(drawn_for(title, 600) for title in wished))
    await crowd(stage, size, wished)
    begun = time.perf_counter()
    held = await hold(stage)
    taken = time.perf_counter() - begun
    assert held is not None
    assert (held.children, held.lucky) == (size, 1_800)
    begun = time.perf_counter()
    await recomputed()
    print(f"{size} children with {len(wished)} choices each: held in {taken:.1f} s, recomputed in ", end="")
    print(f"{time.perf_counter() - begun:.1f} s")
    await check()
    turns = [row.turn for row in await AfterSchoolDrawn.all()]
    assert sorted(turns) == list(range(1, size + 1))
    # The control: another seed would have made another order.
    row = await AfterSchoolDraw.get()
    row.seed = "0" * len(row.seed)
    await row.save()
    with pytest.raises(AssertionError):
        await recomputed()


# -------------------------------------------------------------------------------------------------- at the same moment
@pytest.mark.engine("postgres")
async def test_whoever_leaves_during_the_draw_is_out_or_gives_the_place_on(stage: Stage) -> None:
    await stage.build(24)
    await stage.publish(drawn_for("围棋", 6), drawn_for("画画", 3))
    views = await ranked(stage, "围棋", "画画")
    stage.clock.set(CLOSES)
    leaving = [stage.leaving.withdraw(stage.guardians[number], views[number][0].id, VIA) for number in range(0, 24, 3)]
    done = await asyncio.gather(*leaving[:4], hold(stage), hold(stage), *leaving[4:], return_exceptions=True)
    # What the draw took from a family meanwhile it cannot withdraw from any more.
    assert {type(each) for each in done if isinstance(each, Exception)} <= {IllegalEnrolmentMove}
    assert await AfterSchoolDraw.all().count() == 1, "one of the two found nothing to do"
    await check()
    await recomputed()
    assert not await AfterSchoolEnrolment.filter(state=S.SUBMITTED).exists()
    for own in await AfterSchoolPool.all():
        assert own.places is not None
        assert own.taken == own.places, "every place is given or offered: more wait than there are"


async def test_without_the_lock_somebody_who_left_would_get_a_place(stage: Stage) -> None:
    """The negative control of the one above: what was read before the pools were locked is out of date."""
    await stage.build(2)
    await stage.publish(drawn_for("围棋", 2))
    [[left], _] = await ranked(stage, "围棋")
    careless = await AfterSchoolEnrolment.filter(state=S.SUBMITTED)
    await stage.leaving.withdraw(stage.guardians[0], left.id, VIA)
    async with transaction():
        opened, now = await open_plans([careless[0].plan_id]), stage.clock.now()
        for row in careless:
            opened.move(row, S.ENROLLED, Move(None, Source.SYSTEM, now))
        await opened.save(now)
    assert await stage.state_of(left) is S.ENROLLED, "who withdrew holds a place of the others"


# ------------------------------------------------------------------------------------------------------------ the page
async def test_the_leader_reads_what_it_means_and_draws_once(stage: Stage) -> None:
    collecting = await Collecting(stage).build()
    await collecting.appoint()
    await stage.publish(drawn_for("围棋", 2), title="兴趣班")
    await ranked(stage, "围棋")
    page_of = f"/after-school/plans/{stage.plan_id}/draw"
    async with browser_of(console_app(stage.machinery, stage.assembly.parts)) as browser:
        secret = await collecting.secret(collecting.leader)
        browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        assert page_of in await browser.get(f"/after-school/plans/{stage.plan_id}")
        page = await browser.get(page_of)
        assert "截止以后在这里抽签" in page
        assert "<button>现在抽签" not in page
        await browser.post(page_of, {})
        assert browser.status == 409
        assert not await AfterSchoolDraw.exists()
        stage.clock.set(CLOSES)
        secret = await collecting.secret(collecting.leader)
        browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        page = await browser.get(page_of)
        assert f"现在等抽签的有{len(stage.children)}个孩子" in page
        await browser.post(page_of, {})
        assert "2个抽中" in await browser.follow()
        await browser.post(page_of, {})
        page = await browser.follow()
        assert "没有再抽" in page
        row = await AfterSchoolDraw.get()
        assert row.seed in page
        assert not any(child.name in page for child in stage.children)
        assert str(row.held_by) == collecting.leader.person_id
