"""Putting pictures to a draft, and showing them to the staff."""

from __future__ import annotations

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, WayOn
from handlers.notices.admin import words
from handlers.notices.admin.composing import NOTICES, ONE
from handlers.notices.service.pictures import NoticePictures

_FIELD = "picture"
_NAME = "图片.jpg"


class PicturePages:
    """The handlers."""

    def __init__(self, pictures: NoticePictures) -> None:
        self._pictures = pictures

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        all_, one = ONE + "/pictures", ONE + "/pictures/{picture}"
        write, see = Action.NOTICE_WRITE, Action.NOTICE_REPORT
        return (
            AdminRoute(method="POST", path=all_, action=write, handle=self.add, takes_files=True),
            AdminRoute(method="GET", path=one, action=see, handle=self.show),
            AdminRoute(method="POST", path=one + "/remove", action=write, handle=self.remove),
        )

    async def add(self, call: AdminCall) -> AdminAnswer:
        """One picture; what is wrong with it is said on the notice's page."""
        own, upload = call.id("notice"), call.files.get(_FIELD)
        content = upload.content if upload else b""
        try:
            await self._pictures.add(call.actor, own, content)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return WayOn(f"{NOTICES}/{own}", fault.message if content else words.PICTURE_MISSING)
        return WayOn(f"{NOTICES}/{own}", words.PICTURE_ADDED)

    async def show(self, call: AdminCall) -> AdminAnswer:
        """The picture itself."""
        found = await self._pictures.shown(call.actor, call.id("notice"), call.id("picture"))
        return Download(_NAME, found.content, found.media_type)

    async def remove(self, call: AdminCall) -> AdminAnswer:
        """Taken off the draft."""
        own = call.id("notice")
        await self._pictures.remove(call.actor, own, call.id("picture"))
        return WayOn(f"{NOTICES}/{own}", words.PICTURE_REMOVED)
