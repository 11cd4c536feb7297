"""A built index on disk, so that a process starts in a second and never holds the memory that building takes.

The file holds arrays only (nothing in it can run), is named after everything it depends on, and is made by a process
of its own: `python -m knowledge.snapshot FILE FOLDER…`. Where it cannot be made, the caller builds in place.

It is mapped, not read: what no question asks for takes no memory, and the replicas of one machine share the rest. The
arrays stand one after another as numpy saves them, each at a multiple of 64 bytes; the first is the list of names.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from knowledge.frame import Framer
from knowledge.loader import load
from knowledge.places import Gazetteer
from knowledge.ranking import build_state
from knowledge.words import Lexicon

BUILD_TIMEOUT_S = 600.0
SUFFIX = ".arrays"
# Numpy's own headers end on a multiple of it, so that what they are about begins on one too.
_STEP = 64

State = dict[str, NDArray[Any]]


def default_folder() -> Path:
    """Where snapshots are kept: the user's own cache, which nobody else can write."""
    return Path.home() / ".cache" / "xiangxiao"


def fingerprint(folders: Sequence[Path]) -> str:
    """Name of all that an index depends on: content, lexicon, and the code that builds it."""
    digest = hashlib.sha256(np.__version__.encode())
    package = Path(__file__).parent
    files = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    files += sorted(package.glob("*.py")) + sorted((package / "lexicon").glob("*.*"))
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:24]


def obtain(folders: Sequence[Path], kept_in: Path) -> State | None:
    """The arrays for the content of `folders`, from the file or built into it; `None` if neither can be had."""
    path = kept_in / f"{fingerprint(folders)}{SUFFIX}"
    state = _read(path)
    if state is None and _build(path, folders):
        state = _read(path)
    return state


def _read(path: Path) -> State | None:
    try:
        return _mapped(path)
    except (OSError, ValueError, EOFError):
        return None  # not there, or cut short: it is built again


def _mapped(path: Path) -> State:
    """Raises ValueError or EOFError for a file that is not whole."""
    found: list[NDArray[Any]] = []
    with path.open("rb") as file:
        whole = np.asarray(np.memmap(file, np.uint8, "r"))
        place = 0
        while place < whole.size:
            file.seek(place)
            if npy.read_magic(file) != (1, 0):
                raise ValueError
            shape, _, dtype = npy.read_array_header_1_0(file)
            begin, size = file.tell(), dtype.itemsize * prod(shape)
            if begin + size > whole.size:
                raise EOFError
            found.append(whole[begin : begin + size].view(dtype).reshape(shape))
            place = -(-(begin + size) // _STEP) * _STEP
    names, *arrays = found
    return dict(zip(names.tobytes().decode().split("\n"), arrays, strict=True))


def _build(path: Path, folders: Sequence[Path]) -> bool:
    command = [sys.executable, "-m", "knowledge.snapshot", str(path), *(str(folder.resolve()) for folder in folders)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def write(path: Path, folders: Sequence[Path]) -> None:
    """Builds the arrays for `folders` and puts them at `path` in one step; older snapshots beside it are removed.

    Raises:
        ContentFaults: the content is faulty.
        OSError: the file cannot be written.
    """
    entries = load(folders)
    gazetteer = Gazetteer({entry.plan.id: entry.plan for entry in entries}.values())
    state = build_state(entries, Framer(Lexicon(gazetteer.names), gazetteer))
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        for array in (np.frombuffer("\n".join(state).encode(), np.uint8), *state.values()):
            file.write(bytes(-file.tell() % _STEP))
            npy.write_array(file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    Path(file.name).replace(path)
    for old in sorted(path.parent.glob(f"*{SUFFIX}"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        with suppress(OSError):
            old.unlink()


KEPT = 4
"""Snapshots kept: the one in use, and those of another version or content that may be running beside it."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
