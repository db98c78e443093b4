"""The study of promotions from a database to its files."""

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pyarrow
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.promotions.mailed import Shop, shop

from aisle.clusterers import KMeansPath
from aisle.features import FeatureTable
from aisle.habits import HABITS
from aisle.leaderboard import RANKED_BY
from aisle.promotions import TABLES
from aisle.selection import Choice, RunnerUp, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import candidate
from aisle.storage import read_json, write_csv, write_features, write_json, write_table
from aisle.tables import CANONICAL

FILES = sorted(
    [*(f"{name}.csv" for name in TABLES), "customers.csv", "gains.png", "gains.svg", "leaderboard.csv", "summary.json"]
)
CAMPAIGN_TABLES = ("campaigns", "campaign_customers", "coupons", "redemptions")


def canonical(made: Shop) -> dict[str, pyarrow.Table]:
    """The shop's frames as canonical tables; what a frame lacks is null, or one item."""
    money = [Decimal(int(cents)) / 100 for cents in made.lines["cents"]]
    mailings = dict(
        zip(CAMPAIGN_TABLES, (getattr(made.mailings, one.name) for one in fields(made.mailings)), strict=True)
    )
    frames = {
        "customers": made.truth.reset_index()[["customer_id", "lifestage"]],
        "stores": pd.DataFrame({"store_id": ["s"]}),
        "products": made.products,
        "baskets": made.baskets.assign(store_id="s"),
        "lines": made.lines.assign(quantity=1, spend=money).drop(columns="cents"),
        "discounts": made.discounts.assign(shelf_discount=Decimal("0.10"), coupon_discount=Decimal("0.00")),
        **mailings,
    }
    found = {}
    for name, frame in frames.items():
        contract = CANONICAL[name]
        rows = frame.sort_values(list(contract.key)).reindex(columns=list(contract.columns)).astype(object)
        rows = rows.where(rows.notna(), None)
        found[name] = pyarrow.Table.from_pandas(rows, schema=contract.arrow_schema, preserve_index=False)
    return found


def fitted(folder: Path, lifestage: str, method: str, customers: pd.Index) -> str:
    """The key of a k-means of this lifestage in the store; its features do not matter, its method does."""
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.normal(size=(len(customers), 2)), index=customers, columns=["one", "two"])
    path = folder / "made" / f"{lifestage}.parquet"
    write_features(FeatureTable(values, pd.Series(lifestage, index=customers, name="cohort")), path)
    names = {
        "lifestage": lifestage,
        "features": "baskets",
        "scaler": "standard",
        "reducer": "none",
        "clusterer": method,
    }
    candidate.run(
        features=path,
        names=names,
        overrides=[],
        scaler=StandardScaler(),
        reducer=FunctionTransformer(),
        clusterer=KMeansPath([2, 3], n_init=2 + len(method)),
        minimum_customers=5,
        seed=1,
        store=folder / ".aisle",
        outcome=folder / "outcome.json",
    )
    key: str = read_json(folder / "outcome.json")["key"]
    return key


