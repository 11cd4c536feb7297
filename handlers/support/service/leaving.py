"""A person leaves: what WeChat gave and what only the chat needed goes; what is held by duty stays, nameless."""

from __future__ import annotations

from bot.capability import Erasure
from bot.logs import get_logger
from bot.storage.base import blind_index
from bot.storage.database import transaction

_log = get_logger(__name__)


class LeavingService:
    """Erases a person everywhere at once."""

    def __init__(self, erasure: Erasure) -> None:
        self._erasure = erasure

    async def leave(self, openid: str) -> str:
        """Erases the person in one transaction; gives their index, under which caches must still forget them."""
        index = blind_index("openid", openid)
        async with transaction():
            await self._erasure.erase(index)
        _log.info("person_erased")
        return index
