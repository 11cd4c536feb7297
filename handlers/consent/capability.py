"""The consent capability, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from bot.capability import Capability, ChildRecords, EntryPoints, Machinery, RetentionSource
from bot.scheduler.jobs import Daily, Job
from handlers.accounts.service.child_records import AccountsChildRecords, Custody
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.leavers import DoneWith, Leavers
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.people import PeopleService
from handlers.consent.admin import ConsentPages, PaperPages
from handlers.consent.api import ConsentApi
from handlers.consent.chat import ConsentChat
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.dependents import ConsentDependents
from handlers.consent.service.download import ConsentRecords, DownloadService
from handlers.consent.service.erasure import ErasureLog, ErasureService
from handlers.consent.service.files import FileTerm
from handlers.consent.service.notice import Notice, notice_of
from handlers.consent.service.paper import RECORDED, PaperService
from handlers.consent.service.register import RegisterKeeper
from handlers.consent.service.renewal import Renewal
from handlers.consent.service.retention import PupilTerm, RetentionService

# In the night, and not at the minute of the other cleaning.
_RETENTION_TIME = time(2, 20)


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application. What accounts keep of a child comes from here
    too: the machinery of copies and terms is consent's."""
    clock, audit, support = machinery.clock, machinery.audit, machinery.settings.support
    people = machinery.services.get(PeopleService)
    notice = notice_of(support)

    def records() -> Sequence[ChildRecords]:
        return [source for part in machinery.parts for source in part.child_records]

    def sources() -> Sequence[RetentionSource]:
        return [source for part in machinery.parts for source in part.retention]

    log = ErasureLog(records, machinery.erasure, clock)
    erasure = ErasureService(records, log, people, audit)
    consents = ConsentService(people, Custody(clock), erasure, notice, audit=audit, clock=clock)
    downloads = DownloadService(people, records, notice, audit=audit, clock=clock)
    retention = RetentionService(sources, audit, clock)
    term = PupilTerm(Leavers(clock), erasure, clock, kept_days=support.pupil_kept_days)
    renewal = Renewal(consents, machinery.services.get(AccountsIdentity), clock)
    paper = _paper(machinery, erasure, notice)
    chat = ConsentChat(consents, downloads, renewal)
    machinery.services.add(consents, downloads, erasure, log, retention, paper)
    return EntryPoints(
        routes=chat.routes(),
        api=ConsentApi(consents, downloads, erasure).routes(),
        admin=(*ConsentPages(consents, retention, clock).routes(), *PaperPages(paper).routes()),
        todos=(consents,),
        jobs=(Job("consent.retention", Daily(_RETENTION_TIME), retention.nightly),),
        prefaces=(chat,),
        profiles=(renewal,),
        checks={RECORDED: paper},
        erasers=(log,),
        replay=log.replay,
        background=(RegisterKeeper(support.pupil_kept_days, clock),),
        child_records=(AccountsChildRecords(clock), ConsentRecords()),
        retention=(term, DoneWith(), renewal, FileTerm(machinery.files)),
        dependents=(ConsentDependents(),),
    )


def _paper(machinery: Machinery, erasure: ErasureService, notice: Notice) -> PaperService:
    clock = machinery.clock
    return PaperService(
        machinery.services.get(PeopleService),
        Custody(clock),
        erasure,
        notice,
        notices=BindingNotices(machinery.outbox, clock),
        audit=machinery.audit,
        clock=clock,
    )


CONSENT = Capability(name="consent", build=build)
