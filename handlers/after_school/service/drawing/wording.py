"""Why a draw came so, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handlers.after_school.domain.draw import ChoiceEnd
from handlers.after_school.service.drawing.views import ChoiceTold, DrawTold
from handlers.after_school.service.wording import moment, names
from handlers.after_school.texts import drawing as texts

_NO_PLACES: Final = "no_places"
_MOST_BYTES: Final = 1_900
"""A reply may have a few more; the line that names what was left out needs them."""


def explanation(told: DrawTold) -> list[str]:
    """The rule, the child's turn, and each choice in its order; nothing of others but turns."""
    return [texts.RULE, *_own(told)]


def reply(found: Sequence[tuple[str, DrawTold]]) -> str:
    """For the chat, by the children's names: the rule, each child, and for an only one what anybody needs to come to
    the same result. What has no room is named."""
    head, own = [texts.RULE], [_child(name, told) for name, told in found]
    if len(found) == 1:
        [(_, told)] = found
        own[0] += "\n" + texts.PROOF.format(seed=told.seed, key=told.key, number=told.number)
    shown = own
    while len(shown) > 1 and len("\n".join([*head, *shown, texts.NEXT]).encode()) > _MOST_BYTES:
        shown = shown[:-1]
    left = [name for name, _ in found[len(shown) :]]
    more = [texts.MORE.format(names=names(left))] if left else []
    return "\n".join([*head, *shown, *more, texts.NEXT])


def _child(name: str, told: DrawTold) -> str:
    return "\n".join([texts.LEAD.format(name=name, at=moment(told.held_at)), *_own(told)])


def _own(told: DrawTold) -> list[str]:
    lines = [texts.TURN.format(turn=told.turn, missed=texts.MISSED if told.missed_before else "")]
    lines += [_choice(each) for each in told.choices]
    if not told.has_place and any(each.end is ChoiceEnd.NO_ROOM for each in told.choices):
        lines.append(texts.WAITING)
    return lines


def _choice(told: ChoiceTold) -> str:
    is_empty = told.end is ChoiceEnd.NO_ROOM and told.last_turn is None
    words = texts.ENDS[_NO_PLACES if is_empty else told.end.value]
    return words.format(rank=told.rank, title=told.programme, last=told.last_turn)
