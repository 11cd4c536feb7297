"""Why a draw came so, in plain words."""

from __future__ import annotations

from handlers.after_school.domain.draw import ChoiceEnd
from handlers.after_school.service.drawing.views import ChoiceTold, DrawTold
from handlers.after_school.service.wording import moment
from handlers.after_school.texts import drawing as texts

_NO_PLACES = "no_places"


def explanation(told: DrawTold) -> list[str]:
    """The rule, the child's turn, and each choice in its order; nothing of others but turns."""
    lines = [texts.RULE, texts.TURN.format(turn=told.turn, missed=texts.MISSED if told.missed_before else "")]
    lines += [_choice(each) for each in told.choices]
    if not told.has_place and any(each.end is ChoiceEnd.NO_ROOM for each in told.choices):
        lines.append(texts.WAITING)
    return lines


def whole(name: str, told: DrawTold) -> str:
    """For the chat: with what anybody needs to come to the same result."""
    proof = texts.PROOF.format(seed=told.seed, key=told.key, number=told.number)
    return "\n".join([texts.LEAD.format(name=name, at=moment(told.held_at)), *explanation(told), proof])


def _choice(told: ChoiceTold) -> str:
    is_empty = told.end is ChoiceEnd.NO_ROOM and told.last_turn is None
    words = texts.ENDS[_NO_PLACES if is_empty else told.end.value]
    return words.format(rank=told.rank, title=told.programme, last=told.last_turn)
