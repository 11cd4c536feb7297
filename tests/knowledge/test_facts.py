from __future__ import annotations

import pytest

from knowledge.facts import unbacked


@pytest.mark.parametrize(
    ("answer", "values", "missing"),
    [
        ("每学期300元。", ["300元"], []),
        ("每学期300元，住宿80元。", ["300元"], ["80"]),
        ("到17:20结束。", ["17:00"], ["17:20"]),
        ("占30%。", ["30%"], []),
        ("共10,688平方米。", ["10688平方米"], []),
        ("依据《义务教育法》。", ["《义务教育法》"], []),
        ("依据《义务教育法》。", ["教育法"], ["《义务教育法》"]),
        ("干满两年。", ["2年"], ["两年"]),
        ("干满两年。", ["两年"], []),
        ("一年级和三年级都去。", [], []),
        ("第二周开始，分三点说明。", [], []),
        ("９月1日", ["9月1日"], []),
    ],
)
def test_figures_and_titles_must_be_facts(answer: str, values: list[str], missing: list[str]) -> None:
    assert unbacked(answer, values) == missing
