"""Routes are looked up by word and by dialogue: what is found is what trying them one after the other would find."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.context import ChatContext
from bot.dialogue.router import (
    Filter,
    Route,
    Router,
    Tier,
    always,
    both,
    either,
    has_role,
    idle,
    in_step,
    pattern,
    words,
)
from bot.dialogue.session import Session
from bot.identity import Actor, Role
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply

NOW = datetime(2026, 9, 1, tzinfo=UTC)
WORDS, DIALOGUES, STEPS = ("帮助", "退出", "绑定", "12"), ("binding", "place"), ("first", "second")
ROLES = (Role.VISITOR, Role.GUARDIAN, Role.DUTY)


async def answer(context: ChatContext, message: TextMessage) -> Reply:
    return TextReply("好的")


def filters() -> st.SearchStrategy[Filter]:
    some_words = st.lists(st.sampled_from(WORDS), min_size=1, unique=True).map(lambda chosen: words(*chosen))
    some_step = st.builds(in_step, st.sampled_from(DIALOGUES), st.sampled_from(STEPS))
    some_roles = st.lists(st.sampled_from(ROLES), min_size=1, unique=True).map(lambda chosen: has_role(*chosen))
    plain = some_words | some_step | some_roles | st.sampled_from([always, idle, pattern(r"\d+")])
    parts = st.lists(plain, min_size=2, max_size=3)
    return plain | parts.map(lambda found: both(*found)) | parts.map(lambda found: either(*found))


def route(number: int, tier: Tier, when: Filter) -> Route:
    return Route(
        name=f"test.{number}",
        tier=tier,
        of=TextMessage,
        when=when,
        handle=answer,
        action=Action.CHAT_USE,
        changes=False,
    )


def said(text: str, session: Session, roles: frozenset[Role] = Actor().roles) -> tuple[ChatContext, TextMessage]:
    message = TextMessage(
        openid="o", account="gh", created_at=NOW, message_id="1", dedupe_key="k", authenticated=True, content=text,
        menu_item_id=None,
    )  # fmt: skip
    return ChatContext(actor=Actor(roles=roles), openid="o", now=NOW, session=session, word=text), message


@given(
    st.lists(st.tuples(st.sampled_from(list(Tier)), filters()), max_size=12),
    st.sampled_from([*WORDS, "别的话"]),
    st.sampled_from([Session(), *(Session(dialogue, step) for dialogue in DIALOGUES for step in STEPS)]),
    st.lists(st.frozensets(st.sampled_from(ROLES), min_size=1), min_size=1, max_size=3),
)
def test_the_first_that_fits_is_found(
    parts: list[tuple[Tier, Filter]], text: str, session: Session, people: list[frozenset[Role]]
) -> None:
    routes = [route(number, tier, when) for number, (tier, when) in enumerate(parts)]
    in_order = sorted(routes, key=lambda each: each.tier)
    router = Router(routes)
    for roles in people:
        context, message = said(text, session, roles)
        expected = next((each for each in in_order if each.when(context, message)), None)
        assert router.match(context, message) is expected


def test_a_route_for_another_word_or_dialogue_is_not_even_tried() -> None:
    tried: list[str] = []

    def telling(name: str) -> Filter:
        def fits(context: ChatContext, message: TextMessage) -> bool:
            tried.append(name)
            return True

        return fits

    routes = [
        route(1, Tier.STEP, both(in_step("binding", "first"), telling("another dialogue"))),
        route(2, Tier.KEYWORD, both(words("退出"), telling("another word"))),
        route(3, Tier.KEYWORD, both(has_role(Role.DUTY), telling("somebody else"))),
        route(4, Tier.LAST, both(always, telling("any text"))),
    ]
    assert Router(routes).match(*said("别的话", Session())) is routes[3]
    assert tried == ["any text"]
