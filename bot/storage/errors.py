"""What can be wrong with storage."""

from __future__ import annotations

from bot.errors import Conflict, Unavailable


class DatabaseAway(Unavailable):
    """The database does not answer, or not in time. Nothing was written unless a commit was under way."""

    code = "database_away"


class NotMigrated(Unavailable):
    """The database is older than the program; `xiangxiao migrate` brings it up to date."""

    code = "not_migrated"
    default_message = "数据库还没有升级，请先运行 xiangxiao migrate。"


class RedisAway(Unavailable):
    """Redis does not answer, or not in time."""

    code = "redis_away"


class LockBusy(Conflict):
    """Somebody else held the lock for as long as the caller was ready to wait."""

    code = "busy"
    default_message = "上一条还在处理，请稍等几秒再发。"
