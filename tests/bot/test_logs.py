"""Logs: one JSON object a line, nothing in it that identifies a person."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from bot.logs import MASK, configure_logs, get_logger, log_context, redact, request_id

OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
PHONE = "13812345678"
ID_NUMBER = "32130219900307123X"
NAME = "王小明"

log = get_logger("tests.logs")


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure_logs(stream=stream)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_json_line_with_its_fields(lines: io.StringIO) -> None:
    log.info("menu_synced", buttons=3, place="宿城区", detail="two\nlines")
    [entry] = entries(lines)
    assert entry["event"] == "menu_synced"
    assert entry["level"] == "info"
    assert entry["logger"] == "tests.logs"
    assert (entry["buttons"], entry["place"], entry["detail"]) == (3, "宿城区", "two\nlines")
    assert entry["time"].endswith("+00:00")
    assert "宿城区" in lines.getvalue()


def test_the_request_and_the_context_are_on_every_record(lines: io.StringIO) -> None:
    token = request_id.set("r-1")
    with log_context(job="tidy"):
        log.warning("inside", step=1)
    request_id.reset(token)
    log.warning("outside")
    inside, outside = entries(lines)
    assert (inside["request_id"], inside["job"], inside["step"]) == ("r-1", "tidy", 1)
    assert "request_id" not in outside
    assert "job" not in outside


@pytest.mark.parametrize(
    "text",
    [
        f"from {OPENID} to gh_1",
        "from demo_g_000001 (mp_demo_g_000001)",
        f"call {PHONE} or 138-1234-5678 or 138 1234 5678",
        f"pupil {ID_NUMBER}",
        "GET /cgi-bin/menu/get?access_token=SECRETTOKEN&x=1",
        "https://api/sns?appid=wx1&secret=SECRETTOKEN&js_code=SECRETTOKEN",
        "postgres://user:SECRETTOKEN@host:5432/db",
    ],
)
def test_patterns_are_taken_out_wherever_they_stand(lines: io.StringIO, text: str) -> None:
    log.info(text, note=text, listed=[text], nested={"inner": {"deep": text}})
    for hidden in (OPENID, PHONE, "1234", ID_NUMBER, "SECRETTOKEN", "demo_g_000001"):
        assert hidden not in lines.getvalue()


def test_tracebacks_are_redacted_too(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"no such user {OPENID}")
    except ValueError:
        log.exception("failed")
    assert "ValueError: no such user <openid>" in entries(lines)[0]["exception"]
    assert OPENID not in lines.getvalue()


def test_records_of_libraries_are_redacted_too(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("sent %s to %s", "a message", OPENID)
    assert entries(lines)[0]["event"] == "sent a message to <openid>"


@pytest.mark.parametrize("field", ["name", "student_name", "phone", "openid", "content", "Question", "token"])
def test_private_fields_are_masked_whatever_they_hold(lines: io.StringIO, field: str) -> None:
    log.info("seen", **{field: "王小明"})
    assert entries(lines)[0][field] == MASK


def test_numbers_that_could_be_phones_are_masked_and_small_ones_kept() -> None:
    assert redact({"count": 12, "number": int(PHONE), "share": 0.5, "none": None, "flag": True}) == {
        "count": 12,
        "number": "<phone>",
        "share": 0.5,
        "none": None,
        "flag": True,
    }


def test_ordinary_figures_stay_readable() -> None:
    text = "2026-09-01T08:00:00+08:00 took 12.5 ms, 45 places, msg 23456789012345678901234"
    assert redact(text) == text


def test_a_percent_sign_in_an_event_is_no_format(lines: io.StringIO) -> None:
    log.info("100% done %s")
    assert entries(lines)[0]["event"] == "100% done %s"


def test_an_error_that_quotes_values_loses_them_and_keeps_its_kind(lines: io.StringIO) -> None:
    from asyncpg import UniqueViolationError
    from pydantic import BaseModel, ValidationError
    from tortoise.exceptions import IntegrityError

    class Pupil(BaseModel):
        name: int

    try:
        try:
            raise UniqueViolationError(f"duplicate key\nDETAIL:  Key (name)=({NAME}) already exists.")
        except UniqueViolationError as error:
            raise IntegrityError(f"Key (name)=({NAME}) already exists.") from error
    except IntegrityError:
        log.exception("not_stored")
    try:
        Pupil.model_validate({"name": NAME})
    except ValidationError:
        log.exception("not_valid")
    try:
        raise ValueError("a message of our own")
    except ValueError:
        log.exception("told")
    stored, valid, told = (entry["exception"] for entry in entries(lines))
    assert NAME not in stored + valid
    assert "UniqueViolationError: ***" in stored
    assert "tortoise.exceptions.IntegrityError: ***" in stored
    assert "ValidationError: ***" in valid
    assert "a message of our own" in told
