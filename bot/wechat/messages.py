"""What arrives and what leaves: WeChat's messages and events as values, and our reply as the XML of its answer.

wechatpy's message classes read what its types cover; text, which is nearly all the traffic, and events are read
directly. Whatever the type, an `Inbound` comes out: a type nobody knows yet becomes `UnknownMessage`.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bot.wechat.errors import MalformedMessage
from bot.wechat.replies import NO_REPLY, NOTHING, NoReply, Reply, TextReply, fit_text
from bot.wechat.xml import Fields, FieldValue, cdata, read_fields

__all__ = [
    "NO_REPLY",
    "Event",
    "ImageMessage",
    "Inbound",
    "LinkMessage",
    "LocationMessage",
    "NoReply",
    "Reply",
    "SubscriptionResult",
    "TextMessage",
    "TextReply",
    "UnknownMessage",
    "VideoMessage",
    "VoiceMessage",
    "accepts_reply",
    "parse",
    "render",
    "subscription_results",
]

SCENE_PREFIX: Final = "qrscene_"
# unsubscribe, VIEW, view_miniprogram, the finish of jobs and all others are answered with `success` alone.
EVENTS_WITH_REPLY: Final = frozenset({"subscribe", "scan", "click", "scancode_waitmsg", "location"})

_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_MESSAGE_ID = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What every message and event carries.

    `openid` is the sender, `account` our original id (gh_…), `created_at` the platform's clock in whole seconds,
    `message_id` the MsgId of a message and None for events. `dedupe_key` is the same for every delivery of the
    same message and holds no readable id. `authenticated` is False in plaintext mode, where anybody who saw one
    address can write any body: nothing protected may be read or changed for such a message.
    """

    openid: str
    account: str
    created_at: datetime
    message_id: str | None
    dedupe_key: str
    authenticated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage(Inbound):
    """Typed or dictated text; `menu_item_id` is the tapped item's id when it came from a menu message."""

    content: str
    menu_item_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMessage(Inbound):
    """A picture; `media_id` is good for three days."""

    media_id: str
    picture_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceMessage(Inbound):
    """A voice note; `recognition` is WeChat's transcript, None since the platform retired it."""

    media_id: str
    format: str
    recognition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMessage(Inbound):
    """A video, long or short."""

    media_id: str
    thumb_media_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationMessage(Inbound):
    """A place the user sent, degrees north and east (GCJ-02)."""

    latitude: float
    longitude: float
    scale: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMessage(Inbound):
    """A shared article."""

    title: str
    description: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Inbound):
    """Something the user or the platform did.

    `name` is in lower case; `key` the EventKey as sent, "" when absent; `scene` that of a parametric code on
    subscribe and scan, without its prefix, else None; `fields` all elements, for what only some events carry.
    """

    name: str
    key: str
    scene: str | None
    ticket: str | None
    fields: Fields = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMessage(Inbound):
    """A type that is not handled: files, mini-program cards, whatever the platform adds next."""

    kind: str
    fields: Fields = field(hash=False)


@dataclass(frozen=True, slots=True)
class SubscriptionResult:
    """One template's part of a subscribe_msg_* event; what the event did not say is None."""

    template_id: str
    status: str | None
    scene: str | None
    message_id: str | None
    error_code: int | None


def parse(xml: bytes, *, authenticated: bool = False) -> Inbound:
    """The message in `xml`, clear of any envelope. Raises MalformedMessage."""
    fields = read_fields(xml)
    kind = _text(fields, "MsgType").strip().lower()
    if not kind:
        raise MalformedMessage("MsgType is missing")
    if kind == "event":
        return _event(fields, authenticated)
    head = _head(fields, authenticated)
    if kind == "text":
        item_id = _text(fields, "bizmsgmenuid")
        return TextMessage(**head, content=_text(fields, "Content"), menu_item_id=item_id or None)
    build = _BUILDERS.get(kind)
    if build is None:
        return UnknownMessage(**head, kind=kind, fields=fields)
    try:
        return build(head, _read_as(kind, fields))
    except (TypeError, ValueError, KeyError, AttributeError) as fault:
        raise MalformedMessage(f"a {kind} message with a {type(fault).__name__}") from None


def _read_as(kind: str, fields: Fields) -> Any:
    # Imported with the first picture or voice: with it comes a client nobody here uses, some seven MiB.
    from wechatpy.messages import MESSAGE_TYPES

    return MESSAGE_TYPES[kind](fields)


def subscription_results(event: Event) -> tuple[SubscriptionResult, ...]:
    """The templates which a subscribe_msg_popup_, _change_ or _sent_event speaks of; () for other events.

    One `List` and several are read alike, under whichever of the three wrappers the platform used.
    """
    for wrapper in ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"):
        inside = event.fields.get(wrapper)
        if isinstance(inside, dict):
            items = inside.get("List", [])
            rows = items if isinstance(items, list) else [items]
            return tuple(_subscription_result(row) for row in rows if isinstance(row, dict))
    return ()


