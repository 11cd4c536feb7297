"""The mini-program's side of WeChat's API: logging in, the confirmed phone number, 订阅消息."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from bot.errors import Unavailable
from bot.wechat.calls import REPEAT_AFTER_S, PlatformClient
from bot.wechat.errcodes import message_id
from bot.wechat.errors import OutcomeUnknown, SystemBusy, WeChatUnreachable
from bot.wechat.outgoing import SubscriptionMessage

LOG_IN: Final = "/sns/jscode2session"
PHONE_NUMBER: Final = "/wxa/business/getuserphonenumber"
SUBSCRIPTION_SEND: Final = "/cgi-bin/message/subscribe/send"


class MiniProgramMissing(Unavailable):
    """There is no mini-program: `[miniprogram] app_id` is empty."""

    code = "mini_program_missing"
    default_message = "小程序还没有开通，请先在服务号里办理。"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who stands behind a login code. `unionid` is None where the accounts are not bound to one open platform."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)


class MiniProgramClient(Protocol):
    """What the product asks of the mini-program's API."""

    async def log_in(self, code: str) -> LoggedIn:
        """Who stands behind what wx.login gave. Raises the named errors of `bot.wechat.errors`: LoginCodeInvalid,
        LoginRefused, RateExceeded among others."""
        ...

    async def phone_number(self, code: str) -> str:
        """The number WeChat confirmed, without country code. Raises the named errors of `bot.wechat.errors`."""
        ...

    async def send_subscription(self, openid: str, message: SubscriptionMessage) -> str | None:
        """A 订阅消息, to a user who has accepted its template; the platform's id of it where it tells one. Raises the
        named errors of `bot.wechat.errors`: RecipientRefused when no consent is left, InvalidCall (47003) for a value
        that breaks its type."""
        ...


class MiniProgramApi(PlatformClient):
    """The mini-program's API, with an access token of its own."""

    async def log_in(self, code: str) -> LoggedIn:
        """See `MiniProgramClient`. What did not reach the platform is repeated once; a code works only once."""
        query = {
            "appid": self._account.app_id,
            "secret": self._account.secret.get_secret_value(),
            "js_code": code,
            "grant_type": "authorization_code",
        }
        try:
            answer = await self._call("GET", LOG_IN, query, None)
        except (SystemBusy, WeChatUnreachable):
            await self._pause(random.uniform(*REPEAT_AFTER_S))  # noqa: S311 - spreads load, guards nothing
            answer = await self._call("GET", LOG_IN, query, None)
        openid = answer.get("openid")
        if not isinstance(openid, str) or not openid:
            raise OutcomeUnknown(LOG_IN, note="no openid in the answer")
        # The session key is the platform's secret between it and the client: nothing here needs it, so it is not kept.
        unionid = answer.get("unionid")
        return LoggedIn(openid, unionid if isinstance(unionid, str) and unionid else None)

    async def phone_number(self, code: str) -> str:
        """See `MiniProgramClient`."""
        answer: dict[str, Any] = await self._post(PHONE_NUMBER, {"code": code})
        told = answer.get("phone_info")
        number = told.get("purePhoneNumber") if isinstance(told, dict) else None
        if not isinstance(number, str) or not number:
            raise OutcomeUnknown(PHONE_NUMBER, note="no number in the answer")
        return number

    async def send_subscription(self, openid: str, message: SubscriptionMessage) -> str | None:
        """See `MiniProgramClient`."""
        return message_id(await self._post(SUBSCRIPTION_SEND, message.body(openid)), "msgid")


class NoMiniProgram:
    """Where there is no mini-program."""

    async def log_in(self, code: str) -> LoggedIn:
        """Raises MiniProgramMissing."""
        raise MiniProgramMissing

    async def phone_number(self, code: str) -> str:
        """Raises MiniProgramMissing."""
        raise MiniProgramMissing

    async def send_subscription(self, openid: str, message: SubscriptionMessage) -> str | None:
        """Raises MiniProgramMissing."""
        raise MiniProgramMissing
