"""Reads WeChat's XML into plain values; refuses what could hide an attack or mean two things.

A message is `<xml>` with named elements below it. Text values are strings, elements that hold others become
mappings, and a name that comes several times under one parent (`List`, `item`) becomes a list.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias
from xml.etree import ElementTree
from xml.parsers import expat

from bot.wechat.errors import MalformedMessage

FieldValue: TypeAlias = "str | Fields | list[FieldValue]"
Fields: TypeAlias = Mapping[str, FieldValue]

MAX_DEPTH = 6
# Control characters, lone surrogates and the two non-characters may not stand in XML 1.0, not even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Bytes that make a parser change or refuse the text around them: control characters and carriage returns.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n")


def _shape(*names: str) -> re.Pattern[str]:
    """Exactly these elements in this order, each holding one CDATA section or plain characters."""
    value = r"(?:<!\[CDATA\[((?:[^\]]++|\](?!\]>))*+)\]\]>|([^<>&]*+))"
    space = r"[ \t\n]*+"
    elements = (f"<{name}>{value}</{name}>" for name in names)
    return re.compile(f"<xml>{space}" + space.join(elements) + f"{space}</xml>{space}")


# Building a parser takes four times as long as matching, and nearly every request has one of two shapes.
_SHAPES = tuple(
    (names, _shape(*names))
    for names in (
        ("ToUserName", "Encrypt"),
        ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"),
    )
)


def read_fields(body: bytes) -> dict[str, FieldValue]:
    """The elements below the root of `body`, which must be UTF-8 and have `<xml>` as its root.

    Raises MalformedMessage for anything else: another encoding, a document type (the door for entities),
    broken markup, nesting deeper than any WeChat message has.
    """
    try:
        text = body.decode("utf-8")
        if (fields := _read_usual(body, text)) is not None:
            return fields
        if not text.startswith("<xml>"):
            # A document type can only stand before the root, so the usual opening needs no second look.
            _refuse_document_type(text)
        root = ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities to expand
    except (UnicodeDecodeError, ElementTree.ParseError, expat.ExpatError, ValueError) as fault:
        raise MalformedMessage(f"not readable as XML: {type(fault).__name__}") from None
    if root.tag != "xml":
        raise MalformedMessage("the root element is not xml")
    fields = {}
    for child in root:
        _add(fields, child, 1)
    return fields


def cdata(text: str) -> str:
    """`text` as a CDATA section which its own content cannot close."""
    if "]]>" in text:
        text = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def printable(text: str) -> str:
    """`text` without the characters that XML forbids; tabs and line ends stay."""
    if _FORBIDDEN.search(text):
        return _FORBIDDEN.sub("", text)
    return text


def _read_usual(body: bytes, text: str) -> dict[str, FieldValue] | None:
    """What the parser would read, for the two usual shapes; None for any other. Both must always agree."""
    if len(body.translate(None, _CONTROLS)) != len(body) or b"\xef\xbf" in body:
        return None
    for names, shape in _SHAPES:
        if found := shape.fullmatch(text):
            values = iter(found.groups(""))
            return {name: section or plain for name, section, plain in zip(names, values, values, strict=True)}
    return None


def _add(fields: dict[str, FieldValue], element: ElementTree.Element, depth: int) -> None:
    value = _value(element, depth)
    known = fields.get(element.tag)
    if known is None:
        fields[element.tag] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        fields[element.tag] = [known, value]


def _value(element: ElementTree.Element, depth: int) -> FieldValue:
    if not len(element):
        return element.text or ""
    if depth >= MAX_DEPTH:
        raise MalformedMessage("nested too deeply")
    below: dict[str, FieldValue] = {}
    for child in element:
        _add(below, child, depth + 1)
    return below


def _refuse_document_type(text: str) -> None:
    def refuse(*_: object) -> None:
        raise MalformedMessage("a document type is not accepted")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text, True)
