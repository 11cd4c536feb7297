"""The faults the product knows by name.

A case is a class; every class descends from one of the kinds below. The edges (chat, API, console) translate kinds into
a sentence, a status or a page, each in one table of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AppError(Exception):
    """A fault with a name. `message` is for the person it concerns; `details` holds plain values for programs."""

    code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "暂时办不了，请稍后再试。"

    def __init__(self, message: str | None = None, *, details: Mapping[str, object] | None = None) -> None:
        self.message = message or self.default_message
        self.details: dict[str, object] = dict(details or {})
        # Who was refused what (`bot.rights.Denial`), for the edge to write down once the transaction is gone.
        self.denial: object | None = None
        super().__init__(self.message)


class NotFound(AppError):
    """Not there, or not the asker's to see: both give the same answer."""

    code = "not_found"
    default_message = "没有找到，请核对后再试。"


class NotAuthenticated(AppError):
    """Nobody knows who is asking."""

    code = "not_authenticated"
    default_message = "请先登录，再试一次。"


class NotPermitted(AppError):
    """The asker is known and may not do this."""

    code = "not_permitted"
    default_message = "您没有这项权限，需要的话请联系学校管理员。"


class Conflict(AppError):
    """The present state does not allow it, or somebody else was first."""

    code = "conflict"
    default_message = "情况已经变了，请刷新后再试。"


class Unreadable(AppError):
    """What was sent is not in the form it should have; nothing of it was looked at."""

    code = "unreadable"
    default_message = "发来的内容读不懂，请检查格式后再试。"


class InvalidInput(AppError):
    """What was sent was understood and breaks a rule; `details` names the fields."""

    code = "invalid_input"
    default_message = "填写的内容不对，请改正后再试。"


class LimitReached(AppError):
    """Too much, too often, or nothing left to hand out."""

    code = "limit_reached"
    default_message = "操作太频繁了，请过一会儿再试。"


class ExternalError(AppError):
    """Another system (WeChat, for one) refused or failed."""

    code = "external_error"
    default_message = "微信那边暂时没有回应，请稍后再试。"


class Unavailable(AppError):
    """Something this program needs (database, Redis, knowledge) is away for now; the same request may work later."""

    code = "unavailable"
    default_message = "系统正忙，请稍后再试。"
