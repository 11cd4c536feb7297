"""One of several processes that migrate at the same moment: waits for a byte, then runs a function of the migrations
and prints what it applied. Takes the database's address and the function's name.
"""

from __future__ import annotations

import asyncio
import sys

from bot.storage import migration
from tests.settings import make_settings

if __name__ == "__main__":
    settings = make_settings(database={"url": sys.argv[1]})
    sys.stdin.read(1)
    applied = asyncio.run(getattr(migration, sys.argv[2])(settings))
    print(",".join(applied) or "nothing")
