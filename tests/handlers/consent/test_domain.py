"""The register, and the rules of consent."""

from __future__ import annotations

import importlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.models import Model

from bot.config import Support
from bot.storage.database import Database
from bot.storage.schema import model_modules
from handlers.consent import texts
from handlers.consent.domain.decisions import (
    Decided,
    Decision,
    ErasureKind,
    Standing,
    covers,
    is_allowed,
    pair_of,
    parted,
    standing_of,
)
from handlers.consent.domain.register import (
    IMPERSONAL,
    REGISTER,
    STRUCTURAL,
    About,
    Basis,
    ItemName,
    child_items,
    days_kept,
    item_of,
)
from handlers.consent.service.notice import PAGE_LENGTH, notice_of

START = datetime(2026, 9, 1, tzinfo=UTC)
NOW = notice_of(Support()).version
MOTHER, FATHER, AUNT = "mother", "father", "aunt"
GIVEN, REFUSED, WITHDRAWN = Decision.GIVEN, Decision.REFUSED, Decision.WITHDRAWN
ALL = frozenset(item.name.value for item in child_items(Basis.CONSENT))


def story(*steps: tuple[str, Decision], version: str = NOW, items: frozenset[str] = ALL) -> list[Decided]:
    """Decisions one after the other, an hour apart."""
    return [
        Decided(person, decision, version, START + timedelta(hours=hour), items)
        for hour, (person, decision) in enumerate(steps)
    ]


# ------------------------------------------------------------------------------------------------------------ register
def columns_of_all_tables() -> set[tuple[str, str]]:
    """Every column of every table the product has."""
    tables = {
        kind
        for name in model_modules()
        for kind in vars(importlib.import_module(name)).values()
        if isinstance(kind, type) and issubclass(kind, Model) and not kind._meta.abstract
        if f"{kind.__module__}.".startswith(f"{name}.")
    }
    return {(table._meta.db_table, column) for table in tables for column in table._meta.fields_db_projection.values()}


def registered() -> Counter[tuple[str, str]]:
    """What the register and the list of impersonal columns name, and how often."""
    named = [*(item.columns for item in REGISTER), IMPERSONAL]
    return Counter((table, column) for columns in named for table, names in columns.items() for column in names.split())


async def test_every_personal_column_of_every_table_has_its_item(database: Database) -> None:
    """A new column fails here until somebody says on what ground it is kept, or that it is about nobody."""
    columns = {(table, column) for table, column in columns_of_all_tables() if column not in STRUCTURAL}
    assert len(columns) > 150
    assert sorted(columns - set(registered())) == []


async def test_the_register_names_nothing_that_is_not_there_and_nothing_twice(database: Database) -> None:
    assert sorted(set(registered()) - columns_of_all_tables()) == []
    assert [column for column, times in registered().items() if times > 1] == []


async def test_what_is_encrypted_is_never_called_impersonal(database: Database) -> None:
    from bot.storage.base import EncryptedText

    tables = [kind for name in model_modules() for kind in vars(importlib.import_module(name)).values()]
    models = [kind for kind in tables if isinstance(kind, type) and issubclass(kind, Model) and not kind._meta.abstract]
    wrong = [
        (model._meta.db_table, name)
        for model in models
        for name, kind in model._meta.fields_map.items()
        if isinstance(kind, EncryptedText) and name in IMPERSONAL.get(model._meta.db_table, "").split()
    ]
    assert wrong == []


def test_every_item_is_registered_once_and_has_a_title() -> None:
    names = [item.name for item in REGISTER]
    assert sorted(names) == sorted(ItemName)
    assert sorted(texts.ITEM_TITLES) == sorted(names)


def test_a_child_s_statutory_data_have_the_configured_term() -> None:
    assert days_kept(item_of(ItemName.CHILD_IDENTITY), 1095) == 1095
    assert days_kept(item_of(ItemName.CHILD_INVITATION), 1095) == 30
    assert days_kept(item_of(ItemName.CHILD_PICTURES), 1095) is None


def test_the_protection_layer_is_among_nothing_families_are_told_of() -> None:
    told = {item.name for basis in Basis for item in child_items(basis)}
    assert ItemName.CHILD_PROTECTION not in told
    protected = {ItemName.CHILD_PROTECTION, ItemName.CHILD_CONTACTS}
    assert protected == {item.name for item in REGISTER if item.is_protected}
    assert told == {item.name for item in REGISTER if item.about is About.CHILD} - protected


# -------------------------------------------------------------------------------------------------------------- notice
def test_the_short_notice_fits_a_bubble_and_says_what_the_law_asks() -> None:
    support = Support()
    notice = notice_of(support)
    assert len(notice.short) <= 300
    for must in (support.storage, support.officer, support.officer_phone, support.complaint, "不同意", "撤回"):
        assert must in notice.short
    assert "{" not in notice.text + notice.short


