"""The API's way to policy answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from bot.web.api import ApiCall, ApiRoute
from handlers.policy.schemas import AnswerOut, CitationOut, QuestionIn
from handlers.policy.service.answers import AnswerService


class PolicyApi:
    """The handlers, over the service."""

    def __init__(self, answers: AnswerService) -> None:
        self._answers = answers

    def routes(self) -> tuple[ApiRoute, ...]:
        """One."""
        return (
            ApiRoute(
                method="POST",
                path="/questions",
                summary="问一个政策问题",
                request=QuestionIn,
                response=AnswerOut,
                roles=None,
                errors=(503,),
                handle=self.ask,
                tags=("policy",),
            ),
        )

    async def ask(self, call: ApiCall) -> AnswerOut:
        """The answer as the chat would give it to somebody in that place."""
        body = cast("QuestionIn", call.body)
        answer = self._answers.answer(call.actor, body.text, place=body.place).answer
        return AnswerOut(
            answer=answer.text,
            outcome=answer.outcome.value,
            citations=[CitationOut(**asdict(citation)) for citation in answer.citations],
            article=answer.article,
        )
