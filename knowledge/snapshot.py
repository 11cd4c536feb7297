"""A built index on disk, so that a process starts in a second and never holds the memory that building takes.

The file holds arrays only (nothing in it can run), is named after everything it depends on, and is made by a process
of its own: `python -m knowledge.snapshot FILE FOLDER…`. Where it cannot be made, the caller builds in place.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from knowledge.frame import Framer
from knowledge.loader import load
from knowledge.places import Gazetteer
from knowledge.ranking import build_state
from knowledge.words import Lexicon

BUILD_TIMEOUT_S = 600.0

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
    path = kept_in / f"{fingerprint(folders)}.npz"
    state = _read(path)
    if state is None and _build(path, folders):
        state = _read(path)
    return state


def _read(path: Path) -> State | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # not there, or cut short: it is built again


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
        np.savez(file, **state)  # type: ignore[arg-type]  # the stub takes the names for its own options
    Path(file.name).replace(path)
    for old in sorted(path.parent.glob("*.npz"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        with suppress(OSError):
            old.unlink()


KEPT = 4
"""Snapshots kept: the one in use, and those of another version or content that may be running beside it."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
