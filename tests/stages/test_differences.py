"""Chosen segments looked at on baskets that did not make them."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import KMeansPath
from aisle.features import FeatureTable
from aisle.features.halves import HALVES
from aisle.leaderboard import RANKED_BY
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import candidate, differences
from aisle.stages.differences import DIFFERENCES, REPLICATION
from aisle.storage import read_features, read_json, write_features, write_json

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
FILES = ["differences.csv", "differences.parquet", "effects.png", "effects.svg"]
FILES += ["replication.csv", "replication.parquet"]


def verdict(lifestage: str, key: str | None, value: float = 3.0) -> Verdict:
    tally = Tally(1, 1, 2, 2, {}, {})
    if key is None:
        return Verdict(lifestage, None, None, (f"Nothing can be chosen for {lifestage}.",), (), tally, ())
    scores = {RANKED_BY: 0.3, "balance": math.nan}
    choice = Choice("mix", "standard", "none", "kmeans", key, "n_clusters", value, int(value), scores)
    return Verdict(lifestage, 120, choice, ("It is the best.",), (), tally, ())


def fitted(folder: Path, lifestage: str) -> str:
    """The key of the k-means of a lifestage, fitted into the store."""
    names = {"lifestage": lifestage, "features": "mix", "scaler": "standard", "reducer": "none", "clusterer": "kmeans"}
    candidate.run(
        features=folder / "features" / "mix.parquet",
        names=names,
        overrides=[],
        scaler=StandardScaler(),
        reducer=FunctionTransformer(),
        clusterer=KMeansPath([2, 3], n_init=3),
        minimum_customers=5,
        seed=1,
        store=folder / "store",
        outcome=folder / "outcome.json",
    )
    key: str = read_json(folder / "outcome.json")["key"]
    return key


@pytest.fixture(scope="module")
def made(planted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three planted segments of YA, one cloud of OA; halves are draws around them, and lack a few customers."""
    folder = tmp_path_factory.mktemp("differences")
    tables = [planted(sizes, separation=8, seed=60)[0] for sizes in ((50, 40, 30), (90,))]
    values = pd.concat([table.values.rename(index=lambda name, n=n: f"{n}{name}") for n, table in enumerate(tables)])
    values = values.assign(attribute=np.arange(len(values)) % 2.0)
    cohort = pd.Series(["YA"] * 120 + ["OA"] * 90, index=values.index)
    write_features(FeatureTable(values, cohort), folder / "features" / "mix.parquet")
    rng = np.random.default_rng(1)
    for number, half in enumerate(HALVES):
        drawn = values + 0.5 * rng.normal(size=values.shape) * (values.columns != "attribute")
        kept = drawn.index[number:]
        write_features(
            FeatureTable(drawn.loc[kept], cohort.loc[kept]), folder / "features" / "halves" / "mix" / f"{half}.parquet"
        )
    verdicts = (verdict("OA", fitted(folder, "OA")), verdict("OF", None), verdict("YA", fitted(folder, "YA")))
    write_json(selection_to_json(Selection("mix", RULE, {}, verdicts)), folder / "verdicts.json")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "made"))


def run(folder: Path, output: str = "differences", rate: float = 0.05) -> tuple[pd.DataFrame, pd.DataFrame]:
    differences.run(
        verdicts=folder / "verdicts.json",
        features=folder / "features",
        false_discovery_rate=rate,
        store=folder / "store",
        output=folder / output,
    )
    tables = (pd.read_parquet(folder / output / f"{name}.parquet") for name in ("replication", "differences"))
    replication, found = tables
    return replication, found


