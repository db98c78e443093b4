"""Populations whose truth is known -> how often the verdict is right about them: page, table and figures."""

import logging
import os
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.calibration import (
    Cell,
    Cloud,
    PlantedGrid,
    Population,
    Reduction,
    Summary,
    page,
    portrait,
    records,
    summarised,
    trial,
)
from aisle.calibration.grid import cloud_cells, observed_clouds, planted_cells, rounds
from aisle.calibration.rates import interval
from aisle.clusterers import PathClusterer
from aisle.evidence import Effort, Thresholds
from aisle.features import FeatureTable
from aisle.figures import power_curves, rejection_rates
from aisle.storage import Draw, Draws, read_features, read_json, whole_file, write_figure, write_json

log = logging.getLogger(__name__)

_PICTURES = ("calibration_rejections", "calibration_power")


def run(
    *,
    clouds: Mapping[str, Cloud],
    reductions: Mapping[str, Reduction],
    planted: PlantedGrid,
    scaler: Any,
    clusterers: Mapping[str, PathClusterer],
    planted_clusterers: Mapping[str, PathClusterer],
    table: Mapping[str, Population],
    table_clusterer: PathClusterer,
    table_nulls: int,
    features: Mapping[str, Path],
    fewest: int,
    effort: Effort,
    thresholds: Thresholds,
    floor: float,
    workers: int | None,
    minutes: float | None,
    store: Path,
    kept: Path,
    docs: Path,
) -> None:
    """Compute the draws that are not stored yet and write ``calibration.md``, ``.json`` and figures into ``docs``.

    Draws are stored one by one in ``store``, and all of them in the table ``kept`` in the end, from which any machine
    goes on.

    ``features`` are feature tables, by the name of their source: copulas of them are clouds too, and their lifestages
    of at least ``fewest`` customers rows of the table; one that is not there is told. ``workers`` processes share the
    draws (None: as many as cores); after ``minutes`` no draw is begun (None: all are, 0: none). Results depend on
    neither.

    Raises:
        ValueError: what was found is not what was promised; the page says where.
    """
    tables, absent = _observed(features)
    cells = [
        *cloud_cells({**clouds, **observed_clouds(tables)}, reductions, scaler=scaler, clusterers=clusterers),
        *planted_cells(planted, scaler=scaler, reducer=FunctionTransformer(), clusterers=planted_clusterers),
    ]
    draws = Draws(Path(store), Path(kept), effort=effort, thresholds=thresholds, floor=floor)
    examine = {"effort": effort, "thresholds": thresholds, "floor": floor}
    until = None if minutes is None else time.monotonic() + 60 * minutes
    drawn = _table(table, tables, fewest, table_clusterer, table_nulls, draws, until, examine)
    known, stale = draws.known(cells)
    if stale:
        log.warning("%s of the draws in %s are of other code or otherwise declared; they are dropped.", stale, kept)
    missing = [(cell, number) for cell, number in rounds(cells) if number not in known[cell.name]]
    with _progress(len(missing)) as advance:
        for cell, number, draw in _computed(missing, workers, until, examine):
            draws.write(cell, number, draw)
            known[cell.name][number] = draw
            advance()
    draws.keep(cells, known)
    found = {name: [row for draw in own.values() for row in draw.rows] for name, own in known.items()}
    summary = summarised(found, cells)
    facts: dict[str, Any] = {
        "columns": planted.columns,
        "null_draws": effort.null_draws,
        "planted_null_draws": planted.null_draws,
        "planted_level": _level(planted.null_draws, thresholds.null_p),
        "splits": effort.splits,
        "nulls": table_nulls,
        "methods": "K-means",
    }
    facts |= _hours(cells, known)
    _write(summary, drawn, absent, facts, thresholds.valley_p, Path(docs))
    log.info(
        "%s of %s draws are done, in %.1f hours of one processor; %s",
        f"{summary.done:,}",
        f"{summary.asked:,}",
        facts["hours"],
        Path(docs) / "calibration.md",
    )
    if summary.faults:
        raise ValueError(f"The calibration is not as promised: {' '.join(summary.faults)}")


def _observed(features: Mapping[str, Path]) -> tuple[dict[str, FeatureTable], list[str]]:
    tables, absent = {}, []
    for name, path in features.items():
        if Path(path).exists():
            tables[name] = read_features(Path(path))
        else:
            absent.append(f"copulas and rows of {name}: its feature table is not there; its stage features writes it.")
            log.info("absent: %s (%s)", absent[-1], path)
    return tables, absent