def test_the_whole_notice_says_what_the_law_asks() -> None:
    support = Support(officer="李老师", officer_phone="0500-1234567", complaint="白云县教育局", storage="县政务云")
    text = notice_of(support).text
    for must in ("李老师", "0500-1234567", "白云县教育局", "县政务云", "3年", "投诉", "更正", "删除", "不影响孩子入学"):
        assert must in text
    for item in (*child_items(Basis.CONSENT), *child_items(Basis.DUTY)):
        assert texts.ITEM_TITLES[item.name] in text


def test_every_page_of_the_notice_fits_a_bubble_and_none_is_lost() -> None:
    notice = notice_of(Support())
    assert len(notice.pages) > 1
    assert all(len(page) <= PAGE_LENGTH for page in notice.pages)
    assert "\n".join(notice.pages) == notice.text


def test_another_wording_is_another_version_that_still_covers() -> None:
    before, after = notice_of(Support()).version, notice_of(Support(officer_phone="0500-7654321")).version
    assert before != after
    assert covers(before, after)


@pytest.mark.parametrize(
    "after", [notice_of(Support(), number="next"), notice_of(Support(storage="省教育云"))], ids=["number", "storage"]
)
def test_what_matters_asks_anew(after: object) -> None:
    assert not covers(NOW, after.version)  # type: ignore[attr-defined]


# --------------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize(
    ("steps", "standing"),
    [
        ([], Standing.UNASKED),
        ([(MOTHER, GIVEN)], Standing.GIVEN),
        ([(MOTHER, REFUSED)], Standing.REFUSED),
        ([(MOTHER, GIVEN), (MOTHER, WITHDRAWN)], Standing.WITHDRAWN),
        ([(MOTHER, GIVEN), (FATHER, REFUSED)], Standing.REFUSED),
        ([(FATHER, REFUSED), (MOTHER, GIVEN)], Standing.REFUSED),
        ([(FATHER, REFUSED), (MOTHER, GIVEN), (FATHER, GIVEN)], Standing.GIVEN),
        ([(MOTHER, GIVEN), (MOTHER, WITHDRAWN), (MOTHER, GIVEN)], Standing.GIVEN),
        ([(MOTHER, GIVEN), (AUNT, REFUSED)], Standing.GIVEN),
        ([(AUNT, GIVEN)], Standing.UNASKED),
    ],
)
def test_one_guardian_with_custody_who_says_no_stops_it(steps: list[tuple[str, Decision]], standing: Standing) -> None:
    assert standing_of(story(*steps), {MOTHER, FATHER}, NOW) is standing


def test_consent_to_a_notice_that_changed_in_what_matters_is_outdated_and_allows_nothing() -> None:
    old = story((MOTHER, GIVEN), version="0.0000.0000")
    assert standing_of(old, {MOTHER}, NOW) is Standing.OUTDATED
    assert not is_allowed(item_of(ItemName.CHILD_REMINDERS), old, {MOTHER}, NOW)


def test_a_refusal_outlives_the_notice_it_was_about() -> None:
    assert standing_of(story((MOTHER, REFUSED), version="0.0000.0000"), {MOTHER}, NOW) is Standing.REFUSED


@pytest.mark.parametrize("item", REGISTER, ids=lambda item: item.name)
def test_a_duty_goes_on_whatever_is_decided_and_the_rest_needs_consent(item: object) -> None:
    allowed = {
        decision: is_allowed(item, story((MOTHER, decision)), {MOTHER}, NOW)  # type: ignore[arg-type]
        for decision in Decision
    }
    if item.basis is Basis.DUTY:  # type: ignore[attr-defined]
        assert all(allowed.values())
        assert is_allowed(item, (), (), NOW)  # type: ignore[arg-type]
    else:
        assert not allowed[REFUSED]
        assert not allowed[WITHDRAWN]
        assert allowed[GIVEN] is (item.about is About.CHILD)  # type: ignore[attr-defined]


def test_consent_is_for_the_items_it_named() -> None:
    given = story((MOTHER, GIVEN), items=frozenset({"child.reminders"}))
    assert is_allowed(item_of(ItemName.CHILD_REMINDERS), given, {MOTHER}, NOW)
    assert not is_allowed(item_of(ItemName.CHILD_PICTURES), given, {MOTHER}, NOW)


def test_two_ids_become_one_word_and_two_again() -> None:
    child, person = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    pair = pair_of(child, person)
    assert len(pair) == 64
    assert parted(pair) == (child, person)
    assert len({kind.value for kind in ErasureKind}) == 4
