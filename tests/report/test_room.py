"""A table that is too wide for a phone can be taken apart: each of its cells knows its column."""

import re

import pytest

from aisle.report.html import Cell, table
from aisle.report.look import STYLE
from aisle.report.room import STEPS, characters, step

INTERVAL = Cell("1.25 (1.10 to 1.40)", 1.25)


def test_every_cell_of_a_wide_table_names_its_column() -> None:
    made = table("Ratios", ["baskets", "number", "ratio", "spend"], [["all", Cell("9", 9.0), INTERVAL, INTERVAL]])
    assert re.findall('data-column="([^"]*)"', made) == ["baskets", "number", "ratio", "spend"]
    assert re.findall('role="([^"]*)"', made).count("cell") == 3  # laid out as lines it would be no table otherwise
    assert 'class="apart-38"' in made


def test_a_table_that_fits_everywhere_stays_a_plain_one() -> None:
    made = table("Sizes", ["segment", "customers"], [["0", Cell("60", 60.0)]])
    assert "data-column" not in made
    assert "apart" not in made
    assert 'role="cell"' not in made


@pytest.mark.parametrize("rows", [[], [["", ""]]])
def test_without_rows_or_words_the_heads_count(rows: list[list[str]]) -> None:
    assert characters(["kind of basket", "ratio"], rows, [False, True]) == 13


def test_more_characters_never_need_less_room() -> None:
    widths = [step(count) or 0 for count in range(1, 400)]
    assert widths == sorted(widths)
    assert set(widths) == {0, *STEPS}
    for width in STEPS:
        assert f"@container (max-width: {width}rem)" in STYLE
