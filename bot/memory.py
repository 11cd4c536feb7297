"""Keeping the process small: the C library likes to hold what was freed.

Loading the knowledge allocates far more for a moment than it keeps. On glibc these two calls give some 35 MiB back;
elsewhere they do nothing.
"""

from __future__ import annotations

import ctypes
import gc
from functools import cache

_M_ARENA_MAX = -8


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def share_one_arena() -> None:
    """For a process that begins: its few threads allocate from one pool instead of one each."""
    if library := _glibc():
        library.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """After something large was built: returns freed pages to the system."""
    if library := _glibc():
        library.malloc_trim(0)


def settle_collector() -> None:
    """After the knowledge is in: what is there now stays, so the collector need not walk through it any more.

    A collection of the oldest generation over a million lasting objects takes longer than a hundred replies; what
    replies leave behind is freed by counting, with few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
