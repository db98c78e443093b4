"""The pictures that a verdict stands on: curves against thresholds and null, gaps, stability, the flow of segments."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.compute
from matplotlib.figure import Figure

from aisle.evidence import Thresholds
from aisle.figures import evidence_curves, segment_flow, stability_heatmap, valley_panels
from aisle.selection import Choice, Selection
from aisle.storage import read_arrow


def pictures(
    selection: Selection, evidence: Path, labels: Path, thresholds: Thresholds
) -> Iterator[tuple[str, Figure]]:
    """Name and figure: of every lifestage the curves of its examined candidates, and three of the one that is chosen.

    ``evidence`` is the folder that stage=evidence wrote, ``labels`` the study's labels.
    """
    measures, segments, gaps = (_table(evidence, name) for name in ("measures", "segments", "gaps"))
    measures = measures[measures["features"] == selection.features]
    for verdict in selection.verdicts:
        own = measures[measures["lifestage"] == verdict.lifestage]
        if not own.empty:
            yield f"{verdict.lifestage}_evidence", evidence_curves(own, thresholds)
        chosen = verdict.chosen
        if chosen:
            mine = segments[segments["candidate_key"] == chosen.candidate_key]
            here = gaps["candidate_key"] == chosen.candidate_key
            yield f"{verdict.lifestage}_stability", stability_heatmap(mine, thresholds)
            at_value = gaps[here & (gaps["tuning_value"] == chosen.tuning_value)]
            yield f"{verdict.lifestage}_gaps", valley_panels(at_value, thresholds)
            yield f"{verdict.lifestage}_flow", segment_flow(_labelings(labels, chosen))


def _table(folder: Path, name: str) -> pd.DataFrame:
    found: pd.DataFrame = read_arrow(folder / f"{name}.parquet").to_pandas()
    return found


def _labelings(path: Path, chosen: Choice) -> pd.DataFrame:
    """Labels of every tuning value of the chosen candidate: customers x tuning values."""
    rows = read_arrow(path)
    own = rows.filter(pyarrow.compute.equal(rows["candidate_key"], chosen.candidate_key)).to_pandas()
    found: pd.DataFrame = own.pivot_table(index="customer_id", columns="tuning_value", values="label", aggfunc="first")
    return found
