"""Rules of logging in."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from handlers.console.domain import (
    BadLogin,
    WeakPassword,
    check_password,
    checked_login,
    device_in_words,
    locked_after,
    matching_step,
    new_totp_secret,
    time_step,
    totp_address,
    totp_code,
)

# The seed and the codes of RFC 6238, appendix B, of which an authenticator shows the last six digits.
SEED = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp_code(SEED, time_step(datetime.fromtimestamp(seconds, UTC))) == code[-6:]


def test_a_code_fits_half_a_minute_to_either_side_and_once() -> None:
    step = time_step(NOW)
    code = totp_code(SEED, step)
    for shift, fits in ((-30, True), (0, True), (30, True), (60, False), (-60, False)):
        assert (matching_step(SEED, code, NOW + timedelta(seconds=shift), None) == step) is fits
    assert matching_step(SEED, f"{code[:3]} {code[3:]}", NOW, step - 1) == step
    assert matching_step(SEED, code, NOW, step) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345"])
def test_what_is_no_code_fits_nothing(code: str) -> None:
    assert matching_step(SEED, code, NOW, None) is None


def test_secrets_differ_and_are_read_by_authenticators() -> None:
    secrets = {new_totp_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)
    assert totp_address("ABC", "sun").startswith("otpauth://totp/%E4%B9%A1%E6%A0%A1%E5%90%8E%E5%8F%B0:sun?secret=ABC&")


@pytest.mark.parametrize("password", ["short", "123456789012", "aaaaaaaaaaaa", "my-sun.admin-1", "x" * 129])
def test_passwords_that_are_easily_guessed_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password, "sun.admin")


def test_a_sentence_is_a_password() -> None:
    check_password("村口的老槐树今年开花了", "sun.admin")


@pytest.mark.parametrize("login", ["", "ab", "a" * 33, "孙管理", "a b c", "a/b/c"])
def test_names_nobody_can_type_are_refused(login: str) -> None:
    with pytest.raises(BadLogin):
        checked_login(login)


def test_names_are_kept_in_small_letters() -> None:
    assert checked_login(" Sun.Admin ") == "sun.admin"


def test_the_lock_falls_with_the_fifth_failure() -> None:
    assert [locked_after(count, NOW) is None for count in (1, 4, 5, 6)] == [True, True, False, False]


def test_devices_are_told_in_words() -> None:
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0"
    assert device_in_words(agent) == "安卓手机，微信"
    assert device_in_words("") == "其他设备，浏览器"
