"""The description of the API (OpenAPI 3.1), made from the table of routes that is served."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from bot.web.idempotency import HEADER, KEY_PATTERN

if TYPE_CHECKING:
    from bot.web.api import ApiRoute

_REF: Final = "#/components/schemas/{model}"
# What any route may answer with: a token nobody has, a limit, our own faults, something of ours away.
_ALWAYS: Final = (401, 429, 500, 503)
_WITH_BODY: Final = (400, 413, 415, 422)
_WITH_KEY: Final = (400, 409)
_WITH_TOKEN: Final = (403,)
_REASONS: Final[Mapping[int, str]] = {
    400: "读不懂的请求",
    401: "没有登录",
    403: "没有权限",
    404: "没有，或不是您的",
    409: "和现状冲突",
    413: "内容太大",
    415: "不是 JSON",
    422: "字段或规则不对",
    429: "太频繁",
    500: "系统出错",
    503: "暂时办不了",
}


class ErrorDetail(BaseModel):
    """What went wrong. `code` is for programs, `message` for people."""

    model_config = ConfigDict(title="ErrorDetail")

    code: str = Field(examples=["invalid_input"])
    message: str
    details: dict[str, Any]
    request_id: str | None


class ErrorEnvelope(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorDetail


def describe(prefix: str, routes: Sequence[ApiRoute]) -> dict[str, Any]:
    """The document. The description itself is listed too."""
    models: set[type[BaseModel]] = {ErrorEnvelope}
    for route in routes:
        models.add(route.response)
        if route.request is not None:
            models.add(route.request)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {
        f"{prefix}/openapi.json": {
            "get": {
                "summary": "这份说明",
                "operationId": "get_openapi",
                "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}},
                "security": [],
            }
        }
    }
    for route in routes:
        paths.setdefault(prefix + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "乡校 API", "version": _version()},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: ApiRoute) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "_", f"{route.method} {route.path}".lower()).strip("_")
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": name,
        "responses": {str(route.status): _content("成功", route.response)}
        | {str(status): _content(_REASONS[status], ErrorEnvelope) for status in _statuses(route)},
        # A token is never in the way: without need it adds what is known about its owner.
        "security": [{"bearer": []}] if route.needs_token else [{}, {"bearer": []}],
    }
    if route.tags:
        operation["tags"] = list(route.tags)
    if route.request is not None:
        operation["requestBody"] = _content("JSON", route.request) | {"required": True}
    parameters: list[dict[str, Any]] = [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for part in re.findall(r"\{(\w+)", route.path)
    ]
    if route.key_required is not None:
        parameters.append(
            {
                "name": HEADER,
                "in": "header",
                "required": route.key_required,
                "description": "由客户端生成；同一个键加同样的内容，得到同样的回答。",
                "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$"},
            }
        )
    if parameters:
        operation["parameters"] = parameters
    return operation


def _statuses(route: ApiRoute) -> list[int]:
    statuses = {*_ALWAYS, *route.errors}
    if route.request is not None:
        statuses.update(_WITH_BODY)
    if route.needs_token:
        statuses.update(_WITH_TOKEN)
    if route.key_required is not None:
        statuses.update(_WITH_KEY)
    if "{" in route.path:
        statuses.add(404)
    return sorted(statuses)


def _content(description: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _version() -> str:
    try:
        return metadata.version("xiangxiao")
    except metadata.PackageNotFoundError:
        return "0"
