"""The emulated API's calls for messages made from templates: template messages, 订阅通知, 订阅消息."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bot.emulator.calls import Answer, Call, Endpoint, Kind, kind_of
from bot.emulator.faults import ApiRefusal
from bot.emulator.platform import Person
from bot.emulator.screen import Card, Means
from bot.emulator.sent import SentMessage
from bot.emulator.templates import Template, TemplateKind, type_of
from bot.emulator.values import fits, is_of_type, shown
from bot.emulator.wire import XmlValue

LONGEST_CLIENT_ID: Final = 32
_STATES: Final = frozenset({"developer", "trial", "formal"})
_LANGUAGES: Final = frozenset({"zh_CN", "en_US", "zh_HK", "zh_TW"})
# As the list of templates numbers the kinds.
_KIND_NUMBERS: Final = {TemplateKind.ONE_TIME: 2, TemplateKind.LONG_TERM: 3}


def template_send(call: Call) -> Answer:
    """A template message to a follower; what became of it is told by TEMPLATESENDJOBFINISH."""
    person = call.account.person(str(call.body.get("touser", "")))
    template = call.account.template(call.body.get("template_id"))
    if template.is_subscription:
        raise ApiRefusal(40037)
    if person.is_blacklisted:
        raise ApiRefusal(43019)
    if not person.is_following:
        raise ApiRefusal(43004)
    if person.refuses_templates:
        raise ApiRefusal(48002)
    client_id = _client_id(call)
    if client_id and call.account.knows_client_id(person.openid, client_id):
        raise ApiRefusal(40241)
    values = _values_of_service_account(call, template)
    message_id = call.platform.next_message_id()
    if client_id:
        call.account.remember_client_id(person.openid, client_id)
    status = "failed: system failed" if call.job_fails else "failed:user block" if person.blocks_account else "success"
    if status == "success":
        _arrive(call, person, template, values, (Means.TEMPLATE, message_id, client_id))
    fields: dict[str, XmlValue] = {"MsgID": int(message_id), "Status": status}
    call.platform.events.announce(call.account.keys, person.openid, "TEMPLATESENDJOBFINISH", fields)
    return {"msgid": int(message_id)}


def subscription_notice_send(call: Call) -> Answer:
    """A 订阅通知 of the 服务号, to followers and others, for one consent."""
    return _subscription(call, _values_of_service_account)


def subscription_send(call: Call) -> Answer:
    """A 订阅消息 of the mini-program, for one consent."""
    if call.body.get("miniprogram_state", "formal") not in _STATES or call.body.get("lang", "zh_CN") not in _LANGUAGES:
        raise ApiRefusal(47003)
    return _subscription(call, _values_of_mini_program)


def private_templates(call: Call) -> Answer:
    """The templates for template messages that the account holds."""
    held = [each for each in call.account.templates.values() if not each.is_subscription]
    rows = [
        {
            "template_id": each.id,
            "title": each.title,
            "primary_industry": "",
            "deputy_industry": "",
            "content": each.content,
            "example": "",
        }
        for each in held
    ]
    return {"template_list": rows}


def subscription_templates(call: Call) -> Answer:
    """The templates for subscriptions that the account holds."""
    rows = [
        {
            "priTmplId": each.id,
            "title": each.title,
            "content": each.content,
            "example": "",
            "type": _KIND_NUMBERS[each.kind],
        }
        for each in call.account.templates.values()
        if each.is_subscription
    ]
    return {"data": rows}


def _subscription(call: Call, values_of: Callable[[Call, Template], dict[str, str]]) -> Answer:
    person = call.account.person(str(call.body.get("touser", "")))
    template = call.account.template(call.body.get("template_id"))
    if not template.is_subscription:
        raise ApiRefusal(40037)
    _check_page(call)
    values = values_of(call, template)
    person.consents.check(template)
    person.consents.use(template)
    message_id = call.platform.next_message_id()
    if not call.job_fails:
        _arrive(call, person, template, values, (Means.SUBSCRIPTION, message_id, ""))
    result: dict[str, XmlValue] = {
        "TemplateId": template.id,
        "MsgID": message_id,
        "ErrorCode": "-1" if call.job_fails else "0",
        "ErrorStatus": "system failed" if call.job_fails else "success",
    }
    fields: dict[str, XmlValue] = {"SubscribeMsgSentEvent": {"List": result}}
    call.platform.events.announce(call.account.keys, person.openid, "subscribe_msg_sent_event", fields)
    return {"msgid": int(message_id)} if call.platform.rules.subscription_msgid else {}


def _client_id(call: Call) -> str:
    client_id = call.body.get("client_msg_id", "")
    if not isinstance(client_id, str) or len(client_id) > LONGEST_CLIENT_ID:
        raise ApiRefusal(40097)
    return client_id


def _check_page(call: Call) -> None:
    page, allowed = str(call.body.get("page", "")), call.platform.rules.mini_program_pages
    if (
        kind_of(call.account) is Kind.MINI_PROGRAM
        and page
        and allowed is not None
        and page.split("?")[0] not in allowed
    ):
        raise ApiRefusal(41030)


def _values(call: Call, template: Template) -> dict[str, object]:
    """What was sent for each key of the template, None where there is nothing."""
    data = call.body.get("data")
    if not isinstance(data, dict):
        raise ApiRefusal(47001)
    return {key: _value(data.get(key)) for key, _ in template.fields}


def _value(field: object) -> object:
    return field.get("value") if isinstance(field, Mapping) else None


def _values_of_service_account(call: Call, template: Template) -> dict[str, str]:
    """As they are shown: what is too long is cut without a word."""
    values: dict[str, str] = {}
    for key, value in _values(call, template).items():
        if not isinstance(value, str) or not value.strip():
            raise ApiRefusal(40250)
        if not is_of_type(type_of(key), value):
            raise _broken(key)
        values[key] = shown(value)
    return values


def _values_of_mini_program(call: Call, template: Template) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in _values(call, template).items():
        if not isinstance(value, str) or not fits(type_of(key), value):
            raise _broken(key)
        values[key] = value
    return values


def _broken(key: str) -> ApiRefusal:
    return ApiRefusal(47003, f"argument invalid! data.{key}.value invalid")


def _arrive(
    call: Call, person: Person, template: Template, values: Mapping[str, str], sent: tuple[Means, str, str]
) -> None:
    means, message_id, client_id = sent
    page = call.body.get("miniprogram")
    path = str(page.get("pagepath", "")) if isinstance(page, dict) else ""
    led_to = str(call.body.get("url") or call.body.get("page") or "")
    if kind_of(call.account) is Kind.MINI_PROGRAM:
        path, led_to = led_to, ""
    rows = tuple((label, values[key]) for key, label in template.fields)
    card = Card(template.title, rows, url=led_to, page=path)
    platform = call.platform
    message = SentMessage(
        at=platform.clock.now(),
        app_id=call.account.keys.app_id,
        openid=person.openid,
        means=means,
        text=card.text,
        template_id=template.id,
        values=values,
        message_id=message_id,
        client_id=client_id,
        link=path or led_to,
    )
    platform.push(person, platform.shown(card.text, means, card=card), message)


ENDPOINTS: Final = (
    Endpoint("/cgi-bin/message/template/send", "POST", template_send, answers_errcode=True, kind=Kind.SERVICE_ACCOUNT),
    Endpoint(
        "/cgi-bin/message/subscribe/bizsend",
        "POST",
        subscription_notice_send,
        answers_errcode=True,
        kind=Kind.SERVICE_ACCOUNT,
    ),
    Endpoint(
        "/cgi-bin/message/subscribe/send", "POST", subscription_send, answers_errcode=True, kind=Kind.MINI_PROGRAM
    ),
    Endpoint("/cgi-bin/template/get_all_private_template", "GET", private_templates, kind=Kind.SERVICE_ACCOUNT),
    Endpoint("/wxaapi/newtmpl/gettemplate", "GET", subscription_templates, answers_errcode=True),
)
