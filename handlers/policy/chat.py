"""The chat's way to policy answers: questions, options, the person's place, ratings."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue.context import ChatContext
from bot.dialogue.ports import SCHOOL_PLACE
from bot.dialogue.prompts import FreeText, NotUnderstood
from bot.dialogue.router import Route, Tier, always, both, has_role, idle, in_step, menu_key, words
from bot.errors import Unavailable
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Event, Inbound, Reply, TextMessage, TextReply
from handlers.policy import texts
from handlers.policy.domain import (
    MAX_PLACE,
    REASONS,
    Remembered,
    from_note,
    looks_like_place,
    picked_number,
    place_said,
)
from handlers.policy.service.answers import Answered, AnswerService
from handlers.policy.service.own import OwnAnswers
from handlers.policy.service.profiles import PLACE, ProfileService

DIALOGUE = "policy.place"
NAME_IT = "name_it"
HOW = "policy.how"
SHOW_PLACE = "policy.place"

# Longer texts tell a story; they are answered as a whole.
MAX_OWN = 40
_FAMILIES = has_role(Role.GUARDIAN)
_PLACE_NAME = FreeText(least=2, most=MAX_PLACE)
_LABELS = {texts.REASON_LABELS[reason]: reason for reason in REASONS}


class PolicyChat:
    """The handlers, over the services."""

    def __init__(self, answers: AnswerService, own: OwnAnswers, profiles: ProfileService) -> None:
        self._answers = answers
        self._own = own
        self._profiles = profiles

    def routes(self) -> tuple[Route, ...]:
        """All of them; the last one takes any text."""
        return (*self._place_routes(), *self._rating_routes(), *self._question_routes())

    def _place_routes(self) -> tuple[Route, ...]:
        text = TextMessage
        return (
            Route(
                name="policy.place.named", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, NAME_IT),
                handle=self.place_named, action=Action.PROFILE_CHANGE, changes=True,
            ),
            Route(
                name="policy.place.ask", tier=Tier.KEYWORD, of=text, when=words("换地方", "改地方", "换个地方"),
                handle=self.ask_place, action=Action.PROFILE_CHANGE, changes=True,
            ),
            Route(
                name="policy.place.clear", tier=Tier.KEYWORD, of=text, when=words("清除地方", "删除地方"),
                handle=self.clear_place, action=Action.PROFILE_CHANGE, changes=True,
            ),
            Route(
                name="policy.place.show", tier=Tier.KEYWORD, of=text, when=words("我的地方", "我在哪里", "我在哪"),
                handle=self.show_place, action=Action.PROFILE_VIEW, changes=False, protected=True,
            ),
            Route(
                name="policy.place.tapped", tier=Tier.MENU, of=Event, when=menu_key(SHOW_PLACE),
                handle=self.show_place, action=Action.PROFILE_VIEW, changes=False, protected=True,
            ),
            Route(
                name="policy.place.said", tier=Tier.KEYWORD, of=text, when=self.says_place,
                handle=self.place_said, action=Action.PROFILE_CHANGE, changes=True,
            ),
        )  # fmt: skip

    def _rating_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                name="policy.rate", tier=Tier.KEYWORD, of=TextMessage, when=words("有用", "没用", "没有用", "不管用"),
                handle=self.rate, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="policy.rate.reason", tier=Tier.KEYWORD, of=TextMessage, when=gives_reason,
                handle=self.give_reason, action=Action.CHAT_USE, changes=True,
            ),
        )  # fmt: skip

    def _question_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                name="policy.how", tier=Tier.MENU, of=Event, when=menu_key(HOW),
                handle=self.how, action=Action.CHAT_USE, changes=False,
            ),
            Route(
                name="policy.tapped", tier=Tier.MENU, of=Event, when=menu_key(*texts.MENU_QUESTIONS),
                handle=self.answer_tapped, action=Action.CHAT_USE, changes=False,
            ),
            Route(
                name="policy.choose", tier=Tier.KEYWORD, of=TextMessage, when=picks_option,
                handle=self.choose, action=Action.CHAT_USE, changes=False,
            ),
            Route(
                name="policy.own", tier=Tier.KEYWORD, of=TextMessage, when=both(idle, both(_FAMILIES, self.asks_own)),
                handle=self.answer_own, action=Action.QUESTION_ASK, changes=False, protected=True,
            ),
            Route(
                name="policy.answer", tier=Tier.LAST, of=TextMessage, when=always,
                handle=self.answer, action=Action.QUESTION_ASK, changes=False,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- questions
    async def answer(self, context: ChatContext, message: TextMessage) -> Reply:
        """Any text that nothing else takes."""
        question = message.content
        if not context.actor.has(Role.GUARDIAN) and (
            rule := self._own.or_rule(context.actor, question, _place_of(context))
        ):
            return _reply(context, rule)
        remembered = from_note(context.recent) if self._answers.may_lean(question) else None
        place, written = _place_of(context), self._own.nameless(question)
        return _reply(
            context,
            self._answers.answer(context.actor, question, place=place, remembered=remembered, written=written),
        )

    def asks_own(self, context: ChatContext, message: TextMessage) -> bool:
        """Whether a guardian, who is certain to be it, asks about what is kept of their own children."""
        if not context.authenticated or len(message.content) > MAX_OWN:
            return False
        try:
            return self._own.touched(context.actor, message.content, _place_of(context)) is not None
        except Unavailable:
            return False

    async def answer_own(self, context: ChatContext, message: TextMessage) -> Reply:
        """What is kept of their own children, and the rule; for anybody else's child the rule alone."""
        found = await self._own.answer(context.actor, message.content, _place_of(context))
        return await self.answer(context, message) if found is None else _reply(context, found)

    async def answer_tapped(self, context: ChatContext, message: Event) -> Reply:
        """A question of the menu."""
        question = texts.MENU_QUESTIONS[message.key]
        return _reply(context, self._answers.answer(context.actor, question, place=_place_of(context)))

    async def choose(self, context: ChatContext, message: TextMessage) -> Reply:
        """The number of an option."""
        number, remembered = picked_number(context.word), from_note(context.recent)
        assert number is not None
        assert remembered is not None
        if number > len(remembered.options):
            return TextReply(texts.NO_SUCH_OPTION.format(count=len(remembered.options)))
        place = _place_of(context)
        return _reply(context, self._answers.choose(context.actor, number, remembered, place=place))

    async def how(self, context: ChatContext, message: Inbound) -> Reply:
        """How to ask."""
        return TextReply(texts.HOW_TO_ASK)

    # ----------------------------------------------------------------------------------------------------------- place
    def says_place(self, context: ChatContext, message: TextMessage) -> bool:
        """Whether the text says where the person is, and nothing else."""
        name = place_said(message.content)
        if name is None:
            return False
        try:
            return self._answers.knows_place(name) or looks_like_place(name)
        except Unavailable:
            return False

    async def place_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """我在宿城区."""
        name = place_said(message.content)
        assert name is not None
        return await self._set_place(context, name)

    async def ask_place(self, context: ChatContext, message: TextMessage) -> Reply:
        """换地方."""
        context.enter(DIALOGUE, NAME_IT)
        return TextReply(texts.ASK_PLACE)

    async def place_named(self, context: ChatContext, message: TextMessage) -> Reply:
        """The answer to where the person is."""
        name = place_said(message.content) or _PLACE_NAME.read(message.content)
        if not (self._answers.knows_place(name) or looks_like_place(name)):
            raise NotUnderstood(texts.PLACE_NOT_A_NAME)
        context.leave()
        return await self._set_place(context, name)

    async def show_place(self, context: ChatContext, message: Inbound) -> Reply:
        """我的地方."""
        place = context.profile.get(PLACE)
        if place:
            return TextReply(texts.PLACE_SHOWN.format(place=place))
        home = context.profile.get(SCHOOL_PLACE)
        return TextReply(texts.PLACE_OF_SCHOOL.format(place=home) if home else texts.PLACE_MISSING)

    async def clear_place(self, context: ChatContext, message: TextMessage) -> Reply:
        """清除地方."""
        await self._profiles.clear_place(context.actor)
        context.change_profile(**{PLACE: ""})
        return TextReply(texts.PLACE_CLEARED)

    async def _set_place(self, context: ChatContext, name: str) -> Reply:
        is_known = self._answers.knows_place(name)
        await self._profiles.set_place(context.actor, name)
        context.change_profile(**{PLACE: name})
        return TextReply((texts.PLACE_SET if is_known else texts.PLACE_SET_UNKNOWN).format(place=name))

    # --------------------------------------------------------------------------------------------------------- ratings
    async def rate(self, context: ChatContext, message: TextMessage) -> Reply:
        """有用 or 没用, about the last answer."""
        remembered = from_note(context.recent)
        if remembered is None:
            return TextReply(texts.NOTHING_TO_RATE)
        is_helpful = context.word == "有用"
        rating = await self._answers.rate(context.actor, remembered, is_helpful=is_helpful)
        if is_helpful:
            return TextReply(texts.HELPFUL_THANKS)
        context.note(replace(remembered, options=(), feedback=rating).to_note())
        lines = [f"{number}. {texts.REASON_LABELS[reason]}" for number, reason in enumerate(REASONS, 1)]
        return TextReply("\n".join([texts.UNHELPFUL_WHY, *lines, texts.UNHELPFUL_TAIL]))

    async def give_reason(self, context: ChatContext, message: TextMessage) -> Reply:
        """The number or the words of a reason."""
        remembered = from_note(context.recent)
        assert remembered is not None
        assert remembered.feedback is not None
        number = picked_number(context.word)
        reason = REASONS[number - 1] if number else _LABELS[context.word]
        await self._answers.give_reason(context.actor, remembered.feedback, reason)
        context.note(Remembered(remembered.question, article=remembered.article).to_note())
        return TextReply(texts.REASON_THANKS)


def picks_option(context: ChatContext, message: TextMessage) -> bool:
    """Whether the text is a number, and options were offered a short while ago."""
    if picked_number(context.word) is None:
        return False
    remembered = from_note(context.recent)
    return remembered is not None and bool(remembered.options)


def gives_reason(context: ChatContext, message: TextMessage) -> bool:
    """Whether the text is one of the reasons asked for a short while ago."""
    number = picked_number(context.word)
    if context.word not in _LABELS and not (number is not None and number <= len(REASONS)):
        return False
    remembered = from_note(context.recent)
    return remembered is not None and remembered.feedback is not None


def _reply(context: ChatContext, answered: Answered) -> Reply:
    if answered.note is not None:
        context.note(answered.note)
    return TextReply(answered.answer.text)


def _place_of(context: ChatContext) -> str | None:
    """What they said counts before where the school lies."""
    return context.profile.get(PLACE) or context.profile.get(SCHOOL_PLACE)
