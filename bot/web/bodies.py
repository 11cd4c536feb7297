"""Reading what clients send: JSON into a model, and every fault into words that name the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from bot.errors import InvalidInput, Unreadable

JSON: Final = "application/json"
WHOLE: Final = "body"
"""The name under which a fault of the whole body is told."""

_NUL_ESCAPED: Final = rb"\u0000"
_UNSAVEABLE: Final = "里有不能保存的字符"
_OTHER: Final = "填写的内容不对"
# By pydantic's name of the fault; the values in braces come with it.
_REASONS: Final[Mapping[str, str]] = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项",
    "string_type": "应是文字",
    "string_too_short": "至少要有 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "string_unicode": "里有读不懂的字符",
    "int_type": "应是整数",
    "int_parsing": "应是整数",
    "int_from_float": "应是整数",
    "int_parsing_size": "数字太大",
    "float_type": "应是数字",
    "float_parsing": "应是数字",
    "finite_number": "应是数字",
    "bool_type": "应是 true 或 false",
    "bool_parsing": "应是 true 或 false",
    "date_type": "应是日期，例如 2018-05-06",
    "date_parsing": "应是日期，例如 2018-05-06",
    "date_from_datetime_parsing": "应是日期，例如 2018-05-06",
    "date_from_datetime_inexact": "应是日期，例如 2018-05-06",
    "datetime_type": "应是时间，例如 2026-09-01T08:00:00+08:00",
    "datetime_parsing": "应是时间，例如 2026-09-01T08:00:00+08:00",
    "datetime_from_date_parsing": "应是时间，例如 2026-09-01T08:00:00+08:00",
    "timezone_aware": "要写明时区，例如 2026-09-01T08:00:00+08:00",
    "uuid_type": "应是编号",
    "uuid_parsing": "应是编号",
    "list_type": "应是列表",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "dict_type": "应是一组键和值",
    "model_type": "应是一个 JSON 对象",
    "model_attributes_type": "应是一个 JSON 对象",
    "enum": "只能是 {expected}",
    "literal_error": "只能是 {expected}",
    "greater_than": "要大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "要小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "none_required": "应是 null",
}


async def read_body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """The validated body. Raises Unreadable for what is no JSON, InvalidInput naming the fields that are wrong."""
    if request.content_type != JSON or hdrs.CONTENT_ENCODING in request.headers:
        raise web.HTTPUnsupportedMediaType
    raw = await request.read()
    try:
        body = model.model_validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise Unreadable from None
        raise invalid({_place(fault): _reason(fault) for fault in faults}, model) from None
    if _NUL_ESCAPED in raw:  # databases take every character but this one
        places = dict.fromkeys(_with_nul(body.model_dump(), ""), _UNSAVEABLE)
        if places:
            raise invalid(places, model)
    return body


def invalid(fields: Mapping[str, str], model: type[BaseModel]) -> InvalidInput:
    """The refusal that names fields and what is wrong with each; the sentence speaks of the first."""
    place, reason = next(iter(fields.items()))
    known = model.model_fields.get(place.partition(".")[0])
    name = known.title if known is not None and known.title else "" if place == WHOLE else f"“{place}”"
    said = f"{name}：{reason}" if name else f"请求{reason}"
    return InvalidInput(f"{said}，请改正后再试。", details={"fields": dict(fields)})


def _place(fault: Any) -> str:
    return ".".join(str(part) for part in fault["loc"]) or WHOLE


def _reason(fault: Any) -> str:
    context: dict[str, Any] = fault.get("ctx", {})
    if fault["type"] == "value_error":
        # What our own checks say is written for people.
        return str(context["error"])
    return _REASONS.get(fault["type"], _OTHER).format(**{**context, "expected": _listed(context.get("expected"))})


def _listed(expected: object) -> str:
    return str(expected or "").replace("'", "").replace(" or ", "、").replace(", ", "、")


def _with_nul(value: object, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield place
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _with_nul(part, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _with_nul(part, f"{place}.{number}".lstrip("."))
