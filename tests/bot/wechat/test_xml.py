"""The XML reader: what it gives, what it refuses."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wechat.errors import MalformedMessage
from bot.wechat.xml import cdata, printable, read_fields
from tests.bot.wechat.samples import PUSH, XML

BOMB = (
    b'<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + b"".join(b'<!ENTITY %c "%s">' % (ord("b") + i, b"&%c;" % (ord("a") + i) * 10) for i in range(1, 9))
    + b"]><xml><Content>&j;</Content></xml>"
)


def test_texts_and_numbers_are_strings() -> None:
    assert read_fields(XML.encode())["CreateTime"] == "1763683200"


def test_nested_and_repeated_elements_become_mappings_and_lists() -> None:
    body = b"<xml><A><List><T>1</T></List><List><T>2</T></List><One>x</One></A><B/></xml>"
    assert read_fields(body) == {"A": {"List": [{"T": "1"}, {"T": "2"}], "One": "x"}, "B": ""}


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/evil.dtd"><xml></xml>',
        b'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Content>&x;</Content></xml>',
        b"<!-- --><!DOCTYPE xml><xml></xml>",
        b"\xef\xbb\xbf<!DOCTYPE xml><xml></xml>",
        "<!DOCTYPE xml><xml></xml>".encode("utf-16"),
    ],
)
def test_document_types_are_refused_in_no_time(body: bytes) -> None:
    started = time.thread_time()
    with pytest.raises(MalformedMessage):
        read_fields(body)
    assert time.thread_time() - started < 1


def test_somebody_may_write_about_document_types() -> None:
    body = b"<xml><Content><![CDATA[<!DOCTYPE html> <!ENTITY a> &a;]]></Content></xml>"
    assert read_fields(body) == {"Content": "<!DOCTYPE html> <!ENTITY a> &a;"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"success",
        b"{}",
        b"<xml>",
        b"<xml></xml",
        b"<xml></xml><xml></xml>",
        b"<html></html>",
        b"<xml><A>&undefined;</A></xml>",
        b"<xml><A></B></xml>",
        b"<xml>\xff</xml>",
        b"<xml><A>\x00</A></xml>",
        "<xml></xml>".encode("utf-16"),
        b'<?xml version="1.0" encoding="no-such"?><xml></xml',
        b"<xml>" + b"<a>" * 3000 + b"</a>" * 3000 + b"</xml>",
        "<xml><A>\ud800</A></xml>".encode("utf-8", "surrogatepass"),
    ],
)
def test_what_is_no_message_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_fields(body)


def test_declaration_and_line_ends_are_accepted() -> None:
    body = b'<?xml version="1.0" encoding="utf-8"?>\n<xml>\r\n  <A><![CDATA[1\r\n2]]></A>\r\n</xml>\n'
    assert read_fields(body) == {"A": "1\n2"}


_PIECES = st.lists(
    st.sampled_from(["]", ">", "]]>", "<", "&", "\r", "\n", " ", "<![CDATA[", "\uffff", "\x0b", "你", "a", "\u3000"]),
    max_size=6,
).map("".join)


@given(st.data())
def test_short_way_and_parser_always_agree(data: st.DataObject) -> None:
    """A comment before the root sends the same elements through the parser."""
    names = data.draw(
        st.sampled_from(
            [("ToUserName", "Encrypt"), ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId")]
        )
    )
    sections = [data.draw(st.sampled_from(["<![CDATA[{}]]>", "{}"])).format(data.draw(_PIECES)) for _ in names]
    gaps = [data.draw(st.sampled_from(["", "\n", " \t", "\u3000", "x", "\r\n"])) for _ in (*names, "end", "after")]
    elements = "".join(
        f"{gap}<{name}>{section}</{name}>" for gap, name, section in zip(gaps, names, sections, strict=False)
    )
    text = f"<xml>{elements}{gaps[-2]}</xml>{gaps[-1]}"
    assert _outcome(text) == _outcome("<!-- -->" + text)


def test_usual_requests_take_the_short_way_to_the_same_end() -> None:
    for body in (XML.encode(), PUSH, re.sub(r"(</\w+>|<xml>)<", r"\1\n<", XML).encode()):
        assert read_fields(body) == read_fields(b"<!-- -->" + body)


@given(st.text())
def test_no_text_escapes_its_section(text: str) -> None:
    text = printable(text).replace("\r", "")
    assert read_fields(f"<xml><A>{cdata(text)}</A><B>b</B></xml>".encode()) == {"A": text, "B": "b"}


def _outcome(text: str) -> object:
    try:
        return read_fields(text.encode())
    except MalformedMessage:
        return "refused"
