"""Settings: read once from config.toml and the environment, frozen from then on.

Every key may also come as `XIANGXIAO_<SECTION>__<KEY>` from the environment, which wins. All faults are found before
any is reported, unknown keys among them, and no report repeats a secret.
"""

from __future__ import annotations

import atexit
import difflib
import json
import secrets
import shutil
import string
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bot import config_values as values
from bot.errors import AppError

ENV_PREFIX = "XIANGXIAO_"
# Names with our prefix that are no settings: where the command line looks for the file.
ENV_OTHER = frozenset({"XIANGXIAO_CONFIG"})


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing wrong with the configuration. `key` is `section.key` as in config.toml."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}：{self.message}"


class ConfigFaults(AppError):
    """The configuration cannot be used; `faults` holds everything wrong with it."""

    code = "config_faults"
    default_message = "配置有错。"

    def __init__(self, faults: Sequence[ConfigFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("配置有错：\n" + "\n".join(f"  {fault}" for fault in self.faults))


Secret = Annotated[SecretStr, AfterValidator(values.filled)]
WebAddress = Annotated[str, AfterValidator(values.web_address)]
Words = Annotated[tuple[str, ...], BeforeValidator(values.list_from_text)]


class Section(BaseModel):
    """A table of config.toml. Frozen; a key it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


# ----------------------------------------------------------------------------------------------------------- sections
class Server(Section):
    """Where the service listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: WebAddress = ""
    trusted_proxies: Words = ("127.0.0.1", "::1")


class Database(Section):
    """Where the records are. The address may hold a password."""

    url: Annotated[SecretStr, AfterValidator(values.database_url)] = SecretStr("sqlite:///data/xiangxiao.db")


class Redis(Section):
    """Where rebuildable state is: sessions, locks, remembered replies."""

    url: Annotated[SecretStr, AfterValidator(values.redis_url)] = SecretStr("memory://")


class Template(Section):
    """A template at the platform: what it is for, and which of its keys (`thing1`) means what."""

    purpose: Literal["notice", "reminder", "result", "task", "alarm"]
    kind: Literal["template", "subscription_notice", "mini_program"]
    id: str = Field(min_length=1, max_length=64)
    slots: dict[Literal["subject", "when", "sender", "note"], str] = Field(min_length=1)


class WeChat(Section):
    """The 服务号."""

    app_id: str = Field(min_length=1)
    app_secret: Secret
    token: Secret
    # Before the key: what the key must look like depends on it.
    mode: Literal["safe", "compatible", "plain"] = "safe"
    encoding_aes_key: SecretStr = Field(default=SecretStr(""), validate_default=True)
    original_id: str = ""
    api_base: WebAddress = "https://api.weixin.qq.com"
    reply_budget_s: float = Field(default=4.0, ge=0.1, le=4.8)
    templates: Annotated[tuple[Template, ...], BeforeValidator(values.list_from_text)] = ()

    @field_validator("encoding_aes_key")
    @classmethod
    def _aes_key_fits(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        key = value.get_secret_value()
        if not key and info.data.get("mode") == "plain":
            return value
        if len(key) != 43 or not key.isalnum() or not key.isascii():
            raise ValueError("应是公众平台上那 43 个英文字母和数字（明文模式可以不填）")
        return value


class MiniProgram(Section):
    """The mini-program; empty while there is none."""

    app_id: str = ""
    app_secret: SecretStr = SecretStr("")
    api_base: WebAddress = "https://api.weixin.qq.com"
    push_page: str = ""


class Security(Section):
    """Keys. See `bot.config_values.parse_field_keys` for the ring."""

    field_keys: Annotated[SecretStr, AfterValidator(values.key_ring)]
    blind_index_key: Annotated[SecretStr, AfterValidator(values.one_key)]
    session_key: Annotated[SecretStr, AfterValidator(values.one_key)]


class Knowledge(Section):
    """Content folders in order; the word `shipped` stands for the one that comes with the program."""

    content: Annotated[
        tuple[Annotated[str, AfterValidator(values.content_folder)], ...],
        BeforeValidator(values.list_from_text),
        Field(min_length=1),
    ] = (values.SHIPPED_CONTENT,)


class DutyOwner(Section):
    """Somebody who takes hand-overs. `id` is their openid at the 服务号; no `places` means every place."""

    id: str = Field(min_length=1, repr=False)
    name: str = Field(min_length=1, repr=False)
    phone: str = Field(default="", repr=False)
    places: Words = ()


class Support(Section):
    """Who takes hand-overs, and what families are told about who answers for children's data and where they are."""

    duty: Annotated[tuple[DutyOwner, ...], BeforeValidator(values.list_from_text)] = ()
    officer: str = Field(default="乡镇中心学校儿童信息负责人", min_length=1, max_length=40)
    officer_phone: str = Field(default="请向班主任询问", min_length=1, max_length=40)
    complaint: str = Field(default="乡镇教育办公室或12345热线", min_length=1, max_length=60)
    storage: str = Field(default="中国境内、由乡镇教育办公室管理的服务器", min_length=1, max_length=60)
    pupil_kept_days: int = Field(default=1095, ge=365, le=3650)


class Limits(Section):
    """How much is too much: per person, per address on failed attempts only, and for what we send."""

    messages_per_minute: int = Field(default=30, ge=1)
    requests_per_minute: int = Field(default=120, ge=1)
    failed_attempts_per_minute: int = Field(default=300, ge=1)
    notice_people_unsigned: int = Field(default=200, ge=0)
    pushes_per_family_per_day: int = Field(default=4, ge=1)
    pushes_per_second: float = Field(default=50.0, ge=0.0)
    pushes_per_day: int = Field(default=100_000, ge=1)
    pushes_at_once: int = Field(default=50, ge=1, le=300)


class Calendar(Section):
    """When the calendar asks to be completed."""

    next_year_from_month: int = Field(default=11, ge=9, le=12)
    terms_ahead_days: int = Field(default=30, ge=7, le=120)


class QuietHours(Section):
    """When nothing is pushed, local time; may span midnight."""

    start: time = time(21, 0)
    end: time = time(7, 0)


class Alarms(Section):
    """How long somebody who is told of a danger has to answer before the next one is told too."""

    acknowledge_minutes: int = Field(default=10, ge=1, le=120)


class AfterSchool(Section):
    """Rules of the after-school service that differ from county to county. `waiver_list_ground`: the rule that asks for
    a public list of those whose fee is waived; without one none can be made."""

    waiver_evidence_days: int = Field(default=30, ge=1, le=365)
    waiver_list_ground: str = Field(default="", max_length=200)


class Contacts(Section):
    """Rules of contact work that differ from county to county."""


class Settings(Section):
    """Everything that may differ from one deployment to the next."""

    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    wechat: WeChat
    miniprogram: MiniProgram = MiniProgram()
    security: Security
    knowledge: Knowledge = Knowledge()
    support: Support = Support()
    limits: Limits = Limits()
    calendar: Calendar = Calendar()
    quiet_hours: QuietHours = QuietHours()
    alarms: Alarms = Alarms()
    after_school: AfterSchool = AfterSchool()
    contacts: Contacts = Contacts()


# ------------------------------------------------------------------------------------------------------------ loading
def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """The settings from a file (None: no file, the environment alone) and the environment.

    Raises ConfigFaults naming everything wrong at once.
    """
    data, faults = _read_file(path)
    faults += _merge_environment(data, env)
    for section in Settings.model_fields:
        # A section left out altogether still gets each of its required keys named.
        data.setdefault(section, {})
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        faults += _faults_of(error)
    if faults:
        raise ConfigFaults(faults)
    return settings


def _read_file(path: Path | None) -> tuple[dict[str, Any], list[ConfigFault]]:
    if path is None:
        return {}, []
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), []
    except OSError as error:
        return {}, [ConfigFault(str(path), f"读不了这个文件（{error.strerror}）")]
    except UnicodeDecodeError:
        return {}, [ConfigFault(str(path), "文件要用 UTF-8 编码")]
    except tomllib.TOMLDecodeError as error:
        return {}, [ConfigFault(str(path), f"不是合法的 TOML：{error}")]


def _merge_environment(data: dict[str, Any], env: Mapping[str, str]) -> list[ConfigFault]:
    """Writes the variables over the data. Which keys exist is left to the model: one rule for both sources."""
    faults = []
    for variable in sorted(env):
        if not variable.startswith(ENV_PREFIX) or variable in ENV_OTHER:
            continue
        section, separator, key = variable.removeprefix(ENV_PREFIX).lower().partition("__")
        if not separator or not section or not key:
            faults.append(ConfigFault(variable, f"环境变量应写成 {ENV_PREFIX}<节>__<键>，中间是两个下划线"))
            continue
        table = data.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = env[variable]
    return faults


_MESSAGES = {
    "missing": "缺少这一项",
    "int_parsing": "应是整数",
    "int_type": "应是整数",
    "int_from_float": "应是整数",
    "float_parsing": "应是数字",
    "float_type": "应是数字",
    "string_type": "应是文字",
    "string_too_short": "不能为空",
    "too_short": "至少要写一项",
    "literal_error": "只能是 {expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "time_parsing": "应是时刻，例如 21:00",
    "tuple_type": "应是列表",
    "model_type": "应是一节（TOML 表）",
    "model_attributes_type": "应是一节（TOML 表）",
}


def _faults_of(error: ValidationError) -> Iterator[ConfigFault]:
    for item in error.errors(include_url=False, include_input=False):
        context = item.get("ctx", {})
        if item["type"] == "extra_forbidden":
            message = "没有这一项设置" + _suggestion(item["loc"])
        elif item["type"] == "value_error":
            message = str(context["error"])
        else:
            message = _MESSAGES.get(item["type"], item["msg"]).format(**context)
        yield ConfigFault(".".join(str(part) for part in item["loc"]), message)


def _suggestion(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        annotation = field.annotation if field else None
        inner = [kind for kind in (annotation, *get_args(annotation)) if _is_section(kind)]
        if not inner:
            return ""
        model = inner[0]
    close = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return f"，是不是 {close[0]}？" if close else ""


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


# --------------------------------------------------------------------------------------------------------------- demo
def demo_settings(
    data_dir: Path | None,
    port: int,
    wechat_url: str,
    *,
    host: str = "127.0.0.1",
    templates: Sequence[Mapping[str, Any]] = (),
) -> Settings:
    """Settings of the demo: SQLite, the in-process Redis stand-in, an emulator at `wechat_url`, keys of its own.

    The keys are kept in `data_dir`, so that encrypted records stay readable after a restart. With None everything lives
    in a fresh folder that goes when the process ends. `templates`: those of the emulator.
    """
    if data_dir is None:
        data_dir = Path(tempfile.mkdtemp(prefix="xiangxiao-demo-"))
        atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = _demo_keys(data_dir / "demo-keys.json")
    return Settings.model_validate(
        {
            "server": {"host": host, "port": port, "public_url": f"http://{host}:{port}"},
            "database": {"url": f"sqlite:///{data_dir.resolve()}/xiangxiao.db"},
            "wechat": {"app_id": "wxdemo0000000001", "original_id": "gh_demo00000001", "api_base": wechat_url}
            | {"templates": list(templates)}
            | {name: keys[name] for name in ("app_secret", "token", "encoding_aes_key")},
            "miniprogram": {"app_id": "wxdemo0000000002", "app_secret": keys["app_secret"], "api_base": wechat_url},
            "security": {name: keys[name] for name in ("field_keys", "blind_index_key", "session_key")},
            "support": {"duty": [{"id": "demo_a_0001", "name": "孙老师"}]},
        }
    )


def _demo_keys(path: Path) -> dict[str, str]:
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    letters = string.ascii_letters + string.digits
    keys = {
        "app_secret": secrets.token_hex(16),
        "token": secrets.token_hex(12),
        "encoding_aes_key": "".join(secrets.choice(letters) for _ in range(43)),
        "field_keys": f"demo:{values.new_key()}",
        "blind_index_key": values.new_key(),
        "session_key": values.new_key(),
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(keys), encoding="utf-8")
    return keys
