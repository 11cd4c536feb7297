"""The calls we make to the API of the 服务号, over one shared transport. How a call goes: `bot.wechat.calls`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.wechat.calls import STABLE_TOKEN, Account, PlatformClient
from bot.wechat.errcodes import message_id
from bot.wechat.errors import DuplicateMessage, MenuMissing, OutcomeUnknown, TypingRefused
from bot.wechat.outgoing import MassJob, MassMessage, MassStatus, OpenIds, Quota, SubscriptionNotice, TemplateMessage
from bot.wechat.replies import fit_text

__all__ = [
    "CUSTOM_SEND",
    "CUSTOM_TYPING",
    "MASS_GET",
    "MASS_SEND",
    "MASS_SEND_ALL",
    "MEDIA_GET",
    "MENU_CREATE",
    "MENU_DELETE",
    "MENU_GET",
    "QR_CREATE",
    "QUOTA_GET",
    "STABLE_TOKEN",
    "SUBSCRIPTION_NOTICE_SEND",
    "TEMPLATE_SEND",
    "USER_INFO",
    "Account",
    "MenuOption",
    "QrCode",
    "UserInfo",
    "WeChatClient",
]

CUSTOM_SEND: Final = "/cgi-bin/message/custom/send"
CUSTOM_TYPING: Final = "/cgi-bin/message/custom/typing"
MENU_CREATE: Final = "/cgi-bin/menu/create"
MENU_GET: Final = "/cgi-bin/menu/get"
MENU_DELETE: Final = "/cgi-bin/menu/delete"
MEDIA_GET: Final = "/cgi-bin/media/get"
USER_INFO: Final = "/cgi-bin/user/info"
QR_CREATE: Final = "/cgi-bin/qrcode/create"
TEMPLATE_SEND: Final = "/cgi-bin/message/template/send"
SUBSCRIPTION_NOTICE_SEND: Final = "/cgi-bin/message/subscribe/bizsend"
MASS_SEND: Final = "/cgi-bin/message/mass/send"
MASS_SEND_ALL: Final = "/cgi-bin/message/mass/sendall"
MASS_GET: Final = "/cgi-bin/message/mass/get"
QUOTA_GET: Final = "/cgi-bin/openapi/quota/get"
LONGEST_QR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MenuOption:
    """One line of a menu message; a tap comes back as a TextMessage with `id` as its `menu_item_id`."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class UserInfo:
    """What the platform tells of a user. Only a follower has more than an openid."""

    openid: str = field(repr=False)
    is_following: bool
    unionid: str | None = field(repr=False)
    followed_at: datetime | None
    follow_scene: str | None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A parametric QR code. `url` is what it holds, to be drawn by ourselves; `ticket` fetches WeChat's own picture."""

    ticket: str = field(repr=False)
    url: str = field(repr=False)


