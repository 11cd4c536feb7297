"""No figure may fall: pass rates by kind, own phrasings left out, near-misses, other places, noise."""

from __future__ import annotations

import json

import pytest

from tests.knowledge import gate

pytestmark = pytest.mark.slow

FLOORS: dict[str, float] = json.loads(gate.FLOORS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("group", gate.GROUPS)
def test_no_figure_of_the_group_falls(group: str) -> None:
    figures = gate.GROUPS[group]()
    assert figures
    fallen = {name: (value, FLOORS[name]) for name, value in figures.items() if value < FLOORS[name]}
    assert not fallen


def test_every_figure_has_a_floor() -> None:
    groups = {name.split(".")[0] for name in FLOORS}
    assert groups == set(gate.GROUPS)


def test_the_promised_rates_hold() -> None:
    """What the project promises of the dev bank, whatever the recorded floors say."""
    summary = gate.report("dev").summary()
    assert summary["answerable"] >= 0.93
    assert summary["unanswerable"] >= 0.95
    assert summary["false_declines"] <= 0.03
