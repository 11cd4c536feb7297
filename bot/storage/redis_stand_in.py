"""The stand-in for Redis inside the process, for `memory://`: one replica, nothing kept across a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from bot.storage.redis_commands import Write

# Expired values that nobody asks for are looked for after so many writes.
_WRITES_BETWEEN_SWEEPS = 10_000


class StandIn:
    """The commands over a dictionary: see `Commands`. Never away."""

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        """`seconds` tells the time, from any moment on."""
        self._seconds = seconds
        self._values: dict[str, tuple[bytes, float]] = {}
        self._until_sweep = _WRITES_BETWEEN_SWEEPS

    def at_once(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys, without waiting."""
        now, values = self._seconds(), self._values
        found = [values.get(key) for key in keys]
        return [None if known is None or known[1] <= now else known[0] for known in found]

    def put(self, key: str, value: bytes, life_ms: int) -> None:
        """Writes, without waiting."""
        self._values[key] = (value, self._seconds() + life_ms / 1000)
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._sweep()

    def names(self) -> list[str]:
        """Of all keys that have a value."""
        self._sweep()
        return list(self._values)

    async def read_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """See `Commands`."""
        return self.at_once(keys)

    async def write_all(self, writes: Sequence[Write]) -> None:
        """See `Commands`."""
        for key, value, life_ms in writes:
            self.put(key, value, life_ms)

    async def write(self, key: str, value: bytes, life_ms: int, *, if_absent: bool) -> bool:
        """See `Commands`."""
        if if_absent and self._value(key) is not None:
            return False
        self.put(key, value, life_ms)
        return True

    async def delete(self, *keys: str) -> None:
        """See `Commands`."""
        for key in keys:
            self._values.pop(key, None)

    async def delete_if(self, key: str, value: bytes) -> bool:
        """See `Commands`."""
        if self._value(key) != value:
            return False
        del self._values[key]
        return True

    async def increment(self, key: str, life_ms: int) -> int:
        """See `Commands`."""
        known = self._value(key)
        if known is None:
            self.put(key, b"1", life_ms)
            return 1
        count = int(known) + 1
        self._values[key] = (b"%d" % count, self._values[key][1])
        return count

    async def take_turns(self, key: str, number: int, spacing_us: int, rest_us: int) -> int:
        """See `Commands`. Nobody else has taken turns of what is forgotten here: no rest is needed."""
        now = int(self._seconds() * 1_000_000)
        turn = max(now, int(self._value(key) or 0))
        self.put(key, b"%d" % (turn + number * spacing_us), 86_400_000)
        return turn - now

    async def ping(self) -> None:
        """See `Commands`."""

    async def close(self) -> None:
        """See `Commands`."""
        self._values.clear()

    def _value(self, key: str) -> bytes | None:
        return self.at_once((key,))[0]

    def _sweep(self) -> None:
        now = self._seconds()
        self._values = {key: known for key, known in self._values.items() if known[1] > now}
        self._until_sweep = max(_WRITES_BETWEEN_SWEEPS, len(self._values))
