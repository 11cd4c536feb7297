"""The import contracts of pyproject.toml: kept, complete, and able to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import CAPABILITIES, PRODUCT, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]

# One forbidden import for each contract: file, line to add.
PLANTED = {
    "The direction of imports": ("bot/storage/base.py", "from bot.web import health"),
    "Knowledge is a plain library": ("knowledge/__init__.py", "import bot.clock"),
    "Entry points touch neither the ORM nor Redis": ("handlers/policy/chat.py", "import tortoise"),
    "Rules are pure: a domain module knows no machinery": ("handlers/policy/domain.py", "import bot.storage.base"),
    "The emulator stands beside the product, on the wire only": ("bot/emulator/__init__.py", "import bot.app"),
    "Only the demo starts the emulator": ("bot/server.py", "import bot.emulator"),
    "The order of the capabilities": ("handlers/policy/texts.py", "import handlers.support.texts"),
    "Machinery tables stay with their owners": ("handlers/support/service/__init__.py", "import bot.storage.models"),
}


def has_tables(folder: Path) -> bool:
    """Tables are a module or, where they outgrow it, a package."""
    return (folder / "models.py").exists() or (folder / "models").is_dir()


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_every_contract_breaks_when_it_is_violated(tmp_path: Path) -> None:
    """A check that cannot fail checks nothing."""
    for package in PRODUCT:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "content"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = dict(PLANTED)
    for folder in filter(has_tables, CAPABILITIES):
        neighbour = next(other.name for other in CAPABILITIES if other != folder)
        planted[f"Tables of {folder.name}"] = (
            f"handlers/{neighbour}/capability.py",
            f"import handlers.{folder.name}.models",
        )
    assert planted.keys() == {contract["name"] for contract in CONTRACTS}, "each contract needs a violation here"
    for file, line in planted.values():
        target = tmp_path / file
        target.write_text(target.read_text("utf-8") + f"\n{line}\n", "utf-8")
    report = lint_imports(tmp_path).stdout
    kept = [name for name in planted if f"{name} BROKEN" not in report]
    assert kept == [], report


@pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: folder.name)
def test_the_tables_of_a_capability_are_its_service_s_alone(folder: Path) -> None:
    if not has_tables(folder):
        return
    models = f"handlers.{folder.name}.models"
    protecting = [c for c in CONTRACTS if c["type"] == "protected" and models in c["protected_modules"]]
    assert len(protecting) == 1, f"pyproject.toml needs a protected contract named 'Tables of {folder.name}'"
    assert protecting[0]["allowed_importers"] == [f"handlers.{folder.name}.service"]
    assert protecting[0]["name"] == f"Tables of {folder.name}"


def test_every_module_of_the_machinery_has_its_place_in_the_layers() -> None:
    [layers] = [contract["layers"] for contract in CONTRACTS if contract["id"] == "layers"]
    placed = {name.strip(" ()") for line in layers for name in line.split("|")}
    found = {path.stem if path.is_file() else path.name for path in (ROOT / "bot").iterdir()}
    unplaced = {f"bot.{name}" for name in found - {"__init__", "__pycache__", "emulator"}} - placed
    assert unplaced == set()
