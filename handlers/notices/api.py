"""The API's way to one's notices: the list, one of them, and the confirmation."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel

from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.notices.domain import How
from handlers.notices.schemas import NoticeConfirmationIn, SchoolNoticeOut, SchoolNoticesOut, notice_out
from handlers.notices.service.pictures import NoticePictures
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.views import OwnNotice

_TAGS = ("notices",)


class NoticesApi:
    """The handlers, over the service."""

    def __init__(self, reading: NoticeReading, pictures: NoticePictures) -> None:
        self._reading = reading
        self._pictures = pictures

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        return (
            ApiRoute(
                method="GET", path="/notices", summary="我的通知",
                response=SchoolNoticesOut, action=Action.NOTICE_READ, errors=(503,), handle=self.own, tags=_TAGS,
            ),
            ApiRoute(
                method="GET", path="/notices/{id}", summary="看一份通知（记为看过）",
                response=SchoolNoticeOut, action=Action.NOTICE_READ, errors=(404, 503), handle=self.read, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/notices/{id}/confirmation", summary="确认，或交回执",
                request=NoticeConfirmationIn, response=SchoolNoticeOut, action=Action.NOTICE_READ,
                errors=(404, 409, 503), handle=self.confirm, tags=_TAGS, key_required=False,
            ),
        )  # fmt: skip

    async def own(self, call: ApiCall) -> BaseModel:
        """The newest first."""
        return SchoolNoticesOut(items=[notice_out(each) for each in await self._reading.own(call.actor)])

    async def read(self, call: ApiCall) -> BaseModel:
        """One; it counts as opened."""
        return await self._out(call, await self._reading.read(call.actor, call.id("id")))

    async def confirm(self, call: ApiCall) -> BaseModel:
        """With the answers of its form."""
        body = cast("NoticeConfirmationIn", call.body)
        return await self._out(call, await self._reading.confirm(call.actor, call.id("id"), body.answers, How.API))

    async def _out(self, call: ApiCall, notice: OwnNotice) -> SchoolNoticeOut:
        """With its pictures as links."""
        return notice_out(notice, await self._pictures.links(call.actor, notice))