def accepts_reply(inbound: Inbound) -> bool:
    """Whether WeChat shows a reply to this one; to all others `success` is the only right answer."""
    if isinstance(inbound, Event):
        return inbound.name in EVENTS_WITH_REPLY
    return not isinstance(inbound, UnknownMessage)


def render(reply: Reply, inbound: Inbound, now: datetime) -> bytes:
    """The body of the answer, not yet encrypted: clear XML with the parties swapped, or `success`.

    `success` also stands for a reply without text, which WeChat would show as a fault, and for a reply to
    something that takes none.
    """
    if not isinstance(reply, TextReply) or not accepts_reply(inbound):
        return NOTHING
    text = fit_text(reply.text)
    if not text.strip():
        return NOTHING
    return (
        f"<xml><ToUserName><![CDATA[{inbound.openid}]]></ToUserName>"
        f"<FromUserName><![CDATA[{inbound.account}]]></FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{cdata(text)}</Content></xml>"
    ).encode()


def _text(fields: Fields, name: str) -> str:
    """The text of an element, "" when absent; a repeated or nested one has no single meaning and is refused."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise MalformedMessage(f"{name} is not a single text")
    return value


def _party(fields: Fields, name: str) -> str:
    value = _text(fields, name)
    if not _OPENID.fullmatch(value):
        raise MalformedMessage(f"{name} is missing or not an id")
    return value


def _head(fields: Fields, authenticated: bool, event: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `Inbound` holds, as keyword arguments. `event` tells apart what one person did within one second."""
    openid, account = _party(fields, "FromUserName"), _party(fields, "ToUserName")
    seconds = _text(fields, "CreateTime")
    if not _NUMBER.fullmatch(seconds):
        raise MalformedMessage("CreateTime is missing or not in seconds")
    try:
        created_at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise MalformedMessage("CreateTime lies outside the calendar") from None
    message_id = "" if event else _text(fields, "MsgId")
    if message_id and not _MESSAGE_ID.fullmatch(message_id):
        raise MalformedMessage("MsgId is not a number")
    identity = (message_id, openid) if message_id else (openid, seconds, *event)
    return {
        "openid": openid,
        "account": account,
        "created_at": created_at,
        "message_id": message_id or None,
        "dedupe_key": hashlib.blake2b("\n".join(identity).encode(), digest_size=16).hexdigest(),
        "authenticated": authenticated,
    }


def _event(fields: Fields, authenticated: bool) -> Event:
    name = _text(fields, "Event").strip().lower()
    if not name:
        raise MalformedMessage("Event is missing")
    key = _text(fields, "EventKey")
    head = _head(fields, authenticated, (name, key, *_job_ids(fields)))
    scene = None
    if name == "subscribe" and key.startswith(SCENE_PREFIX):
        scene = key.removeprefix(SCENE_PREFIX)
    elif name == "scan":
        scene = key
    return Event(**head, name=name, key=key, scene=scene, ticket=_text(fields, "Ticket") or None, fields=fields)


def _job_ids(fields: Fields) -> tuple[str, ...]:
    """Two pushes to one person can finish within one second; their ids tell the two events apart."""
    job_id = fields.get("MsgID", fields.get("MsgId", ""))
    return (job_id,) if isinstance(job_id, str) and job_id else ()


def _subscription_result(row: dict[str, FieldValue]) -> SubscriptionResult:
    def text(name: str) -> str | None:
        value = row.get(name)
        return value if isinstance(value, str) and value else None

    error_code = text("ErrorCode")
    return SubscriptionResult(
        template_id=text("TemplateId") or "",
        status=text("SubscribeStatusString") or text("ErrorStatus"),
        scene=text("PopupScene"),
        message_id=text("MsgID"),
        error_code=int(error_code) if error_code and re.fullmatch(r"-?[0-9]{1,9}", error_code) else None,
    )


def _image(head: dict[str, Any], source: Any) -> ImageMessage:
    return ImageMessage(**head, media_id=_field(source.media_id), picture_url=_field(source.image))


def _voice(head: dict[str, Any], source: Any) -> VoiceMessage:
    media_id, spoken = _field(source.media_id), _field(source.recognition)
    return VoiceMessage(**head, media_id=media_id, format=_field(source.format), recognition=spoken or None)


def _video(head: dict[str, Any], source: Any) -> VideoMessage:
    return VideoMessage(**head, media_id=_field(source.media_id), thumb_media_id=_field(source.thumb_media_id))


def _location(head: dict[str, Any], source: Any) -> LocationMessage:
    latitude, longitude = float(source.location_x), float(source.location_y)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("not a place on earth")
    label, scale = _field(source.label), int(source.scale or 0)
    return LocationMessage(**head, latitude=latitude, longitude=longitude, scale=scale, label=label)


def _link(head: dict[str, Any], source: Any) -> LinkMessage:
    title, description = _field(source.title), _field(source.description)
    return LinkMessage(**head, title=title, description=description, url=_field(source.url))


def _field(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("not a single text")
    return value


_BUILDERS: Final[dict[str, Callable[[dict[str, Any], Any], Inbound]]] = {
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "location": _location,
    "link": _link,
}
