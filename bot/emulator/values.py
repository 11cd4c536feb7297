"""What a template's fields may hold, as the platform judges it; written from its rules, not from the product's.

A mini-program refuses every value that breaks a rule. The 服务号 refuses what is of the wrong kind and cuts what is too
long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_CLOCK: Final = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_DAY: Final = r"([0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}-[0-9]{2}-[0-9]{2})"
_MOMENT: Final = rf"({_DAY} ?)?{_CLOCK}"
_DATE: Final = rf"{_DAY}( ?{_CLOCK})?"
_PLAIN: Final = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_HAN: Final = r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3005]"
_SYMBOL: Final = rf"(?![0-9A-Za-z]|{_HAN}){_PLAIN}"
# Emoji and the pictures among the symbols.
_PICTURE: Final = re.compile("[\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b55\ufe0f\U0001f000-\U0001faff]")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(form)
    for name, form in {
        "thing": rf"{_PLAIN}+",
        "character_string": r"[\x20-\x7e]+",
        "number": r"-?[0-9]+(\.[0-9]+)?",
        "letter": r"[A-Za-z]+",
        "symbol": rf"({_SYMBOL})+",
        "time": rf"{_MOMENT}(~{_MOMENT})?",
        "date": rf"{_DATE}(~{_DATE})?",
        "amount": r"[¥￥$€£]?[0-9]{1,10}(\.[0-9]+)?元?",
        "phone_number": r"[0-9+\-() #*,]+",
        "car_number": rf"({_HAN}|[0-9A-Za-z·\-])+",
        "name": rf"(?:(?![0-9]){_PLAIN})+",
        "phrase": rf"({_HAN})+",
        "const": rf"{_PLAIN}+",
        "short_thing": rf"{_PLAIN}+",
        "enum": rf"{_PLAIN}+",
    }.items()
}
_LONGEST: Final = {
    "thing": 20,
    "character_string": 32,
    "number": 32,
    "letter": 32,
    "symbol": 5,
    "phone_number": 17,
    "car_number": 8,
    "phrase": 5,
    "const": 20,
    "short_thing": 20,
    "enum": 20,
}
LONGEST_LINE: Final = 20
"""What a line of a 服务号's message shows; a run of digits or Latin letters counts as one."""
_UNIT: Final = re.compile(r"[0-9A-Za-z]+|.", re.DOTALL)


def units(text: str) -> int:
    """The length as phones' programs count it: UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_of_type(value_type: str, text: str) -> bool:
    """Whether a field of this type may hold these characters, whatever their number."""
    form = _FORMS.get(value_type)
    return form is not None and bool(text.strip()) and bool(form.fullmatch(text)) and not _PICTURE.search(text)


def fits(value_type: str, text: str) -> bool:
    """Whether a mini-program's field takes the value."""
    if not is_of_type(value_type, text):
        return False
    if value_type == "name":
        return units(text) <= (20 if text.isascii() else 10)
    return units(text) <= _LONGEST.get(value_type, units(text))


def shown(text: str) -> str:
    """The value as a 服务号's message shows it."""
    parts = _UNIT.findall(text)
    return text if len(parts) <= LONGEST_LINE else "".join(parts[: LONGEST_LINE - 1]) + "…"
