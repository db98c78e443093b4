"""What every figure obeys: pure, deterministic, no text cut off or on top of another."""

import io
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from tests.evidence import tables

from aisle.comparison import compare
from aisle.evidence import Thresholds, rank_methods
from aisle.features import FeatureTable
from aisle.figures import (
    comparison_heatmaps,
    contrast_dots,
    critical_difference,
    cut_dendrogram,
    evidence_curves,
    honest_effects,
    migration_flow,
    profile_heatmap,
    ranking_curves,
    segment_flow,
    segment_planes,
    silhouette_plot,
    stability_heatmap,
    valley_panels,
)
from aisle.kernels.linkage import linkage_tree
from aisle.kernels.ordering import cut
from aisle.leaderboard import RANKED_BY, leaderboard
from aisle.lifestages import with_intervals
from aisle.planes import main_plane, own_plane
from aisle.profiles import contrasts, labels_of, profiles, sizes

LIFESTAGES = ("OA", "OF", "PE", "YA", "YF")
CLUSTERERS = ("agglomerative", "dbscan", "gaussian_mixture", "hdbscan", "kmeans", "ward")
REDUCERS = ("none", "pca", "umap")


def board(
    lifestages: tuple[str, ...] = LIFESTAGES, clusterers: tuple[str, ...] = CLUSTERERS, seed: int = 1
) -> pd.DataFrame:
    """A leaderboard as a study gives it: some partitions not eligible, density methods with any number of clusters."""
    rng = np.random.default_rng(seed)
    entries = []
    for lifestage in lifestages:
        for reducer in REDUCERS:
            for clusterer in clusterers:
                density = clusterer in ("dbscan", "hdbscan")
                for value in (0.02, 0.05, 0.1, 0.2) if density else range(2, 10):
                    k = int(rng.integers(0, 14)) if density else int(value)
                    entries.append(
                        {
                            "lifestage": lifestage,
                            "features": "baskets",
                            "scaler": "standard",
                            "reducer": reducer,
                            "clusterer": clusterer,
                            "tuning_value": float(value),
                            "customer_count": 500,
                            "n_clusters": k,
                            "smallest_share": rng.uniform(0, 1 / max(k, 1)),
                            RANKED_BY: 0.3 / np.sqrt(k) + rng.normal(scale=0.02) if k > 1 else np.nan,
                            "candidate_key": f"{lifestage}{reducer}{clusterer}",
                        }
                    )
    return leaderboard(entries, floor=0.05)


def segmented(counts: dict[str, int], columns: int = 38) -> tuple[pd.DataFrame, FeatureTable]:
    """Random features of 40 customers per lifestage, and labels with as many segments as ``counts`` says."""
    rng = np.random.default_rng(2)
    cohort = pd.Series(np.repeat(list(counts), 40), index=[f"c{n:04d}" for n in range(40 * len(counts))], name="cohort")
    cohort = cohort.rename_axis("customer_id")
    names = [f"basket_price_sensitivity_{number}_share" for number in range(columns)]
    features = FeatureTable(
        pd.DataFrame(rng.gamma(2, 1, (len(cohort), columns)), index=cohort.index, columns=names), cohort
    )
    partitions = {
        lifestage: pd.Series(np.arange(40) % count, index=features.select(lifestage).values.index)
        for lifestage, count in counts.items()
    }
    return labels_of(partitions, features), features


def of_segments(counts: dict[str, int]) -> dict[str, Callable[[], Figure]]:
    labels, features = segmented(counts)
    profile, size = profiles(labels, features), sizes(labels, features)
    strongest = contrasts(profile, size).groupby("lifestage").head(8)
    comparison = compare(labels, features)
    named = size.assign(segment_name=[LONG_NAME[: 20 + 12 * (n % 5)] for n in range(len(size))])
    return {
        "named profiles": lambda: profile_heatmap(profile, named),
        "named contrasts": lambda: contrast_dots(profile, strongest, named),
        "profiles": lambda: profile_heatmap(profile, size),
        "contrasts": lambda: contrast_dots(profile, strongest),
        "comparison": lambda: comparison_heatmaps(comparison),
        "named comparison": lambda: comparison_heatmaps(
            comparison,
            with_intervals(comparison, labels, features, draws=5, seed=1),
            {(row.lifestage, row.segment): row.segment_name for row in named.itertuples()},
        ),
    }


