"""What the figures of the evidence show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text
from tests.evidence import tables

from aisle.evidence import Thresholds, across_solutions, rank_methods
from aisle.figures import critical_difference, evidence_curves, segment_flow, stability_heatmap, valley_panels


def said(figure: Figure) -> list[str]:
    FigureCanvasAgg(figure).draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_the_diagram_has_every_method_at_its_mean_rank_and_a_bar_for_every_group() -> None:
    ranks = rank_methods(tables.scores())
    (axes,) = critical_difference(ranks).axes
    lines = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in axes.get_lines()]
    dots = sorted(float(x[0]) for x, y in lines if x.size == 1 and y[0] == 0)
    assert dots == pytest.approx(sorted(ranks.mean_ranks.values()))
    bars = [x for line, (x, _) in zip(axes.get_lines(), lines, strict=True) if line.get_linewidth() == 3.5]
    ends = [(ranks.mean_ranks[group[0]], ranks.mean_ranks[group[-1]]) for group in ranks.groups]
    assert [tuple(bar) for bar in bars] == [pytest.approx((low, high), abs=0.05) for low, high in ends]
    (scale,) = [x for line, (x, _) in zip(axes.get_lines(), lines, strict=True) if line.get_linewidth() == 1.4]
    assert scale[1] - scale[0] == pytest.approx(ranks.critical_difference)


def test_the_diagram_says_what_cannot_be_told_apart_or_why_there_is_none() -> None:
    ranks = rank_methods(tables.scores())
    assert any(
        "With 6 lifestages a difference of less than 2.49 mean ranks" in text
        for text in said(critical_difference(ranks))
    )
    few = rank_methods(tables.scores(lifestages=1))
    assert " ".join("".join(said(critical_difference(few))).split()) == few.undefined


def test_only_examined_candidates_are_drawn_each_against_its_null_band() -> None:
    table = tables.measures(("kmeans", "ward"))
    figure = evidence_curves(table, Thresholds())
    score, _, *measures = figure.axes
    own = table[(table["clusterer"] == "kmeans") & (table["stage"] == "examined")]
    shown = [np.asarray(line.get_ydata()) for panel in figure.axes[:2] for line in panel.get_lines()]
    assert any(line.shape == own["ranking_score"].shape and (line == own["ranking_score"]).all() for line in shown)
    band = score.collections[0].get_datalim(score.transData)
    assert band.y1 == pytest.approx((own["null_mean"] + 1.96 * own["null_sd"]).max())
    assert band.y0 == pytest.approx((own["null_mean"] - 1.96 * own["null_sd"]).min())
    assert [panel.get_title("left") for panel in measures if panel.get_visible()] == [
        "Gap at every segment, p-value",
        "Prediction strength",
        "Jaccard, worst segment",
        "Jaccard, mean of the segments",
        "Replication, adjusted Rand",
    ]


def test_thresholds_are_lines_where_they_are_declared() -> None:
    declared = Thresholds(strength=0.55, separated=0.9, reproducible=0.65, constructive=0.35, replication=0.45)
    panels = {axes.get_title("left"): axes for axes in evidence_curves(tables.measures(("kmeans",)), declared).axes}

    def levels(title: str) -> set[float]:
        flat = [
            np.asarray(line.get_ydata(), dtype=float)
            for line in panels[title].get_lines()
            if len(line.get_xdata()) == 2
        ]
        return {float(y[0]) for y in flat if y[0] == y[-1]}

    assert levels("Prediction strength") == {0.55}
    assert levels("Jaccard, worst segment") == {0.9, 0.65}
    assert levels("Jaccard, mean of the segments") == {0.35}
    assert levels("Replication, adjusted Rand") == {0.45}
    assert levels("Gap at every segment, p-value") == {0.05}


def test_a_candidate_without_null_draws_says_so() -> None:
    table = tables.measures(("kmeans",)).assign(null_mean=np.nan, null_sd=np.nan, null_p=np.nan)
    assert any("no null draws" in text for text in said(evidence_curves(table, Thresholds())))


def test_candidates_of_one_method_keep_their_names_apart() -> None:
    table = tables.measures(("kmeans",))
    twice = pd.concat([table, table.assign(scaler="robust", candidate_key="other")])
    titles = [axes.get_title("left") for axes in evidence_curves(twice, Thresholds()).axes]
    assert {"kmeans after pca, standard", "kmeans after pca, robust"} <= set(titles)


@pytest.mark.parametrize("column", ["lifestage", "features"])
def test_curves_of_several_lifestages_or_blocks_are_refused(column: str) -> None:
    table = tables.measures(("kmeans",))
    with pytest.raises(ValueError, match=f"must be those of one {column}; got"):
        evidence_curves(pd.concat([table, table.assign(**{column: "other"})]), Thresholds())


def test_the_colours_of_the_heatmap_change_at_the_thresholds() -> None:
    table = tables.segments((4,)).assign(jaccard=[0.599, 0.6, 0.75, 0.85])
    (axes,) = stability_heatmap(table).axes
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len({to_hex(square.get_facecolor()) for square in squares}) == 4
    (lower,) = stability_heatmap(table, Thresholds(constructive=0.5, reproducible=0.6)).axes
    first, second, *_ = (to_hex(square.get_facecolor()) for square in lower.patches)
    assert (first, second) == (to_hex(squares[1].get_facecolor()), to_hex(squares[2].get_facecolor()))


def test_every_cell_has_its_coefficient_and_its_customers() -> None:
    figure = stability_heatmap(tables.segments((2, 3)).assign(jaccard=[0.91, 0.52, 0.764, 0.4, np.nan]))
    assert {".91", ".52", ".76", ".40", "?", "500", "333", "?: no split was finished"} <= set(said(figure))


def test_a_row_names_its_tuning_value_and_its_segments_where_they_differ() -> None:
    assert "0.05 (2)" in said(stability_heatmap(tables.segments((2, 3), (0.05, 0.1))))
    assert "2" in said(stability_heatmap(tables.segments((2, 3))))


def test_segments_of_several_candidates_are_refused() -> None:
    table = tables.segments()
    with pytest.raises(ValueError, match=r"must be those of one candidate; got \['key', 'other'\]"):
        stability_heatmap(pd.concat([table, table.assign(candidate_key="other")]))


def test_every_segment_has_a_panel_that_names_its_neighbour_and_its_p_value() -> None:
    table = tables.gaps(3)
    figure = valley_panels(table)
    titles = [axes.get_title("left") for axes in figure.axes if axes.get_visible()]
    nearest = table.drop_duplicates("segment").set_index("segment")
    assert titles == [f"Segment {segment} and segment {nearest.loc[segment, 'neighbour']}" for segment in range(3)]
    assert sum(text.endswith(": a gap") for text in said(figure)) == 3
    assert all(
        text.endswith("no gap is seen") for text in said(valley_panels(tables.gaps(2, 1.0))) if text.startswith("p =")
    )


def test_all_held_out_customers_are_in_the_bars_and_under_the_line() -> None:
    for axes in valley_panels(tables.gaps(3)).axes:
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(1)
        x, y = (np.asarray(found, dtype=float) for found in axes.get_lines()[0].get_data())
        width = axes.patches[0].get_width()
        assert width == pytest.approx(0.1)
        assert np.trapezoid(y, x) / width == pytest.approx(1, abs=0.01)


def test_a_neighbour_that_is_no_segment_is_told_and_several_partitions_are_refused() -> None:
    table = tables.gaps(2).assign(neighbour=-1)
    assert "Segment 0 and its neighbour" in said(valley_panels(table))
    with pytest.raises(ValueError, match="must be those of one partition; got 2 partitions"):
        valley_panels(pd.concat([table, table.assign(tuning_value=9.0)]))


def test_bars_are_the_segments_and_bands_carry_every_customer() -> None:
    labelings = tables.labelings((2, 3, 4), noise=0.2)
    axes, _ = segment_flow(labelings).axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(bars) == 2 + 3 + 4 + 3
    assert sum(bar.get_height() for bar in bars) == pytest.approx(3)
    thick = 0.0
    for band in (patch for patch in axes.patches if isinstance(patch, PathPatch)):
        corners = band.get_path().vertices
        assert corners[7][1] - corners[0][1] == pytest.approx(corners[4][1] - corners[3][1])
        thick += corners[7][1] - corners[0][1]
    assert thick == pytest.approx(2)


def test_segments_are_coloured_by_their_stability_across_solutions() -> None:
    labelings = pd.DataFrame({2: [0, 0, 0, 1, 1, 1], 3: [0, 0, 1, 1, 2, 2]}, index=list("abcdef"))
    assert across_solutions(labelings)["slsa"].tolist()[2:] == pytest.approx([1, 0, 1])
    axes, _ = segment_flow(labelings).axes
    ink = [to_hex(patch.get_facecolor()) for patch in axes.patches if isinstance(patch, Rectangle)]
    assert ink[0] == ink[1] == "#bbbbbb"
    assert ink[2] == ink[4] != ink[3]


def test_nested_solutions_are_drawn_without_crossing_bands() -> None:
    place = np.arange(120)
    labelings = pd.DataFrame({k: np.array([3, 0, 5, 1, 4, 2])[place * 6 // 120] * k // 6 for k in (2, 3, 6)})
    axes, _ = segment_flow(labelings).axes
    bands = [patch.get_path().vertices for patch in axes.patches if isinstance(patch, PathPatch)]
    for left in {band[0][0] for band in bands}:
        own = sorted((band[0][1], band[3][1]) for band in bands if band[0][0] == left)
        assert [end for _, end in own] == sorted(end for _, end in own)
