"""The stage publish: artifacts in, a database and a receipt out, or one sentence."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.stages.test_segments import BOTH, KEYS, segments, study

from aisle.database import DuckDB, ParquetFolder, read_receipt, read_segment_runs, read_segments
from aisle.partition import NOISE
from aisle.rules import labels_digest
from aisle.selection import Selection, SelectionRule, selection_to_json
from aisle.stages.publish import moved_since, run
from aisle.storage import read_json, write_frame, write_json

Publish = Callable[..., dict[str, Any]]
RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with its segments."""
    segments(study(tmp_path, *BOTH))
    chosen = Selection("baskets", RULE, {"data_digest": "d" * 64}, BOTH)
    write_json(selection_to_json(chosen), tmp_path / "select" / "verdicts.json")
    return tmp_path


@pytest.fixture
def database(folder: Path) -> DuckDB:
    return DuckDB(folder / "shop.duckdb", memory_limit="1GB", threads=1)


@pytest.fixture
def publish(folder: Path, database: DuckDB) -> Publish:
    """Run the stage with the arguments of its configuration, some of them changed; the receipt."""

    def published(**changes: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "database": database,
            "labels": folder / "segments" / "labels.parquet",
            "sizes": folder / "segments" / "sizes.csv",
            "verdicts": folder / "select" / "verdicts.json",
            "assign": folder / "assign",
            **dict.fromkeys(("at", "undo", "customers_table", "customers_key", "customers_column")),
            "output": folder / "publish" / "receipt.json",
        }
        run(**{**arguments, **changes})
        return read_json(folder / "publish" / "receipt.json")

    return published


def current(database: DuckDB) -> pd.DataFrame:
    with database.reading() as session:
        return read_segments(session)


def test_every_customer_in_a_segment_is_published(folder: Path, database: DuckDB, publish: Publish) -> None:
    receipt = publish()
    labels = pd.read_csv(folder / "segments" / "labels.csv", dtype={"customer_id": str})
    expected = labels[labels["segment"] >= 0].sort_values(["customer_id", "lifestage"], ignore_index=True)
    found = current(database)
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected, check_dtype=False)
    assert found["segment_name"].tolist() == expected["segment_name"].tolist()
    assert receipt["candidate_keys"] == KEYS
    assert receipt["opened"] == len(expected)
    assert found["evidence_class"].isna().all()


def test_the_receipt_knows_no_time_and_no_place(folder: Path, database: DuckDB, publish: Publish) -> None:
    publish(at="2026-01-31T12:00:00")
    receipt = (folder / "publish" / "receipt.json").read_bytes()
    publish()
    assert (folder / "publish" / "receipt.json").read_bytes() == receipt
    other = DuckDB(folder / "other.duckdb", memory_limit="1GB", threads=1)
    publish(database=other)
    assert (folder / "publish" / "receipt.json").read_bytes() == receipt


def test_names_given_to_the_segments_are_published(folder: Path, database: DuckDB, publish: Publish) -> None:
    sizes = pd.read_csv(folder / "segments" / "sizes.csv")
    sizes.assign(segment_name=sizes["lifestage"] + ", a name").to_csv(folder / "segments" / "sizes.csv", index=False)
    publish()
    assert set(current(database)["segment_name"]) == {"OA, a name", "YA, a name"}


@pytest.mark.parametrize(
    ("at", "stored"),
    [("2026-01-31T12:00:00", "2026-01-31 12:00"), ("2026-01-31T12:00:00+02:00", "2026-01-31 10:00")],
)
def test_the_moment_of_publishing_can_be_given(database: DuckDB, publish: Publish, at: str, stored: str) -> None:
    publish(at=at)
    assert set(current(database)["valid_from"]) == {pd.Timestamp(stored)}


def test_without_a_moment_it_is_now(database: DuckDB, publish: Publish) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    publish()
    with database.reading() as session:
        moment = read_segment_runs(session)["valid_from"][0]
    assert before <= moment <= datetime.now(UTC).replace(tzinfo=None)


def test_a_run_can_be_undone(database: DuckDB, publish: Publish) -> None:
    assert publish(undo=publish()["run"])["run"] is None
    assert current(database).empty


def test_who_moved_since_the_run_before_is_drawn(folder: Path, publish: Publish) -> None:
    figures = folder / "publish" / "figures"
    first = publish()["run"]
    assert list(figures.iterdir()) == []  # there is no run before it
    sizes, labels = folder / "segments" / "sizes.csv", folder / "segments" / "labels.parquet"
    before = pd.read_parquet(labels)
    ends = before["lifestage"].eq("YA") & before["segment"].eq(1)
    write_frame(before.assign(segment=before["segment"].mask(ends, NOISE)), labels)
    named = pd.read_csv(sizes)
    named.assign(segment_name=named["segment_name"] + ", again").to_csv(sizes, index=False)
    second = publish()["run"]
    assert {path.name for path in figures.iterdir()} == {
        f"{lifestage}_migration.{kind}" for lifestage in ("OA", "YA") for kind in ("png", "svg")
    }
    drawn = {path.name: path.read_bytes() for path in figures.iterdir()}
    publish()
    assert {path.name: path.read_bytes() for path in figures.iterdir()} == drawn
    assert publish(undo=second)["run"] == first
    assert list(figures.iterdir()) == []


