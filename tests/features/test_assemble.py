"""Blocks are put side by side; who lacks a feature is left out with a reason, what nobody has is named."""

import numpy as np
import pandas as pd
import pytest

from aisle.features import Baskets, assemble

COHORT = pd.Series(["YA", "YA", "PE"], index=pd.Index(["c", "a", "b"], name="customer_id"), name="cohort")


def block(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(["a", "b", "c"], name="customer_id"), dtype="float64")


def test_blocks_are_joined_by_customer_and_sorted() -> None:
    features, reasons, absent = assemble([block(x=[1, 2, 3]), block(y=[4, 5, 6])], COHORT, {})
    assert features.values.to_dict("index") == {"a": {"x": 1, "y": 4}, "b": {"x": 2, "y": 5}, "c": {"x": 3, "y": 6}}
    assert features.values.index.tolist() == ["a", "b", "c"]
    assert features.cohort.to_dict() == {"a": "YA", "b": "PE", "c": "YA"}
    assert (reasons.empty, absent) == (True, [])


def test_who_lacks_a_feature_is_left_out_with_the_first_reason() -> None:
    gaps = block(x=[1, 2, 3], gap_days_min=[1, np.nan, np.nan], mood=[1, 1, np.nan])
    features, reasons, _ = assemble([gaps], COHORT, {"gap_days_min": "one visit"})
    assert features.values.index.tolist() == ["a"]
    assert reasons.to_dict() == {"b": "one visit", "c": "one visit"}
    features, reasons, _ = assemble([gaps.drop(columns="gap_days_min")], COHORT, {})
    assert reasons.to_dict() == {"c": "mood undefined"}


def test_a_customer_a_block_does_not_know_is_left_out() -> None:
    features, reasons, _ = assemble([block(x=[1, 2, 3]), block(y=[1, 2, 3]).drop("b")], COHORT, {})
    assert features.values.index.tolist() == ["a", "c"]
    assert reasons.to_dict() == {"b": "y undefined"}


def test_what_the_source_lacks_for_everybody_is_left_out_and_named() -> None:
    features, reasons, absent = assemble([block(x=[1, 2, 3], y=[np.nan] * 3)], COHORT, {})
    assert absent == ["y"]
    assert features.values.columns.tolist() == ["x"]
    assert reasons.empty


def test_the_rows_add_up_to_all_customers() -> None:
    features, reasons, _ = assemble([block(x=[1, np.nan, 3], y=[np.nan, 5, 6])], COHORT, {})
    assert sorted([*features.values.index, *reasons.index]) == sorted(COHORT.index)


def test_two_blocks_with_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^Feature names must be unique over blocks; these repeat: \['x'\]\.$"):
        assemble([block(x=[1, 2, 3]), block(x=[1, 2, 3])], COHORT, {})


def test_features_that_are_null_for_everybody_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^No feature is defined for any of the 3 customers\.$"):
        assemble([block(x=[np.nan] * 3)], COHORT, {})


def test_customers_who_all_lack_some_feature_are_refused_with_the_reason() -> None:
    message = r"^All 3 customers have an undefined feature: \w undefined\.$"
    with pytest.raises(ValueError, match=message):
        assemble([block(x=[np.nan, 1, 1], y=[1, np.nan, 1], z=[1, 1, np.nan])], COHORT, {})


def test_the_baskets_block_says_why_days_between_visits_are_undefined() -> None:
    assert Baskets().undefined == {"gap_days_min": "one visit"}
