"""The console's edge: /admin as a table of routes. A handler gets a call and returns a page, a way on, or a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID

from bot.errors import NotFound
from bot.identity import Actor, Role
from bot.rights import RIGHTS, Action, Scope

PREFIX: Final = "/admin"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody sent with a form."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class AdminCall:
    """What a page handler is given. `form` holds the fields of a POST, the last of each name; `lists` all of them."""

    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    address: str = ""
    device: str = ""
    # Which browser this is, as a fingerprint: what is begun in one cannot be ended in another.
    browser: str = ""

    def id(self, name: str) -> str:
        """The id in a part of the path. Raises NotFound when it cannot be one."""
        return _as_id(self.path[name])

    def form_id(self, name: str) -> str:
        """The id in a field of the form. Raises NotFound when it cannot be one."""
        return _as_id(self.form.get(name, ""))

    def form_ids(self, name: str) -> list[str]:
        """The ids in all fields of the name. Raises NotFound when one cannot be an id."""
        return [_as_id(each) for each in self.lists.get(name, ())]

    def query_id(self, name: str) -> str | None:
        """The id the address names, None when it names none. Raises NotFound when it cannot be one."""
        return _as_id(self.query[name]) if self.query.get(name) else None


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its template (`accounts/classes.html`) and what the template is given. A refusal to let somebody in has
    the status 401; such failures are counted for the address they come from."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class WayOn:
    """Go and look there; `path` begins after /admin, `notice` is shown once at the top of the next page. `session`:
    the secret of a session that begins (a cookie is set), or "" for one that ends."""

    path: str
    notice: str = ""
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A file."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


def _as_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None


AdminAnswer: TypeAlias = Page | WayOn | Download
AdminHandler: TypeAlias = Callable[[AdminCall], Awaitable[AdminAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRoute:
    """One page or deed. `path` begins after /admin; what visitors may do too needs no log-in. `menu` puts it into the
    navigation under this title, for everybody who has the right."""

    method: str
    path: str
    action: Action
    handle: AdminHandler
    menu: str | None = None
    takes_files: bool = False
    is_for_visitors: bool = field(init=False)

    def __post_init__(self) -> None:
        is_open = RIGHTS[self.action][Role.VISITOR] is not Scope.NONE
        object.__setattr__(self, "is_for_visitors", is_open)
