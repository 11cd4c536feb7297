"""What /proc tells: the processor time and memory of processes and their children, and who else is at work."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

PROC = Path("/proc")
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
_IDLE = (3, 4)  # idle, waiting for a disk
_YARDSTICK_S = 0.148


def family(*roots: int) -> set[int]:
    """The processes and all their descendants."""
    parents = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text(errors="replace").rpartition(") ")[2].split()
                parents[int(folder.name)] = int(fields[1])
    found: set[int] = set()
    born = set(roots) & parents.keys()
    while born:
        found |= born
        born = {process for process, parent in parents.items() if parent in found} - found
    return found


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on a core, and seconds ready for one that somebody else had (0 where the kernel does not tell)."""

    ran_s: float = 0.0
    waited_s: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.ran_s + other.ran_s, self.waited_s + other.waited_s)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.ran_s - other.ran_s, self.waited_s - other.waited_s)


def spent(*roots: int) -> Spent:
    """What the living threads of the processes and of all their descendants have spent so far."""
    tasks = (task for process in family(*roots) for task in (PROC / f"{process}/task").glob("*"))
    return sum(map(_spent_by_thread, tasks), Spent())


def _spent_by_thread(task: Path) -> Spent:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        if (schedule := task / "schedstat").exists():
            ran_ns, waited_ns, _ = map(int, schedule.read_text().split())
            return Spent(ran_ns / 1e9, waited_ns / 1e9)
        fields = (task / "stat").read_text(errors="replace").rpartition(") ")[2].split()
        return Spent((int(fields[11]) + int(fields[12])) * _TICK_S)
    return Spent()


def resident_mib(*roots: int) -> float:
    """MiB the processes and all their descendants hold in memory."""
    return sum(int((PROC / f"{process}/statm").read_text().split()[1]) for process in family(*roots)) * _PAGE_MIB


def slowness() -> float:
    """How many times slower this machine is now than the one the goals in seconds were set on; 1 for a faster one.

    There, importing aiohttp took 148 ms of processor. Goals that are ratios need no such correction.
    """
    command = [sys.executable, "-c", "import time, aiohttp.web; print(time.process_time())"]
    run_s = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
    return max(1.0, median(run_s) / _YARDSTICK_S)


def cores() -> tuple[int, int]:
    """(For a server, for its client): two different ones where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pin(process: int, *to: int) -> None:
    """Keeps a process, its descendants and all their threads on some cores."""
    for member in family(process):
        for task in (PROC / f"{member}/task").glob("*"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), to)


@contextlib.contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """This process on one core for the time of a block; what it starts there stays on it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Moment:
    """How much had been done by then: by all, and by this process with its children."""

    at: float
    busy_s: float
    own_s: float

    @classmethod
    def now(cls) -> Moment:
        fields = (PROC / "stat").read_text().splitlines()[0].split()[1:9]
        busy = sum(int(field) for number, field in enumerate(fields) if number not in _IDLE)
        return cls(perf_counter(), busy * _TICK_S, spent(os.getpid()).ran_s)


def others_since(before: Moment) -> float:
    """Cores that somebody else has kept busy since then."""
    now = Moment.now()
    foreign = (now.busy_s - before.busy_s) - (now.own_s - before.own_s)
    return max(0.0, foreign) / max(now.at - before.at, 1e-6)
