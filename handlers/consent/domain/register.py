"""The register of every item of data with its basis: what is kept, on what ground, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Basis(StrEnum):
    """On what ground an item of data is kept."""

    CONSENT = "consent"
    DUTY = "duty"


class About(StrEnum):
    """Whom an item of data is about, so whose consent it rests on."""

    CHILD = "child"
    PERSON = "person"
    """Whoever uses the service: it rests on their own agreement, never on what was decided for a child."""
    STAFF = "staff"


class ItemName(StrEnum):
    """Every item of data, and every use of data, that the product knows."""

    CHILD_IDENTITY = "child.identity"
    CHILD_SCHOOLING = "child.schooling"
    CHILD_GUARDIANS = "child.guardians"
    CHILD_INVITATION = "child.invitation"
    CHILD_PROTECTION = "child.protection"
    CHILD_IMPORT = "child.import"
    CHILD_CONSENT = "child.consent"
    CHILD_STATEMENT = "child.statement"
    CHILD_REMINDERS = "child.reminders"
    CHILD_SIGN_UP = "child.sign_up"
    CHILD_WAIVER = "child.waiver"
    CHILD_FEES = "child.fees"
    CHILD_SERVICE_DAYS = "child.service_days"
    CHILD_TERM_CHECK = "child.term_check"
    CHILD_PICTURES = "child.pictures"
    CHILD_NOTICES = "child.notices"
    CHILD_CALLS = "child.calls"
    CHILD_CONTACTS = "child.contacts"
    CHILD_FAMILY_WORD = "child.family_word"
    PERSON_WECHAT = "person.wechat"
    PERSON_SESSION = "person.session"
    PERSON_MESSAGES = "person.messages"
    PERSON_CHAT = "person.chat"
    PERSON_HAND_OVER = "person.hand_over"
    STAFF_APPOINTMENT = "staff.appointment"
    STAFF_TASK = "staff.task"
    STAFF_CREDENTIAL = "staff.credential"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Item:
    """An item of data: on what ground it is kept, and the columns that hold it (table → names, with blanks between).

    Without columns it is a use of what other items hold. `kept_days` counts from the day its reason has gone; None: a
    child's statutory data for the configured term, anything else not a day longer. `is_protected`: nobody is given it,
    and nothing tells whether there is any.
    """

    name: ItemName
    about: About
    basis: Basis
    columns: Mapping[str, str]
    kept_days: int | None = None
    is_protected: bool = False


_CHILD, _PERSON, _STAFF = About.CHILD, About.PERSON, About.STAFF
_CONSENT, _DUTY = Basis.CONSENT, Basis.DUTY
_N = ItemName

REGISTER: Final[tuple[Item, ...]] = (
    Item(_N.CHILD_IDENTITY, _CHILD, _DUTY, {
        "accounts_pupil": "name sex birth_date match_index roster_number roster_number_index id_number id_number_index",
    }),
    Item(_N.CHILD_SCHOOLING, _CHILD, _DUTY, {
        "accounts_pupil": "school_id school_class_id status left_on sealed_at reduced_at",
        "accounts_placement": "pupil_id school_class_id since until reason",
    }),
    Item(_N.CHILD_GUARDIANS, _CHILD, _DUTY, {
        "accounts_guardianship": "pupil_id person_id relation is_acting bound_at bound_by ended_on",
        "accounts_person": "name phone phone_index id_number id_number_index is_erased",
    }),
    Item(_N.CHILD_INVITATION, _CHILD, _DUTY, {
        "accounts_invitation": "kind code_index pupil_id person_id issued_by expires_at used_at used_by revoked_at"
        " failed_proofs",
    }, kept_days=30),
    Item(_N.CHILD_PROTECTION, _CHILD, _DUTY, {
        "accounts_bar": "pupil_id person_id name_index phone_index reason set_by since until",
        "alarms_alarm": "child_id said reference key raised_by raiser_index on_duty acknowledged_by closing spot",
        "alarms_entry": "mark person_id",
    }, is_protected=True),
    Item(_N.CHILD_IMPORT, _CHILD, _DUTY, {
        "rosters_import": "by_person_id by_name file_name file_digest head",
        "rosters_page": "cells reports",
        "rosters_change": "rows",
        "after_school_intake": "by_person_id by_name file_name sheet",
    }),
    Item(_N.CHILD_CONSENT, _CHILD, _DUTY, {
        "consent_event": "pupil_id person_id decision notice_version channel items entered_by signed_on",
        "consent_erasure": "kind subject_id done_at",
    }),
    Item(_N.CHILD_STATEMENT, _CHILD, _CONSENT, {
        "accounts_binding_request": "identity_id pupil_id school_id class_id said relation state decided_by decided_at",
    }, kept_days=90),
    Item(_N.CHILD_REMINDERS, _CHILD, _CONSENT, {}),
    Item(_N.CHILD_SIGN_UP, _CHILD, _CONSENT, {
        "after_school_enrolment": "pupil_id party_id state turn position offered_until rank draw_id source consent_how"
        " entered_by active_key",
        "after_school_statement": "pupil_id wish programme_id source said_at said_by entered_by consent_how reason"
        " settles intake_id taken_back_at taken_back_by",
        "after_school_slip": "pupil_id code",
        "after_school_drawn": "party_id turn choice choices refused missed_before",
    }),
    Item(_N.CHILD_WAIVER, _CHILD, _CONSENT, {
        "after_school_waiver": "pupil_id category state is_listed note reason appeal terms percent lapses_on asked_by"
        " entered_by consent_how submitted_at checked_by checked_at decided_by decided_at heard_by heard_at closed_at"
        " active_key",
    }),
    Item(_N.CHILD_FEES, _CHILD, _DUTY, {
        "after_school_waived": "pupil_id percent waiver_id is_refund_due refunded_at refunded_by ended_on",
    }),
    # Whoever does not come at the beginning of a term is looked for: schools and townships answer for that by law.
    Item(_N.CHILD_TERM_CHECK, _CHILD, _DUTY, {
        "term_check_listed": "pupil_id is_new",
        "term_check_absence": "pupil_id state where_to known_by outcome back_on opened_on stage stage_on closed_at"
        " active_key",
        "term_check_step": "kind on_day words from_state to_state stage",
    }),
    # Who was there, who was missed and who collected a child: the school answers for every child in its care.
    Item(_N.CHILD_SERVICE_DAYS, _CHILD, _DUTY, {
        "after_school_attendance": "pupil_id enrolment_id presence",
        "after_school_leave": "pupil_id programme_id first_day last_day reason asked_by entered_by via asked_at"
        " withdrawn_at live_key",
        "after_school_collection": "pupil_id day how person_id name phone said_by entered_by via said_at",
        "after_school_incident": "pupil_id text done",
        "after_school_bill": "enrolment_id planned own held attended waived_percent amounts",
        "after_school_payment": "enrolment_id amount_fen",
    }),
    Item(_N.CHILD_PICTURES, _CHILD, _CONSENT, {
        "stored_file": "owner_id content",
    }),
    Item(_N.CHILD_NOTICES, _CHILD, _DUTY, {
        "notices_child": "child_id school_id class_id hand_how hand_by hand_at confirmed_by_hand",
        "notices_recipient": "person_id child_id is_acting opened_at confirmed_at how answers entered_by told_at"
        " channel",
        "notices_ticket": "person_id ticket_index",
        "notices_notice": "written_by changed_by approved_by",
    }),
    Item(_N.CHILD_CALLS, _CHILD, _DUTY, {
        "deliveries_hand_list": "subject_id child_id person_id child_ids class_id school_id township_id way settled_by"
        " settled_at",
    }, kept_days=180),
    # Contact with families who need more of it. Nothing tells a family that a child is on a register.
    Item(_N.CHILD_CONTACTS, _CHILD, _DUTY, {
        "contacts_file": "pupil_id care_group reason reason_words since decided_by decided_at review_on reviewed_by"
        " reviewed_at ended_on ended_by end_reason active_key sealed_at reduced_at",
        "contacts_level": "pupil_id level reason set_by set_at review_on",
        "contacts_pair": "pupil_id person_id since until begun_by ended_by received_at from_pair_id active_key",
        "contacts_fact": "pupil_id holder kind value stated_on source entered_by entered_at confirmed_at failed_calls"
        " is_stale",
        "contacts_check": "pupil_id age_ok health_ok no_barred_ground written_on file_id checked_by checked_on",
        "contacts_record": "pupil_id author_id client_key happened_on day_part entered_at is_backdated way met outcome"
        " called topics finding sealed_part follow_up follow_up_on follow_up_done_at follow_up_done_by next_on voice_id"
        " photo_id corrects_id superseded_by",
        "contacts_draft": "person_id pupil_id body asked_at",
        "contacts_report": "pupil_id record_id triggers words calls opened_by opened_at completed_by completed_at state"
        " closed_by closed_at closing alarm_key",
        "contacts_due": "pupil_id due_on visit_due_on counted_from visit_counted_from level stage stage_at",
        "contacts_glass": "person_id pupil_id ground reason at until lead_told_at seen_by seen_at reduced_at",
        "contacts_export": "person_id class_id taken_for purpose has_groups has_records state decided_by decided_at"
        " refusal made_at digest expires_at file_id taken_at",
        "contacts_print": "person_id pupil_id taken_for purpose at until",
        "contacts_heard": "pupil_id holder way happened_on source noted_by noted_at",
    }, is_protected=True),
    # Hearing from the school, for families that want it: nothing of it tells anything of a child but what is written.
    Item(_N.CHILD_FAMILY_WORD, _CHILD, _CONSENT, {
        "contacts_wish": "pupil_id person_id is_wanted how said_at entered_by",
        "contacts_word": "pupil_id words target_key",
        "contacts_call": "pupil_id teacher_id guardian_id at is_from_family state record_id closed_at closed_by"
        " active_key",
    }),
    Item(_N.PERSON_WECHAT, _PERSON, _CONSENT, {
        "accounts_identity": "account openid openid_index unionid_index person_id hat privacy_version privacy_agreed_at"
        " bound_at failed_proofs failed_on",
    }),
    Item(_N.PERSON_SESSION, _PERSON, _CONSENT, {
        "accounts_session": "kind secret_index identity_id person_id hat device expires_at seen_at revoked_at",
        "idempotent_answer": "scope key body",
    }, kept_days=30),
    Item(_N.PERSON_MESSAGES, _PERSON, _CONSENT, {
        "outbox_message": "occurrence recipient openid_index payload platform_id",
        "processed_message": "dedupe_key openid_index reply",
        "consent_reminder": "person_id notice_version told_at",
        "outbox_push": "occurrence person_id child_ids recipient_index platform_id",
        "delivery_report": "platform_id recipient_index",
        "delivery_consent": "recipient_index template_id free reserved is_long_term is_refused",
        "delivery_count": "whose what period used",
        "delivery_batch": "families day",
        "after_school_poll_voter": "voter",
        "reminders_own": "person_id openid openid_index matter event text article day told_day",
    }, kept_days=90),
    Item(_N.PERSON_CHAT, _PERSON, _CONSENT, {
        "policy_profile": "openid_index place",
        "policy_question": "asker text",
        "policy_feedback": "asker question reason",
    }),
    Item(_N.PERSON_HAND_OVER, _PERSON, _CONSENT, {
        "support_hand_over": "asker asker_index place alarm text owner_index",
        "support_hand_over_reply": "author_index text",
    }),
    Item(_N.STAFF_APPOINTMENT, _STAFF, _DUTY, {
        "accounts_appointment": "person_id kind township_id school_id school_class_id subject since until",
        "accounts_class_hand_over": "school_class_id from_person_id to_person_id on_day duties accepted_at",
    }),
    Item(_N.STAFF_TASK, _STAFF, _DUTY, {
        "duties_task": "done_by note",
        "reminders_class": "set_by text",
        "after_school_plan": "written_by published_by closed_by",
        "after_school_programme": "teacher_id",
        "after_school_draw": "held_by",
        "after_school_slip": "printed_by",
        "after_school_fee_cap": "entered_by",
        "after_school_waiver_category": "entered_by",
        "after_school_waiver_list": "entered_by undone_by",
        "after_school_waiver_listed": "number_index",
        "after_school_waiver_event": "by_person",
        "after_school_tally": "signed_by",
        "after_school_enrolment_event": "by_person",
        "after_school_session": "teacher_id is_substitute taken_by",
        "after_school_attendance_event": "by_person",
        "after_school_duty_slot": "person_id set_by",
        "after_school_day_check": "checked_by note",
        "after_school_incident": "reported_by closed_by",
        "after_school_month": "by_person lines",
        "after_school_objection": "by_person text answer answered_by",
        "after_school_bill": "settled_by",
        "after_school_payment": "entered_by",
        "after_school_poll": "opened_by",
        "contacts_rule": "entered_by",
        "contacts_refresh": "begun_by ended_by",
        "contacts_word": "author_id",
        "contacts_refresh_rule": "entered_by",
        "term_check_rule": "entered_by",
        "term_check_return": "signed_by",
        "term_check_absence": "opened_by closed_by",
        "term_check_step": "by_person",
    }),
    Item(_N.STAFF_CREDENTIAL, _STAFF, _DUTY, {
        "console_credential": "person_id login password totp_secret totp_confirmed_at totp_last_step must_change"
        " failures locked_until",
    }),
    Item(_N.AUDIT, _STAFF, _DUTY, {
        "audit_entry": "at actor stranger roles door action outcome subject about school township fields_seen purpose"
        " request_id",
    }),
)  # fmt: skip
"""All items. Every column of every table is of exactly one of them, or among the two lists below."""

STRUCTURAL: Final = frozenset({"id", "created_at", "updated_at", "version"})
"""Columns that say nothing about anybody, in every table."""

IMPERSONAL: Final[Mapping[str, str]] = {
    "accounts_township": "name county province",
    "accounts_school": "township_id parent_id name kind place closed_on",
    "accounts_class": "school_id school_year grade number promoted_from_id",
    "after_school_attendance": "session_id",
    "after_school_attendance_event": "attendance_id at before after",
    "after_school_bill": "plan_id number through settle_by settled_at",
    "after_school_day_check": "school_id day points checked_at",
    "after_school_intake": "plan_id state class_ids counts plan_digest applied_at undone_at",
    "after_school_day_off": "plan_id programme_id day reason",
    "after_school_draw": "plan_id programme_ids seed rule_version held_at",
    "after_school_drawn": "draw_id",
    "after_school_duty_slot": "school_id day role",
    "after_school_enrolment": "plan_id programme_id pool_id",
    "after_school_enrolment_event": "enrolment_id at from_state to_state via",
    "after_school_fee_cap": "township_id school_kind per_lesson_fen per_term_fen since clause",
    "after_school_incident": "school_id day reported_at closed_at",
    "after_school_month": "plan_id month band number move digest at",
    "after_school_objection": "month_id at answered_at",
    "after_school_payment": "plan_id kind reference at",
    "after_school_plan": "township_id school_id term title first_day last_day opens_at closes_at state complaint_phone"
    " pick_up_point offer_school_days settle_by published_at closed_at",
    "after_school_poll": "plan_id questions opens_at closes_at",
    "after_school_poll_count": "poll_id question choice times",
    "after_school_poll_voter": "poll_id",
    "after_school_pool": "plan_id title places taken waiting next_turn",
    "after_school_programme": "plan_id pool_id title lowest_grade highest_grade weekdays starts_at ends_at room"
    " pick_up_point selection fee_basis fee_fen fee_payer fee_clause",
    "after_school_session": "programme_id plan_id class_id day group_key is_held why_not taken_at",
    "after_school_slip": "plan_id",
    "after_school_statement": "plan_id",
    "after_school_tally": "plan_id class_id number move counts at reason",
    "after_school_waived": "term first_day last_day",
    "after_school_waiver": "township_id school_id",
    "after_school_waiver_category": "township_id code percent since until clause evidence",
    "after_school_waiver_event": "waiver_id at from_state to_state",
    "after_school_waiver_list": "township_id code since until rows known digest undone_at",
    "after_school_waiver_listed": "source_id",
    "after_school_window": "plan_id grade opens_at closes_at",
    "alarms_alarm": "kind state level climb_at hand_over source raised_at township_id school_id class_id",
    "alarms_entry": "alarm_id at level",
    "audit_seal": "number entry_id digest sealed_at",
    "audit_gap": "from_id to_id noted_at",
    "calendar_local_day": "township_id school_id kind name first_day last_day effect",
    "calendar_state": "township_id changes",
    "calendar_term": "township_id school_id name first_day last_day",
    "calendar_week": "township_id owner_id weekdays",
    "calendar_year": "township_id year source holidays make_up_days",
    "consent_data_item": "name title basis kept_days",
    "deliveries_hand_list": "reason occurrence rule purpose push_class why not_before expires_at state",
    "contacts_due": "school_id rule_id",
    "contacts_export": "school_id",
    "contacts_file": "school_id township_id",
    "contacts_glass": "school_id",
    "contacts_month": "school_id township_id month registered covered asked on_time",
    "contacts_print": "school_id",
    "contacts_record": "school_id",
    "contacts_call": "school_id",
    "contacts_word": "school_id class_id month send_on sent_at",
    "contacts_refresh": "township_id school_id begun_on ends_on older_than ended_at active_key auto_key",
    "contacts_refresh_rule": "township_id days_before older_than",
    "contacts_report": "school_id township_id",
    "contacts_rule": "township_id since until cadence teacher_grace lead_after leader_after daily_cap clause",
    "delivery_attempt": "message_id number outcome error finished_at",
    "delivery_report": "channel error",
    "duties_rule": "township_id number title detail owner rhythm remind_before escalate_after since shipped stopped_at",
    "duties_task": "rule_id township_id school_id class_id object_id occurrence due_on remind_on late_on escalate_on"
    " state done_at is_provisional",
    "idempotent_answer": "route body_digest status",
    "outbox_message": "kind reason status not_before expires_at lease_until attempts last_error",
    "notices_child": "notice_id",
    "notices_notice": "number state township_id school_id class_id title text content sender confirmation who deadline"
    " is_urgent send_at remind_hours remind_times written_on needs_second approved_at why_rejected begun_at frozen_at"
    " sent_at closed_at reminded reminded_at next_reminder_at escalated_at corrects corrected_by is_material",
    "notices_recipient": "notice_id has_new_words",
    "notices_ticket": "notice_id",
    "stored_file": "owner_kind media_type size delete_after",
    "delivery_claim": "lease_until",
    "outbox_push": "message_id reason rule purpose push_class status lane tried not_before expires_at channel claim"
    " credit attempts begun_at last_error lease_until",
    "policy_feedback": "article is_helpful",
    "policy_question": "outcome article times",
    "processed_message": "state finished_at",
    "reminders_class": "school_id class_id class_name day state cancelled_at",
    "reminders_planned": "reason occurrence day leads lead_days calendar_version is_provisional is_split is_withdrawn"
    " said corrected_at",
    "rosters_change": "source_id number table",
    "rosters_import": "kind state coverage township_id school_id counts plan_digest progress failure applied_at"
    " undone_at",
    "rosters_page": "source_id number states",
    "support_hand_over": "state closed_at",
    "support_hand_over_reply": "hand_over_id told_at",
    "term_check_absence": "round_id township_id school_id class_id reduced_at",
    "term_check_listed": "round_id class_id grade",
    "term_check_return": "round_id class_id day number counts is_full has_checked_contacts signed_at",
    "term_check_round": "township_id school_id school_year term name first_day last_day list_day closed_at",
    "term_check_rule": "township_id since until school_after centre_after township_after centre_school_id primary_limit"
    " junior_limit clause",
    "term_check_step": "absence_id at",
}
"""Columns that are about things and how far they have come (table → names)."""

_BY_NAME: Final = {item.name: item for item in REGISTER}


def item_of(name: ItemName) -> Item:
    """The item of a name."""
    return _BY_NAME[name]


def child_items(basis: Basis) -> tuple[Item, ...]:
    """What is kept about a child on one ground, without the protection layer: what families are told of."""
    about_child = (item for item in REGISTER if item.about is About.CHILD and not item.is_protected)
    return tuple(item for item in about_child if item.basis is basis)


def days_kept(item: Item, pupil_kept_days: int) -> int | None:
    """How long an item is kept once its reason has gone; None: not a day longer."""
    if item.kept_days is None and item.about is About.CHILD and item.basis is Basis.DUTY:
        return pupil_kept_days
    return item.kept_days
