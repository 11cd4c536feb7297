"""Which named error stands behind an errcode of the platform."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.wechat import errors
from bot.wechat.errors import AddressNotAllowed, DuplicateMessage, UnknownWeChatError, WeChatError

_RID: Final = re.compile(r"\brid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b")
_IP_ADDRESS: Final = re.compile(r"\binvalid ip ([0-9A-Fa-f.:]+)")

_MEDIA: Final = (40004, 40005, 40006)
_ARGUMENTS: Final = (40008, 40032, 40033, 40035, 40039, 40048, 40052, 40053, 40097, 40129, 40130, 40250)
_MISSING: Final = (41005, 41006, 41008, 41009, 41030, 43001, 43002, 43003, 44001, 44002, 44003, 44004)
_OTHERS: Final = (45067, 45072, 45083, 45084, 47001, 47003, 76001, 76002, 76003, 76004, 76021, 76022, 87009)
_TAGS: Final = (45056, 45057, 45058, 45059, 45157, 45158, 45159)
CODES: Final[Mapping[type[WeChatError], tuple[int, ...]]] = {
    errors.SystemBusy: (-1, -1000),
    errors.TokenExpired: (40001, 40014, 42001),
    errors.TokenMissing: (41001,),
    errors.BadCredentials: (40002, 40013, 40125, 41002, 41004),
    errors.AddressNotAllowed: (40164,),
    errors.SecretFrozen: (40243,),
    errors.AccountLimited: (40251, *range(50001, 50008)),
    errors.NotGranted: (45109, 48001, 48003, 48004, 48008, 61024),
    errors.QuotaExceeded: (45009, 45029),
    errors.MassQuotaUsedUp: (45028,),
    errors.RateExceeded: (45011, 45066),
    errors.ClearsUsedUp: (48006,),
    errors.RecipientUnknown: (40003, 46004, 49003),
    errors.RecipientNotFollowing: (43004,),
    errors.RecipientBlocked: (43019,),
    errors.RecipientRefused: (43101, 48002),
    errors.WindowClosed: (45015,),
    errors.AllowanceUsedUp: (45047,),
    errors.DuplicateMessage: (40241, 45065),
    errors.UnderReview: (40252,),
    errors.ContentRefused: (40249, 87014),
    errors.TemplateUnknown: (40037,),
    errors.TemplateBanned: (43116,),
    errors.TemplateNotAdded: (40102, 43106, 45026, 45027),
    errors.ContentTooLong: tuple(range(45001, 45009)),
    errors.MediaUnknown: (40007,),
    errors.InvalidMenu: (*range(40015, 40029), 40054, 40055, 45010, 45064, *range(65301, 65321)),
    errors.MenuMissing: (46003,),
    errors.TypingRefused: (45080, 45081),
    errors.LoginCodeInvalid: (40029, 40163, 42003, 42007, 61010),
    errors.LoginRefused: (40226,),
    errors.InvalidCall: (*_MEDIA, *_ARGUMENTS, *_MISSING, *_OTHERS, *_TAGS),
}
_ERRORS: Final = {code: error for error, codes in CODES.items() for code in codes}


def error_for(api: str, errcode: int, answer: Mapping[str, Any]) -> WeChatError:
    """The named error of an answer with `errcode` not 0.

    Of its `errmsg` only the request id and the address are read; of the rest, the id of a message taken before.
    """
    errmsg = str(answer.get("errmsg", ""))
    rid = _RID.search(errmsg)
    error = _ERRORS.get(errcode, UnknownWeChatError)(
        api, errcode=errcode, rid=rid and rid[1], note=_platform_name(errcode)
    )
    if isinstance(error, AddressNotAllowed) and (address := _IP_ADDRESS.search(errmsg)):
        error.address = address[1]
    if isinstance(error, DuplicateMessage):
        error.message_id = message_id(answer, "msg_id") or message_id(answer, "msgid")
    return error


def message_id(answer: Mapping[str, Any], name: str) -> str | None:
    """The id of a message in an answer: a number there, a string here; None when there is none."""
    told = answer.get(name)
    return (
        str(told) if isinstance(told, int | str) and not isinstance(told, bool) and str(told) not in {"", "0"} else None
    )


def _platform_name(errcode: int) -> str:
    # Imported with the first refusal: with it comes a client nobody here uses.
    from wechatpy.constants import WeChatErrorCode

    try:
        return str(WeChatErrorCode(errcode).name)
    except ValueError:
        return ""