LONG_NAME = "large full shops of many products, more natural food, at times a very large bill"
FEW = of_segments({"OA": 2, "PE": 1})
MANY = of_segments({"OA": 4, "OF": 1, "PE": 7, "YA": 9, "YF": 9})
LONG = tuple(f"agglomerative linkage=average metric=metric_{number}" for number in range(12))
EVIDENCE: dict[str, Callable[[], Figure]] = {
    "evidence of five": lambda: evidence_curves(tables.measures(), Thresholds()),
    "evidence of three": lambda: evidence_curves(tables.measures(tables.METHODS[2:]), Thresholds()),
    "evidence of one": lambda: evidence_curves(tables.measures(("kmeans",)), Thresholds()),
    "effects": lambda: honest_effects(tables.effects({"OA": 3}), rate=0.05),
    "effects of many": lambda: honest_effects(tables.effects(dict.fromkeys((*LIFESTAGES, "all"), 30)), rate=0.05),
    "effects of nobody": lambda: honest_effects(tables.effects({"OA": 2}).tail(1), rate=0.05),
    "stability": lambda: stability_heatmap(tables.segments()),
    "stability of little": lambda: stability_heatmap(tables.segments((1, 2), (0.05, 0.1))),
    "stability of many": lambda: stability_heatmap(tables.segments((3, 24), (0.01, 0.5))),
    "valleys": lambda: valley_panels(tables.gaps()),
    "valleys of two": lambda: valley_panels(tables.gaps(2, apart=2)),
    "valleys of many": lambda: valley_panels(tables.gaps(9)),
    "valleys with names": lambda: valley_panels(tables.gaps(9), names={n: f"{n} of a long name" for n in range(9)}),
    "flow": lambda: segment_flow(tables.labelings()),
    "flow of one": lambda: segment_flow(tables.labelings((3,))),
    "flow with noise": lambda: segment_flow(tables.labelings((1, 4, 3), noise=0.3)),
    "ranks": lambda: critical_difference(rank_methods(tables.scores())),
    "ranks of two": lambda: critical_difference(rank_methods(tables.scores(("kmeans", "ward")))),
    "ranks of long names": lambda: critical_difference(rank_methods(tables.scores(LONG[:5], lifestages=2))),
    "ranks of nothing": lambda: critical_difference(rank_methods(tables.scores(lifestages=1))),
}
NAMES = {segment: LONG_NAME[: 20 + 12 * (segment % 5)] for segment in range(24)}
TOLD = {"lifestage": "PE", "recipe": "agglomerative linkage=average after umap (standard scaler, n_clusters = 3)"}