def choice(key: str, method: str) -> Choice:
    scores = {RANKED_BY: 0.3, "smallest_share": 0.4, "coverage": 1.0}
    return Choice("baskets", "standard", "none", method, key, "n_clusters", 2.0, 2, scores, "reproducible")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with campaigns, the verdicts on YA and OA, and their segments as they are published."""
    folder = tmp_path_factory.mktemp("promotions")
    made = shop(seed=6, customers=120, by_segment=2.5)
    for name, rows in canonical(made).items():
        write_table(rows, CANONICAL[name], folder / "data" / f"{name}.parquet")
    verdicts = []
    for lifestage, own in made.truth.groupby("lifestage"):
        chosen, other = (choice(fitted(folder, str(lifestage), name, own.index), name) for name in ("kmeans", "rival"))
        runner = RunnerUp("rival", other, "Its ranking score is lower.")
        verdicts.append(
            Verdict(str(lifestage), len(own), chosen, ("It is the best.",), (runner,), Tally(2, 2, 4, 4, {}, {}), ())
        )
    rule = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
    study = {"study": "method_grid", "data_digest": "d" * 64}
    selection = Selection("baskets", rule, study, tuple(verdicts))
    write_json(selection_to_json(selection), folder / "artifacts" / "select" / "verdicts.json")
    labels = made.truth.reset_index()[["customer_id", "lifestage", "segment"]]
    sizes = labels.groupby(["lifestage", "segment"], as_index=False).agg(customer_count=("customer_id", "size"))
    sizes.insert(2, "segment_name", sizes["segment"].map({0: "often", 1: "large shops"}))
    write_csv(labels, folder / "artifacts" / "segments" / "labels.csv")
    write_csv(sizes, folder / "artifacts" / "segments" / "sizes.csv")
    write_csv(pd.DataFrame(columns=list(HABITS)), folder / "artifacts" / "segments" / "habits.csv")
    return folder


@pytest.fixture
def folder(world: Path, tmp_path: Path) -> Path:
    """The same, to be changed, before anything was written."""
    left_out = shutil.ignore_patterns("promotions")
    return Path(shutil.copytree(world, tmp_path / "world", ignore=left_out))


@pytest.fixture(scope="module")
def run(compose: Callable[..., Any]) -> Callable[..., Path]:
    """``run(folder, *overrides)``: the stage as its study configures it, but with fewer draws and smaller models."""

    def once(folder: Path, *overrides: str) -> Path:
        small = ["sample=all", "stage.settings.draws=100", "stage.settings.ceiling.share.max_iter=10"]
        small += ["stage.settings.ceiling.number.max_iter=10", "stage.settings.fewest_outcomes=15"]
        hydra.utils.call(compose(*small, f"paths.root={folder}", *overrides, study="promotions").stage)
        return folder / "artifacts" / "promotions"

    return once


@pytest.fixture(scope="module")
def output(world: Path, run: Callable[..., Path]) -> Path:
    return run(world)


def table(output: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(output / f"{name}.csv", keep_default_na=False, na_values=[""])


def test_every_table_is_written_with_its_columns(output: Path) -> None:
    assert sorted(path.name for path in output.iterdir()) == FILES
    for name, columns in TABLES.items():
        rows = table(output, name)
        assert list(rows.columns) == list(columns)
        assert len(rows), name


def test_the_planted_segments_are_useful_and_named_as_they_are_published(output: Path) -> None:
    summary = json.loads((output / "summary.json").read_text())
    redeemed = next(one for one in summary["answers"] if one["outcome"] == "redeemed")
    assert redeemed["useful"]
    responses = table(output, "responses")
    own = responses[responses["grouping"] == "segment"].set_index(["campaign_type", "group"])["share"]
    for kind in ("leaflet", "letter"):
        assert own[kind, "YA 1"] > own[kind, "YA 0"]
        assert own[kind, "OA 1"] > own[kind, "OA 0"]
    assert set(responses.loc[responses["grouping"] == "segment", "group"]) == {"OA 0", "OA 1", "YA 0", "YA 1"}


def test_methods_are_compared_by_their_use_with_the_chosen_one_first(output: Path) -> None:
    board = table(output, "leaderboard")
    assert board["clusterer"].tolist() == ["kmeans", "rival"] * 2
    assert board["chosen"].tolist() == [True, False] * 2
    assert (board["use/redeemed_gain_low"] > 0).all()
    assert {"use/spend_gain", "use/lapsed_gain"} <= set(board.columns)


def test_every_customer_gets_a_row_for_the_campaign_tool(output: Path) -> None:
    customers = table(output, "customers")
    assert len(customers) == 120
    assert customers["campaign_type"].isin(["leaflet", "letter"]).all()
    assert customers.groupby(["lifestage", "segment"])["held_out"].mean().eq(0.5).all()


def test_all_outputs_are_the_same_bytes_when_run_again(folder: Path, output: Path, run: Callable[..., Path]) -> None:
    again = run(folder)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in output.iterdir()
    }


def test_a_source_without_campaigns_and_discounts_gets_the_rest_and_a_sentence(
    folder: Path, run: Callable[..., Path]
) -> None:
    for name in (*CAMPAIGN_TABLES, "discounts"):
        (folder / "data" / f"{name}.parquet").unlink()
    output = run(folder)
    notes = " ".join(json.loads((output / "summary.json").read_text())["notes"])
    assert "The source has no campaigns" in notes
    assert "does not tell discounts" in notes
    assert table(output, "responses").empty
    assert table(output, "discounts").empty
    assert set(table(output, "usefulness")["outcome"]) == {"spend"}  # nobody lapses in this shop
    plan = table(output, "plan")
    assert len(plan) == 4
    assert (plan["basis"] == "cannot be told: no studied campaign reached this segment").all()


def test_some_campaign_tables_without_the_others_are_one_sentence(folder: Path, run: Callable[..., Path]) -> None:
    (folder / "data" / "coupons.parquet").unlink()
    with pytest.raises(Exception, match=r"Campaigns need the tables .*; \['coupons'\] are missing"):
        run(folder)
    assert not (folder / "artifacts" / "promotions").exists()


def test_verdicts_on_other_features_are_one_sentence(folder: Path, run: Callable[..., Path]) -> None:
    with pytest.raises(Exception, match=r"chooses by the features baskets; add features=baskets"):
        run(folder, "features=rfm")


def test_segments_of_another_database_are_one_sentence(folder: Path, run: Callable[..., Path]) -> None:
    path = folder / "artifacts" / "segments" / "labels.csv"
    labels = pd.read_csv(path)
    write_csv(labels.assign(customer_id="x" + labels["customer_id"]), path)
    with pytest.raises(Exception, match="labels of 120 customers whom the database lacks; run the stages from extract"):
        run(folder)


def test_a_candidate_that_is_gone_is_one_sentence(folder: Path, run: Callable[..., Path]) -> None:
    shutil.rmtree(folder / ".aisle")
    with pytest.raises(Exception, match="is needed and missing; run the study again"):
        run(folder)


def test_too_few_weeks_for_anything_are_one_sentence(folder: Path, run: Callable[..., Path]) -> None:
    with pytest.raises(Exception, match="At least 39 weeks of baskets and 8 after them are needed"):
        run(folder, "stage.settings.weeks_before=39")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("stage.settings.draws=10", "draws must be a whole number of at least 100; got 10"),
        ("stage.settings.confidence=95", "confidence must be above 0 and below 1; got 95"),
        ("stage.settings.placebo_weeks=12", "placebo_weeks must leave two weeks of weeks_before"),
    ],
)
def test_an_impossible_setting_is_one_sentence(
    world: Path, compose: Callable[..., Any], override: str, sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence):
        hydra.utils.call(compose(f"paths.root={world}", override, study="promotions").stage)
