"""A feature table refuses what is no table of features, selects, and orders rows by their values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.features import FeatureTable

INDEX = pd.Index(["a", "b", "c", "d"])
VALUES = pd.DataFrame({"x": [2.0, 1.0, 1.0, 3.0], "y": [5.0, 5.0, 4.0, 5.0], "z": 1.0}, index=INDEX)
COHORT = pd.Series(["YA", "PE", "YA", "OF"], index=INDEX)
TABLE = FeatureTable(VALUES, COHORT)


@pytest.mark.parametrize(
    ("values", "cohort", "message"),
    [
        (
            VALUES.set_axis(["a", "b", "a", "b"]),
            COHORT,
            r"^Feature rows must be unique; these ids repeat: \['a', 'b'\]\.$",
        ),
        (VALUES, COHORT[::-1], r"^Features and cohort must have the same index in the same order\.$"),
        (VALUES, COHORT[:3], r"^Features and cohort must have the same index in the same order\.$"),
        (VALUES.assign(x=[1, 2, 3, 4]), COHORT, r"^Features must be float64; got x \(int64\)\.$"),
        (VALUES.assign(x="text", y=True), COHORT, r"^Features must be float64; got x \(str\), y \(bool\)\.$"),
        (VALUES.assign(x=np.nan), COHORT, r"^Features must be finite; these columns are not: \['x'\]\.$"),
        (VALUES.assign(y=[1, 2, np.inf, 3]), COHORT, r"^Features must be finite; these columns are not: \['y'\]\.$"),
        (VALUES, COHORT.where(COHORT != "PE"), r"^Every customer must have a cohort; 1 have none\.$"),
    ],
)
def test_what_is_no_table_of_features_is_refused(values: pd.DataFrame, cohort: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureTable(values, cohort)


def test_a_cohort_is_selected_with_its_rows_and_everybody_by_all() -> None:
    assert TABLE.cohorts == ["OF", "PE", "YA"]
    assert TABLE.select("YA").values.index.tolist() == ["a", "c"]
    assert TABLE.select("YA").cohort.unique().tolist() == ["YA"]
    assert TABLE.select("all").values.equals(VALUES)


def test_an_unknown_cohort_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"^Lifestage 'ya' is unknown; the features have \['OF', 'PE', 'YA', 'all'\]\.$"
    ):
        TABLE.select("ya")


def test_only_columns_that_vary_are_kept() -> None:
    assert TABLE.varying().values.columns.tolist() == ["x", "y"]
    assert TABLE.select("YA").varying().values.columns.tolist() == ["x", "y"]
    with pytest.raises(ValueError, match=r"^All 3 features are constant over 1 customers\.$"):
        TABLE.select("PE").varying()


def test_value_order_is_by_the_first_column_then_the_next() -> None:
    assert TABLE.in_value_order().values.index.tolist() == ["c", "b", "a", "d"]
    assert TABLE.in_value_order().cohort.index.tolist() == ["c", "b", "a", "d"]


@given(st.permutations(list(INDEX)))
def test_value_order_does_not_depend_on_the_order_of_rows(order: list[str]) -> None:
    shuffled = FeatureTable(VALUES.loc[order], COHORT.loc[order]).in_value_order()
    pd.testing.assert_frame_equal(shuffled.values, TABLE.in_value_order().values)


def test_nothing_changes_the_table_itself() -> None:
    before = TABLE.digest()
    TABLE.select("YA").varying().in_value_order()
    assert TABLE.digest() == before