def customers(sizes: tuple[int, ...], noise: int = 0, seed: int = 5) -> tuple[pd.DataFrame, "pd.Series[int]"]:
    """Customers around a centre per segment, and their segments; ``noise`` customers in none."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([*range(len(sizes)), -1], [*sizes, noise])
    index = pd.Index([f"c{number:05d}" for number in rng.permutation(labels.size)])
    centres = rng.normal(scale=3, size=(len(sizes) + 1, 5))
    columns = [f"basket_price_sensitivity_{number}_share" for number in range(5)]
    values = pd.DataFrame(centres[labels] + rng.normal(size=(labels.size, 5)), index=index, columns=columns)
    return values, pd.Series(labels, index=index)


def silhouettes(sizes: tuple[int, ...], noise: int = 0) -> Figure:
    values, labels = customers(sizes, noise)
    samples = np.random.default_rng(3).uniform(-0.2, 0.6, len(values))
    drawn = pd.Series(samples, index=values.index).where(labels != -1)
    return silhouette_plot(drawn, labels, NAMES, **TOLD)


def planes(sizes: tuple[int, ...], noise: int = 0, *, own: bool = False) -> Figure:
    values, labels = customers(sizes, noise)
    plane = own_plane(values.iloc[:, :2], "umap")
    assert plane
    return segment_planes([main_plane(values), *([plane] if own else [])], labels, NAMES, **TOLD)


def tree(sizes: tuple[int, ...], k: int) -> Figure:
    values, _ = customers(sizes)
    made = linkage_tree(values.to_numpy(), linkage="ward", metric="euclidean")
    return cut_dendrogram(
        made, cut(made, [k])[0], NAMES, **TOLD, height="height of the merge (ward linkage, euclidean)"
    )


def moves(before: int, after: int, *, none: bool = False) -> pd.DataFrame:
    """Customers from every segment before to every one after, most of them to that of the same number."""
    ids = [(f, t) for f in range(-1 if none else 0, before) for t in range(-1 if none else 0, after)]
    rows = [
        {"from_segment": f, "to_segment": t, "customer_count": 300 if f == t else 7 * ((f + t) % 5)} for f, t in ids
    ]
    return pd.DataFrame(rows)


SEEN: dict[str, Callable[[], Figure]] = {
    "silhouettes": lambda: silhouettes((90, 40, 3)),
    "silhouettes of many": lambda: silhouettes((9_000, 2_000, *[150] * 10), noise=500),
    "silhouettes of two": lambda: silhouettes((9, 8)),
    "planes": lambda: planes((90, 40, 3), noise=9),
    "planes of many": lambda: planes((1_500, *[90] * 10), own=True),
    "planes of one": lambda: planes((30,)),
    "tree": lambda: tree((60, 40, 20), 3),
    "tree of many": lambda: tree((300, 200), 12),
    "tree of little": lambda: tree((3, 2), 5),
    "migration": lambda: migration_flow(moves(3, 4, none=True), NAMES, lifestage="PE"),
    "migration of many": lambda: migration_flow(moves(10, 9), NAMES, lifestage="PE"),
    "migration of one": lambda: migration_flow(moves(1, 1), {}, lifestage="PE"),
}
FIGURES: dict[str, Callable[[], Figure]] = {
    "ranking": lambda: ranking_curves(board()),
    "ranking of one": lambda: ranking_curves(board(("YA",), ("kmeans",))),
    "ranking of long names": lambda: ranking_curves(board(("YA", "OA"), LONG)),
    "ranking of two blocks": lambda: ranking_curves(pd.concat([board(("YA",)), board(("YA",)).assign(features="mix")])),
    **{f"{name} of few": draw for name, draw in FEW.items()},
    **{f"{name} of many": draw for name, draw in MANY.items()},
    **EVIDENCE,
    **SEEN,
}
SAMPLE = ["ranking", "profiles of few", "contrasts of few", "comparison of few"]
SAMPLE += ["evidence of one", "stability", "valleys", "flow with noise", "ranks"]
SAMPLE += ["silhouettes", "planes", "planes of many", "tree", "migration"]
EVERY = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())


def content(figure: Figure, suffix: str) -> bytes:
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "aisle"}):
        figure.savefig(stream, format=suffix, metadata={"Date": None} if suffix == "svg" else {"Software": None})
    return stream.getvalue()


@cache
def known(name: str, suffix: str) -> bytes:
    """The content of a figure of the sample, made once for the tests that compare another with it."""
    return content(FIGURES[name](), suffix)


@cache
def drawn(draw: Callable[[], Figure]) -> Figure:
    """A figure after layout, made once for the tests that only look at it."""
    figure = draw()
    FigureCanvasAgg(figure).draw()
    return figure


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every visible text with its place in pixels, after layout."""
    FigureCanvasAgg(figure).draw()
    return places_of(figure)


