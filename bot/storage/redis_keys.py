"""Every key name in Redis, in one place. A name never holds an openid: people appear by their blind index."""

from __future__ import annotations

_PREFIX = "xiangxiao:"


def reply(dedupe_key: str) -> str:
    """The remembered reply to a message; `dedupe_key` is a fingerprint that holds no readable id."""
    return f"{_PREFIX}reply:{dedupe_key}"


def session(openid_index: str) -> str:
    """The dialogue a person is in."""
    return f"{_PREFIX}session:{openid_index}"


def profile(openid_index: str) -> str:
    """What the chat knows about a person: place, stage, role."""
    return f"{_PREFIX}profile:{openid_index}"


def frame(openid_index: str) -> str:
    """What a person asked last, for follow-up questions."""
    return f"{_PREFIX}frame:{openid_index}"


def person_lock(openid_index: str) -> str:
    """Held while something a person sent is changing something."""
    return f"{_PREFIX}lock:person:{openid_index}"


def rate(openid_index: str, minute: int) -> str:
    """How many messages a person sent in a minute (minutes since 1970)."""
    return f"{_PREFIX}rate:{minute}:{openid_index}"


def requests(person_id: str, minute: int) -> str:
    """How many requests of a person the API took in a minute, beyond what replicas do not share."""
    return f"{_PREFIX}requests:{minute}:{person_id}"


def failures(address_index: str, minute: int) -> str:
    """How many failed attempts came from an address in a minute."""
    return f"{_PREFIX}failures:{minute}:{address_index}"


def access_token(app_id: str) -> str:
    """The token of an account, shared by all replicas."""
    return f"{_PREFIX}token:{app_id}"


def access_token_lock(app_id: str) -> str:
    """Held by the replica that fetches a new token."""
    return f"{_PREFIX}lock:token:{app_id}"


def window_opened(openid_index: str, act: str) -> str:
    """When a person last did something (`message` or `tap`) that opens a window for customer-service messages."""
    return f"{_PREFIX}window:{act}:{openid_index}"


def window_used(openid_index: str, act: str) -> str:
    """How many messages the window which that act opened has taken."""
    return f"{_PREFIX}window:{act}:used:{openid_index}"


def window_closed(openid_index: str) -> str:
    """Set when the platform said that a window is closed, until the person does something again."""
    return f"{_PREFIX}window:closed:{openid_index}"


def login_ticket(ticket_id: str, part: str) -> str:
    """A log-in to the console by scanning, on its way: `begun` in a browser, `seen` by whom, with what `answer`."""
    return f"{_PREFIX}login:{part}:{ticket_id}"


def worker(place: int) -> str:
    """Who sits in a place of those that deliver, and when they last had something to do."""
    return f"{_PREFIX}worker:{place}"


def sending_turn(channel: str) -> str:
    """When the next message through a channel may go out."""
    return f"{_PREFIX}sending:turn:{channel}"


def sending_pause(what: str) -> str:
    """Set while nothing goes out through a channel, or with a template."""
    return f"{_PREFIX}sending:pause:{what}"
