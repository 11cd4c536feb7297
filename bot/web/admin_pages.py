"""How the console's pages are made: templates of all capabilities, and files whose names change with their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.clock import to_local
from bot.identity import Role
from bot.web.admin import PREFIX

if TYPE_CHECKING:
    import jinja2

_HERE: Final = Path(__file__).parent
_TYPES: Final[Mapping[str, str]] = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ROLES_IN_WORDS: Final[Mapping[Role, str]] = {
    Role.VISITOR: "访客",
    Role.GUARDIAN: "家长",
    Role.TEACHER: "任课教师",
    Role.HEAD_TEACHER: "班主任",
    Role.DUTY: "值班人员",
    Role.PROTECTION_LEAD: "儿童保护负责人",
    Role.SCHOOL_LEADER: "学校负责人",
    Role.ADMINISTRATOR: "乡镇管理员",
    Role.EDITOR: "知识编辑",
    Role.REVIEWER: "知识审核",
    Role.SYSTEM: "系统",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file beside the pages, ready to be sent."""

    content: bytes
    content_type: str


class Pages:
    """The templates, each compiled when it is first shown: all at once would take longer than the rest of the start."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """`folders`: where capabilities keep their templates, beside those of the console itself."""
        self._names: dict[str, str] = {}
        self.files: dict[str, StaticFile] = {}
        for path in sorted((_HERE / "static").iterdir()):
            self._keep(path)
        self._folders = [_HERE / "templates", *folders]

    @cached_property
    def _templates(self) -> jinja2.Environment:
        import jinja2

        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self._folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        templates.globals |= {"base": PREFIX, "static": self.address, "qr": qr_image}
        templates.filters |= {"moment": moment, "day": day, "roles": roles_in_words}
        return templates

    def names(self) -> list[str]:
        """All templates there are."""
        return self._templates.list_templates(extensions=["html"])

    def _keep(self, path: Path) -> None:
        content = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}"
        self._names[path.name] = name
        self.files[name] = StaticFile(content, _TYPES[path.suffix])

    def address(self, name: str) -> str:
        """Where a static file is. Raises KeyError for one that does not exist."""
        return f"{PREFIX}/static/{self._names[name]}"

    def source(self, name: str) -> str:
        """What is in a static file, for a page that holds it itself. Raises KeyError for one that does not exist."""
        return self.files[self._names[name]].content.decode()

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The page."""
        return self._templates.get_template(template).render(values)


@lru_cache(maxsize=4)
def pages_of(folders: tuple[Path, ...]) -> Pages:
    """The pages of these folders: made once for all applications of a process, since they never change."""
    return Pages(folders)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture in the page itself, so that no other address is asked for it."""

    svg: str

    def __html__(self) -> str:
        """What a template writes down as it is."""
        return self.svg


def qr_image(text: str, name: str) -> Drawing:
    """A QR code. `name` is for those who hear the page."""
    import segno

    buffer = BytesIO()
    segno.make(text, error="m", micro=False).save(
        buffer, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True, border=4
    )
    drawing = buffer.getvalue().decode().strip().removeprefix("<svg")
    return Drawing(f'<svg role="img" aria-label="{escape(name)}"{drawing}')


def moment(at: datetime | None) -> str:
    """A moment as a clock on the wall shows it; "" for None."""
    return f"{to_local(at):%Y-%m-%d %H:%M}" if at is not None else ""


def day(on: date | datetime | None) -> str:
    """A day; "" for None."""
    if on is None:
        return ""
    return f"{to_local(on) if isinstance(on, datetime) else on:%Y-%m-%d}"


def roles_in_words(roles: frozenset[Role]) -> str:
    """What somebody is, for the head of the page."""
    return "、".join(words for role, words in ROLES_IN_WORDS.items() if role in roles)
