"""What is taken out of the contact with families: for what, released by whom, for how long. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

KEPT: Final = timedelta(days=7)
"""So long a request waits, and so long a file can be had once it is made."""
SHOWN: Final = timedelta(hours=1)
"""So long a child's file stays open to be printed."""
LEAST_PURPOSE: Final = 4
LONGEST_PURPOSE: Final = 200
# Neither 0 and O nor 1, I and l: it is copied from a screen by hand.
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_GROUPS: Final = 4
_LONG: Final = 4


class TakenFor(StrEnum):
    """For what something is taken out."""

    INSPECTION = "inspection"
    MEETING = "meeting"
    HANDOVER = "handover"
    AUTHORITY = "authority"
    OTHER = "other"


class ExportState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    RELEASED = "released"
    REFUSED = "refused"
    MADE = "made"


class ExportEvent(StrEnum):
    """What happens to it."""

    RELEASE = "release"
    REFUSE = "refuse"
    MAKE = "make"


_S, _E = ExportState, ExportEvent
_MOVES: Final = {
    (_S.WAITING, _E.RELEASE): _S.RELEASED,
    (_S.WAITING, _E.REFUSE): _S.REFUSED,
    (_S.RELEASED, _E.MAKE): _S.MADE,
}


class PurposeMissing(InvalidInput):
    """Nothing is taken out without saying for what."""

    code = "contacts_purpose_missing"
    default_message = f"请选用途，并写清给谁、做什么用（{LEAST_PURPOSE}到{LONGEST_PURPOSE}个字），再办。"


class ScopeMissing(InvalidInput):
    """Neither a school nor a class was chosen."""

    code = "contacts_export_scope_missing"
    default_message = "请选要导出的学校或班级，再提交。"


class ExportNotReady(Conflict):
    """It cannot be done now: it is decided already, made already, or not released."""

    code = "contacts_export_not_ready"
    default_message = "这份导出现在办不了这一步，请刷新看它办到了哪里。"


class ExportOver(Conflict):
    """Its time is over."""

    code = "contacts_export_over"
    default_message = "这份导出已经过期。还需要的话，请重新申请。"


class ExportOwn(Conflict):
    """Whoever asks for it does not release it."""

    code = "contacts_export_own"
    default_message = "自己申请的导出要由别人批准，请校领导或乡镇办理。"


class NothingToExport(Conflict):
    """There is nobody on the register there."""

    code = "contacts_export_empty"
    default_message = "这个范围里没有要导出的内容，请换一个范围再申请。"


def advance(state: ExportState, event: ExportEvent) -> ExportState:
    """The state after it. Raises ExportNotReady."""
    if (state, event) not in _MOVES:
        raise ExportNotReady
    return _MOVES[state, event]


def is_over(state: ExportState, expires_at: datetime, now: datetime) -> bool:
    """Whether nothing can be done with it any more."""
    return state is ExportState.REFUSED or expires_at <= now


def checked_purpose(words: str) -> str:
    """In one line. Raises PurposeMissing."""
    said = " ".join(words.split())
    if not LEAST_PURPOSE <= len(said) <= LONGEST_PURPOSE:
        raise PurposeMissing
    return said


def new_password(below: Callable[[int], int]) -> str:
    """Four groups of four, 79 bits. `below(n)`: a number chance gives, from 0 to n - 1."""
    letters = [_ALPHABET[below(len(_ALPHABET))] for _ in range(_GROUPS * _LONG)]
    return "-".join("".join(letters[start : start + _LONG]) for start in range(0, len(letters), _LONG))
