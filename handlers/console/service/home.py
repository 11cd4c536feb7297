"""What waits for somebody: of all capabilities, urgent matters first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.capability import EntryPoints, Todo
from bot.identity import Actor
from bot.rights import Action, require


class HomeService:
    """The console's first page."""

    def __init__(self, parts: Callable[[], Sequence[EntryPoints]]) -> None:
        """`parts`: what all capabilities bring, known once the application runs."""
        self._parts = parts

    async def todos(self, actor: Actor) -> Sequence[Todo]:
        """Everything that waits for the actor, matters without a count left out."""
        require(actor, Action.CONSOLE_ENTER)
        sources = [source for part in self._parts() for source in part.todos]
        waiting = [todo for source in sources for todo in await source.todos_of(actor) if todo.count]
        return sorted(waiting, key=lambda todo: not todo.is_urgent)
