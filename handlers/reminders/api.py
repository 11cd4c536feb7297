"""The API's way to one's own reminders."""

from __future__ import annotations

from typing import cast

from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.reminders.domain import DayUnclear, TextInvalid
from handlers.reminders.schemas import ReminderGone, ReminderIn, ReminderOut, RemindersOut
from handlers.reminders.service.own import Asker, OwnReminders, OwnView

_TAGS = ("reminders",)


class RemindersApi:
    """The handlers, over the service."""

    def __init__(self, own: OwnReminders) -> None:
        self._own = own

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        mine = Action.REMINDER_OWN
        return (
            ApiRoute(
                method="GET", path="/reminders", summary="我的提醒",
                response=RemindersOut, action=mine, errors=(503,), handle=self.list_own, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/reminders", summary="记一条提醒",
                request=ReminderIn, response=ReminderOut, status=201, action=mine, errors=(409, 422, 503),
                handle=self.set, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="DELETE", path="/reminders/{id}", summary="取消一条提醒",
                response=ReminderGone, action=mine, errors=(404, 503), handle=self.cancel, tags=_TAGS,
            ),
        )  # fmt: skip

    async def list_own(self, call: ApiCall) -> RemindersOut:
        """Of the caller."""
        return RemindersOut(items=[_out(row) for row in await self._own.list_of(call.actor)])

    async def set(self, call: ApiCall) -> ReminderOut:
        """The same once more is the same one."""
        body, asker = cast("ReminderIn", call.body), Asker(call.actor)
        if body.article is not None:
            return _out(await self._own.set_for_article(asker, body.article, body.event))
        if body.day is None:
            raise DayUnclear
        if body.text is None:
            raise TextInvalid
        return _out(await self._own.set_words(asker, body.day, body.text))

    async def cancel(self, call: ApiCall) -> ReminderGone:
        """Only the caller's own."""
        return ReminderGone(id=(await self._own.cancel(call.actor, call.id("id"))).id)


def _out(view: OwnView) -> ReminderOut:
    return ReminderOut(id=view.id, day=view.day.isoformat(), text=view.text, article=view.article)
