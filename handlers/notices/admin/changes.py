"""What a correction changed, clause by clause, for somebody who has read the first version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

# A clause with the sign that ends it; a whole one is easier to compare than single characters.
_CLAUSE: Final = re.compile(r"[^，。；：！？,;!?\n]*[，。；：！？,;!?\n]+|[^，。；：！？,;!?\n]+")


class Kind(StrEnum):
    """Whether a part stayed, went or came."""

    SAME = "same"
    OLD = "old"
    NEW = "new"


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """The new text with what went and what came, as (Kind's value, part). Empty when nothing changed."""
    if before == after:
        return []
    old, new = _CLAUSE.findall(before), _CLAUSE.findall(after)
    found: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append((Kind.SAME.value, "".join(new[c:d])))
            continue
        found += _parts(Kind.OLD, old[a:b])
        found += _parts(Kind.NEW, new[c:d])
    return found


def _parts(kind: Kind, clauses: Sequence[str]) -> list[tuple[str, str]]:
    return [(kind.value, "".join(clauses))] if clauses else []
