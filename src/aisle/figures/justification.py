"""The pictures that a verdict stands on: curves against thresholds and null, gaps, stability, the flow of segments."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from aisle.evidence import Dossier, Thresholds
from aisle.figures.curves import evidence_curves
from aisle.figures.flow import segment_flow
from aisle.figures.stability import stability_heatmap
from aisle.figures.valleys import valley_panels
from aisle.selection import Choice, Selection


def justification(
    selection: Selection, evidence: Dossier, labels: pd.DataFrame, thresholds: Thresholds
) -> Iterator[tuple[str, Figure]]:
    """Name and figure: of every lifestage the curves of its examined candidates, and three of the one that is chosen.

    ``evidence`` holds all lifestages, with the names of their candidates; ``labels`` has candidate_key, tuning_value,
    customer_id and label of the chosen candidates at least.
    """
    for verdict in selection.verdicts:
        rows = evidence.measures
        own = rows[(rows["features"] == selection.features) & (rows["lifestage"] == verdict.lifestage)]
        if not own.empty:
            yield f"{verdict.lifestage}_evidence", evidence_curves(own, thresholds)
        if verdict.chosen:
            for name, figure in _of_chosen(verdict.chosen, evidence, labels, thresholds):
                yield f"{verdict.lifestage}_{name}", figure


def _of_chosen(
    chosen: Choice, evidence: Dossier, labels: pd.DataFrame, thresholds: Thresholds
) -> Iterator[tuple[str, Figure]]:
    segments, gaps, own = (
        rows[rows["candidate_key"] == chosen.candidate_key] for rows in (evidence.segments, evidence.gaps, labels)
    )
    yield "stability", stability_heatmap(segments, thresholds)
    yield "gaps", valley_panels(gaps[gaps["tuning_value"] == chosen.tuning_value], thresholds)
    yield "flow", segment_flow(own.pivot(index="customer_id", columns="tuning_value", values="label"))
