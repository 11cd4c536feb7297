"""Answers from somebody's own affairs, before the rule of the knowledge. Nothing of it is cached, counted or logged but
that a question was answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.capability import AnswerFacts, OwnMatter
from bot.identity import Actor
from bot.privacy import NAME
from handlers.policy import texts
from handlers.policy.service.answers import Answered, AnswerService
from knowledge.answer import Answer, Outcome

# Of one WeChat text; the rule gets what is left, and at least half.
_MOST_BYTES: Final = 2048
_MOST_OWN: Final = 1024
_SEPARATOR: Final = "\n\n"
# Source, how far to rely on it, next step.
_END_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Touched:
    """What of somebody's own affairs a question is about, and who knows of it."""

    source: AnswerFacts
    matters: Sequence[OwnMatter]

    @property
    def rule(self) -> str | None:
        """The question whose answer goes with them."""
        return self.matters[0].rule

    @property
    def who(self) -> str:
        """Whose affairs they are, by name; "" where nobody is named."""
        return self.matters[0].who


class OwnAnswers:
    """Over the answers of the knowledge and what the capabilities know."""

    def __init__(self, answers: AnswerService, sources: Callable[[], Sequence[AnswerFacts]]) -> None:
        """`sources` gives them once the application runs."""
        self._answers = answers
        self._sources = sources

    def touched(self, actor: Actor, question: str, place: str | None) -> Touched | None:
        """Whether a question is about what is kept of a family. Quick, without I/O; whoever asks is told nothing yet.
        Raises KnowledgeLoading."""
        if (found := self._asked(question)) is not None:
            return found
        topics, attributes = self._answers.about(self._answers.look(actor, question, place=place).answer)
        if not topics:
            return None
        for source in self._sources():
            if matters := source.touched(question, topics, attributes):
                return Touched(source, matters)
        return None

    async def answer(self, actor: Actor, question: str, place: str | None) -> Answered | None:
        """The facts and the rule; None where there are no facts for the actor. Raises KnowledgeLoading."""
        found = self.touched(actor, question, place)
        facts = [line for each in found.matters for line in await found.source.facts(actor, each)] if found else []
        if found is None or not facts:
            return None
        rule, asked = self._rule(actor, question, place, found)
        answer = replace(rule.answer, outcome=Outcome.ANSWERED, text=_joined(facts, rule.answer))
        return self._answers.given(actor, asked, Answered(answer, rule.note))

    def or_rule(self, actor: Actor, question: str, place: str | None) -> Answered | None:
        """For whoever has no facts: the rule in general, where nothing is found for the question itself. None: answer
        it as any other. Whose place is known gets what is said there, and be it that nothing is. Raises
        KnowledgeLoading."""
        found = self._asked(question)
        if found is None or found.rule is None or found.who or place is not None:
            return None
        plain = self._answers.look(actor, question, place=place).answer
        if plain.outcome is not Outcome.DECLINED or plain.alarm is not None:
            return None
        if self._is_about(question, plain, found):
            return None
        rule = self._answers.look(actor, found.rule, place=place)
        if rule.answer.outcome is not Outcome.ANSWERED:
            return None
        text = rule.answer.text
        if len((text + texts.OWN_HINT).encode()) < _MOST_BYTES:
            text = f"{text}\n{texts.OWN_HINT}"
        return self._answers.given(actor, found.rule, replace(rule, answer=replace(rule.answer, text=text)))

    def nameless(self, question: str) -> str:
        """A question as it may be written down: whoever is asked of by name is nobody's child there. A place keeps its
        name. Raises KnowledgeLoading."""
        found = self._asked(question)
        if found is None or not found.who or self._answers.knows_place(found.who):
            return question
        return question.replace(found.who, NAME)

    def _asked(self, question: str) -> Touched | None:
        return next((Touched(source, own) for source in self._sources() if (own := source.asked(question))), None)

    def _rule(self, actor: Actor, question: str, place: str | None, found: Touched) -> tuple[Answered, str]:
        """The answer with the rule, and the question it answers. A question with a name in it goes nowhere."""
        rule = found.rule
        if rule is None:
            return self._answers.look(actor, question, place=place), question
        if not found.who:
            own = self._answers.look(actor, question, place=place)
            if own.answer.outcome is Outcome.ANSWERED and self._is_about(question, own.answer, found):
                return own, question
        return self._answers.look(actor, rule, place=place), rule

    def _is_about(self, question: str, answer: Answer, found: Touched) -> bool:
        """Whether an answer is given from an entry about the same matters."""
        about = {own.kind for own in found.source.touched(question, *self._answers.about(answer))}
        return about.issuperset(each.kind for each in found.matters)


def _joined(facts: Sequence[str], rule: Answer) -> str:
    """The facts, then the rule, within one text: the rule keeps its end, where its source stands."""
    from knowledge.compose import fit, shorten

    own = shorten("\n".join(facts), _MOST_OWN)
    room = _MOST_BYTES - len((own + _SEPARATOR).encode())
    if len(rule.text.encode()) <= room:
        return own + _SEPARATOR + rule.text
    lines = rule.text.split("\n")
    body, end = "\n".join(lines[:-_END_LINES]), "\n".join(lines[-_END_LINES:])
    return fit(own + _SEPARATOR + shorten(body, max(0, room - len(end.encode()) - 2)), end)
