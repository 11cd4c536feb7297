"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.memory import give_back, share_one_arena

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import ctypes, sys
from bot.memory import give_back
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
blocks = [c.malloc(4000) for _ in range(20_000)]
for block in blocks:
    ctypes.memset(block, 1, 4000)
last = c.malloc(4000)
for block in blocks:
    c.free(ctypes.c_void_p(block))
before = resident()
give_back()
print((before - resident()) // 2**20)
"""


def test_both_may_be_called_anywhere() -> None:
    share_one_arena()
    give_back()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_pages_are_returned() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert int(shown) > 30
