"""The database context of the running application, which carries its keys to the fields that need them.

Tortoise finds its connections through a context object; ours holds the key ring too, so that keys live exactly as long
as the database they belong to and no module keeps a key of its own.
"""

from __future__ import annotations

from tortoise.context import TortoiseContext, get_current_context

from bot.storage.encryption import KeyRing


class DatabaseContext(TortoiseContext):
    """Connections, models and keys of one database."""

    def __init__(self, keys: KeyRing) -> None:
        super().__init__()
        self.keys = keys


def current_keys() -> KeyRing:
    """The keys of the database in use. Raises RuntimeError before `init_database`, which is a programming fault."""
    context = get_current_context()
    if not isinstance(context, DatabaseContext):
        raise RuntimeError("no database context: init_database comes first")
    return context.keys
