"""One lifestage's rule."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons
from sklearn.utils.estimator_checks import parametrize_with_checks

from aisle.rules import NearestRule
from aisle.rules.nearest import KINDS


@parametrize_with_checks([NearestRule()])
def test_it_keeps_the_promises_of_scikit_learn(estimator: NearestRule, check: Callable[..., Any]) -> None:
    check(estimator)


def rule_of(values: Any, labels: Any, noise: int | None = -1) -> NearestRule:
    return NearestRule(noise=noise).fit(np.asarray(values, dtype=float), np.asarray(labels))


def left_out(values: np.ndarray, labels: np.ndarray, kind: str) -> np.ndarray:
    """The labels that each kind gives customers who are really taken out, in the space of all."""
    space = (values - values.mean(axis=0)) / values.std(axis=0)
    found = []
    for row in range(len(labels)):
        others = np.delete(np.arange(len(labels)), row)
        distances = np.linalg.norm(space[others] - space[row], axis=1)
        if kind == "neighbours":
            votes = labels[others][np.argsort(distances, kind="stable")[:5]]
            found.append(max(votes.tolist(), key=votes.tolist().count))
        else:
            means = {label: space[others][labels[others] == label].mean(axis=0) for label in np.unique(labels[others])}
            found.append(min(means, key=lambda label: float(np.linalg.norm(means[label] - space[row]))))
    return np.array(found)


@pytest.mark.parametrize("kind", KINDS)
def test_the_agreement_is_that_of_customers_who_are_really_left_out(kind: str) -> None:
    values, labels = load_iris(return_X_y=True)
    found = left_out(values, labels, kind)
    counts = rule_of(values, labels).given_back_[KINDS.index(kind)]
    expected = [[int(((labels == one) & (found == other)).sum()) for other in range(3)] for one in range(3)]
    assert counts.tolist() == expected


def test_round_clusters_are_given_to_centroids_and_crooked_ones_to_neighbours() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 100)
    assert rule_of(rng.normal(size=(200, 2)) + 3 * labels[:, np.newaxis], labels).kind_ == "centroids"
    moons, sides = make_moons(200, noise=0.05, random_state=1)
    crooked = rule_of(moons, sides)
    assert crooked.kind_ == "neighbours"
    assert (crooked.predict(moons) == sides).all()


def test_where_both_kinds_are_level_it_is_centroids() -> None:
    assert rule_of([[0.0], [0.1], [9.0], [9.1]], [0, 0, 1, 1]).kind_ == "centroids"


def test_units_and_shifts_change_nothing() -> None:
    values, labels = load_iris(return_X_y=True)
    plain, other = rule_of(values, labels), rule_of(values * [1, 1000, 0.01, 5] + 7, labels)
    assert (plain.predict(values) == other.predict(values * [1, 1000, 0.01, 5] + 7)).all()


def test_a_feature_that_was_constant_says_nothing_of_new_customers() -> None:
    rule = rule_of([[0.0, 3.0], [0.1, 3.0], [9.0, 3.0], [9.1, 3.0]], [0, 0, 1, 1])
    assert rule.predict([[0.05, 1e9], [9.0, -1e9]]).tolist() == [0, 1]


def test_noise_has_no_centroid() -> None:
    values = [[0.0], [0.2], [0.1], [9.0], [9.2], [9.1], [4.6]]
    rule = rule_of(values, [0, 0, 0, 1, 1, 1, -1])
    assert rule.kind_ == "centroids"
    assert set(rule.predict([[4.6], [4.5]]).tolist()) <= {0, 1}


def test_neighbours_may_vote_for_noise() -> None:
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, 2 * np.pi, 120)
    ring = 5 * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.1, (120, 2))
    values = np.vstack([ring, rng.normal(0, 0.3, (60, 2))])
    rule = rule_of(values, np.repeat([0, -1], [120, 60]))
    assert rule.kind_ == "neighbours"
    assert rule.predict([[0.0, 0.0], [5.0, 0.0]]).tolist() == [-1, 0]


@pytest.mark.parametrize(("values", "labels"), [([[1.0]], [0]), ([[1.0], [2.0]], [0, 1]), ([[1.0], [1.0]], [0, 0])])
def test_very_few_customers_have_a_rule_all_the_same(values: list[list[float]], labels: list[int]) -> None:
    assert rule_of(values, labels).predict(values).tolist() == labels


def test_a_cluster_of_one_is_lost_without_its_only_customer() -> None:
    counts = rule_of([[0.0], [0.1], [0.2], [9.0]], [0, 0, 0, 1]).given_back_[KINDS.index("centroids")]
    assert counts.tolist() == [[3, 0], [1, 0]]


def test_nobody_in_a_segment_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^A rule needs a customer in a segment; all 2 are in none\.$"):
        rule_of([[0.0], [1.0]], [-1, -1])
