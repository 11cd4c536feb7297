"""What WeChat tells of the mini-program's user: who logs in, and which phone number is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import ExternalError, InvalidInput, LimitReached, NotAuthenticated, NotPermitted
from bot.identity import Actor
from bot.storage.database import transaction
from bot.wechat.errors import LoginCodeInvalid, LoginRefused, RateExceeded, WeChatError
from bot.wechat.miniprogram import LoggedIn, MiniProgramClient
from handlers.accounts.domain import Account
from handlers.accounts.service.sessions import Opened, SessionService
from handlers.accounts.service.wechat_ids import IdentityService


class LoginFailed(NotAuthenticated):
    """The code is none, too old, or was used."""

    code = "login_failed"
    default_message = "登录没有成功，请重新打开小程序再试。"


class LoginBlocked(NotPermitted):
    """WeChat considers the user a risk."""

    code = "login_blocked"
    default_message = "微信暂时不允许这个账号登录，请换个时间再试，或到学校办理。"


class LoginTooOften(LimitReached):
    """WeChat's own limit for one user or one account."""

    code = "login_too_often"
    default_message = "登录太频繁了，请过一分钟再试。"


class PhoneCodeInvalid(InvalidInput):
    """The code for the phone number is none, too old, or was used."""

    code = "phone_code_invalid"
    default_message = "手机号授权已经失效，请再点一次授权按钮。"


@dataclass(frozen=True, slots=True)
class LoggedInUser:
    """A new session and its owner."""

    session: Opened
    actor: Actor


class LoginService:
    """Asks WeChat, then acts: never a call inside a transaction."""

    def __init__(
        self, miniprogram: Callable[[], MiniProgramClient], identities: IdentityService, sessions: SessionService
    ) -> None:
        self._miniprogram = miniprogram
        self._identities = identities
        self._sessions = sessions

    async def log_in(self, code: str, *, device: str = "") -> LoggedInUser:
        """A session for whoever stands behind what wx.login gave.

        Raises LoginFailed, LoginBlocked, LoginTooOften, ExternalError, MiniProgramMissing.
        """
        told = await self._who(code)
        async with transaction():
            identity = await self._identities.introduce(Account.MINI_PROGRAM, told.openid, told.unionid)
            session = await self._sessions.open_api(identity.id, device=device)
        return LoggedInUser(session, await self._sessions.authenticate(session.secret))

    async def confirmed_phone(self, code: str) -> str:
        """The number WeChat has confirmed.

        Raises PhoneCodeInvalid, LoginTooOften, ExternalError, MiniProgramMissing.
        """
        try:
            return await self._miniprogram().phone_number(code)
        except LoginCodeInvalid:
            raise PhoneCodeInvalid from None
        except RateExceeded:
            raise LoginTooOften from None
        except WeChatError as error:
            raise ExternalError from error

    async def _who(self, code: str) -> LoggedIn:
        try:
            return await self._miniprogram().log_in(code)
        except LoginCodeInvalid:
            raise LoginFailed from None
        except LoginRefused:
            raise LoginBlocked from None
        except RateExceeded:
            raise LoginTooOften from None
        except WeChatError as error:
            raise ExternalError from error