def places_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """The texts of a figure after layout."""
    found = [item for item in figure.findobj(Text) if item.get_visible() and item.get_text().strip()]
    shown = [item for item in found if item.axes is None or item.axes.get_visible()]
    return [(item.get_text(), item.get_window_extent()) for item in shown]


@EVERY
def test_nothing_reaches_beyond_the_page(draw: Callable[[], Figure]) -> None:
    figure = drawn(draw)
    taken, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert taken.x0 >= -0.01
    assert taken.y0 >= -0.01
    assert taken.x1 <= width + 0.01
    assert taken.y1 <= height + 0.01


@EVERY
def test_no_label_stands_on_another(draw: Callable[[], Figure]) -> None:
    """Numbers inside dots and cells are left out: dots of close values do overlap."""
    places = [(text, box) for text, box in places_of(drawn(draw)) if any(letter.isalpha() for letter in text)]
    for number, (text, box) in enumerate(places):
        for other, another in places[:number]:
            width = min(box.x1, another.x1) - max(box.x0, another.x0)
            height = min(box.y1, another.y1) - max(box.y0, another.y0)
            assert width < 1 or height < 1, f"{text!r} stands on {other!r}"


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize("name", SAMPLE)
def test_the_same_data_give_the_same_bytes(name: str, suffix: str) -> None:
    assert content(FIGURES[name](), suffix) == known(name, suffix)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_figure_is_drawn_alike_whatever_the_users_settings_are(name: str) -> None:
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "figure.dpi": 50, "axes.titlesize": 30}):
        theirs = FIGURES[name]()
    assert content(theirs, "png") == known(name, "png")


def test_drawing_leaves_the_settings_of_matplotlib_unchanged() -> None:
    before = dict(matplotlib.rcParams)
    ranking_curves(board(("YA",)))
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported() -> None:
    code = "import sys, aisle.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_arguments_are_left_unchanged() -> None:
    given = board(("YA",))
    before = given.copy()
    ranking_curves(given)
    pd.testing.assert_frame_equal(given, before)


def test_every_lifestage_names_its_best_eligible_partition() -> None:
    drawn = board()
    told = [text for text, _ in texts(ranking_curves(drawn)) if text.startswith("best: ")]
    best = drawn[drawn["eligible"]].groupby("lifestage", sort=True).first()
    assert len(told) == len(LIFESTAGES)
    for text, row in zip(told, best.itertuples(), strict=True):
        assert str(row.clusterer) in text
        assert f"{row.n_clusters} segments" in text


def test_a_lifestage_without_an_eligible_partition_is_drawn_and_says_so() -> None:
    drawn = board(("YA",)).assign(eligible=False)
    assert "no partition is eligible" in [text for text, _ in texts(ranking_curves(drawn))]


def test_clusters_beyond_the_axis_are_drawn_where_they_are_eligible() -> None:
    drawn = board(("YA",))
    most = max(9, drawn.loc[drawn["eligible"], "n_clusters"].max())
    (panel,) = ranking_curves(drawn).axes
    assert panel.get_xlim()[1] == pytest.approx(most + 0.4)


def test_feature_blocks_do_not_share_an_axis_of_scores() -> None:
    baskets, mix = board(("YA",)), board(("YA",)).assign(features="mix")
    mix[RANKED_BY] *= 0.1
    first, second = ranking_curves(pd.concat([baskets, mix])).axes
    assert first.get_ylim()[1] > 3 * second.get_ylim()[1]


