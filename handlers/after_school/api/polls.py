"""The API's way to the poll at term's end."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel, ConfigDict

from bot.clock import to_local
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts import polls as texts

_TAGS = ("after-school",)


class PollOut(BaseModel):
    """A poll to be answered: questions by key, and the words of the choices."""

    plan_id: str
    plan: str
    questions: dict[str, str]
    choices: dict[int, str]
    closes_at: str


class PollsOut(BaseModel):
    """What the caller may answer and has not."""

    items: list[PollOut]
    next_cursor: str | None = None


class PollAnswersIn(BaseModel):
    """For each question the number of a choice."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, int]


class PollAnsweredOut(BaseModel):
    """It is counted; what was answered is kept nowhere beside the person."""

    status: str = "counted"


class PollsApi:
    """The handlers, over the service."""

    def __init__(self, polls: PollService) -> None:
        self._polls = polls

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        action = Action.SERVICE_ANSWER
        return (
            ApiRoute(
                method="GET", path="/after-school/polls", summary="要填的满意度调查", response=PollsOut,
                action=action, errors=(503,), handle=self.pending, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/after-school/polls/{plan_id}/answers", summary="填满意度（不记名）",
                request=PollAnswersIn, response=PollAnsweredOut, status=201, action=action,
                errors=(404, 409, 422, 503), handle=self.answer, tags=_TAGS,
            ),
        )  # fmt: skip

    async def pending(self, call: ApiCall) -> PollsOut:
        """Of the caller."""
        found = await self._polls.pending(call.actor)
        return PollsOut(
            items=[
                PollOut(
                    plan_id=each.plan_id,
                    plan=each.plan,
                    questions=dict(each.questions),
                    choices=dict(texts.CHOICES),
                    closes_at=to_local(each.closes_at).isoformat(timespec="seconds"),
                )
                for each in found
            ]
        )

    async def answer(self, call: ApiCall) -> PollAnsweredOut:
        """Once. Takes no idempotency key: its row would keep the answers beside the person."""
        body = cast("PollAnswersIn", call.body)
        await self._polls.answer(call.actor, call.id("plan_id"), body.answers)
        return PollAnsweredOut()
