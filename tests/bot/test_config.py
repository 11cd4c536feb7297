"""The configuration: where values come from, and that every fault is named, with no secret in the naming."""

from __future__ import annotations

import tomllib
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.cli_serve import start_warnings
from bot.config import ConfigFaults, DutyOwner, Section, Settings, demo_settings, load_settings
from bot.config_values import decode_key, new_key, parse_field_keys
from tests.settings import MINIMAL, OTHER_KEY, TEST_KEY

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
# Shown filled in: an empty one would not say what belongs there.
_EXAMPLES = {("wechat", "encoding_aes_key"), ("wechat", "templates"), ("support", "duty")}


def as_environment(sections: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        f"XIANGXIAO_{section.upper()}__{key.upper()}": str(value)
        for section, keys in sections.items()
        for key, value in keys.items()
    }


def faults_of(path: Path | None, env: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigFaults) as caught:
        load_settings(path, env)
    return {fault.key: fault.message for fault in caught.value.faults}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_alone_is_enough() -> None:
    settings = load_settings(None, as_environment(MINIMAL))
    assert settings.wechat.app_id == MINIMAL["wechat"]["app_id"]
    assert settings.server.port == 8080
    assert settings.quiet_hours.start == time(21, 0)


def test_the_environment_wins_over_the_file_key_by_key(tmp_path: Path) -> None:
    config = write(tmp_path / "config.toml", '[server]\nport = 9000\nhost = "192.0.2.1"\n')
    settings = load_settings(config, as_environment(MINIMAL) | {"XIANGXIAO_SERVER__PORT": "9001"})
    assert (settings.server.host, settings.server.port) == ("192.0.2.1", 9001)


def test_lists_come_from_the_environment_as_json_or_with_commas(tmp_path: Path) -> None:
    env = as_environment(MINIMAL) | {
        "XIANGXIAO_KNOWLEDGE__CONTENT": f"shipped, {tmp_path}",
        "XIANGXIAO_SUPPORT__DUTY": '[{"id": "o1", "name": "值班", "phone": "110", "places": ["宿城区"]}]',
    }
    settings = load_settings(None, env)
    assert settings.knowledge.content == ("shipped", str(tmp_path))
    assert settings.support.duty[0].places == ("宿城区",)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    config = write(
        tmp_path / "config.toml",
        f"""
        [server]
        port = 70000
        prot = 8080
        [database]
        url = "mysql://host/db"
        [redis]
        url = "http://host"
        [wechat]
        app_id = "wx1"
        token = "t"
        mode = "open"
        reply_budget_s = 9
        [security]
        field_keys = "k1:short"
        blind_index_key = "{TEST_KEY}"
        [knowledge]
        content = ["/nowhere/at/all"]
        [support]
        duty = [{{ id = "o1", nam = "值班" }}]
        [serve]
        x = 1
        """,
    )
    faults = faults_of(config, {"XIANGXIAO_LIMITS__MESSAGES_PER_MINUTE": "many"})
    assert set(faults) == {
        "server.port",
        "server.prot",
        "database.url",
        "redis.url",
        "wechat.app_secret",
        "wechat.mode",
        "wechat.encoding_aes_key",
        "wechat.reply_budget_s",
        "security.field_keys",
        "security.session_key",
        "knowledge.content.0",
        "support.duty.0.name",
        "support.duty.0.nam",
        "limits.messages_per_minute",
        "serve",
    }
    assert faults["server.prot"] == "没有这一项设置，是不是 port？"
    assert faults["support.duty.0.nam"] == "没有这一项设置，是不是 name？"
    assert faults["serve"] == "没有这一项设置，是不是 server？"
    assert faults["limits.messages_per_minute"] == "应是整数"


def test_a_section_left_out_has_its_required_keys_named() -> None:
    assert {"wechat.app_id", "wechat.token", "security.field_keys", "security.session_key"} <= set(faults_of(None, {}))


def test_a_misspelt_variable_is_a_fault_too() -> None:
    env = as_environment(MINIMAL) | {"XIANGXIAO_WECHAT__TOKNE": "t", "XIANGXIAO_WECHAT_TOKEN": "t", "OTHER_X": "y"}
    faults = faults_of(None, env)
    assert faults["wechat.tokne"] == "没有这一项设置，是不是 token？"
    assert "两个下划线" in faults["XIANGXIAO_WECHAT_TOKEN"]
    assert len(faults) == 2


def test_the_name_of_the_configuration_file_is_no_setting() -> None:
    load_settings(None, as_environment(MINIMAL) | {"XIANGXIAO_CONFIG": "config.toml"})


@pytest.mark.parametrize("content", ["[server", "\udcff", None])
def test_a_file_that_cannot_be_read_is_a_fault_beside_the_others(tmp_path: Path, content: str | None) -> None:
    config = tmp_path / "config.toml"
    if content is not None:
        config.write_bytes(content.encode("utf-8", "surrogateescape"))
    faults = faults_of(config, {})
    assert str(config) in faults
    assert "wechat.app_id" in faults