def test_features_are_drawn_from_top_to_bottom_in_their_order() -> None:
    labels, features = segmented({"OA": 2, "YA": 2})
    figure = profile_heatmap(profiles(labels, features), sizes(labels, features))
    first, last = (next(box for text, box in texts(figure) if text == features.values.columns[n]) for n in (0, -1))
    assert first.y0 > last.y0


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ranking_curves(leaderboard([], floor=0.05)),
        lambda: ranking_curves(board(("YA",)).assign(**{RANKED_BY: np.nan})),
        *of_segments({}).values(),
        of_segments({"OA": 1})["contrasts"],
        lambda: evidence_curves(tables.measures().assign(stage="screened"), Thresholds()),
        lambda: stability_heatmap(tables.segments().iloc[:0]),
        lambda: valley_panels(tables.gaps().iloc[:0]),
        lambda: segment_flow(tables.labelings() * 0 - 1),
        lambda: segment_flow(tables.labelings(())),
        lambda: migration_flow(moves(2, 2).assign(customer_count=0), {}, lifestage="PE"),
    ],
)
def test_nothing_to_draw_is_said_in_a_sentence(draw: Callable[[], Figure]) -> None:
    ((sentence, _),) = texts(draw())
    assert sentence.startswith("No ")
    assert sentence.endswith(".")


def test_one_segment_has_no_silhouette_and_no_cut_and_says_so() -> None:
    values, labels = customers((30,))
    made = linkage_tree(values.to_numpy(), linkage="ward", metric="euclidean")
    for figure in (
        silhouette_plot(labels * np.nan, labels, {}, **TOLD),
        cut_dendrogram(made, labels.to_numpy(), {}, **TOLD, height="height"),
    ):
        ((sentence, _),) = texts(figure)
        assert sentence.startswith("PE pensioners has ")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_hundred_thousand_customers_make_no_large_file(suffix: str) -> None:
    sizes = (60_000, 30_000, 10_000)
    assert len(content(silhouettes(sizes), suffix)) < 100_000
    assert len(content(planes(sizes), suffix)) < 400_000


def test_the_steps_of_many_customers_keep_their_mean_and_their_order() -> None:
    values, labels = customers((5_003, 17))
    drawn = pd.Series(np.random.default_rng(3).uniform(-0.2, 0.6, len(values)), index=values.index)
    (axes,) = silhouette_plot(drawn, labels, {}, **TOLD).axes
    for segment, patch in enumerate(axes.patches):
        assert isinstance(patch, StepPatch)
        heights, edges, _ = patch.get_data()
        own = drawn[labels == segment]
        assert len(heights) == min(len(own), 200)
        assert (np.diff(heights) <= 0).all()
        assert np.average(heights, weights=np.diff(edges)) == pytest.approx(own.mean())
        assert edges[-1] - edges[0] == pytest.approx(len(own) / len(drawn))


def test_the_line_cuts_the_tree_between_the_merges_that_are_kept_and_those_that_are_undone() -> None:
    values, _ = customers((60, 40, 20))
    made = linkage_tree(values.to_numpy(), linkage="ward", metric="euclidean")
    (axes,) = tree((60, 40, 20), 3).axes
    (height, _) = axes.lines[0].get_ydata()
    assert made[-3, 2] < height < made[-2, 2]
    counts = [int(label.get_text()) for label in axes.get_xticklabels()]
    assert sum(counts) == 120


def test_segments_that_are_no_cut_of_the_tree_are_refused() -> None:
    values, labels = customers((30, 20))
    made = linkage_tree(values.to_numpy(), linkage="ward", metric="euclidean")
    with pytest.raises(ValueError, match="PE: the segments must be a cut of the tree; they cross its branches"):
        cut_dendrogram(made, np.arange(len(labels)) % 2, {}, **TOLD, height="height")


def test_a_migration_tells_who_stayed_and_hides_how_few_a_segment_has() -> None:
    rows = pd.DataFrame({"from_segment": [0, 0, 1, -1], "to_segment": [0, 1, 1, 1], "customer_count": [90, 10, 4, 50]})
    told = [text for text, _ in texts(migration_flow(rows, {0: "often"}, lifestage="YA"))]
    assert any(text.startswith("94 of 104 in a segment before and after kept theirs (90%)") for text in told)
    assert "0 often: 100" in told
    assert "1: fewer than 10" in told
    assert "in none, or not there: 50" in told
    with pytest.raises(ValueError, match="YA: a migration must have one row per pair of segments"):
        migration_flow(pd.concat([rows, rows]), {}, lifestage="YA")
