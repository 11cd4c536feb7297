"""满意度 in the chat: five questions, one after the other; what was chosen is counted and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice
from bot.dialogue.router import Route, Tier, both, in_step, words
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.after_school.chat.sign_up import FAMILIES
from handlers.after_school.domain.polls import PollAnswered, PollClosed
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts import polls as texts

DIALOGUE: Final = "after_school.poll"
_PLAN: Final = "plan"
_ASKED: Final = ("满意度", "填满意度", "满意度调查", "填满意度调查", "课后服务满意度", "评价课后服务")
_ANSWERS: Final = Choice([(said, number) for number, said in texts.CHOICES.items()])


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    QUESTION = "question"


class PollChat:
    """The handlers, over the service."""

    def __init__(self, polls: PollService) -> None:
        self._polls = polls

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        action, text = Action.SERVICE_ANSWER, TextMessage
        return (
            Route(
                name="after_school.poll.question", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.QUESTION),
                handle=self.answered, action=action, changes=True,
            ),
            Route(
                name="after_school.poll", tier=Tier.KEYWORD, of=text, when=both(FAMILIES, words(*_ASKED)),
                handle=self.begin, action=action, changes=True,
            ),
        )  # fmt: skip

    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """The first question of the poll that ends soonest."""
        found = await self._polls.pending(context.actor)
        if not found:
            return TextReply(texts.CHAT_NOTHING)
        context.enter(DIALOGUE, Step.QUESTION, {_PLAN: found[0].plan_id})
        lead = texts.CHAT_LEAD.format(title=found[0].plan, count=len(found[0].questions))
        return TextReply(f"{lead}\n{_next(found[0].questions, {})}")

    async def answered(self, context: ChatContext, message: TextMessage) -> Reply:
        """One question; after the last all are counted."""
        given = dict(context.session.answers)
        poll = next((each for each in await self._polls.pending(context.actor) if each.plan_id == given[_PLAN]), None)
        if poll is None:
            context.leave()
            return TextReply(texts.CHAT_NOTHING)
        asked = next(key for key in poll.questions if key not in given)
        given[asked] = str(_ANSWERS.read(message.content))
        if any(key not in given for key in poll.questions):
            context.enter(DIALOGUE, Step.QUESTION, given)
            return TextReply(_next(poll.questions, given))
        context.leave()
        try:
            await self._polls.answer(context.actor, poll.plan_id, {key: int(given[key]) for key in poll.questions})
        except (PollClosed, PollAnswered) as error:  # said again it would be refused again: the dialogue is over
            return TextReply(error.message)
        return TextReply(texts.CHAT_DONE)


def _next(questions: Mapping[str, str], given: Mapping[str, str]) -> str:
    """The first question that has no answer yet."""
    number, key = next((number, key) for number, key in enumerate(questions, 1) if key not in given)
    lead = texts.CHAT_QUESTION.format(number=number, count=len(questions), question=questions[key])
    return _ANSWERS.ask(lead)
