"""Segment ids last: every label gets the published id that most of its customers had."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.matching import match_segments, migration
from aisle.publication import CUSTOMER_SEGMENT_MIGRATION

COUNTS = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(st.integers(0, 9), min_size=columns, max_size=columns), min_size=1, max_size=4)
)


def common(counts: list[list[int]], lifestage: str = "YA") -> pd.DataFrame:
    """Rows are labels, columns the published segments 10, 11, ...; as a database counts them, so without zeros."""
    rows = [
        (lifestage, 10 + segment, label, count)
        for label, row in enumerate(counts)
        for segment, count in enumerate(row)
        if count
    ]
    new = [(lifestage, -1, label, 1) for label in range(len(counts))]
    gone = [(lifestage, 10, -1, 5)]
    return pd.DataFrame([*rows, *new, *gone], columns=["lifestage", "from_segment", "label", "customer_count"])


@settings(max_examples=60)
@given(counts=COUNTS)
def test_no_other_pairing_keeps_more_customers(counts: list[list[int]]) -> None:
    matched = match_segments(common(counts), {"YA": 10 + len(counts[0])}).set_index("label")["segment"]
    table = np.array(counts)
    kept = sum(table[label, segment - 10] for label, segment in matched.items() if segment - 10 < table.shape[1])
    size = max(table.shape)
    square = np.zeros((size, size), dtype=int)
    square[: table.shape[0], : table.shape[1]] = table
    best = max(sum(square[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(size)))
    assert kept == best


@settings(max_examples=60)
@given(counts=COUNTS)
def test_an_id_goes_to_one_label_and_a_new_id_was_never_used(counts: list[list[int]]) -> None:
    table = np.array(counts)
    matched = match_segments(common(counts), {"YA": 50})
    assert matched["segment"].is_unique
    assert matched["label"].tolist() == list(range(len(counts)))
    for row in matched.itertuples():
        known = row.segment - 10 < table.shape[1]
        assert table[row.label, row.segment - 10] > 0 if known else row.segment >= 50


@settings(max_examples=30)
@given(counts=COUNTS, seed=st.integers(0, 9))
def test_the_order_of_the_counts_does_not_matter(counts: list[list[int]], seed: int) -> None:
    rows = common(counts)
    shuffled = rows.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(match_segments(shuffled, {"YA": 50}), match_segments(rows, {"YA": 50}))


@pytest.mark.parametrize(("following", "ids"), [({}, [0, 1]), ({"OA": 7}, [0, 1]), ({"YA": 7}, [7, 8])])
def test_the_first_publication_counts_from_zero_and_a_lifestage_that_comes_back_goes_on(
    following: dict[str, int], ids: list[int]
) -> None:
    rows = pd.DataFrame(
        {"lifestage": "YA", "from_segment": -1, "label": [0, 1], "customer_count": [5, 4]}, index=[0, 1]
    )
    assert match_segments(rows, following)["segment"].tolist() == ids


def test_lifestages_are_matched_apart() -> None:
    both = pd.concat([common([[0, 9], [9, 0]]), common([[9, 0], [0, 9]], "OA")])
    found = match_segments(both, {"YA": 12, "OA": 12}).groupby("lifestage")["segment"].agg(list).to_dict()
    assert found == {"OA": [10, 11], "YA": [11, 10]}


def test_a_migration_counts_every_customer_of_both_segmentations_once() -> None:
    before = pd.DataFrame({"customer_id": list("abcde"), "lifestage": "YA", "segment": [0, 0, 1, -1, 2]})
    after = pd.DataFrame({"customer_id": list("bcdef"), "lifestage": "YA", "segment": [0, 0, 1, 2, -1]})
    gone = pd.DataFrame({"customer_id": ["g"], "lifestage": ["OF"], "segment": [0]})
    counted = migration(after, pd.concat([before, gone]))
    assert counted.columns.tolist() == list(CUSTOMER_SEGMENT_MIGRATION.columns)[1:]
    assert counted.to_numpy().tolist() == [
        ["YA", -1, -1, 1],
        ["YA", -1, 1, 1],
        ["YA", 0, -1, 1],
        ["YA", 0, 0, 1],
        ["YA", 1, 0, 1],
        ["YA", 2, 2, 1],
    ]
