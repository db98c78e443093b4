"""The grades stage: the elbow of a study, and every customer's grade by money."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

from aisle.database import DuckDB
from aisle.features.table import FeatureTable
from aisle.stages import grades
from aisle.storage import read_arrow, read_json, write_features, write_frame, write_json

KEY = "c" * 64
FILES = {"elbow.csv", "elbow.png", "explained.csv", "grades.parquet", "sizes.csv", "summary.json"}
SPENT = np.repeat([10.0, 100.0, 1000.0], 4) + np.tile([0.0, 1.0, 2.0, 3.0], 3)
CUSTOMERS = pd.Index([f"c{number:02}" for number in range(len(SPENT))], name="customer_id")


def made(folder: Path, *, statuses: tuple[str, ...] = ("finished",), logs: bool = False) -> None:
    """A study of three heaps of customers by money, cut into 2, 3 and 4 clusters."""
    values = pd.DataFrame({"frequency": np.tile([1.0, 2.0], 6), "spent": SPENT}, CUSTOMERS)
    table = FeatureTable(np.log1p(values) if logs else values, pd.Series("unclassified", CUSTOMERS, name="cohort"))
    write_features(table, folder / "money.parquet")
    heaps = np.repeat([0, 1, 2], 4)
    cuts = {2: (heaps == 2).astype(int), 3: heaps, 4: np.where(np.arange(len(SPENT)) == 11, 3, heaps)}
    parts = [
        pd.DataFrame({"candidate_key": KEY, "tuning_value": float(k), "customer_id": CUSTOMERS, "label": labels})
        for k, labels in cuts.items()
    ]
    write_frame(pd.concat(parts, ignore_index=True), folder / "study" / "labels.parquet")
    candidates = [{"key": KEY, "status": status} for status in statuses]
    write_json({"candidates": candidates, "data_digest": "d" * 64}, folder / "study" / "candidates.json")


def run(folder: Path, **changes: Any) -> Path:
    usual: dict[str, Any] = {
        "study": folder / "study",
        "features": folder / "money.parquet",
        "lifestage": "unclassified",
        "logs": False,
        "scaler": FunctionTransformer(),
        "reducer": FunctionTransformer(),
        "seed": 1,
        "k": None,
        "database": None,
        "customers_table": "buyers",
        "customers_key": "buyer",
        "customers_column": "grade",
        "output": folder / "grades",
    }
    grades.run(**usual | changes)
    return folder / "grades"


def graded(output: Path) -> list[str]:
    return list(read_arrow(output / "grades.parquet").to_pandas().set_index("customer_id")["grade"].loc[CUSTOMERS])


@pytest.mark.parametrize("logs", [False, True])
def test_customers_are_graded_by_money_at_the_elbow(tmp_path: Path, logs: bool) -> None:
    made(tmp_path, logs=logs)
    output = run(tmp_path, logs=logs)
    assert {path.name for path in output.iterdir()} == FILES
    told = read_json(output / "summary.json")
    assert (told["elbow"], told["n_clusters"], told["candidate_key"]) == (3, 3, KEY)
    assert graded(output) == ["C"] * 4 + ["B"] * 4 + ["A"] * 4
    sizes = pd.read_csv(output / "sizes.csv").set_index("grade")
    assert dict(sizes["customer_count"]) == {"A": 4, "B": 4, "C": 4}
    assert sizes.loc["A", "spent_mean"] == pytest.approx(1001.5)
    assert told["explained_share"]["spent"] > 0.99
    assert told["explained_share"]["frequency"] == pytest.approx(0)


def test_the_curve_is_that_of_the_sums_of_squares(tmp_path: Path) -> None:
    made(tmp_path)
    curve = pd.read_csv(run(tmp_path) / "elbow.csv").set_index("n_clusters")["sum_of_squares"]
    assert list(curve.index) == [2, 3, 4]
    assert curve[3] == pytest.approx(3 * (5.0 + 1.0))  # of 0..3 about their mean, and of 1, 2, 1, 2
    assert curve[2] > curve[3] > curve[4]


def test_another_number_of_clusters_can_be_graded(tmp_path: Path) -> None:
    made(tmp_path)
    output = run(tmp_path, k=2)
    told = read_json(output / "summary.json")
    assert (told["elbow"], told["n_clusters"]) == (3, 2)
    assert graded(output) == ["B"] * 8 + ["A"] * 4


def test_the_grade_becomes_a_column_of_the_customers_table(tmp_path: Path) -> None:
    made(tmp_path)
    database = DuckDB(tmp_path / "shop.duckdb", "1GB", 1)
    with database.writing() as session:
        session.execute("CREATE TABLE buyers (buyer VARCHAR PRIMARY KEY)")
        for customer in [*CUSTOMERS, "stranger"]:
            session.execute("INSERT INTO buyers VALUES (%s)", [customer])
    for _ in range(2):
        run(tmp_path, database=database)
        with database.reading() as session:
            found = dict(session.rows("SELECT buyer, grade FROM buyers"))
        assert [found[customer] for customer in CUSTOMERS] == ["C"] * 4 + ["B"] * 4 + ["A"] * 4
        assert found["stranger"] is None


@pytest.mark.parametrize(
    ("statuses", "changes", "sentence"),
    [
        (("finished",), {"k": 7}, r"^stage\.k must be one of the study's numbers of clusters, \[2, 3, 4\]; got 7\.$"),
        (("failed",), {}, r"must hold one finished candidate to grade; it has 0; run the study again\.$"),
        (("finished", "finished"), {}, r"must hold one finished candidate to grade; it has 2; run the study again\.$"),
    ],
)
def test_what_cannot_be_graded_is_a_sentence_and_writes_nothing(
    tmp_path: Path, statuses: tuple[str, ...], changes: dict[str, Any], sentence: str
) -> None:
    made(tmp_path, statuses=statuses)
    with pytest.raises(ValueError, match=sentence):
        run(tmp_path, **changes)
    assert not (tmp_path / "grades").exists()
