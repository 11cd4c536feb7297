"""Scans what left the application: for labels of children, and for what somebody was not to be shown.

The words are listed once, here. The protection lead's register and a file on paper are the one place for a group; what
a public rule calls the groups of families that need not pay is said on the pages about such applications, of nobody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from bot.identity import Role
from handlers.accounts.models import Guardianship, Person, Pupil
from tests.handlers.protection.matrix import may_see
from tests.handlers.protection.reading import PROTECTED, Shown
from tests.handlers.protection.village import Village

LABELS: Final = (
    "留守", "单亲", "贫困", "残疾", "困境", "特困", "低保", "建档立卡", "孤儿", "离异", "家庭困难", "问题学生", "差生",
    "left_behind", "single_parent", "hardship",
)  # fmt: skip
OF_THE_LEAD: Final = ("/admin/contacts/register", "/admin/contacts/prints/")
# Words of a public rule, about nobody: which families need not pay.
OF_A_RULE: Final[Mapping[str, frozenset[str]]] = {
    "/admin/waiver": frozenset({"残疾", "特困", "低保", "孤儿"}),
    "/api/v1/after-school/waivers": frozenset({"残疾", "特困", "低保", "孤儿"}),
}
# Who has nothing to do with the child: reads neither its name nor a number of it or of its family.
OUTSIDERS: Final = frozenset(
    {"visitor", "stranger", "away", "head_far", "duty_far", "lead_far", "leader_far", "admin_far", "editor", "reviewer"}
)
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.S)
_ADDRESS: Final = re.compile(r'(?:href|action|src)="([^"]*)"|^Location: (\S*)', re.M)
_FILE_NAME: Final = re.compile(r"Content-Disposition: (\S.*?filename\*?=\S+)")


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that stood where it must not. `channel`: how it got out."""

    channel: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.channel}: {self.what} in {self.where}"


@dataclass(frozen=True, slots=True)
class Family:
    """What tells of a child: its name, its number, the phones at home."""

    name: str
    numbers: frozenset[str]

    def told_in(self, text: str) -> Iterator[str]:
        """What of it stands in a text."""
        yield from (each for each in (self.name, *sorted(self.numbers)) if each in text)


async def families_of(village: Village) -> dict[str, Family]:
    """By child."""
    found = {}
    for child, pupil in village.children.items():
        row = await Pupil.get(id=pupil.id)
        ties = await Guardianship.filter(pupil_id=pupil.id).values_list("person_id", flat=True)
        phones = {str(person.phone) for person in await Person.filter(id__in=list(ties)) if person.phone}
        numbers = {each for each in (row.roster_number, row.id_number) if each}
        found[child] = Family(row.name, frozenset(phones | numbers))
    return found


class Scanner:
    """Over a village and its children."""

    def __init__(self, village: Village, families: Mapping[str, Family]) -> None:
        self._village = village
        self._families = families

    # --------------------------------------------------------------------------------------------------------- answers
    def answers(self, shown: Iterable[Shown]) -> Iterator[Leak]:
        """What somebody was shown on a page, by the API, in the chat, in a file."""
        for one in shown:
            yield from self._protected(one)
            yield from self._labels(one)
            yield from self._outside(one)
            yield from self._around(one)

    def _protected(self, one: Shown) -> Iterator[Leak]:
        for planted in sorted(one.found):
            if not may_see(planted.field, one.viewer.part(planted)):
                yield Leak(one.door, str(one), f"{planted.field} of {planted.child}")

    def _labels(self, one: Shown) -> Iterator[Leak]:
        allowed = next((words for path, words in OF_A_RULE.items() if one.path.startswith(path)), frozenset[str]())
        if one.viewer.role is Role.PROTECTION_LEAD and one.path.startswith(OF_THE_LEAD):
            allowed = frozenset(LABELS)
        yield from (Leak(one.door, str(one), word) for word in LABELS if word in one.text and word not in allowed)

    def _outside(self, one: Shown) -> Iterator[Leak]:
        asked = unquote(one.path.partition("?")[2] if one.door != "chat" else one.path)
        for child, family in self._families.items():
            if one.viewer.columns[child] in OUTSIDERS:
                yield from (Leak(one.door, str(one), f"{each} of {child}") for each in family.told_in(one.text)
                            if each not in asked)  # fmt: skip

    def _around(self, one: Shown) -> Iterator[Leak]:
        """Titles, addresses and names of files, whoever looks: they stay behind on the machine. A pupil's own page may
        be called after the pupil, a page about contacts or the check may not."""
        asked = unquote(one.path.partition("?")[2])
        titles = "\n".join(_TITLE.findall(one.text))
        own = [unquote(html.unescape(first or second)) for first, second in _ADDRESS.findall(one.text)]
        addresses = "\n".join(each for each in own if not each.startswith("tel:"))
        files = unquote("\n".join(_FILE_NAME.findall(one.text)))
        is_about = one.path.startswith(PROTECTED)
        for channel, text in (("title", titles), ("address", addresses), ("file name", files)):
            leaks = self.bare(channel, str(one), text, with_families=is_about or channel != "title")
            yield from (leak for leak in leaks if leak.what not in asked)

    # ----------------------------------------------------------------------------------------------------------- others
    def pushes(self, texts: Iterable[tuple[str, str]]) -> Iterator[Leak]:
        """What arrived at somebody's phone by itself: no label and nothing protected; in what is about contacts or the
        check no child either."""
        for where, text in texts:
            is_about = "家校联系" in text or "开学清点" in text
            yield from self.bare("push", where, text, with_families=is_about)

    def wire(self, calls: Iterable[tuple[str, bytes]]) -> Iterator[Leak]:
        """Everything that was said to the platform: messages, codes, tags, menus."""
        for path, body in calls:
            text = body.decode("utf-8", "replace")
            yield from self.bare("wire", path, unquote(path) + text, with_families="qrcode" in path or "tag" in path)

    def bare(self, channel: str, where: str, text: str, *, with_families: bool = True) -> Iterator[Leak]:
        """Where nothing of anybody may stand: logs, metrics, addresses."""
        yield from (Leak(channel, where, word) for word in LABELS if word in text)
        for planted in sorted(self._village.ledger.found(text)):
            yield Leak(channel, where, f"{planted.field} of {planted.child}")
        if with_families:
            for family in self._families.values():
                yield from (Leak(channel, where, each) for each in family.told_in(text))
