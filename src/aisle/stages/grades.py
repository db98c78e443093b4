"""A study of money and frequency -> the elbow, the grade of every customer; on request written to the database."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aisle.candidate import embed
from aisle.database import CustomersColumn, Server, publish_segments
from aisle.elbow import elbow, grades, sum_of_squares
from aisle.figures import elbow_curve
from aisle.publication import Publication
from aisle.storage import read_arrow, read_features, read_json, write_csv, write_figure, write_frame, write_json

log = logging.getLogger(__name__)


def run(
    *,
    study: Path,
    features: Path,
    lifestage: str,
    logs: bool,
    scaler: Any,
    reducer: Any,
    seed: int,
    k: int | None,
    database: Server | None,
    customers_table: str,
    customers_key: str,
    customers_column: str,
    output: Path,
) -> None:
    """Write the curve, the grades and their sizes into ``output``, and into ``database`` where one is given.

    ``k`` clusters are graded, those of the elbow where it is None; ``logs`` says that features are log(1 + x).
    """
    study, output = Path(study), Path(output)
    told = read_json(study / "candidates.json")
    key = _key(told, study)
    rows = read_arrow(study / "labels.parquet").to_pandas()
    table = read_features(Path(features)).select(lifestage)
    space = embed(table, scaler=scaler, reducer=reducer, seed=seed).values
    partitions = {
        int(value): part.set_index("customer_id")["label"].reindex(space.index)
        for value, part in rows[rows["candidate_key"] == key].groupby("tuning_value")
    }
    curve = {number: sum_of_squares(space, labels) for number, labels in partitions.items()}
    bend = elbow(curve)
    chosen = bend if k is None else k
    if chosen not in partitions:
        raise ValueError(f"stage.k must be one of the study's numbers of clusters, {sorted(partitions)}; got {k}.")
    labels = partitions[chosen].sort_index()
    plain = (
        pd.DataFrame(np.expm1(table.values.to_numpy()), table.values.index, table.values.columns)
        if logs
        else table.values
    )
    letters = grades(labels, plain["spent"])
    graded = pd.DataFrame({"segment": labels, "grade": labels.map(letters)}).join(plain).rename_axis("customer_id")
    sizes = (
        graded.groupby(["grade", "segment"])
        .agg(customer_count=("spent", "size"), spent_mean=("spent", "mean"), frequency_mean=("frequency", "mean"))
        .reset_index()
    )
    explained = {column: _explained(table.values[column], labels) for column in table.values}
    write_csv(pd.DataFrame({"n_clusters": list(curve), "sum_of_squares": list(curve.values())}), output / "elbow.csv")
    write_figure(elbow_curve(curve, bend, chosen), output / "elbow.png")
    write_frame(graded.reset_index()[["customer_id", "segment", "grade"]], output / "grades.parquet")
    write_csv(sizes, output / "sizes.csv")
    shares = {"feature": list(explained), "share_of_variance_explained": list(explained.values())}
    write_csv(pd.DataFrame(shares), output / "explained.csv")
    write_json(
        {"candidate_key": key, "elbow": bend, "n_clusters": chosen, "explained_share": explained},
        output / "summary.json",
    )
    log.info("the curve bends at %d clusters; %d graded %s", bend, chosen, ", ".join(sorted(letters.values())))
    log.info(
        "the grades explain %s",
        ", ".join(f"{share:.1%} of the variance of {name}" for name, share in explained.items()),
    )
    if database is not None:
        publication = Publication(
            labels=pd.DataFrame({"customer_id": labels.index, "lifestage": lifestage, "segment": labels.to_numpy()}),
            candidates={lifestage: key},
            evidence={},
            names={(lifestage, label): letter for label, letter in letters.items()},
            data_digest=told["data_digest"],
        )
        column = CustomersColumn(customers_table, customers_key, customers_column)
        with database.writing() as session:
            receipt = publish_segments(session, publication, at=datetime.now(UTC).replace(tzinfo=None), column=column)
        log.info("%s: %d grades opened, %d left as they were", customers_table, receipt.opened, receipt.unchanged)


def _key(told: dict[str, Any], study: Path) -> str:
    keys = [candidate["key"] for candidate in told["candidates"] if candidate["status"] == "finished"]
    if len(keys) != 1:
        raise ValueError(f"{study} must hold one finished candidate to grade; it has {len(keys)}; run the study again.")
    return str(keys[0])


def _explained(values: "pd.Series[float]", labels: "pd.Series[int]") -> float:
    """Share of the variance of one feature that lies between the clusters, in [0, 1]."""
    whole = float(((values - values.mean()) ** 2).sum())
    return 1 - sum_of_squares(values.to_frame(), labels.reindex(values.index)) / whole