def test_faults_never_repeat_a_secret() -> None:
    secrets = {"app_secret": "", "encoding_aes_key": "far-too-short-a-secret"}
    env = as_environment({**MINIMAL, "wechat": MINIMAL["wechat"] | secrets})
    env |= as_environment({"security": {"field_keys": "k1:not-so-secret", "blind_index_key": "also-hidden"}})
    env["XIANGXIAO_DATABASE__URL"] = "mysql://user:password-in-url@host/db"
    with pytest.raises(ConfigFaults) as caught:
        load_settings(None, env)
    said = str(caught.value) + repr(caught.value) + "".join(str(fault) for fault in caught.value.faults)
    for hidden in ("far-too-short-a-secret", "not-so-secret", "also-hidden", "password-in-url"):
        assert hidden not in said


def test_secrets_are_in_no_repr() -> None:
    env = as_environment(MINIMAL) | {
        "XIANGXIAO_DATABASE__URL": "postgres://user:dbpassword@host/db",
        "XIANGXIAO_SUPPORT__DUTY": '[{"id": "oDUTYOPENID", "name": "王某某", "phone": "13800138000"}]',
    }
    shown = repr(load_settings(None, env)) + str(load_settings(None, env))
    hidden = [MINIMAL["wechat"][key] for key in ("app_secret", "token", "encoding_aes_key")]
    for secret in [*hidden, TEST_KEY, "dbpassword", "oDUTYOPENID", "王某某", "13800138000"]:
        assert secret not in shown


def test_settings_are_frozen() -> None:
    settings = load_settings(None, as_environment(MINIMAL))
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc] # that is the point


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_encrypted_modes_need_the_aes_key(mode: str) -> None:
    sections = {**MINIMAL, "wechat": MINIMAL["wechat"] | {"mode": mode, "encoding_aes_key": ""}}
    assert set(faults_of(None, as_environment(sections))) == {"wechat.encoding_aes_key"}


def test_plaintext_mode_needs_no_aes_key() -> None:
    sections = {**MINIMAL, "wechat": MINIMAL["wechat"] | {"mode": "plain", "encoding_aes_key": ""}}
    assert load_settings(None, as_environment(sections)).wechat.mode == "plain"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://:memory:", "postgres://host", "postgres:///db", "nonsense", ""]
)
def test_database_addresses_that_name_no_database_are_refused(url: str) -> None:
    env = as_environment(MINIMAL) | {"XIANGXIAO_DATABASE__URL": url}
    assert set(faults_of(None, env)) == {"database.url"}


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:", f"k 1:{TEST_KEY}", f"k1:{TEST_KEY},k1:{OTHER_KEY}", f"k1:{TEST_KEY}A", "k1:%%%"]
)
def test_malformed_key_rings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_field_keys(text)


def test_a_key_ring_keeps_its_order() -> None:
    assert list(parse_field_keys(f"new:{OTHER_KEY}, old:{TEST_KEY}")) == ["new", "old"]


def test_a_new_key_can_be_read_back() -> None:
    assert len(decode_key(new_key())) == 32
    assert new_key() != new_key()


# ----------------------------------------------------------------------------------------------------------- example
def test_the_example_is_a_valid_configuration() -> None:
    load_settings(EXAMPLE, {})


def test_the_example_s_keys_are_warned_of_and_others_are_not() -> None:
    example = load_settings(EXAMPLE, {})
    assert any("示例文件的密钥" in warning for warning in start_warnings(example))
    own = as_environment({"security": {"field_keys": f"k1:{new_key()}"}})
    own |= as_environment({"security": {"blind_index_key": new_key(), "session_key": new_key()}})
    assert start_warnings(load_settings(EXAMPLE, own)) == []


def test_the_example_lists_every_setting_and_no_other() -> None:
    listed = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    assert listed.keys() == sections.keys()
    for name, section in sections.items():
        assert isinstance(section, type)
        assert issubclass(section, Section)
        assert listed[name].keys() == section.model_fields.keys(), name
    assert listed["support"]["duty"][0].keys() == DutyOwner.model_fields.keys()


def test_the_example_explains_every_setting() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith(("#", " ")):
            assert lines[number - 1].startswith("#"), f"line {number + 1} has no comment above it"


def test_the_example_shows_the_defaults() -> None:
    listed = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    shown = Settings.model_validate(listed)
    for name, section in Settings.model_fields.items():
        assert isinstance(section.annotation, type)
        for key, field in section.annotation.model_fields.items():
            if field.is_required() or (name, key) in _EXAMPLES:
                continue
            assert getattr(getattr(shown, name), key) == field.default, f"{name}.{key}"


# -------------------------------------------------------------------------------------------------------------- demo
def test_the_demo_keeps_its_keys_in_its_folder(tmp_path: Path) -> None:
    first = demo_settings(tmp_path / "demo", 8080, "http://127.0.0.1:9")
    again = demo_settings(tmp_path / "demo", 8081, "http://127.0.0.1:9")
    assert first.security == again.security
    assert first.wechat == again.wechat
    assert (tmp_path / "demo" / "demo-keys.json").stat().st_mode & 0o077 == 0


def test_two_demos_have_different_keys(tmp_path: Path) -> None:
    one = demo_settings(tmp_path / "one", 8080, "http://127.0.0.1:9")
    other = demo_settings(None, 8080, "http://127.0.0.1:9")
    assert one.security.field_keys != other.security.field_keys
    assert isinstance(one.wechat.token, SecretStr)


def test_the_demo_talks_to_its_emulator_only(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path, 8080, "http://127.0.0.1:9")
    assert settings.wechat.api_base == settings.miniprogram.api_base == "http://127.0.0.1:9"
