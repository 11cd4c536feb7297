"""The dialogs in which a person accepts or refuses subscription templates, and a mini-program's user."""

from __future__ import annotations

from collections.abc import Mapping

from bot.emulator.platform import Account, Person, Platform
from bot.emulator.screen import Screen
from bot.emulator.templates import Template

MOST_IN_A_DIALOG = 3


class NoSuchDialog(LookupError):
    """WeChat shows no such dialog; the text is the number the client is given."""


def subscription(account: Account, template_id: str) -> Template:
    """One of the account's subscription templates. Raises NoSuchDialog 20001."""
    template = account.templates.get(template_id)
    if template is None or not template.is_subscription:
        raise NoSuchDialog("20001")
    return template


def take_answer(platform: Platform, account: Account, person: Person, answers: Mapping[str, str]) -> None:
    """The person answered the dialog: `accept` or `reject` by template. One-time and long-term ones never stand in the
    same dialog (NoSuchDialog 20002)."""
    templates = [subscription(account, each) for each in answers]
    if len({template.kind for template in templates}) > 1:
        raise NoSuchDialog("20002")
    for template in templates:
        if answers[template.id] == "accept":
            person.consents.accept(template, add_up=platform.rules.consents_add_up)
        else:
            person.consents.withdraw(template)


class MiniProgramUser:
    """One person and one mini-program: what its page and the phone's 服务通知 show."""

    def __init__(self, platform: Platform, account: Account, person: Person) -> None:
        self._platform = platform
        self._account = account
        self._person = person

    @property
    def openid(self) -> str:
        """The person's id at the mini-program."""
        return self._person.openid

    @property
    def screen(self) -> Screen:
        """The 服务通知 of this mini-program."""
        return self._person.screen

    def accepts(self, *template_ids: str) -> dict[str, str]:
        """Taps "accept"; what wx.requestSubscribeMessage gives the page, by template. Raises NoSuchDialog."""
        return self.answers(dict.fromkeys(template_ids, "accept"))

    def rejects(self, *template_ids: str) -> dict[str, str]:
        """Taps "reject"; else as `accepts`."""
        return self.answers(dict.fromkeys(template_ids, "reject"))

    def answers(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Answers `accept` or `reject` to each of at most three templates; else as `accepts`."""
        if not answers:
            raise NoSuchDialog("10001")
        if len(answers) > MOST_IN_A_DIALOG:
            raise NoSuchDialog("20003")
        take_answer(self._platform, self._account, self._person, answers)
        return dict(answers)

    def left(self, template_id: str) -> int:
        """How many messages the mini-program may still send; for a long-term template 1 stands for any number."""
        return self._person.consents.left(template_id)
