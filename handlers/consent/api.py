"""The API's way to consent, to a child's data, and to erasure."""

from __future__ import annotations

from typing import cast

from bot.clock import to_local
from bot.rights import Action
from bot.web.api import ApiCall, ApiRoute
from handlers.consent import texts
from handlers.consent.domain.decisions import Decision
from handlers.consent.schemas import (
    ChildDataOut,
    ConsentIn,
    ConsentOut,
    ErasureIn,
    ErasureOut,
    FieldOut,
    FileOut,
    NoticeOut,
    NoticeSectionOut,
    SectionOut,
)
from handlers.consent.service.consents import ConsentService, ConsentView
from handlers.consent.service.download import ChildData, DownloadService, as_page, file_name
from handlers.consent.service.erasure import ErasureService

CHANNEL = "api"
_TAGS = ("children",)


class ConsentApi:
    """The handlers, over the services."""

    def __init__(self, consents: ConsentService, downloads: DownloadService, erasure: ErasureService) -> None:
        self._consents = consents
        self._downloads = downloads
        self._erasure = erasure

    def routes(self) -> tuple[ApiRoute, ...]:
        """All of them."""
        return (
            ApiRoute(
                method="GET", path="/notices/children-data", summary="儿童个人信息告知书",
                response=NoticeOut, action=Action.CHAT_USE, handle=self.notice, tags=_TAGS, before_privacy=True,
            ),
            ApiRoute(
                method="GET", path="/children/{id}/consent", summary="孩子的信息授权现在怎样",
                response=ConsentOut, action=Action.CHILD_VIEW, errors=(404, 503), handle=self.state, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/children/{id}/consent", summary="同意、不同意或撤回",
                request=ConsentIn, response=ConsentOut, action=Action.CONSENT_DECIDE, errors=(404, 409, 503),
                handle=self.decide, tags=_TAGS, key_required=False,
            ),
            ApiRoute(
                method="GET", path="/children/{id}/data", summary="孩子的资料",
                response=ChildDataOut, action=Action.CHILD_DOWNLOAD, errors=(404, 503), handle=self.data, tags=_TAGS,
            ),
            ApiRoute(
                method="POST", path="/children/{id}/erasure", summary="删除靠同意保存的内容",
                request=ErasureIn, response=ErasureOut, action=Action.CHILD_ERASE, errors=(404, 409, 503),
                handle=self.erase, tags=_TAGS, key_required=False,
            ),
        )  # fmt: skip

    async def notice(self, call: ApiCall) -> NoticeOut:
        """The version in force."""
        notice = self._consents.notice
        return NoticeOut(
            version=notice.version,
            title=notice.title,
            sections=[NoticeSectionOut(title=title, text=text) for title, text in notice.sections],
            short=notice.short,
            officer=notice.officer,
            officer_phone=notice.officer_phone,
            complaint=notice.complaint,
        )

    async def state(self, call: ApiCall) -> ConsentOut:
        """For one of the caller's children."""
        return _state(await self._consents.state_of(call.actor, call.id("id")))

    async def decide(self, call: ApiCall) -> ConsentOut:
        """Takes the decision down."""
        body = cast("ConsentIn", call.body)
        decision = Decision(body.decision)
        return _state(await self._consents.decide(call.actor, call.id("id"), decision, body.version, CHANNEL))

    async def data(self, call: ApiCall) -> ChildDataOut:
        """With `?file=html` as a file to be kept, too."""
        data = await self._downloads.download(call.actor, call.id("id"))
        return _data(data, as_file=call.query.get("file") == "html")

    async def erase(self, call: ApiCall) -> ErasureOut:
        """Shows the effect; erases when it is confirmed."""
        body = cast("ErasureIn", call.body)
        erase = self._erasure.erase if body.confirm else self._erasure.preview
        effect = await erase(call.actor, call.id("id"))
        message = texts.ERASED if effect.is_done else texts.ERASURE_PREVIEW
        return ErasureOut(done=effect.is_done, gone=list(effect.gone), kept=list(effect.kept), message=message)


def _state(view: ConsentView) -> ConsentOut:
    message = texts.STANDINGS[view.standing] + texts.STOP
    return ConsentOut(
        child_id=view.child_id,
        standing=view.standing.value,
        needs_answer=view.needs_answer,
        own_decision=view.own.value if view.own else None,
        own_version=view.own_version,
        own_at=to_local(view.own_at).isoformat(timespec="seconds") if view.own_at else None,
        stopped_by_another=view.stopped_by_another,
        notice_version=view.notice_version,
        message=message + (texts.BY_ANOTHER if view.stopped_by_another else ""),
    )


def _data(data: ChildData, *, as_file: bool) -> ChildDataOut:
    sections = [
        SectionOut(
            title=section.title,
            records=[[FieldOut(label=label, value=value) for label, value in record] for record in section.records],
        )
        for section in data.sections
    ]
    file = FileOut(name=file_name(data), content_type="text/html; charset=utf-8", content=as_page(data))
    return ChildDataOut(
        child_id=data.child_id,
        made_at=data.made_at.isoformat(timespec="seconds"),
        sentence=data.sentence,
        sections=sections,
        file=file if as_file else None,
    )
