"""A call of the emulated API, and what is known of its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from bot.emulator.media import File
from bot.emulator.platform import Account, Platform

Answer: TypeAlias = dict[str, Any]


class Kind(StrEnum):
    """The two kinds of accounts."""

    SERVICE_ACCOUNT = "service_account"
    MINI_PROGRAM = "mini_program"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has got past the token, the quota and the reading of its body. `job_fails`: its message is not to
    arrive."""

    platform: Platform
    account: Account
    query: Mapping[str, str]
    body: Mapping[str, Any]
    job_fails: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: its method, its call, whether it is opened by a token or by AppID and secret, and to which `kind` of
    account it is granted; None: to both."""

    path: str
    method: str
    run: Callable[[Call], Answer | File]
    by_token: bool = True
    wants_grant: str | None = None
    answers_errcode: bool = False
    kind: Kind | None = None


def kind_of(account: Account) -> Kind:
    """Only a 服务号 has an original id."""
    return Kind.SERVICE_ACCOUNT if account.keys.original_id else Kind.MINI_PROGRAM
