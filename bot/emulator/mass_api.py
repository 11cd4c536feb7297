"""The emulated API's calls for mass messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from bot.emulator.calls import Answer, Call, Endpoint, Kind
from bot.emulator.faults import ApiRefusal
from bot.emulator.platform import Person
from bot.emulator.screen import Means
from bot.emulator.sent import SentMessage
from bot.emulator.wire import XmlValue

FEWEST: Final = 2
MOST: Final = 10_000
LONGEST_CLIENT_ID: Final = 64
# In whose name the outcome is told.
MASS_HELPER: Final = "oMASSHELPER00000000000000000"
_OTHER_KINDS: Final = frozenset({"mpnews", "voice", "images", "image", "mpvideo", "wxcard"})


def mass_send(call: Call) -> Answer:
    """To followers by name."""
    openids = call.body.get("touser")
    if not isinstance(openids, list) or not all(isinstance(each, str) for each in openids):
        raise ApiRefusal(40097)
    if len(openids) < FEWEST:
        raise ApiRefusal(40130)
    if len(openids) > MOST:
        raise ApiRefusal(40032)
    return _send(call, openids, {"touser": openids})


def mass_send_all(call: Call) -> Answer:
    """To all followers, or to those with one tag."""
    chosen = call.body.get("filter")
    if not isinstance(chosen, dict):
        raise ApiRefusal(40097)
    if chosen.get("is_to_all") is True:
        followers = [person.openid for person in call.account.people.values() if person.is_following]
        return _send(call, followers, chosen, is_to_all=True)
    tag_id = chosen.get("tag_id")
    if not isinstance(tag_id, int) or tag_id not in call.account.tags:
        raise ApiRefusal(45159)
    return _send(call, sorted(call.account.tags[tag_id]), chosen)


def mass_get(call: Call) -> Answer:
    """How far a mass message is."""
    job = call.account.mass_jobs.job(call.body.get("msg_id"))
    return {"msg_id": int(job.message_id), "msg_status": job.status}


def mass_delete(call: Call) -> Answer:
    """Marks it as deleted; a text that has arrived stays on the phones."""
    call.account.mass_jobs.job(call.body.get("msg_id")).status = "DELETE"
    return {}


def _send(call: Call, openids: list[str], audience: Mapping[str, Any], *, is_to_all: bool = False) -> Answer:
    text = _text(call)
    client_id = _client_id(call, audience, text)
    jobs = call.account.mass_jobs
    jobs.check_new(client_id)
    if is_to_all:
        jobs.count_to_all()
    message_id = call.platform.next_message_id()
    job = jobs.take(message_id, client_id)
    people = [call.account.find(each) for each in dict.fromkeys(openids)]
    allowed = [
        each
        for each in people
        if each is not None and each.is_following and not each.is_blacklisted and jobs.may_have(each.openid)
    ]
    reached = [] if call.job_fails else [each for each in allowed if not each.blocks_account]
    for person in reached:
        jobs.count(person.openid)
        _arrive(call, person, text, (message_id, client_id))
    job.status = "SEND_SUCCESS" if reached else "SEND_FAIL"
    _announce(call, message_id, (len(openids), len(allowed), len(reached)))
    return {
        "errmsg": "send job submission success",
        "msg_id": int(message_id),
        "msg_data_id": int(call.platform.next_message_id()),
    }


def _text(call: Call) -> str:
    kind = call.body.get("msgtype")
    if kind != "text":
        raise ApiRefusal(48008 if kind in _OTHER_KINDS else 40008)
    part = call.body.get("text")
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content.strip():
        raise ApiRefusal(44004)
    if len(content.encode()) > call.platform.rules.max_text_bytes:
        raise ApiRefusal(45002)
    return content


def _client_id(call: Call, audience: Mapping[str, Any], text: str) -> str:
    """The product's own id, else one made from audience and content."""
    client_id = call.body.get("clientmsgid")
    if client_id is None:
        whole = json.dumps([audience, text], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()
    if not isinstance(client_id, str) or not 1 <= len(client_id.encode()) <= LONGEST_CLIENT_ID:
        raise ApiRefusal(45067)
    return client_id


def _arrive(call: Call, person: Person, text: str, ids: tuple[str, str]) -> None:
    platform = call.platform
    message = SentMessage(
        at=platform.clock.now(),
        app_id=call.account.keys.app_id,
        openid=person.openid,
        means=Means.MASS,
        text=text,
        message_id=ids[0],
        client_id=ids[1],
    )
    platform.push(person, platform.shown(text, Means.MASS), message)


def _announce(call: Call, message_id: str, counts: tuple[int, int, int]) -> None:
    total, allowed, reached = counts
    fields: dict[str, XmlValue] = {
        "MsgID": int(message_id),
        "Status": "send success" if reached else "send fail",
        "TotalCount": total,
        "FilterCount": allowed,
        "SentCount": reached,
        "ErrorCount": allowed - reached,
        "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 0},
        "ArticleUrlResult": {"Count": 0, "ResultList": ""},
    }
    call.platform.events.announce(call.account.keys, MASS_HELPER, "MASSSENDJOBFINISH", fields)


ENDPOINTS: Final = (
    Endpoint("/cgi-bin/message/mass/send", "POST", mass_send, answers_errcode=True, kind=Kind.SERVICE_ACCOUNT),
    Endpoint("/cgi-bin/message/mass/sendall", "POST", mass_send_all, answers_errcode=True, kind=Kind.SERVICE_ACCOUNT),
    Endpoint("/cgi-bin/message/mass/get", "POST", mass_get, kind=Kind.SERVICE_ACCOUNT),
    Endpoint("/cgi-bin/message/mass/delete", "POST", mass_delete, answers_errcode=True, kind=Kind.SERVICE_ACCOUNT),
)
