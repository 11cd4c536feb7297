"""The API's way to waivers: what there is, asking, showing a paper, withdrawing, appealing."""

from __future__ import annotations

import base64
import binascii
from typing import Final, cast

from pydantic import BaseModel

from bot.errors import InvalidInput
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.after_school.api.sign_up import StudentMissing
from handlers.after_school.api.waiver_schemas import (
    MOST_PICTURE,
    AppealIn,
    EvidenceIn,
    WaiverIn,
    WaiverOptionsOut,
    WaiverOut,
    WaiversOut,
    option_out,
    waiver_out,
)
from handlers.after_school.service.waivers.asking import Asked, WaiverAsking

_TAGS: Final = ("after-school",)
_ALL: Final = "/after-school/waivers"
_ONE: Final = _ALL + "/{id}"
# The rest of the body beside the picture.
_LARGEST: Final = MOST_PICTURE + 4096


class PictureBroken(InvalidInput):
    """What came is not base64."""

    code = "picture_unreadable"
    default_message = "图片没有传完整，请重新选一张再传。"


class WaiversApi:
    """The handlers, over the service."""

    def __init__(self, asking: WaiverAsking) -> None:
        self._asking = asking

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        own = Action.WAIVER_OWN
        return (
            ApiRoute(
                method="GET", path="/after-school/waiver-options", summary="可以申请的类别（参数 student_id）",
                response=WaiverOptionsOut, action=own, errors=(404, 422, 503), handle=self.options, tags=_TAGS,
            ),
            ApiRoute(
                method="GET", path=_ALL, summary="我的办理（可加参数 student_id）", response=WaiversOut, action=own,
                errors=(503,), handle=self.own, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path=_ALL, summary="提出申请", request=WaiverIn, response=WaiverOut, action=own,
                status=201, errors=(404, 409, 503), handle=self.ask, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="GET", path=_ONE, summary="看一件申请", response=WaiverOut, action=own, errors=(404, 503),
                handle=self.one, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path=_ONE + "/evidence", summary="交一张材料的照片", request=EvidenceIn,
                response=WaiverOut, action=own, status=201, errors=(404, 409, 503), handle=self.show, tags=_TAGS,
                key_required=False, body_limit=_LARGEST,
            ),
            ApiRoute(
                method="POST", path=_ONE + "/submission", summary="交给学校", response=WaiverOut, action=own,
                errors=(404, 409, 422, 503), handle=self.submit, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="POST", path=_ONE + "/withdrawal", summary="撤回", response=WaiverOut, action=own,
                errors=(404, 409, 503), handle=self.withdraw, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="POST", path=_ONE + "/appeal", summary="申诉", request=AppealIn, response=WaiverOut,
                action=own, errors=(404, 409, 503), handle=self.appeal, tags=_TAGS, key_required=False,
            ),
        )  # fmt: skip

    async def options(self, call: ApiCall) -> BaseModel:
        """For one child."""
        child = call.query.get("student_id")
        if not child:
            raise StudentMissing
        return WaiverOptionsOut(items=[option_out(each) for each in await self._asking.options(call.actor, child)])

    async def own(self, call: ApiCall) -> BaseModel:
        """Of all children of the caller, or of one."""
        views = await self._asking.own(call.actor, call.query.get("student_id"))
        return WaiversOut(items=[waiver_out(each) for each in views])

    async def one(self, call: ApiCall) -> BaseModel:
        """One."""
        return waiver_out(await self._asking.one(call.actor, call.id("id")))

    async def ask(self, call: ApiCall) -> BaseModel:
        """A new one."""
        body = cast("WaiverIn", call.body)
        return waiver_out(await self._asking.ask(call.actor, Asked(body.student_id, body.category_id, body.note)))

    async def show(self, call: ApiCall) -> BaseModel:
        """A picture for it."""
        waiver_id, body = call.id("id"), cast("EvidenceIn", call.body)
        await self._asking.one(call.actor, waiver_id)  # whose it is comes before what was sent
        try:
            picture = base64.b64decode(body.picture, validate=True)
        except binascii.Error as error:
            raise PictureBroken from error
        return waiver_out(await self._asking.show(call.actor, waiver_id, picture))

    async def submit(self, call: ApiCall) -> BaseModel:
        """It goes to the school."""
        return waiver_out(await self._asking.submit(call.actor, call.id("id")))

    async def withdraw(self, call: ApiCall) -> BaseModel:
        """It is not wanted."""
        return waiver_out(await self._asking.withdraw(call.actor, call.id("id")))

    async def appeal(self, call: ApiCall) -> BaseModel:
        """To a third person."""
        body = cast("AppealIn", call.body)
        return waiver_out(await self._asking.appeal(call.actor, call.id("id"), body.reason))
