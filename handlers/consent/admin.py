"""Pages about consent, class by class, and about what is due for sealing or erasure."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from bot.clock import Clock
from bot.errors import NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import Sheet, TableView, download_of
from handlers.accounts.service.child_records import EnrolledChild
from handlers.accounts.service.views import GuardianView
from handlers.consent import texts
from handlers.consent.domain.decisions import AskFirst, Decision, FormInvalid, NoticeChanged
from handlers.consent.service.consents import ClassConsent, ConsentService
from handlers.consent.service.paper import PaperService, SignedForm
from handlers.consent.service.retention import RetentionService

CONSENTS: Final = "/consents"
RETENTION: Final = "/retention"


class ConsentPages:
    """The handlers."""

    def __init__(self, consents: ConsentService, retention: RetentionService, clock: Clock) -> None:
        self._consents = consents
        self._retention = retention
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, due = Action.CONSENT_VIEW, Action.RETENTION_VIEW
        return (
            AdminRoute(method="GET", path=CONSENTS, action=view, handle=self.classes, menu=texts.CONSENT_MENU),
            AdminRoute(method="GET", path=CONSENTS + "/{class}", action=view, handle=self.unanswered),
            AdminRoute(method="GET", path=RETENTION, action=due, handle=self.retention, menu=texts.RETENTION_MENU),
        )

    async def classes(self, call: AdminCall) -> AdminAnswer:
        """The classes within reach, and how many families in each have not answered."""
        view = TableView.of(call, CONSENTS, filters=("school",), sorts=("class", "unanswered"))
        classes = await self._consents.overview(call.actor)
        schools = sorted({one.school for one in classes})
        if school := view.filters.get("school"):
            classes = [one for one in classes if one.school == school]
        if view.sort == "unanswered":
            classes.sort(key=lambda one: len(one.unanswered))
        if view.is_descending:
            classes.reverse()
        if view.wants_export:
            return await download_of(self._sheet(call, classes, school))
        shown = classes[view.offset : view.offset + view.size]
        values = {
            "view": view,
            "rows": shown,
            "total": len(classes),
            "schools": [(name, name) for name in schools],
            "children": sum(one.children for one in classes),
            "unanswered": sum(len(one.unanswered) for one in classes),
        }
        return Page("consent/classes.html", values)

    async def unanswered(self, call: AdminCall) -> AdminAnswer:
        """One class: whose families have not answered."""
        found = await self._consents.overview(call.actor, call.id("class"))
        if not found:
            raise NotFound
        view = TableView.of(call, f"{CONSENTS}/{found[0].class_id}", sorts=("name",))
        rows = found[0].unanswered
        shown = rows[view.offset : view.offset + view.size]
        return Page("consent/unanswered.html", {"view": view, "one": found[0], "rows": shown})

    async def retention(self, call: AdminCall) -> AdminAnswer:
        """What is due tonight, as a dry run shows it."""
        report = await self._retention.look(call.actor)
        view = TableView.of(call, RETENTION, sorts=("due",))
        shown = report.due[view.offset : view.offset + view.size]
        return Page("consent/retention.html", {"view": view, "rows": shown, "total": len(report.due)})

    def _sheet(self, call: AdminCall, classes: list[ClassConsent], school: str | None) -> Sheet:
        return Sheet(
            title=texts.CONSENT_SHEET,
            head=texts.CONSENT_HEAD,
            rows=[(one.school, one.class_name, child.name) for one in classes for child in one.unanswered],
            filters=[texts.CONSENT_FILTER.format(school=school)] if school else [],
            exporter=call.actor.name or "",
            at=self._clock.now(),
        )


class PaperPages:
    """Forms to be printed and signed, and taking in what was signed."""

    def __init__(self, paper: PaperService) -> None:
        self._paper = paper

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        record, one = Action.CONSENT_RECORD, CONSENTS + "/{class}"
        return (
            AdminRoute(method="GET", path=one + "/forms", action=record, handle=self.forms),
            AdminRoute(method="GET", path=one + "/paper", action=record, handle=self.form),
            AdminRoute(method="POST", path=one + "/paper", action=record, handle=self.take),
        )

    async def forms(self, call: AdminCall) -> AdminAnswer:
        """One sheet for each child of the class, or for the one that is named."""
        children = await self._members(call)
        if wanted := call.query_id("child"):
            children = [_found(children, wanted)]
        return Page("consent/forms.html", {"children": children, "rules": self._paper.notice, "one": children[0]})

    async def form(self, call: AdminCall) -> AdminAnswer:
        """Where a signed form of a child is entered; first, of which child."""
        children = await self._members(call)
        wanted = call.query_id("child")
        if wanted is None:
            choices = [(child.id, child.name) for child in children]
            return Page("consent/choose.html", {"one": children[0], "children": choices})
        return await self._page(call, _found(children, wanted))

    async def take(self, call: AdminCall) -> AdminAnswer:
        """Shows what will be taken down; takes it down when that was confirmed."""
        child = _found(await self._members(call), call.form_id("child"))
        guardians = await self._paper.guardians(call.actor, child.id)
        try:
            form = _signed(call, child.id)
            guardian = next((one for one in guardians if one.person_id == form.person_id), None)
            if guardian is None or form.signed_on > self._paper.today:
                raise FormInvalid
            if not call.form.get("sure"):
                return await self._page(call, child, effects=_effects(form, guardian), signer=_label(guardian))
            await self._paper.record(call.actor, form)
        except AskFirst as error:
            assert guardian is not None
            effects, signer = _effects(form, guardian), _label(guardian)
            return await self._page(call, child, fault=error.message, effects=effects, signer=signer, must_ask=True)
        except (FormInvalid, NoticeChanged) as error:
            return await self._page(call, child, fault=error.message)
        notice = texts.FORM_TAKEN.format(guardian=guardian.name, child=child.name)
        return WayOn(f"{CONSENTS}/{child.class_id}", notice)

    async def _members(self, call: AdminCall) -> list[EnrolledChild]:
        """The children of the class. Raises NotFound when there are none, or none within reach."""
        children = await self._paper.children(call.actor, call.id("class"))
        if not children:
            raise NotFound
        return children

    async def _page(self, call: AdminCall, child: EnrolledChild, **values: Any) -> Page:
        guardians = await self._paper.guardians(call.actor, child.id)
        shown = {
            "one": child,
            "guardians": [(guardian.person_id, _label(guardian)) for guardian in guardians],
            "decisions": texts.FORM_DECISIONS,
            "filled": {name: call.form.get(name, "") for name in ("person", "decision", "signed_on")},
            "version": self._paper.notice.version,
            "fault": "",
            "effects": (),
            "must_ask": False,
        }
        return Page("consent/paper.html", shown | values)


def _found(children: list[EnrolledChild], child_id: str) -> EnrolledChild:
    """Raises NotFound."""
    found = next((child for child in children if child.id == child_id), None)
    if found is None:
        raise NotFound
    return found


def _signed(call: AdminCall, child_id: str) -> SignedForm:
    """What was entered. Raises FormInvalid."""
    try:
        decision, day = Decision(call.form.get("decision", "")), date.fromisoformat(call.form.get("signed_on", ""))
    except ValueError:
        raise FormInvalid from None
    return SignedForm(
        child_id=child_id,
        person_id=call.form.get("person", ""),
        decision=decision,
        signed_on=day,
        version=call.form.get("version", ""),
        has_asked=call.form.get("asked") == "yes",
    )


def _label(guardian: GuardianView) -> str:
    return texts.GUARDIAN_LABEL.format(name=guardian.name, relation=guardian.relation_name)


def _effects(form: SignedForm, guardian: GuardianView) -> list[str]:
    """What will happen, in words."""
    effect = texts.EFFECT_GIVEN if form.decision is Decision.GIVEN else texts.EFFECT_REFUSED
    told = texts.EFFECT_TOLD if guardian.is_bound else texts.EFFECT_NOT_TOLD
    signed = texts.EFFECT_SIGNED.format(
        guardian=_label(guardian), day=form.signed_on, decision=texts.DECISIONS[form.decision]
    )
    return [signed, effect, told.format(guardian=guardian.name), texts.EFFECT_WRITTEN]