def _table(
    populations: Mapping[str, Population],
    observed: Mapping[str, FeatureTable],
    fewest: int,
    clusterer: PathClusterer,
    nulls: int,
    draws: Draws,
    until: float | None,
    examine: Mapping[str, Any],
) -> pd.DataFrame:
    """Rows of the table of silhouettes; those that are neither stored nor may be begun are left out."""
    effort = Effort(examine["effort"].splits, examine["effort"].splits, 1, nulls)
    rows = []
    for name, features, scaler in _portrayed(populations, observed, fewest):
        path = draws.portrait(features, clusterer, nulls)
        if not path.exists():
            if until is not None and time.monotonic() >= until:
                continue
            own = {**examine, "effort": effort}
            made = portrait(features, scaler=scaler, reducer=FunctionTransformer(), clusterer=clusterer, seed=1, **own)
            write_json({"rows": made}, path)
        rows += [{"data": name, "customers": len(features.values), **row} for row in read_json(path)["rows"]]
    return pd.DataFrame(rows)


def _portrayed(
    populations: Mapping[str, Population], observed: Mapping[str, FeatureTable], fewest: int
) -> Iterator[tuple[str, FeatureTable, Any]]:
    for name, population in populations.items():
        yield name, population.draw([zlib.crc32(name.encode()), 0]), FunctionTransformer()
    for source, table in observed.items():
        for lifestage in table.cohorts:
            own = table.select(lifestage)
            if len(own.values) >= fewest:
                yield f"{source}, {lifestage}", own.varying(), StandardScaler()


def _computed(
    missing: Sequence[tuple[Cell, int]], workers: int | None, until: float | None, examine: Mapping[str, Any]
) -> Iterator[tuple[Cell, int, Draw]]:
    """Draws as they are finished; none is begun after ``until``."""

    def tasks() -> Iterator[Any]:
        for cell, number in missing:
            if until is not None and time.monotonic() >= until:
                return
            yield joblib.delayed(_one)(cell, number, partial(trial, **examine))

    count = workers or os.cpu_count() or 1
    with joblib.Parallel(n_jobs=count, return_as="generator_unordered", pre_dispatch=count, batch_size=1) as pool:
        cells = {cell.name: cell for cell, _ in missing}
        for name, number, draw in pool(tasks()):
            yield cells[name], number, draw


def _one(cell: Cell, number: int, examined: Any) -> tuple[str, int, Draw]:
    begun = time.process_time()
    rows = examined(cell, number)
    return cell.name, number, Draw(rows, round(time.process_time() - begun, 2))


def _level(null_draws: int, null_p: float) -> str:
    """How often a test with so many null draws rejects, as a fraction: p-values are multiples of 1 / (1 + draws)."""
    below = sum(rank / (1 + null_draws) < null_p for rank in range(1, 2 + null_draws))
    return f"{below}/{1 + null_draws}"


def _hours(cells: Sequence[Cell], known: Mapping[str, Mapping[int, Draw]]) -> dict[str, Any]:
    """Hours spent, those of a complete run, where every cell has a draw to go by, and how many have none."""
    spent = {cell.name: [draw.seconds for draw in known[cell.name].values()] for cell in cells}
    untouched = sum(not own for own in spent.values())
    whole = sum(cell.draws * sum(spent[cell.name]) / max(1, len(spent[cell.name])) for cell in cells)
    return {
        "hours": sum(map(sum, spent.values())) / 3600,
        "whole_hours": None if untouched else whole / 3600,
        "untouched": untouched,
    }


@contextmanager
def _progress(total: int) -> Any:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(TextColumn("draws"), *columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("draws", total=total)
        yield lambda: progress.advance(bar)


def _write(
    summary: Summary,
    portraits: pd.DataFrame,
    absent: Sequence[str],
    facts: Mapping[str, Any],
    level: float,
    docs: Path,
) -> None:
    power = summary.power
    together = power[power["clusterer"] == "any"] if not power.empty else power
    figures = (
        rejection_rates(summary.rejections, level=level, interval=interval),
        power_curves(together, interval=interval),
    )
    for name, figure in zip(_PICTURES, figures, strict=True):
        write_figure(figure, docs / "pictures" / f"{name}.png")
    told = {**summary.as_json(), "table": records(portraits), "absent": list(absent)}
    write_json(told, docs / "calibration.json")
    text = page(summary, portraits=portraits, absent=absent, facts=facts, pictures=_PICTURES)
    with whole_file(docs / "calibration.md") as part:
        part.write_text(text, encoding="utf-8")
