"""What can go wrong with WeChat, by name: refused callbacks, and failed API calls with what to do about each.

The platform's `errmsg` is never matched upon, only `errcode`; its request id (`rid`) is kept for enquiries.
"""

from enum import StrEnum
from typing import ClassVar

from bot.errors import AppError, ExternalError, InvalidInput


class CallbackRefused(AppError):
    """A request to the callback which has no effect and gets a 4xx; each case below is one reason."""

    code = "callback_refused"
    default_message = "请求无法受理。"

    def __init__(self, reason: str = "") -> None:
        super().__init__(details={"reason": reason} if reason else None)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}" if self.reason else self.code


class MissingParameter(CallbackRefused):
    """The query lacks one of the parameters every push carries, or has one twice."""

    code = "missing_parameter"


class BadSignature(CallbackRefused):
    """The signature does not fit our token: not from WeChat, or changed on the way."""

    code = "bad_signature"


class StaleRequest(CallbackRefused):
    """Rightly signed, but its timestamp lies outside the freshness window."""

    code = "stale_request"


class WrongMode(CallbackRefused):
    """Sent in another encryption mode than the configured one."""

    code = "wrong_mode"


class BadCiphertext(CallbackRefused):
    """The encrypted part cannot be opened with our key."""

    code = "bad_ciphertext"


class ForeignAppId(CallbackRefused):
    """The encrypted part was made for another account."""

    code = "foreign_app_id"


class MalformedMessage(CallbackRefused):
    """Not a WeChat message: broken XML, or an element missing, doubled or out of its range."""

    code = "malformed_message"


class BodyTooLarge(CallbackRefused):
    """The body is longer than any WeChat push."""

    code = "body_too_large"


class IncompleteBody(CallbackRefused):
    """The body broke off or came too slowly."""

    code = "incomplete_body"


class EncodedBody(CallbackRefused):
    """The body is compressed, which WeChat never does."""

    code = "encoded_body"


class BadAesKey(InvalidInput):
    """The configured EncodingAESKey is not 43 letters and digits."""

    code = "bad_aes_key"


class Reaction(StrEnum):
    """What the caller of a failed API call should do."""

    RETRY_LATER = "retry_later"  # back off and repeat; a send only if it carries its own duplicate protection
    RETRY_NEXT_MINUTE = "retry_next_minute"
    RETRY_NEXT_DAY = "retry_next_day"  # quotas begin anew at midnight, Beijing time
    RENEW_TOKEN = "renew_token"  # noqa: S105 - the client has already renewed and repeated once
    DROP_RECIPIENT = "drop_recipient"  # this id will never work here
    OTHER_CHANNEL = "other_channel"  # the person cannot be reached this way
    WINDOW_CLOSED = "window_closed"  # customer-service messages are closed until the person acts again
    TREAT_AS_SENT = "treat_as_sent"  # sending again would double it
    STOP_AND_ALERT = "stop_and_alert"  # nothing will work until an operator acts
    STOP_TEMPLATE = "stop_template"  # nothing with this template will work until an operator acts
    ASK_OPERATOR = "ask_operator"  # never to be repeated as it stands; somebody has to look at this message
    FIX_DATA = "fix_data"  # this call can never succeed as it stands


class WeChatError(ExternalError):
    """A call to the WeChat API that did not succeed.

    `api` is the path called, `errcode` the platform's number (None when no answer was readable),
    `rid` the platform's id of the call or None, `reaction` what to do.
    """

    code = "wechat_error"
    reaction: ClassVar[Reaction] = Reaction.STOP_AND_ALERT

    def __init__(self, api: str, *, errcode: int | None = None, rid: str | None = None, note: str = "") -> None:
        super().__init__(details={"api": api, "errcode": errcode, "rid": rid, "note": note})
        self.api = api
        self.errcode = errcode
        self.rid = rid

    def __str__(self) -> str:
        """For logs; `message` is the sentence for people. Never holds an address, which would carry the token."""
        return f"{self.code}: " + " ".join(f"{name}={value}" for name, value in self.details.items() if value)


class WeChatUnreachable(WeChatError):
    """No connection came about, so nothing took effect."""

    code = "wechat_unreachable"
    reaction = Reaction.RETRY_LATER


class OutcomeUnknown(WeChatError):
    """The call went out but no readable answer came back: it may or may not have taken effect."""

    code = "wechat_outcome_unknown"
    reaction = Reaction.RETRY_LATER


class SystemBusy(WeChatError):
    """-1: the platform is busy."""

    code = "wechat_busy"
    reaction = Reaction.RETRY_LATER


class TokenExpired(WeChatError):
    """40001, 40014, 42001: the access token is dead, and the one fetched anew as well."""

    code = "wechat_token_expired"
    reaction = Reaction.RENEW_TOKEN


class TokenMissing(WeChatError):
    """41001: the call went out without a token."""

    code = "wechat_token_missing"


class BadCredentials(WeChatError):
    """40002, 40013, 40125, 41002, 41004: AppID or AppSecret is wrong."""

    code = "wechat_bad_credentials"


class AddressNotAllowed(WeChatError):
    """40164: our address is not on the account's whitelist. `address` is the one the platform saw, or None."""

    code = "wechat_address_not_allowed"
    address: str | None = None


class SecretFrozen(WeChatError):
    """40243: the AppSecret is frozen in the console."""

    code = "wechat_secret_frozen"