class WeChatClient(PlatformClient):
    """The Official Account's API. Every method raises WeChatError."""

    async def send_text(self, openid: str, text: str) -> None:
        """A customer-service text, shortened to what WeChat takes. WindowClosed, AllowanceUsedUp among others."""
        await self._send({"touser": openid, "msgtype": "text", "text": {"content": fit_text(text)}})

    async def send_msgmenu(self, openid: str, head: str, options: Sequence[MenuOption], tail: str = "") -> None:
        """A customer-service message with lines to tap."""
        rows = [{"id": option.id, "content": option.content} for option in options]
        menu = {"head_content": head, "list": rows, "tail_content": tail}
        await self._send({"touser": openid, "msgtype": "msgmenu", "msgmenu": menu})

    async def show_typing(self, openid: str, *, on: bool = True) -> bool:
        """Shows or takes away "typing…". False when the platform would not, which harms nobody."""
        command = "Typing" if on else "CancelTyping"
        try:
            await self._post(CUSTOM_TYPING, {"touser": openid, "command": command})
        except TypingRefused:
            return False
        return True

    async def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Replaces the account's menu by `{"button": […]}`. InvalidMenu when it breaks a rule."""
        await self._post(MENU_CREATE, menu)

    async def get_menu(self) -> dict[str, Any] | None:
        """The menu as `create_menu` takes it, None when there is none."""
        try:
            answer = await self._read("GET", MENU_GET)
        except MenuMissing:
            return None
        menu = answer.get("menu")
        return menu if isinstance(menu, dict) else None

    async def delete_menu(self) -> None:
        """Takes the menu away; so does a second call."""
        await self._read("GET", MENU_DELETE)

    async def user_info(self, openid: str) -> UserInfo:
        """What the platform knows of `openid`. RecipientUnknown when it is not of this account."""
        answer = await self._read("GET", USER_INFO, {"openid": openid, "lang": "zh_CN"})
        since = answer.get("subscribe_time")
        return UserInfo(
            openid=str(answer.get("openid", openid)),
            is_following=str(answer.get("subscribe")) == "1",
            unionid=answer.get("unionid") or None,
            followed_at=datetime.fromtimestamp(since, UTC) if isinstance(since, int) and since > 0 else None,
            follow_scene=answer.get("subscribe_scene") or None,
        )

    async def media(self, media_id: str, most: int) -> bytes:
        """A file that somebody sent into the chat, of at most `most` bytes; it is there for three days. What it holds
        is theirs to say: nothing here has looked. MediaUnknown, MediaTooLarge among others."""
        return await self._file(MEDIA_GET, {"media_id": media_id}, most)

    async def create_qr_code(self, scene: str, life: timedelta) -> QrCode:
        """A temporary code: who scans it comes with `scene` (1 to 64 characters, visible to anybody), at most thirty
        days long."""
        seconds = int(min(life, LONGEST_QR).total_seconds())
        body = {
            "expire_seconds": max(seconds, 1),
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        answer = await self._post(QR_CREATE, body)
        ticket, url = answer.get("ticket"), answer.get("url")
        if not isinstance(ticket, str) or not isinstance(url, str) or not ticket or not url:
            raise OutcomeUnknown(QR_CREATE, note="no ticket in the answer")
        return QrCode(ticket, url)

    async def send_template(self, openid: str, message: TemplateMessage) -> str:
        """A template message to a follower; its id, under which TEMPLATESENDJOBFINISH will speak of it.

        DuplicateMessage and UnderReview mean that it is or will be sent (Reaction.TREAT_AS_SENT).
        """
        answer = await self._post(TEMPLATE_SEND, message.body(openid))
        if (sent := message_id(answer, "msgid")) is None:
            raise OutcomeUnknown(TEMPLATE_SEND, note="no msgid in the answer")
        return sent

    async def send_subscription_notice(self, openid: str, notice: SubscriptionNotice) -> None:
        """A 订阅通知, to anybody who has accepted its template. RecipientRefused when no consent is left."""
        await self._post(SUBSCRIPTION_NOTICE_SEND, notice.body(openid))

    async def mass_send(self, message: MassMessage) -> MassJob:
        """A text to many at once; what became of it comes with MASSSENDJOBFINISH. MassQuotaUsedUp, RateExceeded.

        Under a `clientmsgid` the platform knows, it is the job of the first time.
        """
        api = MASS_SEND if isinstance(message.audience, OpenIds) else MASS_SEND_ALL
        try:
            answer = await self._post(api, message.body())
        except DuplicateMessage as known:
            if known.message_id is None:
                raise
            return MassJob(known.message_id, is_repeat=True)
        if (sent := message_id(answer, "msg_id")) is None:
            raise OutcomeUnknown(api, note="no msg_id in the answer")
        return MassJob(sent)

    async def mass_get(self, sent: str) -> MassStatus:
        """How far the mass message with this id is."""
        answer = await self._read("POST", MASS_GET, body={"msg_id": sent})
        try:
            return MassStatus(str(answer.get("msg_status", "")))
        except ValueError:
            return MassStatus.OTHER

    async def quota(self, api: str) -> Quota:
        """What is left today of an API's calls, by its path. Floats on the real platform, so ask now and then."""
        answer = await self._read("POST", QUOTA_GET, body={"cgi_path": api})
        day, rate = answer.get("quota"), answer.get("rate_limit")
        if not isinstance(day, dict):
            raise OutcomeUnknown(QUOTA_GET, note="no quota in the answer")
        figures = [day.get(name) for name in ("daily_limit", "used", "remain")]
        limit, used, remain = (figure if isinstance(figure, int) else 0 for figure in figures)
        return Quota(limit, used, remain, _a_minute(rate))

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._post(CUSTOM_SEND, message)


def _a_minute(rate: object) -> int | None:
    if not isinstance(rate, dict):
        return None
    calls, seconds = rate.get("call_count"), rate.get("refresh_second")
    if not isinstance(calls, int) or not isinstance(seconds, int) or calls <= 0 or seconds <= 0:
        return None
    return max(1, calls * 60 // seconds)
