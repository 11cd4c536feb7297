"""Column types of our own. Migrations name them by this path: they never move and never change what they store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tortoise import fields

from bot.clock import to_utc
from bot.storage.context import current_keys

if TYPE_CHECKING:
    from tortoise.models import Model


class UtcDatetimeField(fields.DatetimeField[datetime]):
    """A moment, stored in UTC whatever zone it came in.

    SQLite keeps moments as text and compares text, so one zone for all rows is what makes comparisons right. A naive
    time is refused with ValueError.
    """

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        return super().to_db_value(to_utc(value) if isinstance(value, datetime) else value, instance)

    def to_python_value(self, value: Any) -> datetime | None:
        if isinstance(value, str) and value.endswith("+00:00"):
            # As SQLite keeps them: the parser for everything else takes ten times as long, on every row.
            return datetime.fromisoformat(value).astimezone(UTC)
        # Both engines give aware moments or text; a naive one can only come from the program.
        moment = to_utc(value) if isinstance(value, datetime) else super().to_python_value(value)
        return moment if moment is None else moment.astimezone(UTC)


class EncryptedText(fields.Field[str], str):  # type: ignore[misc] # as every text field of Tortoise
    """Text that is encrypted in the database. It cannot be searched: keep a blind index beside it for that.

    Stored as bytes, which tells what comes from the database apart from what a program assigns, however it reads.
    """

    indexable = False
    SQL_TYPE = "BLOB"

    class _db_postgres:
        SQL_TYPE = "BYTEA"

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> bytes | None:
        return None if value is None else current_keys().encrypt(str(value), self._place)

    def to_python_value(self, value: Any) -> Any:
        if isinstance(value, bytes | memoryview):
            return current_keys().decrypt(bytes(value), self._place)
        return None if value is None else str(value)

    @property
    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.model_field_name}"


class Plain(bytes):
    """Bytes as a program has them, told apart from what the database gives."""


class EncryptedBytes(EncryptedText):
    """The content of a file, encrypted in the database. It is assigned, and comes back, as `Plain`."""

    field_type = Plain

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> bytes | None:
        return None if value is None else current_keys().seal(bytes(value), self._place)

    def to_python_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Plain):
            return value
        return Plain(current_keys().unseal(bytes(value), self._place))
