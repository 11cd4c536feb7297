"""The browser of these tests: the system's Chromium, since no test run downloads one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root there is no sandbox; and without the others the browser looks up its maker's hosts at every start.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING: Final = (
    "没有找到 Chromium，浏览器测试没有运行。安装后再试：apt-get install chromium fonts-noto-cjk，"
    "或用环境变量 CHROMIUM 指出它在哪里。"
)


def find_chromium() -> Path | None:
    """The program named by the variable CHROMIUM, else the first one installed; None when there is none."""
    named = os.environ.get("CHROMIUM")  # noqa: TID251 - of the test run
    if named:
        return Path(named) if Path(named).is_file() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else None


def require_chromium() -> Path:
    """The browser. Without one the test is skipped, saying so; where `CI` is set, that is a failure."""
    path = find_chromium()
    if path is None:
        if os.environ.get("CI"):  # noqa: TID251 - of the test run
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    return path
