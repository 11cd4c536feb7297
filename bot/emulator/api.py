"""The emulated API's calls. Each takes a `Call` and returns the fields of its answer, or raises ApiRefusal."""

import base64
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bot.emulator import mass_api, template_api
from bot.emulator.calls import Answer, Call, Endpoint, kind_of
from bot.emulator.faults import ApiRefusal
from bot.emulator.media import File
from bot.emulator.menus import checked_menu
from bot.emulator.platform import REUSABLE_CODE_PREFIX, Person
from bot.emulator.screen import Means, Option
from bot.emulator.sent import SentMessage

TYPING_AFTER_ACT: Final = timedelta(seconds=30)
TYPING_SHOWN: Final = timedelta(seconds=15)
LOGINS_A_MINUTE: Final = 100
# Known to the real platform, but nothing here sends them.
_OTHER_KINDS: Final = frozenset(
    {"image", "voice", "video", "music", "news", "mpnews", "mpnewsarticle", "wxcard", "miniprogrampage"}
)
_TAG: Final = re.compile(r"<[^>]*>")


def custom_send(call: Call) -> Answer:
    """A customer-service message; success only means accepted, and here also shown."""
    person = call.account.person(str(call.body.get("touser", "")))
    kind = call.body.get("msgtype")
    options: tuple[Option, ...] = ()
    if kind == "text":
        text = _service_text(call)
    elif kind == "msgmenu":
        text, options = _service_menu(call)
    else:
        raise ApiRefusal(48008 if kind in _OTHER_KINDS else 40008)
    if len(text.encode()) > call.platform.rules.max_text_bytes:
        raise ApiRefusal(45002)
    person.allowance.spend(call.platform.clock.now())
    platform = call.platform
    sent = SentMessage(
        at=platform.clock.now(),
        app_id=call.account.keys.app_id,
        openid=person.openid,
        means=Means.SERVICE,
        text=text,
    )
    platform.push(person, platform.shown(text, Means.SERVICE, options=options), sent)
    return {}


def custom_typing(call: Call) -> Answer:
    """The hint that an answer is being written."""
    person = call.account.person(str(call.body.get("touser", "")))
    now, command = call.platform.clock.now(), call.body.get("command")
    if command == "CancelTyping":
        person.typing_until = None
        return {}
    if command != "Typing":
        raise ApiRefusal(45072)
    if person.last_act_at is None or now - person.last_act_at > TYPING_AFTER_ACT:
        raise ApiRefusal(45080)
    if person.typing_until is not None and person.typing_until > now:
        raise ApiRefusal(45081)
    person.typing_until = now + TYPING_SHOWN
    return {}


def menu_create(call: Call) -> Answer:
    """Replaces the menu; phones notice later."""
    call.account.menu = checked_menu(call.body, call.account.linked_mini_programs)
    return {}


def menu_get(call: Call) -> Answer:
    """The menu, which has no errcode of its own."""
    if call.account.menu is None:
        raise ApiRefusal(46003)
    return {"menu": call.account.menu}


def menu_delete(call: Call) -> Answer:
    """Also succeeds without a menu."""
    call.account.menu = None
    return {}


def user_info(call: Call) -> Answer:
    """One user."""
    return _user_info(call, call.account.person(call.query.get("openid", "")))