def test_planted_segments_replicate_on_other_baskets_and_differ_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replication, found = run(folder)
    assert list(replication.columns) == list(REPLICATION)
    assert list(found.columns) == list(DIFFERENCES)
    assert replication[["lifestage", "halves"]].to_numpy().tolist() == [
        ["OA", "baskets"],
        ["OA", "weeks"],
        ["YA", "baskets"],
        ["YA", "weeks"],
    ]
    planted = replication[replication["lifestage"] == "YA"]
    assert (planted["replication"] > 0.95).all()
    assert (planted["stayed_share"] > 0.95).all()
    assert planted["clusters_own"].tolist() == [3, 3]
    assert planted["left_out_count"].tolist() == [1, 3]
    assert planted["customer_count"].tolist() == [119, 117]
    assert (replication["why_not"] == "").all()
    own = found[found["lifestage"] == "YA"].set_index("feature")
    assert own["differs"].any()
    assert own.loc["attribute", "untested"] == "the same in both halves"
    assert own["p_value"].equals(own[["p_value_baskets", "p_value_weeks"]].max(axis=1))
    assert own.loc[own["differs"], "segment"].isin([0, 1, 2]).all()
    told = " ".join(capsys.readouterr().err.split())
    assert "A continuum cut in two also differs" in told
    assert f"{int(own['differs'].sum())} of {len(own) - 1}" in told


def test_segments_are_numbered_as_the_chosen_ones(folder: Path) -> None:
    _, found = run(folder)
    top = found[(found["lifestage"] == "YA") & found["differs"]].iloc[0]
    labels = pd.read_parquet(folder / "store" / "candidates" / keys(folder)["YA"] / "labels.parquet").set_index("id")
    whole = read_features(folder / "features" / "mix.parquet").select("YA").values[top["feature"]]
    ranks = whole.rank().groupby(labels.iloc[:, 1]).mean() - whole.rank().mean()
    assert np.sign(ranks.loc[top["segment"]]) == np.sign(top["rank_biserial"])


def keys(folder: Path) -> dict[str, str]:
    verdicts = read_json(folder / "verdicts.json")["verdicts"]
    return {name: told["chosen"]["candidate_key"] for name, told in verdicts.items() if told["chosen"]}


def test_files_can_be_opened_by_a_spreadsheet_and_come_out_the_same_twice(folder: Path) -> None:
    replication, found = run(folder)
    written = {path.name: path.read_bytes() for path in (folder / "differences").iterdir()}
    assert sorted(written) == FILES
    run(folder)
    assert {path.name: path.read_bytes() for path in (folder / "differences").iterdir()} == written
    for name, table in (("replication", replication), ("differences", found)):
        csv = pd.read_csv(folder / "differences" / f"{name}.csv", keep_default_na=False, na_values=[""])
        assert csv.shape == table.shape
        assert csv["lifestage"].tolist() == table["lifestage"].tolist()


def test_where_nothing_is_chosen_the_tables_are_empty(folder: Path) -> None:
    write_json(selection_to_json(Selection("mix", RULE, {}, (verdict("OF", None),))), folder / "verdicts.json")
    replication, found = run(folder)
    assert (len(replication), len(found)) == (0, 0)
    assert list(found.columns) == list(DIFFERENCES)


def test_a_half_without_features_is_told_and_nothing_is_tested(folder: Path) -> None:
    (folder / "features" / "halves" / "mix" / "first.parquet").unlink()
    replication, found = run(folder)
    weeks = replication[replication["halves"] == "weeks"]
    assert (weeks["why_not"] == "No customer has features in the first half.").all()
    assert weeks["replication"].isna().all()
    assert replication.loc[replication["halves"] == "baskets", "replication"].notna().all()
    assert found.empty


def test_no_halves_at_all_are_asked_for(folder: Path) -> None:
    shutil.rmtree(folder / "features" / "halves")
    with pytest.raises(FileNotFoundError, match=r"halves/mix is needed and missing; run stage=features with stage\.h"):
        run(folder)
    assert not (folder / "differences").exists()


def test_a_candidate_of_other_features_is_refused(folder: Path) -> None:
    path = folder / "features" / "mix.parquet"
    table = read_features(path)
    write_features(FeatureTable(table.values * 2, table.cohort), path)
    with pytest.raises(ValueError, match=r"^OA: candidate \w+ was computed from other features or by other code than"):
        run(folder)


def test_a_rate_is_a_share(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"^stage\.false_discovery_rate must be above 0 and below 1; got 5\.$"):
        run(folder, rate=5)
