"""How this WeChat behaves where the real one is undocumented, or where a test wants it quicker."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class FaultWording(StrEnum):
    """What a phone shows when the account did not answer, or answered nonsense."""

    PHONE = "该公众号提供的服务出现故障，请稍后再试"
    DOCUMENTED = "该公众号暂时无法提供服务，请稍后再试"


class Refill(StrEnum):
    """What a further message of the user does to what is left of the customer-service allowance."""

    RESET = "reset"
    ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings of the platform.

    `answer_within_s` is both how long the platform waits for an answer and the pause between two deliveries of the
    same message; `deliveries` counts the first one. `renew_nonce`: a redelivery is signed anew.
    `members` is a pattern of ids that exist without having been introduced. `duplicate_window`: for how long the same
    client_msg_id is known, `mass_duplicate_window` the same clientmsgid. `consents_add_up`: accepting a one-time
    template twice allows two messages. `job_events`: what became of a message is told to the callback.
    `change_under_popup`: a subscribe_msg_change_event comes in the wrapper of the popup's, as once seen.
    `subscription_msgid`: a mini-program's message is answered with its id. `mini_program_pages`: the pages of the
    released version, None for any.
    """

    answer_within_s: float = 5.0
    deliveries: int = 3
    renew_nonce: bool = False
    fault_wording: FaultWording = FaultWording.PHONE
    max_text_bytes: int = 2048
    token_life: timedelta = timedelta(seconds=7200)
    token_overlap: timedelta = timedelta(minutes=5)
    forced_refreshes_a_day: int = 20
    forced_refresh_apart: timedelta = timedelta(seconds=30)
    allowance_refill: Refill = Refill.RESET
    refuse_escaped_json: bool = True
    menu_pull_after: timedelta = timedelta(minutes=5)
    login_code_life: timedelta = timedelta(minutes=5)
    bound_to_open_platform: bool = True
    clears_a_month: int = 10
    followers_a_page: int = 10_000
    members: str = ""
    duplicate_window: timedelta = timedelta(seconds=60)
    mass_duplicate_window: timedelta = timedelta(hours=24)
    mass_messages_a_month: int = 4
    consents_add_up: bool = True
    subscription_msgid: bool = False
    job_events: bool = True
    change_under_popup: bool = False
    mini_program_pages: frozenset[str] | None = field(default=None)
    allowed_addresses: frozenset[str] | None = field(default=None)
