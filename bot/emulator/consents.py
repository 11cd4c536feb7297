"""What one person has agreed to receive: templates accepted, refused, or accepted once and used up."""

from __future__ import annotations

from collections import Counter

from bot.emulator.faults import ApiRefusal
from bot.emulator.templates import Template, TemplateKind

REFUSED = 43101


class Consents:
    """The consents of one person at one account."""

    def __init__(self) -> None:
        self._accepted: Counter[str] = Counter()

    def accept(self, template: Template, *, add_up: bool) -> None:
        """The person tapped "accept" in the dialog."""
        left = self._accepted[template.id] if add_up and template.kind is TemplateKind.ONE_TIME else 0
        self._accepted[template.id] = left + 1

    def withdraw(self, template: Template) -> None:
        """The person refused, or switched it off in the settings."""
        del self._accepted[template.id]

    def left(self, template_id: str) -> int:
        """How many messages may be sent; for a long-term template 1 stands for any number."""
        return self._accepted[template_id]

    def check(self, template: Template) -> None:
        """Raises ApiRefusal 43101 when no consent is left."""
        if not self._accepted[template.id]:
            raise ApiRefusal(REFUSED)

    def use(self, template: Template) -> None:
        """A message was sent."""
        if template.kind is TemplateKind.ONE_TIME:
            self._accepted[template.id] -= 1
