"""Ways and credits: the first channel that would take it, what it uses up, and what every error code means."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.delivery.claims import Claims
from bot.delivery.credits import MASS, ConsentKind, Credits, Reserved, month_of
from bot.delivery.models import MOVES, DeliveryStatus
from bot.delivery.outcomes import KEYED, OUTCOMES, After, outcome_of
from bot.delivery.planner import Template, Wanted
from bot.delivery.pushes import ChannelName, Purpose, Reach
from bot.delivery.senders import SENDING_APIS
from bot.wechat.client import CUSTOM_SEND, MASS_SEND, STABLE_TOKEN, TEMPLATE_SEND
from bot.wechat.errcodes import error_for
from bot.wechat.errors import OutcomeUnknown, WeChatUnreachable
from bot.wechat.messages import TextMessage
from tests.bot.delivery.push_stage import SLOTS, Phone, PostOffice, index_of, person

S = DeliveryStatus
C = ChannelName
NOTICE = "subscription_notice-reminder"


async def open_window(post: PostOffice, who: int) -> None:
    message = TextMessage(
        openid="o", account="gh", created_at=post.clock.now(), message_id="1", dedupe_key="d", content="好",
        authenticated=True, menu_item_id=None,
    )  # fmt: skip
    post.windows.note(index_of(person(who)), message)


# ----------------------------------------------------------------------------------------------------------------- ways
async def test_the_way_is_the_first_that_would_take_it(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE, C.MINI_PROGRAM)
    post.book.mini = True
    post.book.unbound.add(person(9))
    post.book.gone.add(person(8))
    await post.credits.accepted(index_of(person(0)), NOTICE)
    await post.credits.accepted(f"mini-{person(1)[-4:]}", "mini_program-reminder", ConsentKind.LONG_TERM)
    await open_window(post, 2)
    people = [person(number) for number in (0, 1, 2, 3, 8, 9)]
    reach = await post.planner.reach(people, Purpose.REMINDER)
    assert [reach[each] for each in people] == [
        Reach(C.SUBSCRIPTION_NOTICE), Reach(C.MINI_PROGRAM), Reach(C.CUSTOMER_SERVICE), Reach(C.BY_HAND, "no_credit"),
        Reach(C.BY_HAND, "not_bound"), Reach(C.BY_HAND, "not_bound"),
    ]  # fmt: skip
    # Only a notice to several may use up a mass message.
    assert (await post.planner.reach(people, Purpose.NOTICE))[person(3)] == Reach(C.MASS)
    assert (await post.planner.reach(people[3:4], Purpose.NOTICE))[person(3)] == Reach(C.BY_HAND, "no_credit")
    post.use(C.TEMPLATE)
    assert (await post.planner.reach(people, Purpose.REMINDER))[person(3)] == Reach(C.TEMPLATE)


async def test_a_message_goes_each_way(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    post.source.same = True
    await post.credits.accepted(index_of(person(0)), NOTICE)
    await open_window(post, 1)
    await post.promise(post.push("a"), post.push("a", who=1))
    await post.promise(*(post.push("n", who=who, purpose=Purpose.NOTICE) for who in (2, 3, 4)))
    notice, chat, mass = Phone(), Phone(), Phone()
    await post.drain(post.worker(subscription_notice=notice, customer_service=chat, mass=mass))
    assert notice.sent == [("open-0001", "a")]
    assert chat.sent == [("open-0002", "a")]
    assert sorted(mass.sent) == [("open-0003", "n"), ("open-0004", "n"), ("open-0005", "n")]
    assert len(mass.keys) == 1
    assert set((await post.statuses()).values()) == {S.SENT}
    used = await post.credits.used(MASS, [index_of(person(2))], month_of(post.clock.now()))
    assert used == {index_of(person(2)): 1}


async def test_a_fifth_mass_message_of_a_month_is_for_the_list(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    post.source.same = True
    mass = Phone()
    worker = post.worker(mass=mass)
    for number in range(5):
        await post.promise(*(post.push(f"n{number}", who=who, purpose=Purpose.NOTICE) for who in range(3)))
        await post.drain(worker)
        post.clock.advance(timedelta(days=1))
    assert len(mass.keys) == 4
    assert (await post.statuses())["n4"] is S.UNREACHABLE
    post.clock.set(datetime(2026, 10, 1, 9, 0, tzinfo=SHANGHAI))
    await post.promise(*(post.push("n5", who=who, purpose=Purpose.NOTICE) for who in range(3)))
    await post.drain(worker)
    assert len(mass.keys) == 5


# -------------------------------------------------------------------------------------------------------------- credits
async def test_one_accept_is_one_message(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    await post.credits.accepted(index_of(person(0)), NOTICE, count=1)
    phone = Phone()
    worker = post.worker(phone)
    for number in range(2):
        await post.promise(post.push(f"{number}"))
        await post.drain(worker)
    assert phone.lines == ["0"]
    assert (await post.statuses())["1"] is S.UNREACHABLE


async def test_a_credit_is_reserved_once_given_back_and_spent(database: object, clock: FrozenClock) -> None:
    credits, wanted = Credits(clock), Reserved("r", "t")
    assert not await credits.reserve(wanted)
    await credits.accepted("r", "t", count=2)
    assert await credits.reserve(wanted)
    assert not await credits.reserve(wanted, leave=1)
    assert await credits.reserve(wanted)
    assert not await credits.reserve(wanted)
    await credits.give_back([wanted])
    assert (await credits.consents(["r"]))["r", "t"].free == 1
    await credits.spend([wanted])
    await credits.spend([wanted])
    await credits.give_back([wanted])
    assert (await credits.consents(["r"]))["r", "t"].free == 1
    await credits.used_up("r", "t")
    assert not (await credits.consents(["r"]))["r", "t"].is_open
    await credits.accepted("r", "t", ConsentKind.LONG_TERM)
    for _ in range(3):
        assert await credits.reserve(wanted)
        await credits.spend([wanted])
    await credits.rejected("r", "t")
    assert not await credits.reserve(wanted)
    await credits.accepted("r", "t")
    assert await credits.reserve(wanted)


async def test_a_cancelled_push_gives_its_credit_back(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    credits = post.credits
    await credits.accepted(index_of(person(0)), NOTICE)
    await post.promise(post.push())
    claims = Claims(credits)
    [row] = await claims.take(10, post.clock.now(), timedelta(minutes=3))
    [way] = await post.planner.plan([Wanted(address=post.book.address(person(0)), purpose=Purpose.REMINDER)])
    row.credit = way.credit
    await claims.keep_credits([row])
    assert (await credits.consents([index_of(person(0))]))[index_of(person(0)), NOTICE].free == 0
    assert await post.outbox.cancel("test") == 1
    assert (await credits.consents([index_of(person(0))]))[index_of(person(0)), NOTICE].free == 1


async def test_the_credit_of_a_dead_worker_is_given_back(post: PostOffice) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    await post.credits.accepted(index_of(person(0)), NOTICE)
    await post.promise(post.push())
    claims = Claims(post.credits)
    [row] = await claims.take(10, post.clock.now(), timedelta(minutes=3))
    row.credit = Reserved(index_of(person(0)), NOTICE)
    assert await post.credits.reserve(row.credit)
    await claims.keep_credits([row])
    post.clock.advance(timedelta(minutes=3))
    phone = Phone()
    await post.drain(post.worker(phone))
    await post.drain(post.worker(phone))
    assert phone.lines == ["a"]


async def test_the_last_accept_is_left_to_results(post: PostOffice) -> None:
    post.templates = tuple(
        Template(purpose, C.MINI_PROGRAM, "shared", SLOTS) for purpose in (Purpose.RESULT, Purpose.REMINDER)
    )
    post.book.mini = True
    await post.credits.accepted(f"mini-{person(0)[-4:]}", "shared", count=2)
    phone = Phone()
    worker = post.worker(phone)
    for occurrence, purpose in (("a", Purpose.REMINDER), ("b", Purpose.REMINDER), ("c", Purpose.RESULT)):
        await post.promise(post.push(occurrence, purpose=purpose))
        await post.drain(worker)
    assert phone.lines == ["a", "c"]
    assert (await post.statuses())["b"] is S.UNREACHABLE


# ---------------------------------------------------------------------------------------------------------- error codes


@pytest.mark.parametrize("code", sorted(OUTCOMES))
@pytest.mark.parametrize("channel", [channel for channel in C if channel is not C.BY_HAND])
def test_every_error_code_has_a_state_and_an_action(code: int, channel: ChannelName) -> None:
    if not code:
        return
    error = error_for(TEMPLATE_SEND, code, {})
    outcome = outcome_of(error, channel, SENDING_APIS)
    assert outcome.status in MOVES[S.SENDING]
    if code == -1 and channel not in KEYED:
        assert outcome.status is S.UNKNOWN
        return
    assert outcome is OUTCOMES[code]
    # Whatever leaves a push unsent says what happens next.
    assert (outcome.after is After.NOTHING) == (outcome.status is S.SENT)


@pytest.mark.parametrize(
    ("code", "status", "after"),
    [
        (40252, S.SENT, After.NOTHING),
        (45065, S.SENT, After.NOTHING),
        (40241, S.SENT, After.NOTHING),
        (43004, S.PLANNED, After.OTHER_CHANNEL),
        (43101, S.PLANNED, After.USED_UP),
        (45015, S.PLANNED, After.CLOSE_WINDOW),
        (45009, S.PLANNED, After.NEXT_DAY),
        (45011, S.PLANNED, After.NEXT_MINUTE),
        (47003, S.FAILED, After.REVIEW),
        (40037, S.PLANNED, After.STOP_TEMPLATE),
        (48004, S.PLANNED, After.STOP_CHANNEL),
        (99999, S.PLANNED, After.STOP_CHANNEL),
    ],
)
def test_the_codes_that_matter_most(code: int, status: DeliveryStatus, after: After) -> None:
    outcome = outcome_of(error_for(TEMPLATE_SEND, code, {}), C.TEMPLATE, SENDING_APIS)
    assert (outcome.status, outcome.after) == (status, after)


def test_a_lost_answer_is_unknown_only_when_the_message_was_handed_over() -> None:
    assert outcome_of(OutcomeUnknown(MASS_SEND), C.MASS, SENDING_APIS).status is S.UNKNOWN
    assert outcome_of(OutcomeUnknown(STABLE_TOKEN), C.MASS, SENDING_APIS).status is S.PLANNED
    assert outcome_of(WeChatUnreachable(CUSTOM_SEND), C.CUSTOMER_SERVICE, SENDING_APIS).status is S.PLANNED


@pytest.mark.parametrize(("code", "status"), [(45009, S.PLANNED), (40037, S.UNREACHABLE), (43101, S.UNREACHABLE)])
async def test_an_error_has_its_effect_on_the_messages_after_it(
    post: PostOffice, code: int, status: DeliveryStatus
) -> None:
    post.use(C.SUBSCRIPTION_NOTICE)
    for who in range(3):
        await post.credits.accepted(index_of(person(who)), NOTICE, count=5)
    phone = Phone(error_for(TEMPLATE_SEND, code, {}))
    worker = post.worker(phone)
    await post.promise(post.push("a"))
    await post.drain(worker)
    await post.promise(post.push("b"), post.push("c", who=1))
    await post.drain(worker)
    statuses = await post.statuses()
    assert statuses["b"] is status
    # The consent of one person is used up; quota and template concern all.
    assert statuses["c"] is (S.SENT if code == 43101 else status)
    assert len(phone.keys) == (2 if code == 43101 else 1)


async def test_no_more_go_out_on_a_day_than_its_quota(post: PostOffice) -> None:
    post.a_day = 25
    await post.promise(*(post.push(f"{number}", who=number) for number in range(40)))
    phone = Phone()
    await post.drain(post.worker(phone))
    assert len(phone.sent) == 25
    waiting = [row for row in (await post.rows()).values() if row.status is S.PLANNED]
    assert len(waiting) == 15
    post.clock.set(datetime(2026, 9, 2, 8, 0, tzinfo=SHANGHAI))
    await post.drain(post.worker(phone))
    assert len(phone.sent) == 40
