"""Values of a template's typed fields, made to fit.

What is too long is shortened with an ellipsis, what a type cannot hold is left out; a value whose meaning would change
by that (a number, a time, a telephone number) is refused instead. Lengths are counted as the strictest of the
platform's readers does, in UTF-16: a rare character beyond the first plane counts as two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from bot.clock import to_local
from bot.errors import InvalidInput

Value: TypeAlias = "str | date | datetime | int | Decimal"

ELLIPSIS: Final = "…"
# For types that hold no "…".
DOTS: Final = "..."


class ValueType(StrEnum):
    """The type of a field, which its key begins with (`thing1`)."""

    THING = "thing"
    CHARACTER_STRING = "character_string"
    NUMBER = "number"
    LETTER = "letter"
    SYMBOL = "symbol"
    TIME = "time"
    DATE = "date"
    AMOUNT = "amount"
    PHONE_NUMBER = "phone_number"
    CAR_NUMBER = "car_number"
    NAME = "name"
    PHRASE = "phrase"
    CONST = "const"
    SHORT_THING = "short_thing"
    ENUM = "enum"


class UnfitValue(InvalidInput):
    """A value that no rule makes fit its field. `value_type` is the field's, None when there is no such type; the
    value itself is not told, as it may be about somebody."""

    code: ClassVar[str] = "unfit_value"
    default_message: ClassVar[str] = "这条消息的内容填不进微信模板，请改写后再发。"

    def __init__(self, value_type: ValueType | None, why: str) -> None:
        super().__init__(details={"value_type": value_type and value_type.value, "why": why})
        self.value_type = value_type
        self.why = why


_KEY: Final = re.compile(r"([a-z_]+?)[0-9]*")
_SPACE: Final = re.compile(r"\s+")
# Emoji: blocks of pictures, signs that phones draw as such, and what follows a character to choose its looks.
_PICTURE: Final = re.compile(
    "[\u2194-\u2199\u21a9\u21aa\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u20e3"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f000-\U0001faff]"
)
_CLOCK: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_DAY: Final = r"\d{4}(?:年(?:0?[1-9]|1[0-2])月(?:0?[1-9]|[12]\d|3[01])日|-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
_TIME: Final = re.compile(rf"(?:{_DAY} )?{_CLOCK}(?:~(?:{_DAY} )?{_CLOCK})?")
_DATE: Final = re.compile(rf"{_DAY}(?: {_CLOCK})?(?:~{_DAY}(?: {_CLOCK})?)?")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_AMOUNT: Final = re.compile(r"([¥￥$€£]?)(\d{1,10}(?:\.\d+)?)(元?)")
_PHONE: Final = re.compile(r"[0-9+\-() #*,]*[0-9][0-9+\-() #*,]*")
_PLATE: Final = re.compile(r"(?=.*[0-9A-Za-z])[一-鿿0-9A-Za-z·\-]+")
_DATED: Final = frozenset({ValueType.THING, ValueType.CHARACTER_STRING, ValueType.TIME, ValueType.DATE})
_LONGEST: Final = {
    ValueType.THING: 20,
    ValueType.CHARACTER_STRING: 32,
    ValueType.NUMBER: 32,
    ValueType.LETTER: 32,
    ValueType.SYMBOL: 5,
    ValueType.PHONE_NUMBER: 17,
    ValueType.CAR_NUMBER: 8,
    ValueType.PHRASE: 5,
    # Undocumented: libraries cut at twenty.
    ValueType.CONST: 20,
    ValueType.SHORT_THING: 20,
    ValueType.ENUM: 20,
}
_LONGEST_HAN_NAME: Final = 10
_LONGEST_LATIN_NAME: Final = 20


def type_of_key(key: str) -> ValueType:
    """The type of a template's key (`thing1`). Raises UnfitValue for a key of no known type."""
    match = _KEY.fullmatch(key)
    try:
        return ValueType(match[1] if match else key)
    except ValueError:
        raise UnfitValue(None, "unknown type") from None


def fit(key_type: str, value: Value) -> str:
    """The value as a field of `key_type` (`thing`, or a whole key such as `thing1`) takes it.

    Moments are told in Shanghai time. A day in a field that wants a clock becomes the whole day. Never empty, no line
    breaks, no control characters, no emoji. Raises UnfitValue.
    """
    value_type = type_of_key(key_type)
    text = _clean(_written(value_type, value))
    if not text:
        raise UnfitValue(value_type, "empty")
    fitted = _FITTERS[value_type](value_type, text)
    if not fitted:
        raise UnfitValue(value_type, "nothing left")
    return fitted


