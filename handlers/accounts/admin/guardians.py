"""Who looks after a child, by hand; and a grown-up's name and phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot.errors import AppError, Conflict, InvalidInput, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.admin import words
from handlers.accounts.admin.editing import read_version
from handlers.accounts.admin.pupils import PUPILS
from handlers.accounts.domain import RELATION_WORDS, Relation
from handlers.accounts.service.editing import EditingService, NewGuardian
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.rows import ChangedMeanwhile
from handlers.accounts.service.values import PersonValues
from handlers.accounts.service.views import GuardianView, PupilCard

_NEW: Final = PUPILS + "/{pupil}/guardians"
_ONE: Final = PUPILS + "/{pupil}/guardians/{person}"
_PERSON: Final = "/people/{person}/edit"


@dataclass(frozen=True, slots=True)
class _Deed:
    """Something that is done to one guardian after a second look."""

    name: str
    title: str
    button: str
    effects: Sequence[str]


_END: Final = _Deed("end", words.END_TITLE, "确认", words.END_EFFECTS)
_ACTING: Final = _Deed("acting", words.ACTING_TITLE, "确认", words.ACTING_EFFECTS)


class GuardianPages:
    """The handlers."""

    def __init__(self, people: PeopleService, editing: EditingService) -> None:
        self._people = people
        self._editing = editing

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        edit = Action.PUPIL_EDIT
        return (
            AdminRoute(method="GET", path=_NEW, action=edit, handle=self.new_form),
            AdminRoute(method="POST", path=_NEW, action=edit, handle=self.new),
            AdminRoute(method="GET", path=f"{_ONE}/end", action=edit, handle=self.end_form),
            AdminRoute(method="POST", path=f"{_ONE}/end", action=edit, handle=self.end),
            AdminRoute(method="GET", path=f"{_ONE}/acting", action=edit, handle=self.acting_form),
            AdminRoute(method="POST", path=f"{_ONE}/acting", action=edit, handle=self.acting),
            AdminRoute(method="GET", path=_PERSON, action=edit, handle=self.person_form),
            AdminRoute(method="POST", path=_PERSON, action=edit, handle=self.person),
        )

    # ---------------------------------------------------------------------------------------------------------- adding
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """Who looks after the child too."""
        return await self._new_page(call)

    async def _new_page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values = {
            "card": await self._people.pupil(call.actor, call.id("pupil")),
            "given": {name: call.form.get(name, "") for name in ("name", "phone", "relation", "acting")},
            "relations": [(relation.value, said) for relation, said in RELATION_WORDS.items()],
            "fault": fault.message if fault else "",
        }
        return Page("accounts/guardian_new.html", values, _status(fault))

    async def new(self, call: AdminCall) -> AdminAnswer:
        """They are on the roster, and not bound yet."""
        pupil_id, form = call.id("pupil"), call.form
        await self._people.pupil(call.actor, pupil_id)
        relations = {each.value: each for each in Relation}
        try:
            if not form.get("name", "").strip():
                raise InvalidInput(words.NO_GUARDIAN_NAME)
            if form.get("relation") not in relations:
                raise InvalidInput(words.NO_RELATION)
            guardian = NewGuardian(
                name=form["name"],
                relation=relations[form["relation"]],
                phone=form.get("phone", "").strip() or None,
                is_acting=form.get("acting") == "yes",
            )
            await self._editing.add_guardian(call.actor, pupil_id, guardian)
        except (InvalidInput, Conflict) as fault:
            return await self._new_page(call, fault)
        return WayOn(f"{PUPILS}/{pupil_id}", words.GUARDIAN_ADDED)

    # ----------------------------------------------------------------------------------------------- ending and acting
    async def end_form(self, call: AdminCall) -> AdminAnswer:
        """What happens when somebody does not look after the child any more."""
        return await self._deed_page(call, _END)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """They see nothing of the child any more."""
        card, guardian = await self._guardian(call)
        await self._editing.end_guardian(call.actor, card.pupil.id, guardian.person_id)
        return WayOn(f"{PUPILS}/{card.pupil.id}", words.GUARDIAN_ENDED)

    async def acting_form(self, call: AdminCall) -> AdminAnswer:
        """What it means to look after a child day by day."""
        return await self._deed_page(call, _ACTING)

    async def acting(self, call: AdminCall) -> AdminAnswer:
        """This one, and nobody else."""
        card, guardian = await self._guardian(call)
        seen = call.form.get("seen") or None
        try:
            await self._editing.set_acting(call.actor, card.pupil.id, guardian.person_id, seen)
        except ChangedMeanwhile:
            return await self._deed_page(call, _ACTING, words.ACTING_CHANGED)
        return WayOn(f"{PUPILS}/{card.pupil.id}", words.ACTING_SET)

    async def _deed_page(self, call: AdminCall, deed: _Deed, fault: str = "") -> Page:
        card, guardian = await self._guardian(call)
        acting = next((each for each in card.guardians if each.is_acting), None)
        said = {"name": guardian.name, "child": card.pupil.name, "before": acting.name if acting else "（还没有）"}
        own = f"{PUPILS}/{card.pupil.id}"
        values = {
            "title": deed.title.format(**said),
            "trail": [(PUPILS, "学生"), (own, card.pupil.name)],
            "effects": [each.format(**said) for each in deed.effects],
            "path": f"{own}/guardians/{guardian.person_id}/{deed.name}",
            "fields": {"seen": acting.person_id if acting else ""},
            "day": "",
            "words": deed.button,
            "back": own,
            "can": True,
            "fault": fault,
        }
        return Page("accounts/sure.html", values, 409 if fault else 200)

    async def _guardian(self, call: AdminCall) -> tuple[PupilCard, GuardianView]:
        card = await self._people.pupil(call.actor, call.id("pupil"))
        found = next((each for each in card.guardians if each.person_id == call.id("person")), None)
        if found is None:
            raise NotFound
        return card, found

    # -------------------------------------------------------------------------------------------------------- a person
    async def person_form(self, call: AdminCall) -> AdminAnswer:
        """Name and phone of a grown-up. The phone is not shown: what is typed takes its place."""
        return await self._person_page(call)

    async def _person_page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        card = await self._editing.person(call.actor, call.id("person"))
        is_late = isinstance(fault, ChangedMeanwhile)
        typed = call.form.get("name", card.name)
        is_touched = "name" in call.form and typed != call.form.get("was_name")
        values = {
            "person": card,
            "given": {"name": typed if is_touched else card.name, "phone": call.form.get("phone", "")},
            "is_cleared": call.form.get("cleared") == "phone",
            "version": card.version if is_late or "version" not in call.form else call.form["version"],
            "back": _back(call),
            "fault": words.CHANGED_MEANWHILE if is_late else fault.message if fault else "",
        }
        return Page("accounts/person_edit.html", values, _status(fault))

    async def person(self, call: AdminCall) -> AdminAnswer:
        """What was typed replaces what was kept, unless somebody else was faster."""
        card = await self._editing.person(call.actor, call.id("person"))
        is_cleared = call.form.get("cleared") == "phone"
        values = PersonValues(
            id=UUID(card.id),
            name=call.form.get("name", "").strip() or None,
            phone=None if is_cleared else call.form.get("phone", "").strip() or None,
            cleared=frozenset({"phone"}) if is_cleared else frozenset(),
        )
        try:
            await self._editing.edit_person(call.actor, values, read_version(call))
        except (Conflict, InvalidInput) as fault:
            return await self._person_page(call, fault)
        return WayOn(_back(call), words.PERSON_KEPT)


def _back(call: AdminCall) -> str:
    """The card the person was corrected from: a child's, else their own among the staff, else all pupils."""
    for name, path in (("pupil", PUPILS), ("staff", "/staff")):
        said = call.form.get(name) or call.query.get(name)
        if said and all(sign in "0123456789abcdef-" for sign in said):
            return f"{path}/{said}"
    return PUPILS


def _status(fault: AppError | None) -> int:
    return 200 if fault is None else 409 if isinstance(fault, Conflict) else 422