class AccountLimited(WeChatError):
    """50001 to 50007, 40251: the account itself is limited."""

    code = "wechat_account_limited"


class NotGranted(WeChatError):
    """48001, 48003, 48004, 48008, 61024, 45109: the account may not use this API."""

    code = "wechat_not_granted"


class QuotaExceeded(WeChatError):
    """45009, 45029: the API's quota of the day is used up."""

    code = "wechat_quota_exceeded"
    reaction = Reaction.RETRY_NEXT_DAY


class MassQuotaUsedUp(WeChatError):
    """45028: the account has no mass message left for now; each may go out another way."""

    code = "wechat_mass_quota_used_up"
    reaction = Reaction.OTHER_CHANNEL


class RateExceeded(WeChatError):
    """45011, 45066: too many calls within the minute."""

    code = "wechat_rate_exceeded"
    reaction = Reaction.RETRY_NEXT_MINUTE


class ClearsUsedUp(WeChatError):
    """48006: the month's ten quota resets are used up."""

    code = "wechat_clears_used_up"


class RecipientUnreachable(WeChatError):
    """Common parent of what is wrong with the recipient rather than with the message."""

    code = "wechat_recipient_unreachable"
    reaction = Reaction.OTHER_CHANNEL


class RecipientUnknown(RecipientUnreachable):
    """40003, 46004, 49003: not an openid of this account."""

    code = "wechat_recipient_unknown"
    reaction = Reaction.DROP_RECIPIENT


class RecipientNotFollowing(RecipientUnreachable):
    """43004: the recipient does not follow the account."""

    code = "wechat_recipient_not_following"


class RecipientBlocked(RecipientUnreachable):
    """43019: the recipient is on the account's blacklist."""

    code = "wechat_recipient_blocked"


class RecipientRefused(RecipientUnreachable):
    """43101, 48002: the recipient does not want this kind of message, or the consent is used up."""

    code = "wechat_recipient_refused"


class WindowClosed(RecipientUnreachable):
    """45015: the recipient did nothing recently enough for a customer-service message, or unfollowed."""

    code = "wechat_window_closed"
    reaction = Reaction.WINDOW_CLOSED


class AllowanceUsedUp(RecipientUnreachable):
    """45047: all customer-service messages which the recipient's last action allowed are sent."""

    code = "wechat_allowance_used_up"
    reaction = Reaction.WINDOW_CLOSED


class DuplicateMessage(WeChatError):
    """40241, 45065: the platform has already taken this message; `message_id` is the id it has, None when untold."""

    code = "wechat_duplicate_message"
    reaction = Reaction.TREAT_AS_SENT
    message_id: str | None = None


class UnderReview(WeChatError):
    """40252: under review; the platform sends it by itself when it passes."""

    code = "wechat_under_review"
    reaction = Reaction.TREAT_AS_SENT


class ContentRefused(WeChatError):
    """40249, 87014: judged unlawful or a nuisance; an operator has to look."""

    code = "wechat_content_refused"
    reaction = Reaction.ASK_OPERATOR


class TemplateUnknown(WeChatError):
    """40037: the template was removed or never existed."""

    code = "wechat_template_unknown"
    reaction = Reaction.STOP_TEMPLATE


class TemplateBanned(WeChatError):
    """43116: the platform has banned the template for abuse."""

    code = "wechat_template_banned"
    reaction = Reaction.STOP_TEMPLATE


class TemplateNotAdded(WeChatError):
    """40102, 43106, 45026, 45027: the account may hold no further template, or not this one."""

    code = "wechat_template_not_added"


class InvalidCall(WeChatError):
    """The call breaks a rule of its API: a bug or bad data on our side."""

    code = "wechat_invalid_call"
    reaction = Reaction.FIX_DATA


class ContentTooLong(InvalidCall):
    """45001 to 45008: some part is over its length."""

    code = "wechat_content_too_long"


class MediaUnknown(InvalidCall):
    """40007: no file has this id, or its three days are over."""

    code = "wechat_media_unknown"


class MediaTooLarge(WeChatError):
    """A file heavier than was to be read."""

    code = "wechat_media_too_large"
    reaction = Reaction.FIX_DATA


class InvalidMenu(InvalidCall):
    """40015 to 40028, 40054, 40055, 45010, 45064, 65301 to 65320: the menu breaks a rule."""

    code = "wechat_invalid_menu"


class MenuMissing(WeChatError):
    """46003: the account has no menu."""

    code = "wechat_menu_missing"
    reaction = Reaction.FIX_DATA


class TypingRefused(WeChatError):
    """45080, 45081: no chat within 30 seconds, or the hint is already shown. Harmless."""

    code = "wechat_typing_refused"
    reaction = Reaction.TREAT_AS_SENT


class LoginCodeInvalid(WeChatError):
    """40029, 40163, 42003, 42007, 61010: the login code is wrong, used or too old; the client must log in anew."""

    code = "wechat_login_code_invalid"
    reaction = Reaction.FIX_DATA


class LoginRefused(WeChatError):
    """40226: the platform considers the user a risk."""

    code = "wechat_login_refused"
    reaction = Reaction.DROP_RECIPIENT


class UnknownWeChatError(WeChatError):
    """An errcode which no table of ours knows."""

    code = "wechat_unknown_error"
