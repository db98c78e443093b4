"""A partition's class by its measures: at every threshold, and just beside it."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aisle.evidence import CLASSES, MEASURES, Thresholds, class_of, findings

SEPARATED = {
    "n_clusters": 3,
    "valley_p": 0.01,
    "null_p": 0.01,
    "jaccard_worst": 0.9,
    "jaccard_mean": 0.95,
    "strength": 0.9,
    "replication": 0.9,
}
RULE = Thresholds()
BIT = 1e-12


def test_the_classes_are_told_from_the_best_to_none() -> None:
    assert CLASSES == ("separated", "reproducible", "constructive", "do not segment")
    assert set(SEPARATED) <= {*MEASURES}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "separated"),
        ({"valley_p": 0.05}, "reproducible"),
        ({"valley_p": 0.05 - BIT}, "separated"),
        ({"null_p": 0.05}, "reproducible"),
        ({"null_p": 0.05 - BIT}, "separated"),
        ({"jaccard_worst": 0.85}, "separated"),
        ({"jaccard_worst": 0.85 - BIT}, "reproducible"),
        ({"jaccard_worst": 0.75}, "reproducible"),
        ({"jaccard_worst": 0.75 - BIT}, "constructive"),
        ({"strength": 0.8}, "separated"),
        ({"strength": 0.8 - BIT}, "reproducible"),
        ({"replication": 0.7 + BIT}, "separated"),
        ({"replication": 0.7}, "constructive"),
        ({"jaccard_worst": 0.7, "jaccard_mean": 0.6}, "constructive"),
        ({"jaccard_worst": 0.1, "jaccard_mean": 0.6}, "constructive"),
        ({"jaccard_worst": 0.1, "jaccard_mean": 0.6 - BIT}, "do not segment"),
        ({"replication": 0.7, "jaccard_mean": 0.6 - BIT}, "do not segment"),
        ({"n_clusters": 2}, "separated"),
        ({"n_clusters": 1}, "do not segment"),
        ({"n_clusters": 0}, "do not segment"),
        ({"n_clusters": math.nan}, "do not segment"),
        ({"valley_p": math.nan}, "reproducible"),
        ({"null_p": math.nan}, "reproducible"),
        ({"strength": math.nan}, "reproducible"),
        ({"replication": math.nan}, "constructive"),
        ({"jaccard_worst": math.nan}, "constructive"),
        ({"jaccard_worst": math.nan, "jaccard_mean": math.nan}, "do not segment"),
        (dict.fromkeys([name for name in SEPARATED if name != "n_clusters"], math.nan), "do not segment"),
    ],
    ids=str,
)
def test_the_class_at_and_beside_every_threshold(changes: dict[str, float], found: str) -> None:
    assert class_of({**SEPARATED, **changes}, RULE) == found


def test_few_resamples_never_award_the_first_class() -> None:
    assert class_of(SEPARATED, replace(RULE, first_class=False)) == "reproducible"
    perfect = {**SEPARATED, "valley_p": 0.0, "null_p": 0.0} | dict.fromkeys(
        ("jaccard_worst", "jaccard_mean", "strength", "replication"), 1.0
    )
    assert class_of(perfect, replace(RULE, first_class=False)) == "reproducible"


@pytest.mark.parametrize(
    ("name", "strictest", "loosest"),
    [
        ("valley_p", 0.0, 1.0),
        ("null_p", 0.0, 1.0),
        ("separated", 1.0, 0.75),
        ("strength", 1.0, 0.0),
    ],
)
def test_every_threshold_of_the_first_class_is_asked(name: str, strictest: float, loosest: float) -> None:
    assert class_of(SEPARATED, replace(RULE, **{name: strictest})) == "reproducible"
    assert class_of(SEPARATED, replace(RULE, **{name: loosest})) == "separated"


def test_the_findings_tell_every_measure_its_value_and_what_was_asked() -> None:
    measures = {**SEPARATED, "jaccard_worst": np.float64(0.8), "null_p": math.nan, "replication": 0.7}
    found = [(one.measure, one.asked, one.met) for one in findings(measures, RULE)]
    assert found == [
        ("valley_p", "< 0.05", True),
        ("null_p", "< 0.05", False),
        ("jaccard_worst", ">= 0.85", False),
        ("strength", ">= 0.8", True),
        ("replication", "> 0.7", False),
        ("jaccard_worst", ">= 0.75", True),
        ("jaccard_mean", ">= 0.6", True),
    ]
    assert all(type(one.met) is bool for one in findings(measures, RULE))
    assert [one.value for one in findings(measures, RULE)][2:5] == [0.8, 0.9, 0.7]


@pytest.mark.parametrize(
    "name", ["valley_p", "null_p", "separated", "reproducible", "constructive", "strength", "replication"]
)
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf, "high", None])
def test_a_threshold_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^evidence\.thresholds\.{name} must be in \[0, 1\]; got {value!r}\.$"):
        replace(RULE, **{name: value})


@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_first_class_is_awarded_or_not(value: Any) -> None:
    with pytest.raises(
        ValueError, match=rf"^evidence\.thresholds\.first_class must be true or false; got {value!r}\.$"
    ):
        Thresholds(first_class=value)


@pytest.mark.parametrize(
    ("constructive", "reproducible", "separated"), [(0.8, 0.75, 0.85), (0.6, 0.9, 0.85), (0.9, 0.8, 0.7)]
)
def test_a_better_class_cannot_ask_for_less(constructive: float, reproducible: float, separated: float) -> None:
    message = (
        r"^evidence\.thresholds must rise from constructive over reproducible to separated; "
        rf"got {constructive}, {reproducible}, {separated}\.$"
    )
    with pytest.raises(ValueError, match=message):
        Thresholds(constructive=constructive, reproducible=reproducible, separated=separated)


def test_equal_thresholds_are_no_mistake() -> None:
    same = Thresholds(constructive=0.75, reproducible=0.75, separated=0.75)
    assert class_of({**SEPARATED, "jaccard_worst": 0.75}, same) == "separated"
    assert class_of({**SEPARATED, "jaccard_worst": 0.75 - BIT}, same) == "constructive"