def user_batch(call: Call) -> Answer:
    """Up to a hundred users."""
    rows = call.body.get("user_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        raise ApiRefusal(40032)
    people = [call.account.person(str(row.get("openid", ""))) for row in rows if isinstance(row, dict)]
    return {"user_info_list": [_user_info(call, person) for person in people]}


def user_get(call: Call) -> Answer:
    """The followers, ten thousand a page, from the one after `next_openid`."""
    followers = [person.openid for person in call.account.people.values() if person.is_following]
    start, after = 0, call.query.get("next_openid", "")
    if after:
        if after not in followers:
            raise ApiRefusal(40003)
        start = followers.index(after) + 1
    page = followers[start : start + call.platform.rules.followers_a_page]
    answer: Answer = {"total": len(followers), "count": len(page), "next_openid": page[-1] if page else ""}
    return {**answer, "data": {"openid": page}} if page else answer


def qr_create(call: Call) -> Answer:
    """A parametric QR code."""
    return call.account.qr_codes.create(call.body)


def media_get(call: Call) -> File:
    """A file that somebody sent."""
    return call.account.media.file(call.query.get("media_id", ""))


def quota_get(call: Call) -> Answer:
    """What is left of a call's quota."""
    path = str(call.body.get("cgi_path", ""))
    if _KINDS.get(path, kind_of(call.account)) is not kind_of(call.account):
        raise ApiRefusal(76022)
    return call.account.quotas.report(path)


def quota_clear_all(call: Call) -> Answer:
    """All of today's counters begin anew."""
    if call.body.get("appid") != call.account.keys.app_id:
        raise ApiRefusal(40013)
    call.account.quotas.clear()
    return {}


def quota_clear_path(call: Call) -> Answer:
    """Today's counter of one call begins anew."""
    call.account.quotas.clear(str(call.body.get("cgi_path", "")))
    return {}


def token(call: Call) -> Answer:
    """The classic endpoint."""
    return _token_answer(call.account.tokens.classic())


def stable_token(call: Call) -> Answer:
    """The stable endpoint."""
    return _token_answer(call.account.tokens.stable(force=call.body.get("force_refresh") is True))


def quota_clear_with_secret(call: Call) -> Answer:
    """As `quota_clear_all`, without a token."""
    call.account.quotas.clear()
    return {}


def login(call: Call) -> Answer:
    """jscode2session: who stands behind a login code."""
    code, now = call.query.get("js_code", ""), call.platform.clock.now()
    if not code:
        raise ApiRefusal(41008)
    openid = _openid_of_code(call, code)
    minute = (openid, int(now.timestamp()) // 60)
    call.account.logins_by_minute[minute] += 1
    if call.account.logins_by_minute[minute] > LOGINS_A_MINUTE:
        raise ApiRefusal(45011)
    answer: Answer = {"openid": openid, "session_key": base64.b64encode(secrets.token_bytes(16)).decode()}
    if call.platform.rules.bound_to_open_platform:
        answer["unionid"] = call.account.introduce(openid).unionid
    return answer


def _openid_of_code(call: Call, code: str) -> str:
    """`code-<id>` logs in as that id, again and again; any other code was issued here and works once."""
    if code.startswith(REUSABLE_CODE_PREFIX) and len(code) > len(REUSABLE_CODE_PREFIX):
        return code.removeprefix(REUSABLE_CODE_PREFIX)
    issued = call.account.codes.get(code)
    if issued is None or call.platform.clock.now() - issued.issued_at >= call.platform.rules.login_code_life:
        raise ApiRefusal(40029)
    if issued.is_used:
        raise ApiRefusal(40163)
    issued.is_used = True
    return issued.openid


def phone_number(call: Call) -> Answer:
    """The number the user chose to tell, without country code and with it."""
    issued = call.account.phone_codes.get(str(call.body.get("code", "")))
    now = call.platform.clock.now()
    if issued is None or issued.is_used or now - issued.issued_at >= call.platform.rules.login_code_life:
        raise ApiRefusal(40029)
    issued.is_used = True
    told = {"phoneNumber": f"+86{issued.number}", "purePhoneNumber": issued.number, "countryCode": "86"}
    mark = {"timestamp": int(now.timestamp()), "appid": call.account.keys.app_id}
    return {"phone_info": {**told, "watermark": mark}}


def _token_answer(issued: tuple[str, int]) -> Answer:
    return {"access_token": issued[0], "expires_in": issued[1]}


def _part(call: Call, name: str) -> Mapping[str, Any]:
    part = call.body.get(name)
    if not isinstance(part, dict):
        raise ApiRefusal(40097)
    return part


def _service_text(call: Call) -> str:
    content = _part(call, "text").get("content")
    if not isinstance(content, str) or not content.strip():
        raise ApiRefusal(44004)
    return content


def _service_menu(call: Call) -> tuple[str, tuple[Option, ...]]:
    menu = _part(call, "msgmenu")
    rows = menu.get("list")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ApiRefusal(40097)
    options = tuple(Option(str(row.get("id", "")), str(row.get("content", ""))) for row in rows)
    if not all(option.id and option.content for option in options):
        raise ApiRefusal(40097)
    lines = [menu.get("head_content", ""), *(option.content for option in options), menu.get("tail_content", "")]
    return "\n".join(str(line) for line in lines if line), options


def _user_info(call: Call, person: Person) -> Answer:
    if not person.is_following:
        return {"subscribe": 0, "openid": person.openid}
    answer: Answer = {
        "subscribe": 1,
        "openid": person.openid,
        "language": "zh_CN",
        "subscribe_time": int(person.followed_at.timestamp()) if person.followed_at else 0,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": person.follow_scene,
        "qr_scene": 0,
        "qr_scene_str": person.code_scene,
    }
    if call.platform.rules.bound_to_open_platform:
        answer["unionid"] = person.unionid
    return answer


ENDPOINTS: Final = (
    Endpoint("/cgi-bin/token", "GET", token, by_token=False, wants_grant="client_credential"),
    Endpoint("/cgi-bin/stable_token", "POST", stable_token, by_token=False, wants_grant="client_credential"),
    Endpoint("/cgi-bin/message/custom/send", "POST", custom_send, answers_errcode=True),
    Endpoint("/cgi-bin/message/custom/typing", "POST", custom_typing, answers_errcode=True),
    Endpoint("/cgi-bin/menu/create", "POST", menu_create, answers_errcode=True),
    Endpoint("/cgi-bin/menu/get", "GET", menu_get),
    Endpoint("/cgi-bin/menu/delete", "GET", menu_delete, answers_errcode=True),
    Endpoint("/cgi-bin/user/info", "GET", user_info),
    Endpoint("/cgi-bin/user/info/batchget", "POST", user_batch),
    Endpoint("/cgi-bin/user/get", "GET", user_get),
    Endpoint("/cgi-bin/qrcode/create", "POST", qr_create),
    Endpoint("/cgi-bin/media/get", "GET", media_get),
    Endpoint("/cgi-bin/openapi/quota/get", "POST", quota_get, answers_errcode=True),
    Endpoint("/cgi-bin/openapi/quota/clear", "POST", quota_clear_path, answers_errcode=True),
    Endpoint("/cgi-bin/clear_quota", "POST", quota_clear_all, answers_errcode=True),
    Endpoint("/cgi-bin/clear_quota/v2", "POST", quota_clear_with_secret, by_token=False, answers_errcode=True),
    Endpoint("/wxa/business/getuserphonenumber", "POST", phone_number, answers_errcode=True),
    Endpoint("/sns/jscode2session", "GET", login, by_token=False, wants_grant="authorization_code"),
    *template_api.ENDPOINTS,
    *mass_api.ENDPOINTS,
)
_KINDS: Final = {endpoint.path: endpoint.kind for endpoint in ENDPOINTS if endpoint.kind is not None}
