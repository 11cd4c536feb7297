"""The page a family reads, opened by the link in their message: large letters, one button, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import Page
from bot.web.public import Elsewhere, Image, Point, PublicAnswer, PublicCall, PublicRoute
from handlers.notices import texts
from handlers.notices.admin import words
from handlers.notices.admin.changes import changes
from handlers.notices.domain import LONGEST_ANSWER, AnswerInvalid, Link, Who
from handlers.notices.service.pictures import NoticePictures
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.views import OwnNotice
from handlers.notices.service.wording import moment

_ADDRESS: Final = "/n"
_PATH: Final = _ADDRESS + "/{ticket}"
_SEEN: Final = "/seen.gif"
_PICTURE: Final = "/pictures/{picture}"
_PICTURES: Final = (".jpg", ".jpeg", ".png", ".gif", ".webp")


class ReadingPages:
    """The handlers."""

    def __init__(self, reading: NoticeReading, pictures: NoticePictures) -> None:
        self._reading = reading
        self._pictures = pictures

    def routes(self) -> tuple[PublicRoute, ...]:
        """All of them."""
        return (
            PublicRoute(method="GET", path=_PATH, action=Action.NOTICE_OPEN, handle=self.read),
            PublicRoute(method="GET", path=_PATH + _SEEN, action=Action.NOTICE_OPEN, handle=self.seen),
            PublicRoute(method="GET", path=_PATH + _PICTURE, action=Action.NOTICE_OPEN, handle=self.picture),
            PublicRoute(method="POST", path=_PATH, action=Action.NOTICE_OPEN, handle=self.confirm),
        )

    async def read(self, call: PublicCall) -> PublicAnswer:
        """The notice. Asking for it does not count as opening: links are looked at by machines too."""
        return self._page(call, await self._reading.by_ticket(call.path["ticket"]))

    async def seen(self, call: PublicCall) -> PublicAnswer:
        """The page was shown to somebody: that is written down."""
        if not call.is_ahead:
            await self._reading.opened(call.path["ticket"])
        return Point()

    async def picture(self, call: PublicCall) -> PublicAnswer:
        """One of its pictures."""
        found = await self._pictures.by_ticket(call.path["ticket"], call.path["picture"])
        return Image(found.content, found.media_type)

    async def confirm(self, call: PublicCall) -> PublicAnswer:
        """The button, or the form: done once, however often it is sent."""
        ticket = call.path["ticket"]
        notice = await self._reading.by_ticket(ticket)
        answers = {each.key: call.form.get(each.key, "").strip() for each in notice.questions}
        try:
            await self._reading.confirm_by_ticket(ticket, {key: said for key, said in answers.items() if said})
        except AnswerInvalid as fault:
            return self._page(call, notice, given=answers, fault=fault)
        return Elsewhere(f"{_ADDRESS}/{ticket}")

    def _page(
        self,
        call: PublicCall,
        notice: OwnNotice,
        *,
        given: Mapping[str, str] | None = None,
        fault: AppError | None = None,
    ) -> Page:
        is_asked = notice.is_open and notice.confirmation in words.READ_BUTTON
        # Somebody else of the family has answered: nothing is left to do.
        is_settled = bool(notice.children) and notice.who is not Who.EACH and all(c.is_done for c in notice.children)
        values: dict[str, Any] = {
            "notice": notice,
            "names": texts.COMMA.join(given_name(child.name) for child in notice.children),
            "said_at": moment(notice.sent_at) if notice.sent_at else "",
            "deadline": moment(notice.deadline) if notice.deadline else "",
            "changes": changes(notice.before, notice.text) if notice.before else (),
            "pictures": notice.pictures,
            "links": [_shown(link) for link in notice.links],
            "asks": is_asked and not notice.is_confirmed and not is_settled,
            "can_change": is_asked and notice.is_confirmed and bool(notice.questions),
            "done": _done(notice, is_settled=is_settled),
            "button": words.READ_BUTTON.get(notice.confirmation, ""),
            "foot": words.READ_FOOT,
            "address": f"{_ADDRESS}/{call.path['ticket']}",
            "seen": f"{_ADDRESS}/{call.path['ticket']}{_SEEN}",
            "given": dict(given or notice.answers),
            "fault": fault.message if fault else "",
            "faulty": fault.details.get("question", "") if fault else "",
            "longest": LONGEST_ANSWER,
        }
        return Page("notices/reading.html", values, 422 if fault else 200)


def given_name(name: str) -> str:
    """A name as it is called at home. Whoever is passed the address does not learn the whole of it."""
    name = name.partition("·")[0]
    return name[-2:] if len(name) > 2 else name[-1:]


def _done(notice: OwnNotice, *, is_settled: bool) -> str:
    if notice.is_confirmed:
        return words.READ_DONE[notice.confirmation]
    return words.READ_SETTLED if is_settled and notice.confirmation in words.READ_BUTTON else ""


def _shown(link: Link) -> dict[str, object]:
    path = link.url.partition("?")[0].lower()
    return {"title": link.title, "url": link.url, "is_picture": path.endswith(_PICTURES)}
