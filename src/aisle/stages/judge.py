"""A segmentation made elsewhere, a CSV file of customers and segments -> whether its segments are real."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table

from aisle.clusterers import PathClusterer
from aisle.evidence import Effort, Judgement, Thresholds, fewest_customers, findings, judge
from aisle.evidence.agreement import count
from aisle.features import FeatureTable
from aisle.features.table import EVERYBODY
from aisle.figures import valley_panels
from aisle.partition import Partition
from aisle.selection import checked_floor
from aisle.selection.judged import WITHOUT_THEIR_METHOD, record, value
from aisle.sources.segment_file import SegmentFile
from aisle.stages.evidence import parallel
from aisle.storage import (
    describe,
    judgement_key,
    read_features,
    read_judgement,
    whole_folder,
    write_csv,
    write_dossier,
    write_figure,
    write_frame,
    write_json,
)

log = logging.getLogger(__name__)

Labels = npt.NDArray[np.int64]


def run(
    *,
    labels: Path | None,
    features: Path,
    lifestages: Sequence[str] | None,
    common: bool,
    stand_ins: Mapping[str, PathClusterer],
    scaler: Any,
    reducer: Any,
    minimum_customers: int,
    floor: float,
    effort: Effort,
    thresholds: Thresholds,
    workers: int | None,
    seed: int,
    store: Path,
    output: Path,
) -> None:
    """Write measures, segments and ``judgement.json`` of the segmentation in the file ``labels`` into ``output``.

    The labels are judged by the feature table ``features``, each lifestage by itself, and all together where there are
    several: there a segment's name means the same in every lifestage. ``lifestages`` names some of these instead.
    ``common`` leaves out who is not in both, file and table; otherwise that is refused. The labels came without the
    method that made them: ``stand_ins``, clustering the features after ``scaler`` and ``reducer``, take its place where
    it would have to be run again (`aisle.evidence.judgement`). ``workers`` processes share the work (None: as many as
    cores); results do not depend on them.

    Raises:
        OSError: a file is not there.
        ValueError: no file is given; it is no such CSV file; a customer is in it twice, unknown or missing; or there is
            nothing to be judged: one segment, or too few customers.
    """
    if labels is None:
        raise ValueError("stage=judge needs labels=FILE, a CSV file with the columns customer_id and segment.")
    floor = checked_floor(floor)
    table, file = read_features(Path(features)), SegmentFile(Path(labels))
    for name in lifestages or ():
        table.select(name)  # an unknown one is refused before anything is computed
    segments = file.matched(table, str(features), lifestages=lifestages, common=common)
    settings: dict[str, Any] = {"effort": effort, "thresholds": thresholds, "seed": seed}
    pipeline = {name: describe(one) for name, one in {"scaler": scaler, "reducer": reducer, **stand_ins}.items()}
    judged: dict[str, Judgement] = {}
    left_out: dict[str, str] = {}
    for lifestage in lifestages or _lifestages(table, segments):
        chosen = _of(table.select(lifestage), segments.index)
        given, names = _numbered(segments.loc[chosen.values.index])
        reason = _too_little(len(given), names, stand_ins, minimum_customers)
        if reason:
            left_out[lifestage] = reason
            continue
        key = judgement_key(chosen.digest(), given, pipeline, **settings)
        judgement = read_judgement(Path(store), key)
        if judgement is None:
            with parallel(lifestage, workers) as spread:
                judgement = judge(chosen, given, stand_ins, scaler=scaler, reducer=reducer, **settings, run=spread)
            write_dossier(Path(store), key, judgement)
        judged[lifestage] = _named(judgement, lifestage, names)
    if not judged:
        reasons = "; ".join(f"{lifestage}: {reason}" for lifestage, reason in left_out.items())
        raise ValueError(f"{file.path} has nothing that could be judged: {reasons}.")
    records = {name: record(*_best(found), thresholds=thresholds, floor=floor) for name, found in judged.items()}
    for table_name in ("measures", "segments", "gaps"):
        rows = pd.concat([getattr(found, table_name) for found in judged.values()], ignore_index=True)
        write_frame(rows, Path(output) / f"{table_name}.parquet")
        if table_name != "gaps":
            write_csv(rows, Path(output) / f"{table_name}.csv")
    content = {"lifestages": records, "not_judged": left_out, "note": WITHOUT_THEIR_METHOD}
    write_json(content, Path(output) / "judgement.json")
    with whole_folder(Path(output) / "figures", replace=True) as part:
        for name, found in judged.items():
            figure = _valleys(found, thresholds)
            for kind in ("png", "svg"):
                write_figure(figure, part / f"{name}_valleys.{kind}")
    for name, told in records.items():
        log.info("%s: %s", name, " ".join(told["sentences"]))
    for name, reason in left_out.items():
        log.info("%s: not judged: %s", name, reason)
    log.info(WITHOUT_THEIR_METHOD)
    _show(judged, thresholds)


def _lifestages(table: FeatureTable, segments: "pd.Series[str]") -> list[str]:
    """Those of which the file has customers, and all of them together where there are several."""
    found = sorted(table.cohort.loc[segments.index].unique())
    return [*found, EVERYBODY] if len(found) > 1 else found


def _of(table: FeatureTable, customers: pd.Index) -> FeatureTable:
    inside = table.values.index.isin(customers)
    return FeatureTable(table.values[inside], table.cohort[inside])


def _numbered(segments: "pd.Series[str]") -> tuple[Labels, list[str]]:
    """Labels 0..k-1 by size, noise -1, and the names of the segments in that order."""
    codes, found = pd.factorize(segments, sort=True)
    given = Partition.numbered(codes, segments.index).labels.to_numpy().astype(np.int64)
    return given, [str(found[codes[np.argmax(given == number)]]) for number in range(count(given))]


def _too_little(
    customers: int, names: Sequence[str], stand_ins: Mapping[str, PathClusterer], minimum_customers: int
) -> str:
    """Why these customers cannot be judged; empty where they can."""
    if len(names) < 2:
        found = f"all are in {names[0]!r}" if names else "nobody is in a segment"
        return f"{customers} customers, but {found}; two segments are needed"
    needed = max(minimum_customers, fewest_customers(len(names), stand_ins))
    if customers < needed:
        return f"{customers} customers are too few for halves of {len(names)} segments; {needed} are needed"
    return ""


def _named(judgement: Judgement, lifestage: str, names: Sequence[str]) -> Judgement:
    """With the lifestage, the names of the segments, and which stand-in is the best."""
    tables = {table: getattr(judgement, table).copy() for table in ("measures", "segments", "gaps")}
    known = dict(enumerate(names))
    for table, frame in tables.items():
        frame.insert(0, "lifestage", lifestage)
        if table != "measures":
            frame.insert(3, "name", frame["segment"].map(known))
    tables["measures"]["best"] = [True, *[False] * (len(tables["measures"]) - 1)]
    return Judgement(**tables)


def _best(judgement: Judgement) -> tuple[dict[str, Any], pd.DataFrame]:
    """The measures of the best stand-in, and its segments."""
    measures: dict[str, Any] = {str(name): value for name, value in judgement.measures.iloc[0].items()}
    return measures, judgement.segments[judgement.segments["stand_in"] == measures["stand_in"]]


def _valleys(judgement: Judgement, thresholds: Thresholds) -> Figure:
    measures, segments = _best(judgement)
    gaps = judgement.gaps[judgement.gaps["stand_in"] == measures["stand_in"]]
    one = gaps.assign(candidate_key="given", tuning_value=measures["n_clusters"])
    return valley_panels(one, thresholds, dict(zip(segments["segment"], segments["name"], strict=True)))


def _show(judged: Mapping[str, Judgement], thresholds: Thresholds) -> None:
    """Each lifestage on one line, every number below what is asked of it; then each segment on one."""
    best = {lifestage: _best(judgement) for lifestage, judgement in judged.items()}
    asked = {
        "null_p": f"null\n<{_short(thresholds.null_p)}",
        "valley_p": f"valley\n<{_short(thresholds.valley_p)}",
        "jaccard_worst": f"J min\n>={_short(thresholds.separated)}",
        "jaccard_mean": f"J\n>={_short(thresholds.constructive)}",
        "strength": f"PS\n>={_short(thresholds.strength)}",
        "replication": f"ARI\n>{_short(thresholds.replication)}",
    }
    table = _table("Are these segments real? (*: as is asked)", ("", "class"), ("n", *asked.values(), "back"))
    table.caption = (
        "n: customers; null, valley: p-values; J: Jaccard coefficient (the least from "
        f"{thresholds.reproducible:g} on is enough for reproducible); PS: prediction strength; ARI: replication; "
        "back: share of the customers whom the rule gives back to their segment"
    )
    for lifestage, (measures, _) in best.items():
        met = {one.measure: one.met for one in reversed(findings(measures, thresholds))}
        cells = [f"{_cell(name, measures[name])}{'*' if met[name] else ' '}" for name in asked]
        counts = str(measures["customer_count"])
        told = "a rule" if measures["category"] else measures["class"]
        table.add_row(lifestage, told, counts, *cells, _cell("regained", measures["regained"]))
    console = Console(stderr=True)
    console.print(table)
    console.print(_segments({lifestage: segments for lifestage, (_, segments) in best.items()}))


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0)
    for name in texts:
        table.add_column(name, no_wrap=name == "class")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cell(name: str, number: float) -> str:
    if math.isnan(number):
        return "-"
    return value(number) if name.endswith("_p") else f"{number:.2f}"


def _short(threshold: float) -> str:
    return f"{threshold:g}".removeprefix("0")


def _segments(found: Mapping[str, pd.DataFrame]) -> Table:
    shown = ("jaccard", "dissolved", "valley_p", "regained")
    table = _table("Segment by segment", ("", "segment", "neighbour"), ("n", "J", "dissolved", "valley", "back"))
    table.caption = "dissolved: share of halves in which J is at most 0.5"
    for lifestage, segments in found.items():
        names = dict(zip(segments["segment"], segments["name"], strict=True))
        first = lifestage
        for row in segments.to_dict("records"):
            cells = (_cell(name, row[name]) for name in shown)
            table.add_row(first, row["name"], names.get(row["neighbour"], ""), str(row["customer_count"]), *cells)
            first = ""
        table.add_section()
    return table
