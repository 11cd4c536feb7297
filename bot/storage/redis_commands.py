"""What is asked of Redis: a handful of commands, each of which takes effect whole.

The client takes and gives each value of a command one by one, which on the hot path costs more than all the rest of a
round trip. So many reads travel as one value each way, and many writes as two, taken apart by a script on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from redis.asyncio import Redis

# Key, value and life in milliseconds.
Write = tuple[str, bytes, int]

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_COUNT = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n"
# The moment of the next turn, in microseconds of the server's clock, moves on by all that are taken. Gives how long the
# first is away. Without a value (never taken, or forgotten) there is a rest first.
_TAKE_TURNS = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local turn = tonumber(redis.call('GET', KEYS[1]) or now + ARGV[3])
if turn < now then turn = now end
redis.call('SET', KEYS[1], string.format('%.0f', turn + ARGV[1] * ARGV[2]), 'PX', 86400000)
return string.format('%.0f', turn - now)
"""
# The sizes of the values (-1: there is none), a line end, all values. No name of a key holds a line end.
_READ_ALL = """
local keys, sizes = {}, {}
for key in string.gmatch(ARGV[1], '[^\\n]+') do keys[#keys + 1] = key end
local values = redis.call('MGET', unpack(keys))
for i, value in ipairs(values) do
  if value then sizes[i] = #value else sizes[i], values[i] = -1, '' end
end
return table.concat(sizes, ' ') .. '\\n' .. table.concat(values)
"""
# First the size of each key, of its value, and the life; then each key with its value after it.
_WRITE_ALL = """
local at = 1
for key, value, life in string.gmatch(ARGV[1], '(%d+) (%d+) (%d+)') do
  local middle = at + key
  local next = middle + value
  redis.call('SET', string.sub(ARGV[2], at, middle - 1), string.sub(ARGV[2], middle, next - 1), 'PX', life)
  at = next
end
"""


class Commands(Protocol):
    """A server, or what stands in for one. Lives are in milliseconds; an expired value is as good as none."""

    async def read_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The values in the order of the keys."""
        ...

    async def write_all(self, writes: Sequence[Write]) -> None:
        """Writes all, the last one to a key last."""
        ...

    async def write(self, key: str, value: bytes, life_ms: int, *, if_absent: bool) -> bool:
        """With `if_absent`: False, and nothing written, when the key has a value."""
        ...

    async def delete(self, *keys: str) -> None:
        """Forgets the keys."""
        ...

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Forgets the key if it has this value; True when it had."""
        ...

    async def increment(self, key: str, life_ms: int) -> int:
        """Counts one up; the life begins with the first."""
        ...

    async def take_turns(self, key: str, number: int, spacing_us: int, rest_us: int) -> int:
        """Takes so many turns, `spacing_us` apart; gives how many microseconds the first is away. When nothing is known
        of earlier turns, it is `rest_us` away."""
        ...

    async def ping(self) -> None:
        """Returns when it answers."""
        ...

    async def close(self) -> None:
        """Nothing is asked any more."""
        ...


class ServerCommands:
    """The commands of a real server. Its errors are those of the client."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def read_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """See `Commands`."""
        if not keys:
            return []
        answer = cast("bytes", await self._evaluate(_READ_ALL, 0, "\n".join(keys)))
        return _apart(answer)

    async def write_all(self, writes: Sequence[Write]) -> None:
        """See `Commands`."""
        parts = [(key.encode(), value, life_ms) for key, value, life_ms in writes]
        sizes = b";".join([b"%d %d %d" % (len(key), len(value), life_ms) for key, value, life_ms in parts])
        await self._evaluate(_WRITE_ALL, 0, sizes, b"".join([key + value for key, value, _ in parts]))

    async def write(self, key: str, value: bytes, life_ms: int, *, if_absent: bool) -> bool:
        """See `Commands`."""
        return bool(await self._client.set(key, value, px=life_ms, nx=if_absent))

    async def delete(self, *keys: str) -> None:
        """See `Commands`."""
        await self._client.delete(*keys)

    async def delete_if(self, key: str, value: bytes) -> bool:
        """See `Commands`."""
        return bool(await self._evaluate(_RELEASE, 1, key, value))

    async def increment(self, key: str, life_ms: int) -> int:
        """See `Commands`."""
        return int(await self._evaluate(_COUNT, 1, key, str(life_ms)))

    async def take_turns(self, key: str, number: int, spacing_us: int, rest_us: int) -> int:
        """See `Commands`."""
        return int(await self._evaluate(_TAKE_TURNS, 1, key, str(number), str(spacing_us), str(rest_us)))

    async def ping(self) -> None:
        """See `Commands`."""
        await self._client.ping()

    async def close(self) -> None:
        """See `Commands`."""
        await self._client.aclose()

    async def _evaluate(self, script: str, keys: int, *arguments: str | bytes) -> Any:
        return await self._client.eval(script, keys, *arguments)


def _apart(answer: bytes) -> list[bytes | None]:
    """The values in what `_READ_ALL` returns."""
    sizes, _, _ = answer.partition(b"\n")
    end = len(sizes) + 1
    values: list[bytes | None] = []
    for size in map(int, sizes.split()):
        if size < 0:
            values.append(None)
        else:
            start, end = end, end + size
            values.append(answer[start:end])
    return values
