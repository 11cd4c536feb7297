"""The API's way to policy answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from bot.dialogue.ports import SCHOOL_PLACE, ProfileSource
from bot.identity import Role
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.policy.schemas import AnswerOut, CitationOut, PlaceIn, PlaceOut, QuestionIn
from handlers.policy.service.answers import Answered, AnswerService
from handlers.policy.service.own import OwnAnswers
from handlers.policy.service.profiles import PLACE, ProfileService


class PolicyApi:
    """The handlers, over the services."""

    def __init__(
        self, answers: AnswerService, own: OwnAnswers, profiles: ProfileService, people: ProfileSource
    ) -> None:
        """`people` knows where the school of somebody's children lies."""
        self._answers = answers
        self._own = own
        self._profiles = profiles
        self._people = people

    def routes(self) -> tuple[ApiRoute, ...]:
        """Questions, and the place they are answered for."""
        return (
            ApiRoute(
                method="POST",
                path="/questions",
                summary="问一个政策问题",
                request=QuestionIn,
                response=AnswerOut,
                action=Action.QUESTION_ASK,
                errors=(503,),
                handle=self.ask,
                tags=("policy",),
            ),
            ApiRoute(
                method="GET",
                path="/place",
                summary="我的地方",
                response=PlaceOut,
                action=Action.PROFILE_VIEW,
                handle=self.place,
                tags=("policy",),
            ),
            ApiRoute(
                method="PUT",
                path="/place",
                summary="换地方",
                request=PlaceIn,
                response=PlaceOut,
                action=Action.PROFILE_CHANGE,
                handle=self.set_place,
                tags=("policy",),
            ),
        )

    async def ask(self, call: ApiCall) -> AnswerOut:
        """The answer as the chat would give it to somebody in that place."""
        body = cast("QuestionIn", call.body)
        place = body.place or (await self._kept_place(call)) or (await self._school_place(call))
        answer = (await self._answered(call, body.text, place)).answer
        return AnswerOut(
            answer=answer.text,
            outcome=answer.outcome.value,
            citations=[CitationOut(**asdict(citation)) for citation in answer.citations],
            article=answer.article,
        )

    async def _answered(self, call: ApiCall, text: str, place: str | None) -> Answered:
        """With what is kept of the caller's own children, once they have agreed to be known here."""
        is_family = call.actor.has(Role.GUARDIAN)
        own = await self._own.answer(call.actor, text, place) if is_family and call.actor.has_agreed else None
        if own is None and not is_family:
            own = self._own.or_rule(call.actor, text, place)
        return own or self._answers.answer(call.actor, text, place=place, written=self._own.nameless(text))

    async def place(self, call: ApiCall) -> PlaceOut:
        """Where the caller said they are."""
        return PlaceOut(place=await self._kept_place(call))

    async def set_place(self, call: ApiCall) -> PlaceOut:
        """The caller's place from now on; null forgets it."""
        body = cast("PlaceIn", call.body)
        if body.place is None:
            await self._profiles.clear_place(call.actor)
        else:
            await self._profiles.set_place(call.actor, body.place)
        return PlaceOut(place=body.place)

    async def _kept_place(self, call: ApiCall) -> str | None:
        if call.actor.openid_index is None:
            return None
        return (await self._profiles.profile_of(call.actor.openid_index)).get(PLACE)

    async def _school_place(self, call: ApiCall) -> str | None:
        if call.actor.openid_index is None:
            return None
        return (await self._people.profile_of(call.actor.openid_index)).get(SCHOOL_PLACE)
