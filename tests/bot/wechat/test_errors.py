"""errcodes and what to do about them, against wechat-contract.md §3.3, §4.2, §4.4, §4.5, §5.1, §7.1."""

import pytest

from bot.errors import ExternalError
from bot.wechat import errors
from bot.wechat.errcodes import CODES, error_for
from bot.wechat.errors import AddressNotAllowed, DuplicateMessage, Reaction, UnknownWeChatError, WeChatError

API = "/cgi-bin/message/custom/send"


@pytest.mark.parametrize(
    ("errcode", "name", "reaction"),
    [
        (-1, "SystemBusy", Reaction.RETRY_LATER),
        (40001, "TokenExpired", Reaction.RENEW_TOKEN),
        (40014, "TokenExpired", Reaction.RENEW_TOKEN),
        (42001, "TokenExpired", Reaction.RENEW_TOKEN),
        (41001, "TokenMissing", Reaction.STOP_AND_ALERT),
        (40002, "BadCredentials", Reaction.STOP_AND_ALERT),
        (40013, "BadCredentials", Reaction.STOP_AND_ALERT),
        (40125, "BadCredentials", Reaction.STOP_AND_ALERT),
        (40164, "AddressNotAllowed", Reaction.STOP_AND_ALERT),
        (40243, "SecretFrozen", Reaction.STOP_AND_ALERT),
        (45009, "QuotaExceeded", Reaction.RETRY_NEXT_DAY),
        (45011, "RateExceeded", Reaction.RETRY_NEXT_MINUTE),
        (50002, "AccountLimited", Reaction.STOP_AND_ALERT),
        (50005, "AccountLimited", Reaction.STOP_AND_ALERT),
        (50007, "AccountLimited", Reaction.STOP_AND_ALERT),
        (61024, "NotGranted", Reaction.STOP_AND_ALERT),
        (48001, "NotGranted", Reaction.STOP_AND_ALERT),
        (48004, "NotGranted", Reaction.STOP_AND_ALERT),
        (40003, "RecipientUnknown", Reaction.DROP_RECIPIENT),
        (43004, "RecipientNotFollowing", Reaction.OTHER_CHANNEL),
        (43019, "RecipientBlocked", Reaction.OTHER_CHANNEL),
        (43101, "RecipientRefused", Reaction.OTHER_CHANNEL),
        (48002, "RecipientRefused", Reaction.OTHER_CHANNEL),
        (45015, "WindowClosed", Reaction.WINDOW_CLOSED),
        (45047, "AllowanceUsedUp", Reaction.WINDOW_CLOSED),
        (40037, "TemplateUnknown", Reaction.STOP_TEMPLATE),
        (43116, "TemplateBanned", Reaction.STOP_TEMPLATE),
        (40241, "DuplicateMessage", Reaction.TREAT_AS_SENT),
        (40249, "ContentRefused", Reaction.ASK_OPERATOR),
        (40250, "InvalidCall", Reaction.FIX_DATA),
        (40251, "AccountLimited", Reaction.STOP_AND_ALERT),
        (40252, "UnderReview", Reaction.TREAT_AS_SENT),
        (47001, "InvalidCall", Reaction.FIX_DATA),
        (47003, "InvalidCall", Reaction.FIX_DATA),
        (41030, "InvalidCall", Reaction.FIX_DATA),
        (45002, "ContentTooLong", Reaction.FIX_DATA),
        (45065, "DuplicateMessage", Reaction.TREAT_AS_SENT),
        (45072, "InvalidCall", Reaction.FIX_DATA),
        (45080, "TypingRefused", Reaction.TREAT_AS_SENT),
        (45081, "TypingRefused", Reaction.TREAT_AS_SENT),
        (45028, "MassQuotaUsedUp", Reaction.OTHER_CHANNEL),
        (45066, "RateExceeded", Reaction.RETRY_NEXT_MINUTE),
        (45067, "InvalidCall", Reaction.FIX_DATA),
        (45026, "TemplateNotAdded", Reaction.STOP_AND_ALERT),
        (40130, "InvalidCall", Reaction.FIX_DATA),
        (40102, "TemplateNotAdded", Reaction.STOP_AND_ALERT),
        (48003, "NotGranted", Reaction.STOP_AND_ALERT),
        (48008, "NotGranted", Reaction.STOP_AND_ALERT),
        (61010, "LoginCodeInvalid", Reaction.FIX_DATA),
        (65303, "InvalidMenu", Reaction.FIX_DATA),
        (45109, "NotGranted", Reaction.STOP_AND_ALERT),
        (40018, "InvalidMenu", Reaction.FIX_DATA),
        (46003, "MenuMissing", Reaction.FIX_DATA),
        (40007, "MediaUnknown", Reaction.FIX_DATA),
        (40029, "LoginCodeInvalid", Reaction.FIX_DATA),
        (40163, "LoginCodeInvalid", Reaction.FIX_DATA),
        (40226, "LoginRefused", Reaction.DROP_RECIPIENT),
        (48006, "ClearsUsedUp", Reaction.STOP_AND_ALERT),
    ],
)
def test_errcode_has_its_name_and_reaction(errcode: int, name: str, reaction: Reaction) -> None:
    error = error_for(API, errcode, {})
    assert type(error) is getattr(errors, name)
    assert error.reaction is reaction
    assert isinstance(error, ExternalError)


def test_unknown_errcode_stays_visible() -> None:
    error = error_for(API, 99999, {"errmsg": "what"})
    assert isinstance(error, UnknownWeChatError)
    assert (error.api, error.errcode) == (API, 99999)


def test_request_id_is_kept_and_text_is_not() -> None:
    """§3.1: the text is never matched upon, the rid serves enquiries."""
    error = error_for(API, 45015, {"errmsg": "response out of time limit rid: 6912ab34-0fe21c9a-5d0b77e1"})
    assert error.rid == "6912ab34-0fe21c9a-5d0b77e1"
    assert "45015" in str(error)
    assert "6912ab34-0fe21c9a-5d0b77e1" in str(error)
    assert "response out" not in str(error)


def test_address_that_is_not_on_the_whitelist_is_named() -> None:
    """§3.3: 40164"""
    text = "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 6912ab34-0fe21c9a-5d0b77e1"
    error = error_for("/cgi-bin/stable_token", 40164, {"errmsg": text})
    assert isinstance(error, AddressNotAllowed)
    assert error.address == "203.0.113.9"


@pytest.mark.parametrize(
    ("answer", "message_id"),
    [({"msg_id": 1000001625}, "1000001625"), ({"msgid": "7"}, "7"), ({"msg_id": 0}, None), ({"msg_id": None}, None)],
)
def test_id_of_a_message_taken_before_is_kept(answer: dict[str, object], message_id: str | None) -> None:
    """§4.6: 45065 returns the old msg_id"""
    error = error_for("/cgi-bin/message/mass/send", 45065, answer)
    assert isinstance(error, DuplicateMessage)
    assert error.message_id == message_id


def test_no_two_names_claim_one_errcode() -> None:
    claimed = [code for codes in CODES.values() for code in codes]
    assert len(claimed) == len(set(claimed))


def test_every_name_has_a_code_of_its_own() -> None:
    kinds = _descendants(WeChatError)
    assert len({kind.code for kind in kinds}) == len(kinds)


def _descendants(kind: type[WeChatError]) -> set[type[WeChatError]]:
    return {kind}.union(*(_descendants(child) for child in kind.__subclasses__()))
