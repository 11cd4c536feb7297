"""The rules a menu must keep, most of them in bytes."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from bot.emulator.faults import ApiRefusal

MAX_BUTTONS: Final = 3
MAX_SUB_BUTTONS: Final = 5
KEYED: Final = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
TYPES: Final = KEYED | {"view", "miniprogram", "media_id", "article_id", "article_view_limited"}
# errcodes for the top level and for the level below it
_CODES: Final = {
    "type": (40017, 40024),
    "name": (40018, 40025),
    "key": (40019, 40026),
    "url": (40020, 40027),
    "domain": (40055, 40054),
}
_MAX_NAME_BYTES: Final = (16, 60)


def checked_menu(menu: Mapping[str, Any], linked_mini_programs: Collection[str]) -> dict[str, Any]:
    """The menu as the platform keeps it. Raises ApiRefusal naming the first rule broken."""
    buttons = menu.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MAX_BUTTONS:
        raise ApiRefusal(40016)
    return {"button": [_checked_button(button, 0, linked_mini_programs) for button in buttons]}


def _checked_button(button: object, level: int, linked: Collection[str]) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise ApiRefusal(_CODES["type"][level])
    _check_length(button, "name", _MAX_NAME_BYTES[level], level)
    below = button.get("sub_button") or []
    if below:
        if level:
            raise ApiRefusal(40022)
        if not isinstance(below, list) or len(below) > MAX_SUB_BUTTONS:
            raise ApiRefusal(40023)
        return {"name": button["name"], "sub_button": [_checked_button(each, 1, linked) for each in below]}
    kind = button.get("type")
    if kind not in TYPES:
        raise ApiRefusal(_CODES["type"][level])
    if kind in KEYED:
        _check_length(button, "key", 128, level)
    elif kind in {"view", "miniprogram"}:
        _check_address(button, level)
    elif not button.get("media_id") and not button.get("article_id"):
        raise ApiRefusal(40007)
    if kind == "miniprogram" and button.get("appid") not in linked:
        raise ApiRefusal(45064)
    return {**button, "sub_button": []}


def _check_length(button: Mapping[str, Any], name: str, limit: int, level: int) -> None:
    value = button.get(name)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= limit:
        raise ApiRefusal(_CODES[name][level])


def _check_address(button: Mapping[str, Any], level: int) -> None:
    _check_length(button, "url", 1024, level)
    address = urlsplit(button["url"])
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ApiRefusal(_CODES["domain"][level])
