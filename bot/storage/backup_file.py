"""The file of a backup: lines of JSON, compressed, encrypted in frames, so that any size streams through.

    XIANGXIAO-BACKUP-1
    {"key": "k1", "salt": "…", "made_at": "…"}
    frames: four bytes of length, then the ciphertext

The key of the file is made from a key of the ring and the salt; the key itself is not inside. A frame is bound to the
two lines at the top, to its number, and to whether it is the last: one that was changed, moved, left out or cut off
does not open.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import Conflict, InvalidInput
from bot.storage.encryption import KeyRing, Undecipherable

MAGIC: Final = b"XIANGXIAO-BACKUP-1\n"
FRAME: Final = 256 * 1024
# A backup of an earlier program may end with a frame that is longer by what the packer still held.
_LONGEST_FRAME: Final = 2 * FRAME
_LONGEST_HEAD: Final = 4096
_LENGTH: Final = struct.Struct(">I")
_PURPOSE: Final = "backup"


class BackupDamaged(InvalidInput):
    """Not a backup, or one that is not whole."""

    code = "backup_damaged"
    default_message = "这份备份不完整，或者被改动过，没有恢复任何内容。请换一份备份。"


class BackupKeyMissing(InvalidInput):
    """The key it was encrypted with is not in the ring."""

    code = "backup_key_missing"
    default_message = "缺少加密这份备份的密钥，请把它加回 field_keys 再试。"


class FileInTheWay(Conflict):
    """There is such a file already; it may be the only good backup."""

    code = "file_in_the_way"
    default_message = "已经有这个文件，不会覆盖。请换一个文件名。"


@dataclass(frozen=True, slots=True)
class Head:
    """What is written on the outside of a backup."""

    key: str
    salt: bytes
    made_at: datetime

    def line(self) -> bytes:
        """As it stands in the file."""
        shown = {"key": self.key, "salt": base64.b64encode(self.salt).decode(), "made_at": self.made_at.isoformat()}
        return json.dumps(shown).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Head:
        """Raises BackupDamaged."""
        try:
            shown = json.loads(line)
            return cls(shown["key"], base64.b64decode(shown["salt"]), datetime.fromisoformat(shown["made_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BackupDamaged from error

    def cipher(self, keys: KeyRing) -> AESGCM:
        """Raises BackupKeyMissing."""
        try:
            return AESGCM(keys.derived(self.key, self.salt, _PURPOSE))
        except Undecipherable as error:
            raise BackupKeyMissing(details={"key": self.key}) from error

    def binding(self, number: int, *, is_last: bool) -> bytes:
        """What a frame is bound to."""
        return hashlib.sha256(MAGIC + self.line()).digest() + struct.pack(">Q?", number, is_last)


def _nonce(number: int) -> bytes:
    # The key is of this file alone, so counting is enough for no two frames to share a nonce.
    return number.to_bytes(12, "big")


class BackupWriter:
    """Writes lines to a file that appears under its name only when it is whole, readable by its owner only."""

    def __init__(self, path: Path, keys: KeyRing, made_at: datetime, *, replaces: bool = False) -> None:
        """Raises FileInTheWay, unless it `replaces` what is there."""
        if path.exists() and not replaces:
            raise FileInTheWay(details={"path": str(path)})
        self._path = path
        self._head = Head(keys.current, os.urandom(32), made_at)
        self._cipher = self._head.cipher(keys)
        self._part = path.with_name(path.name + ".part")
        self._part.unlink(missing_ok=True)
        self._file: BinaryIO = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._file.write(MAGIC + self._head.line())
        self._packer = zlib.compressobj(6)
        self._pending = bytearray()
        self._number = 0

    def line(self, value: Any) -> None:
        """One more line: whatever JSON can hold."""
        self._pending += self._packer.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        self._pending += self._packer.compress(b"\n")
        self._full_frames()

    def _full_frames(self) -> None:
        """Writes all but the last, which may be shorter and is not known before the end."""
        while len(self._pending) > FRAME:
            self._frame(bytes(self._pending[:FRAME]), is_last=False)
            del self._pending[:FRAME]

    def _frame(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), plain, self._head.binding(self._number, is_last=is_last))
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1

    def commit(self) -> None:
        """The file is whole: from now on it is there under its name."""
        self._pending += self._packer.flush()
        self._full_frames()
        self._frame(bytes(self._pending), is_last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """It came to nothing; nothing is left."""
        self._file.close()
        self._part.unlink(missing_ok=True)


def read_head(path: Path) -> Head:
    """The outside of a backup. Raises BackupDamaged, and OSError for a file that cannot be read."""
    with path.open("rb") as file:
        return _head(file)


def _head(file: BinaryIO) -> Head:
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupDamaged
    return Head.parse(file.readline(_LONGEST_HEAD))


def read_lines(path: Path, keys: KeyRing) -> Iterator[Any]:
    """The lines again, as they come. What was changed is found at its frame, what is missing at the end: only after the
    last line is the file known to be whole. Raises BackupDamaged, BackupKeyMissing."""
    unpacker = zlib.decompressobj()
    rest = b""
    for frame in _frames(path, keys):
        try:
            rest += unpacker.decompress(frame)
        except zlib.error as error:
            raise BackupDamaged from error
        *lines, rest = rest.split(b"\n")
        yield from map(json.loads, lines)
    if rest or not unpacker.eof:
        raise BackupDamaged


def _frames(path: Path, keys: KeyRing) -> Iterator[bytes]:
    with path.open("rb") as file:
        head = _head(file)
        cipher, number = head.cipher(keys), 0
        sealed = _next(file)
        while sealed:
            following = _next(file)
            try:
                yield cipher.decrypt(_nonce(number), sealed, head.binding(number, is_last=not following))
            except InvalidTag as error:
                raise BackupDamaged from error
            sealed, number = following, number + 1
        if not number:
            raise BackupDamaged


def _next(file: BinaryIO) -> bytes:
    """The next frame, b"" after the last. Raises BackupDamaged."""
    length = file.read(_LENGTH.size)
    if not length:
        return b""
    size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
    sealed = file.read(size) if 0 < size <= _LONGEST_FRAME else b""
    if not sealed or len(sealed) != size:
        raise BackupDamaged
    return sealed
