"""The figures of a calibration fit their page, say what they leave out, and are the same every time."""

import io

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tests import test_figures

from aisle.calibration.rates import interval
from aisle.figures import power_curves, rejection_rates


def rejections() -> Figure:
    rng = np.random.default_rng(1)
    rows = [
        {
            "population": population,
            "reduction": reduction,
            "clusterer": clusterer,
            "tuning_value": value,
            "draws": 200,
            "valley": int(rng.binomial(200, 0.9 if "band" in population else 0.03)),
            "counted": "band" not in population,
        }
        for population in ("normal", "normals and a category", "copula of complete_journey", "three-quarter band")
        for reduction in ("none", "pca", "umap")
        for clusterer in ("kmeans", "ward", "hdbscan")
        for value in (2.0, 3.0)
    ]
    return rejection_rates(pd.DataFrame(rows), level=0.05, interval=interval)


def power() -> Figure:
    rows = [
        {"shares": shares, "apart": float(apart), "customers": customers, "draws": 40, "right": 8 * (apart - 3)}
        for shares in ("0.33/0.33/0.33", "0.6/0.3/0.1", "0.55/0.4/0.05")
        for apart in (3, 4, 5, 6, 8)
        for customers in (150, 500, 1000, 4000)
    ]
    return power_curves(pd.DataFrame(rows), interval=interval)


def test_nothing_is_cut_off_and_no_label_stands_on_another() -> None:
    for draw in (rejections, power):
        test_figures.test_nothing_reaches_beyond_the_page(draw)
        test_figures.test_no_label_stands_on_another(draw)


def test_the_same_draws_give_the_same_bytes() -> None:
    for draw in (rejections, power):
        one, other = io.BytesIO(), io.BytesIO()
        draw().savefig(one, format="png", metadata={"Software": None})
        draw().savefig(other, format="png", metadata={"Software": None})
        assert one.getvalue() == other.getvalue()


def test_nothing_finished_is_said_in_a_sentence() -> None:
    empty = pd.DataFrame(columns=["population", "draws"])
    for figure in (rejection_rates(empty, level=0.05, interval=interval), power_curves(empty, interval=interval)):
        (text,) = figure.texts
        assert "there is nothing to show." in text.get_text()


def test_the_stated_limit_is_marked() -> None:
    (axes,) = rejections().axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [name for name in names if name.endswith(" *")] == [
        "three-quarter band *",
        "three-quarter band, pca *",
        "three-quarter band, umap *",
    ]