def length(text: str) -> int:
    """In UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def _written(value_type: ValueType, value: Value) -> str:
    if isinstance(value, date):
        return _dated(value_type, value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _dated(value_type: ValueType, value: date) -> str:
    if value_type not in _DATED:
        raise UnfitValue(value_type, "no place for a date")
    if not isinstance(value, datetime):
        day = _day(value_type, value)
        # A field that wants a clock takes no mere day; the whole day says the same.
        return f"{day} 00:00~23:59" if value_type is ValueType.TIME else day
    if value.tzinfo is None:
        raise UnfitValue(value_type, "a moment without time zone")
    local = to_local(value)
    return f"{_day(value_type, local)} {local:%H:%M}"


def _day(value_type: ValueType, day: date) -> str:
    # Without its Chinese characters, the usual form would run together.
    is_plain = value_type is ValueType.CHARACTER_STRING
    return f"{day.year:04}-{day.month:02}-{day.day:02}" if is_plain else f"{day.year:04}年{day.month}月{day.day}日"


def _clean(text: str) -> str:
    """One line without anything a template does not show."""
    return _SPACE.sub(" ", "".join(map(_shown, _PICTURE.sub("", text)))).strip()


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    # Controls, lone surrogates, and what has no meaning yet.
    return "" if unicodedata.category(character)[0] == "C" else character


def _is_han(character: str) -> bool:
    return (
        "\u3400" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or character in "〇々"
        or ("\U00020000" <= character <= "\U0003ffff")
    )


def _shortened(text: str, longest: int, mark: str) -> str:
    if length(text) <= longest:
        return text
    room, kept = longest - len(mark), 0
    for character in text:
        room -= length(character)
        if room < 0:
            break
        kept += 1
    # A mark that belongs to the character before must not stand for it.
    while kept and unicodedata.combining(text[kept]):
        kept -= 1
    return text[:kept].rstrip(" ，、；：,;:") + mark


def _thing(value_type: ValueType, text: str) -> str:
    return _shortened(text, _LONGEST[value_type], ELLIPSIS)


def _ascii(text: str) -> str:
    """In the narrow form, and without what has none."""
    narrow = unicodedata.normalize("NFKC", text)
    return _SPACE.sub(" ", "".join(each for each in narrow if " " <= each <= "~")).strip()


def _character_string(value_type: ValueType, text: str) -> str:
    return _shortened(_ascii(text), _LONGEST[value_type], DOTS)


def _number(value_type: ValueType, text: str) -> str:
    return _whole(value_type, unicodedata.normalize("NFKC", text).replace(",", ""), _NUMBER)


def _letter(value_type: ValueType, text: str) -> str:
    letters = "".join(each for each in unicodedata.normalize("NFKC", text) if each.isascii() and each.isalpha())
    return letters[: _LONGEST[value_type]]


def _symbol(value_type: ValueType, text: str) -> str:
    symbols = "".join(each for each in text if unicodedata.category(each)[0] in "PS")
    while length(symbols) > _LONGEST[value_type]:
        symbols = symbols[:-1]
    return symbols


def _moment(value_type: ValueType, text: str) -> str:
    narrow = unicodedata.normalize("NFKC", text).replace("〜", "~").replace(" ~", "~").replace("~ ", "~")
    return _matching(value_type, narrow, _TIME if value_type is ValueType.TIME else _DATE)


def _amount(value_type: ValueType, text: str) -> str:
    narrow = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    match = _AMOUNT.fullmatch(narrow)
    if match is None:
        raise UnfitValue(value_type, "not an amount")
    try:
        cents = Decimal(match[2]).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise UnfitValue(value_type, "not an amount") from None
    if cents != Decimal(match[2]) or len(str(cents.to_integral_value())) > 10:
        raise UnfitValue(value_type, "not an amount")
    return f"{match[1]}{cents}" if match[1] else f"{cents}元"


def _phone_number(value_type: ValueType, text: str) -> str:
    return _whole(value_type, unicodedata.normalize("NFKC", text), _PHONE)


def _car_number(value_type: ValueType, text: str) -> str:
    return _whole(value_type, text.replace(" ", "").upper(), _PLATE)


def _name(value_type: ValueType, text: str) -> str:
    name = "".join(each for each in text if not unicodedata.category(each).startswith("N"))
    name = _SPACE.sub(" ", name).strip()
    # Mixed ones are counted as Chinese.
    if name.isascii():
        return _shortened(name, _LONGEST_LATIN_NAME, DOTS)
    return _shortened(name, _LONGEST_HAN_NAME, ELLIPSIS)


def _phrase(value_type: ValueType, text: str) -> str:
    han = "".join(each for each in text if _is_han(each))
    while length(han) > _LONGEST[value_type]:
        han = han[:-1]
    return han


def _const(value_type: ValueType, text: str) -> str:
    """One of a list the platform keeps: a part of it would not be on the list."""
    if length(text) > _LONGEST[value_type]:
        raise UnfitValue(value_type, "too long")
    return text


def _whole(value_type: ValueType, text: str, pattern: re.Pattern[str]) -> str:
    if length(text) > _LONGEST[value_type]:
        raise UnfitValue(value_type, "too long")
    return _matching(value_type, text, pattern)


def _matching(value_type: ValueType, text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise UnfitValue(value_type, "another form")
    return text


_FITTERS: Final[Mapping[ValueType, Callable[[ValueType, str], str]]] = {
    ValueType.THING: _thing,
    ValueType.CHARACTER_STRING: _character_string,
    ValueType.NUMBER: _number,
    ValueType.LETTER: _letter,
    ValueType.SYMBOL: _symbol,
    ValueType.TIME: _moment,
    ValueType.DATE: _moment,
    ValueType.AMOUNT: _amount,
    ValueType.PHONE_NUMBER: _phone_number,
    ValueType.CAR_NUMBER: _car_number,
    ValueType.NAME: _name,
    ValueType.PHRASE: _phrase,
    ValueType.CONST: _const,
    ValueType.SHORT_THING: _const,
    ValueType.ENUM: _const,
}