def test_the_names_beside_a_migration_are_those_in_force_and_for_who_is_no_more_those_it_had(
    folder: Path, database: DuckDB, publish: Publish
) -> None:
    old = pd.read_csv(folder / "segments" / "sizes.csv")
    old.assign(segment_name="old " + old["segment"].astype(str)).to_csv(folder / "segments" / "sizes.csv", index=False)
    publish()
    before = pd.read_parquet(folder / "segments" / "labels.parquet")
    last = before["lifestage"].eq("YA") & before["segment"].eq(1)
    write_frame(before.assign(segment=before["segment"].mask(last, NOISE)), folder / "segments" / "labels.parquet")
    old.assign(segment_name="new " + old["segment"].astype(str)).to_csv(folder / "segments" / "sizes.csv", index=False)
    publish()
    with database.reading() as session:
        moved = moved_since(session, read_receipt(session))
    rows, names = moved["YA"]
    assert names == {0: "new 0", 1: "old 1"}
    assert rows.loc[rows["to_segment"] == NOISE, "from_segment"].tolist() == [1]


def test_the_column_asked_for_is_added(database: DuckDB, publish: Publish) -> None:
    with database.writing() as session:
        session.execute("CREATE TABLE shoppers AS SELECT 'c00' AS card UNION SELECT 'c01'")
    publish(customers_table="shoppers", customers_key="card", customers_column="segment")
    named = current(database).set_index("customer_id")["segment_name"]
    with database.reading() as session:
        found = dict(session.rows("SELECT card, segment FROM shoppers ORDER BY card"))
    assert found == {card: named.get(card) for card in ("c00", "c01")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"at": "yesterday"}, "stage.at must be a moment like .* got 'yesterday'"),
        ({"undo": "never"}, "must be a run published in"),
        ({"customers_table": "t"}, r"\['stage.customers_key', 'stage.customers_column'\] are missing"),
        ({"database": ParquetFolder(Path("data"), memory_limit="1GB", threads=1)}, "Choose database=duckdb"),
    ],
)
def test_a_users_mistake_is_one_sentence(folder: Path, publish: Publish, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        publish(**changes)
    assert not (folder / "publish").exists()


def test_what_is_missing_or_of_another_kind_is_named(folder: Path, publish: Publish) -> None:
    verdicts = read_json(folder / "select" / "verdicts.json")
    write_json({**verdicts, "study": {}}, folder / "select" / "verdicts.json")
    with pytest.raises(ValueError, match=r"must name the data by study\.data_digest"):
        publish()
    (folder / "segments" / "sizes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"it lacks \['lifestage', 'segment'\]"):
        publish()
    (folder / "segments" / "sizes.csv").unlink()
    with pytest.raises(FileNotFoundError, match="run stage=segments first"):
        publish()


def everybody(folder: Path) -> Path:
    """A folder as stage=assign leaves it: the study's customers, some moved, and two whom it did not see."""
    labels = pd.read_parquet(folder / "segments" / "labels.parquet")
    names = labels.drop_duplicates(["lifestage", "segment"]).set_index(["lifestage", "segment"])["segment_name"]
    new = pd.DataFrame({"customer_id": ["new 1", "new 2"], "lifestage": ["OA", "OF"], "segment": [1, -1]})
    rows = pd.concat([labels[["customer_id", "lifestage", "segment"]], new], ignore_index=True)
    rows.loc[0, "segment"] = 1 - max(int(rows.loc[0, "segment"]), 0)
    inside = rows["segment"] >= 0
    rows["segment_name"] = [names.get(key, "") for key in zip(rows["lifestage"], rows["segment"], strict=True)]
    rows["segment_name"] = rows["segment_name"].where(inside, "")
    rows["reason"] = inside.map({True: "", False: "one visit"})
    rows["study_segment"] = labels["segment"].reindex(rows.index).astype("Int64")
    write_frame(rows, folder / "assign" / "assignments.parquet")
    known = labels.fillna({"segment_name": ""})
    write_json({"labels_digest": labels_digest(known)}, folder / "assign" / "agreement.json")
    return folder / "assign"


def test_every_customer_is_published_where_everybody_was_assigned(
    folder: Path, database: DuckDB, publish: Publish
) -> None:
    rows = pd.read_parquet(everybody(folder) / "assignments.parquet")
    publish()
    expected = rows[rows["segment"] >= 0].set_index("customer_id")["segment_name"].sort_index()
    found = current(database).set_index("customer_id")["segment_name"].sort_index()
    assert found.to_dict() == expected.to_dict()
    assert "new 1" in found


def test_the_studys_customers_are_published_when_asked_for(folder: Path, database: DuckDB, publish: Publish) -> None:
    everybody(folder)
    publish(assign=None)
    assert "new 1" not in set(current(database)["customer_id"])


def test_assignments_by_the_rule_of_other_segments_are_refused(
    folder: Path, database: DuckDB, publish: Publish
) -> None:
    everybody(folder)
    labels = pd.read_parquet(folder / "segments" / "labels.parquet")
    write_frame(labels.assign(segment_name="renamed"), folder / "segments" / "labels.parquet")
    with pytest.raises(ValueError, match=r"assignments\.parquet must be of the segments of .*: run stage=assign again"):
        publish()
    assert not (folder / "publish").exists()
