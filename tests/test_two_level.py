"""Two levels of segments: how they are named, what they may be called, and what they are held against."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from aisle.evidence import CLASSES
from aisle.features import FeatureTable
from aisle.leaderboard import RANKED_BY
from aisle.selection import Choice, Tally, Verdict
from aisle.two_level import levels, nested, permitted_class

INDEX = pd.Index([f"c{number:02d}" for number in range(60)], name="customer_id")


def table() -> tuple[FeatureTable, "pd.Series[int]", "pd.Series[int]"]:
    """Four tight groups in a square: the first level is left and right, the second low and high on the left."""
    rng = np.random.default_rng(1)
    corner = np.arange(60) % 4
    x, y = 10.0 * (corner >= 2), 10.0 * (corner % 2)
    values = pd.DataFrame(np.column_stack([x, y]) + rng.normal(size=(60, 2)), index=INDEX, columns=["x", "y"])
    first = pd.Series((corner >= 2).astype(int), index=INDEX)
    second = pd.Series(corner % 2, index=INDEX)[first == 0]
    return FeatureTable(values, pd.Series("YA", index=INDEX, name="cohort")), first, second


def verdict(name: str, evidence_class: str | None, k: int | None) -> Verdict:
    choice = None
    if k is not None:
        scores = {RANKED_BY: 0.3}
        choice = Choice("b", "standard", "none", "kmeans", "key", "n_clusters", float(k), k, scores, evidence_class)
    return Verdict(name, 60, choice, ("Because.",), (), Tally(1, 1, 1, 1, {}, {}), (), evidence_class)


def test_segments_of_two_levels_are_named_by_both_and_one_that_is_not_divided_by_the_first() -> None:
    first = pd.Series([0, 0, 0, 1, -1], index=list("abcde"))
    second = pd.Series([1, 0, -1], index=list("abc"))
    assert nested(first, second).to_dict() == {"a": "0_1", "b": "0_0", "c": "", "d": "1", "e": ""}
    assert nested(first, pd.Series(dtype="int64")).tolist() == ["0", "0", "0", "1", ""]


@pytest.mark.parametrize("first", CLASSES)
@pytest.mark.parametrize("second", CLASSES)
def test_a_cut_inside_a_cut_of_a_continuum_is_at_most_constructive(first: str, second: str) -> None:
    found = permitted_class(first, second)
    assert found is not None
    if first == "separated":
        assert found == second
    else:
        assert CLASSES.index(found) == max(CLASSES.index(second), CLASSES.index("constructive"))


def test_a_second_level_inside_a_continuum_is_said_to_be_constructive() -> None:
    features, first, second = table()
    below = {
        "segment_0": verdict("segment_0", "reproducible", 2),
        "segment_1": verdict("segment_1", "do not segment", None),
    }
    found = levels(
        features, nested(first, second), first, above=verdict("all", "reproducible", 2), below=below, flat=None
    )
    assert found.sizes.set_index("segment")["class"].to_dict() == {
        "0_0": "constructive",
        "0_1": "constructive",
        "1": "reproducible",
    }
    assert found.sentences[0] == (
        "The first level has 2 segments (reproducible); segment 0 is divided into 2, segment 1 is not divided."
    )
    assert "at most constructive" in found.sentences[1]
    assert found.rival is None


def test_inside_separated_segments_a_second_level_keeps_its_class() -> None:
    features, first, second = table()
    below = {"segment_0": verdict("segment_0", "separated", 2)}
    found = levels(features, nested(first, second), first, above=verdict("all", "separated", 2), below=below, flat=None)
    assert set(found.sizes["class"]) == {"separated"}
    assert not any("at most constructive" in sentence for sentence in found.sentences)


def test_two_levels_are_held_against_one_partition_into_as_many() -> None:
    features, first, second = table()
    labels = nested(first, second)
    flat = pd.Series(pd.factorize(labels)[0], index=INDEX)
    below = {"segment_0": verdict("segment_0", "constructive", 2)}
    above = verdict("all", "constructive", 2)
    found = levels(features, labels, first, above=above, below=below, flat=("ward, none", flat))
    assert found.rival is not None
    assert found.rival["rand"] == 1.0
    assert found.rival["score"] == pytest.approx(found.score)
    assert "the best eligible partition of everybody at once into 3 (ward, none)" in found.sentences[-1]


def test_both_levels_are_scored_as_scikit_learn_scores_them_on_the_standardised_features() -> None:
    features, first, second = table()
    labels = nested(first, second)
    found = levels(features, labels, first, above=verdict("all", "constructive", 2), below={}, flat=None)
    standard = StandardScaler().fit_transform(features.values)
    assert found.first_score == pytest.approx(silhouette_score(standard, first))
    assert found.score == pytest.approx(silhouette_score(standard, labels))
    assert found.score > 0.5  # tight groups, of which the largest holds two corners


def test_customers_in_no_segment_count_in_shares_and_in_scores() -> None:
    features, first, second = table()
    outside = nested(first.where(INDEX != "c00", -1), second)
    above = verdict("all", "constructive", 2)
    found = levels(
        features, outside, first, above=above, below={"segment_0": verdict("segment_0", "constructive", 2)}, flat=None
    )
    whole = levels(features, nested(first, second), first, above=above, below={}, flat=None)
    assert found.sizes["customer_count"].sum() == 59
    assert found.score < whole.score
