"""Rates, their intervals and limits are those of scipy, and a broken promise is named."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from sklearn.preprocessing import FunctionTransformer

from aisle.calibration import Band, Cell, Normal, Planted, Population, Summary, entry, summarised
from aisle.calibration.rates import excess, interval, is_promised, most_allowed

counts = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@given(counts)
@settings(max_examples=100)
def test_intervals_and_excesses_are_those_of_scipy(count: tuple[int, int]) -> None:
    found, trials = count
    expected = binomtest(found, trials).proportion_ci(0.95, method="exact")
    assert interval(found, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert excess(found, trials) == pytest.approx(binomtest(found, trials, 0.05, alternative="greater").pvalue)


@given(st.integers(1, 400), st.integers(1, 200))
@settings(max_examples=100)
def test_the_limit_is_the_largest_that_is_no_excess(trials: int, tests: int) -> None:
    limit = most_allowed(trials, tests=tests)
    assert binom.sf(limit, trials, 0.05) <= 0.05 / tests  # one more would be an excess
    assert limit == 0 or binom.sf(limit - 1, trials, 0.05) > 0.05 / tests


def cell(population: Population, name: str = "cloud", draws: int = 100, **more: Any) -> Cell:
    return Cell(name, "none", population, FunctionTransformer(), FunctionTransformer(), {}, draws, **more)


def row(draw: int, clusterer: str = "kmeans", k: int = 2, **more: Any) -> dict[str, Any]:
    usual = {
        "draw": draw,
        "clusterer": clusterer,
        "tuning_value": float(k),
        "n_clusters": k,
        "eligible": True,
        "valley": False,
        "null": None,
        "null_draws": 0,
        "splits": 25,
        "failed_splits": 0,
        "failed_draws": 0,
        "separated": False,
    }
    return usual | more


def judged(rows: list[dict[str, Any]], **more: Any) -> Summary:
    return summarised({"cloud-none": rows}, [cell(Normal(100, 2), **more)])


def test_silent_draws_keep_the_promise_and_draws_that_are_missing_count_nowhere() -> None:
    found = judged([row(draw, k=k) for draw in range(30) for k in (2, 3)])
    assert found.faults == ()
    assert (found.done, found.asked) == (30, 100)
    assert found.pooled["valley"]["trials"] == 60
    assert found.pooled["null"]["trials"] == 0
    assert found.rejections[["draws", "asked", "valley"]].to_numpy().tolist() == [[30, 100, 0]] * 2


def test_too_many_rejections_are_told_pooled_and_by_test() -> None:
    found = judged([row(draw, valley=draw < 12) for draw in range(60)])
    assert len(found.faults) == 2
    assert found.faults[0].startswith("The valley test rejects 12 of 60 draws without clusters, more than 5% (p = ")
    assert found.faults[1] == "The valley test rejects 12 of 60 draws of cloud, reduction none, kmeans at 2."
    assert judged([row(draw, valley=draw < 4) for draw in range(60)]).faults == ()


def test_the_null_counts_only_where_it_was_drawn() -> None:
    rows = [row(draw, null=draw < 9 if draw < 20 else None) for draw in range(60)]
    found = judged(rows)
    assert (found.pooled["null"]["rejected"], found.pooled["null"]["trials"]) == (9, 20)
    assert any(fault.startswith("The null test rejects 9 of 20") for fault in found.faults)


def test_draws_without_clusters_are_silent_and_the_rate_without_them_is_told_and_no_promise() -> None:
    found = judged([row(draw, n_clusters=0 if draw > 3 else 2, valley=draw < 2) for draw in range(60)])
    assert found.faults == ()
    assert (found.pooled["valley"]["rejected"], found.pooled["valley"]["trials"]) == (2, 60)
    alone = found.pooled["valley, where there are clusters"]
    assert (alone["rejected"], alone["trials"]) == (2, 4)
    assert alone["p"] < 0.05


def test_one_cloud_called_separated_is_a_fault_unless_it_may_not_be_chosen_or_is_the_stated_limit() -> None:
    separated = [row(0, separated=True), *(row(draw) for draw in range(1, 50))]
    (fault,) = judged(separated).faults
    assert fault == "1 of 50 draws of cloud, reduction none, kmeans at 2 are called separated."
    assert judged([row(0, separated=True, eligible=False)]).faults == ()
    told = judged([row(draw, separated=True, valley=True) for draw in range(50)], counted=False)
    assert told.faults == ()
    assert told.rejections["separated"].tolist() == [50]


def test_failures_are_counted_once() -> None:
    rows = [row(0, k=2, failed_splits=2, failed_draws=1), row(0, k=3, failed_splits=3, failed_draws=0)]
    failed = {"draw": 0, "clusterer": "ward", "error": "ValueError: no"}
    assert judged([*rows, failed]).failures == {"clusterers": 1, "splits": 3, "null draws": 1}


def planted(rows: list[dict[str, Any]], apart: float = 6.0) -> Summary:
    segments = cell(Planted(1000, 5, (0.4, 0.3, 0.3), apart), name="planted", draws=20)
    return summarised({"cloud-none": [], "planted-none": rows}, [cell(Normal(100, 2)), segments])


def test_the_number_found_is_the_largest_that_is_separated() -> None:
    rows = [
        *(row(0, k=2, separated=True), row(0, k=3, separated=True), row(0, k=4)),
        *(row(1, k=2, separated=True), row(1, k=3), row(1, k=4)),
        *(row(2, k=2), row(2, k=3), row(2, clusterer="ward", k=3, separated=True)),
        *(row(3, k=3, separated=True), row(3, k=4, separated=True), row(3, k=5, separated=True, eligible=False)),
    ]
    power = planted(rows).power.set_index("clusterer")
    assert power.loc["any", ["draws", "right", "other"]].tolist() == [4, 2, 2]
    assert power.loc["kmeans", ["draws", "right", "other"]].tolist() == [4, 1, 2]
    assert power.loc["ward", ["draws", "right", "other"]].tolist() == [4, 1, 0]


def test_what_is_promised_must_be_found() -> None:
    balanced = (1 / 3, 1 / 3, 1 / 3)
    asked = Planted(1000, 5, balanced, 6.0)
    segments = cell(asked, name="planted", draws=20)
    rows = [row(draw, k=3, separated=draw > 1) for draw in range(20)]
    found = summarised({"planted-none": rows}, [cell(Normal(100, 2)), segments])
    assert found.faults == (
        "Of 20 draws of 1000 customers in segments 0.33/0.33/0.33, 6 sd apart, the planted number is found in 18: 95% "
        "are promised.",
    )
    kept = [row(draw, k=3, separated=draw > 0) for draw in range(20)]
    assert summarised({"planted-none": kept}, [cell(Normal(100, 2)), segments]).faults == ()
    assert [is_promised(Planted(n, 5, balanced, sd)) for n, sd in ((1000, 6), (500, 6), (1000, 5))] == [
        True,
        False,
        False,
    ]
    rare = (0.55, 0.4, 0.05)
    assert [is_promised(Planted(n, 5, rare, sd)) for n, sd in ((4000, 8), (1000, 8), (4000, 6))] == [True, False, False]


def test_a_summary_is_the_same_after_a_file_of_json() -> None:
    rows = [row(number, separated=number == 3, valley=number == 3) for number in range(5)]
    band = [row(number, separated=True, valley=True) for number in range(4)]
    planted = [row(number, k=3, separated=True, valley=True) for number in range(20)]
    cells = [
        cell(Normal(100, 2)),
        cell(Band(100, 0.75, 0.2), name="band", counted=False),
        cell(Planted(1000, 4, (0.4, 0.3, 0.3), 6), name="planted", draws=20, counted=False),
    ]
    summary = summarised({"cloud-none": rows, "band-none": band, "planted-none": planted}, cells)
    again = Summary.of_json(json.loads(json.dumps(summary.as_json())))
    assert again.as_json() == summary.as_json()
    said = entry(again, day="2026-01-02", title="Silent", commit="abc", command="make calibration", remark="So it is.")
    assert said.startswith("## 2026-01-02 \u00b7 Silent\n")
    assert "Commit `abc`, 29 of 220 draws" in said
    assert "Called separated: 1 of 5 partitions without clusters." in said
    assert "Of the band, a stated limit of the test, 4 of 4 partitions were called separated." in said
    assert "| 0.4/0.3/0.3 | 6 | 1000 | 20 of 20 |" in said
    assert said.endswith("So it is.\n")
