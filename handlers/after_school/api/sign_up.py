"""What is offered, signing up, leaving, and answering an offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from pydantic import BaseModel

from bot.errors import AppError, InvalidInput
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.after_school.domain.statements import Source
from handlers.after_school.schemas import (
    EnrolledOut,
    EnrolmentIn,
    EnrolmentOut,
    EnrolmentsOut,
    EnrolmentStatusOut,
    EnrolmentWithDrawOut,
    OptOutIn,
    OptOutOut,
    ProgrammesOut,
    SiblingsIn,
    SiblingsOut,
    enrolled_out,
    enrolment_out,
    enrolment_with_draw_out,
    programme_out,
)
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.leaving import LeavingService, OptOut
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.after_school.service.views import EnrolmentView

_TAGS: Final = ("after-school",)
_VIA: Final = Source.MINIPROGRAM
_ENROLMENTS: Final = "/after-school/enrolments"


class StudentMissing(InvalidInput):
    """The question does not say for which child."""

    code = "student_id_required"
    default_message = "请先选一个孩子，再看课程。"


class AfterSchoolApi:
    """The handlers, over the services."""

    def __init__(
        self, showing: ShowingService, signing: SignUpService, leaving: LeavingService, draws: DrawReading
    ) -> None:
        self._showing = showing
        self._draws = draws
        self._signing = signing
        self._leaving = leaving

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        own = Action.SERVICE_SIGN_UP
        return (
            ApiRoute(
                method="GET", path="/after-school/programmes", summary="孩子可以报的课（参数 student_id）",
                response=ProgrammesOut, action=own, errors=(404, 422, 503), handle=self.programmes, tags=_TAGS,
            ),
            ApiRoute(
                method="GET", path=_ENROLMENTS, summary="我的报名（可加参数 student_id）",
                response=EnrolmentsOut, action=own, errors=(404, 503), handle=self.enrolments, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path=_ENROLMENTS, summary="替孩子报名", request=EnrolmentIn, response=EnrolledOut,
                action=own, status=201, errors=(404, 409, 503), together=self.sign_up, tags=_TAGS, key_required=True,
            ),
            ApiRoute(
                method="POST", path="/after-school/siblings", summary="几个孩子一起报（要么都报上，要么都候补）",
                request=SiblingsIn, response=SiblingsOut, action=own, status=201, errors=(404, 409, 503),
                together=self.sign_up_siblings, tags=_TAGS, key_required=True,
            ),
            ApiRoute(
                method="GET", path=_ENROLMENTS + "/{id}", summary="看一份报名（抽过签的，带上怎么抽的）",
                response=EnrolmentWithDrawOut, action=own, errors=(404, 503), handle=self.enrolment, tags=_TAGS,
            ),
            ApiRoute(
                method="DELETE", path=_ENROLMENTS + "/{id}", summary="退出报名", response=EnrolmentStatusOut,
                action=own, errors=(404, 409, 503), handle=self.withdraw, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="POST", path=_ENROLMENTS + "/{id}/acceptance", summary="接受保留的名额",
                response=EnrolmentOut, action=own, errors=(404, 409, 503), handle=self.accept, tags=_TAGS,
                key_required=False,
            ),
            ApiRoute(
                method="POST", path=_ENROLMENTS + "/{id}/refusal", summary="不要保留的名额",
                response=EnrolmentStatusOut, action=own, errors=(404, 409, 503), handle=self.decline, tags=_TAGS,
                key_required=False,
            ),
            ApiRoute(
                method="POST", path="/after-school/opt-out", summary="孩子不参加课后服务", request=OptOutIn,
                response=OptOutOut, action=own, errors=(404, 409, 503), handle=self.opt_out, tags=_TAGS,
                key_required=False,
            ),
        )  # fmt: skip

    async def programmes(self, call: ApiCall) -> BaseModel:
        """For the grade of one child."""
        child = call.query.get("student_id")
        if not child:
            raise StudentMissing
        return ProgrammesOut(items=[programme_out(each) for each in await self._showing.programmes(call.actor, child)])

    async def enrolments(self, call: ApiCall) -> BaseModel:
        """Of all children of the caller, or of one."""
        views = await self._showing.enrolments(call.actor, call.query.get("student_id"))
        return EnrolmentsOut(items=[enrolment_out(each) for each in views])

    async def enrolment(self, call: ApiCall) -> BaseModel:
        """One, whatever became of it, and why a draw came so."""
        view = await self._showing.enrolment(call.actor, call.id("id"))
        return enrolment_with_draw_out(view, await self._draws.of_enrolment(view.id))

    async def sign_up(self, calls: Sequence[ApiCall]) -> Sequence[BaseModel | AppError]:
        """Those who come at the same moment, in their order."""
        bodies = [cast("EnrolmentIn", call.body) for call in calls]
        asked = [
            _asked(call, (Wanted(body.student_id, body.programme_id),), body.rank)
            for call, body in zip(calls, bodies, strict=True)
        ]
        outcomes = await self._signing.sign_up_all(asked)
        return [each if isinstance(each, AppError) else enrolled_out(each[0]) for each in outcomes]

    async def sign_up_siblings(self, calls: Sequence[ApiCall]) -> Sequence[BaseModel | AppError]:
        """The same for siblings who come together or not at all."""
        bodies = [cast("SiblingsIn", call.body) for call in calls]
        asked = [
            _asked(call, tuple(Wanted(each.student_id, each.programme_id) for each in body.members))
            for call, body in zip(calls, bodies, strict=True)
        ]
        outcomes = await self._signing.sign_up_all(asked)
        return [
            each if isinstance(each, AppError) else SiblingsOut(items=[enrolled_out(view) for view in each])
            for each in outcomes
        ]

    async def withdraw(self, call: ApiCall) -> BaseModel:
        """The place goes to the next."""
        return _status(await self._leaving.withdraw(call.actor, call.id("id"), _VIA))

    async def accept(self, call: ApiCall) -> BaseModel:
        """With the siblings it was offered with."""
        return enrolment_out(await self._leaving.accept(call.actor, call.id("id"), _VIA))

    async def decline(self, call: ApiCall) -> BaseModel:
        """With the siblings it was offered with."""
        return _status(await self._leaving.decline(call.actor, call.id("id"), _VIA))

    async def opt_out(self, call: ApiCall) -> BaseModel:
        """Of everything that goes on."""
        body = cast("OptOutIn", call.body)
        ended = await self._leaving.opt_out(
            call.actor, OptOut(child_id=body.student_id, source=_VIA, reason=body.reason)
        )
        return OptOutOut(items=[_status(each) for each in ended])


def _asked(call: ApiCall, wanted: tuple[Wanted, ...], rank: int | None = None) -> SignUp:
    return SignUp(actor=call.actor, wanted=wanted, source=_VIA, rank=rank, request=call.request_id)


def _status(view: EnrolmentView) -> EnrolmentStatusOut:
    return EnrolmentStatusOut(id=view.id, status=view.state.value)
