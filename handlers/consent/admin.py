"""Pages about consent, class by class, and about what is due for sealing or erasure."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock
from bot.errors import NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from bot.web.tables import Sheet, TableView, download_of
from handlers.consent import texts
from handlers.consent.service.consents import ClassConsent, ConsentService
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
