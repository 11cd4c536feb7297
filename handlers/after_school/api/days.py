"""The API's way to leave and to who collects a child."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from bot.errors import NotFound
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.after_school.api.days_schemas import LeaveGone, LeaveIn, LeaveOut, LeavesOut, PickUpIn, PickUpOut
from handlers.after_school.domain.statements import Source
from handlers.after_school.service.days.collecting import CollectionService, NewCollection
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.days.views import LeaveView

_TAGS = ("after-school",)


class DaysApi:
    """The handlers, over the services."""

    def __init__(self, leave: LeaveService, collecting: CollectionService) -> None:
        self._leave = leave
        self._collecting = collecting

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        mine = Action.SERVICE_LEAVE
        return (
            ApiRoute(
                method="GET", path="/after-school/leaves", summary="请好的假",
                response=LeavesOut, action=mine, errors=(503,), handle=self.own, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/after-school/leaves", summary="给孩子请课后服务的假",
                request=LeaveIn, response=LeaveOut, status=201, action=mine, errors=(404, 409, 422, 503),
                handle=self.ask, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="DELETE", path="/after-school/leaves/{id}", summary="撤销请假",
                response=LeaveGone, action=mine, errors=(404, 503), handle=self.withdraw, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/after-school/pick-ups", summary="说明某天谁来接",
                request=PickUpIn, response=PickUpOut, status=201, action=mine, errors=(404, 409, 422, 503),
                handle=self.collect, tags=_TAGS, key_required=False,
            ),
        )  # fmt: skip

    async def own(self, call: ApiCall) -> LeavesOut:
        """Of the caller's children."""
        return LeavesOut(items=[_out(view) for view in await self._leave.own(call.actor)])

    async def ask(self, call: ApiCall) -> LeaveOut:
        """The same once more is the same one."""
        body = cast("LeaveIn", call.body)
        new = NewLeave(
            child_id=_id(body.student_id),
            first_day=body.first_day,
            last_day=body.last_day,
            reason=body.reason,
            programme_id=_id(body.programme_id) if body.programme_id else None,
        )
        return _out(await self._leave.ask(call.actor, new, Source.MINIPROGRAM))

    async def withdraw(self, call: ApiCall) -> LeaveGone:
        """Only of the caller's children."""
        return LeaveGone(id=(await self._leave.withdraw(call.actor, call.id("id"))).id)

    async def collect(self, call: ApiCall) -> PickUpOut:
        """The last word counts."""
        body = cast("PickUpIn", call.body)
        new = NewCollection(
            child_id=_id(body.student_id),
            day=body.day,
            how=body.how,
            person_id=_id(body.person_id) if body.person_id else None,
            name=body.name,
            phone=body.phone,
        )
        view = await self._collecting.say(call.actor, new, Source.MINIPROGRAM)
        return PickUpOut(student_id=view.child_id, day=view.day.isoformat(), how=view.how, name=view.name)


def _out(view: LeaveView) -> LeaveOut:
    return LeaveOut(
        id=view.id,
        student_id=view.child_id,
        student=view.child,
        first_day=view.first_day.isoformat(),
        last_day=view.last_day.isoformat(),
        programme_id=view.programme_id,
    )


def _id(text: str) -> str:
    """Raises NotFound for what is no id."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None
