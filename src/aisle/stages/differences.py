"""The chosen partitions -> whether they come back on other baskets, and on which features segments differ there."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from aisle.evidence import CAVEAT, OtherBaskets, Pipelines, differences, held_out_tests, look_at_other_baskets
from aisle.features import FeatureTable
from aisle.features.halves import EVEN, FIRST, HALVES, ODD, SECOND
from aisle.figures import honest_effects
from aisle.selection import Choice, selection_from_json
from aisle.stages.chosen import chosen_candidate
from aisle.storage import CandidateStore, read_features, read_json, write_csv, write_figure, write_frame

log = logging.getLogger(__name__)

_PAIRS = {"baskets": (ODD, EVEN), "weeks": (FIRST, SECOND)}
"""How baskets are halved: where clusters are found, and where they are looked at."""
REPLICATION = {
    "lifestage": "string",
    "clusterer": "string",
    "reducer": "string",
    "n_clusters": "int64",
    "halves": "string",
    "found_on": "string",
    "looked_at": "string",
    "customer_count": "int64",
    "left_out_count": "int64",
    "clusters_found": "int64",
    "clusters_own": "int64",
    "replication": "float64",
    "stayed_share": "float64",
    "why_not": "string",
}
"""Columns of the table of replication."""
DIFFERENCES = {
    "lifestage": "string",
    "feature": "string",
    "differs": "bool",
    "epsilon_squared": "float64",
    "segment": "int64",
    "rank_biserial": "float64",
    "p_value": "float64",
    "q_value": "float64",
    **{
        f"{name}_{halves}": kind
        for halves in _PAIRS
        for name, kind in (("customer_count", "int64"), ("p_value", "float64"), ("epsilon_squared", "float64"))
    },
    "untested": "string",
}
"""Columns of the table of differences."""


def run(*, verdicts: Path, features: Path, false_discovery_rate: float, store: Path, output: Path) -> None:
    """Write ``replication`` and ``differences`` of every lifestage's chosen partition and a figure into ``output``.

    ``features`` is the folder of feature tables, with the halves that stage=features makes. Where nothing is chosen
    there is nothing to look at. ``customer_count`` are those with features in both halves.

    Raises:
        FileNotFoundError: there are no halves.
        ValueError: the rate is no share, or a chosen candidate was computed from other features or by other code than
            there are now.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    tables = _Tables.read(Path(features), selection.block)
    replicated: list[dict[str, Any]] = []
    differing = []
    for lifestage, choice in selection.chosen.items():
        rows, found = _looked_at(lifestage, choice, tables, CandidateStore(Path(store)), false_discovery_rate)
        replicated += rows
        differing.append(found)
    replication = pd.DataFrame(replicated, columns=list(REPLICATION)).astype(REPLICATION)
    effects = pd.concat([pd.DataFrame(columns=list(DIFFERENCES)).astype(DIFFERENCES), *differing], ignore_index=True)
    folder = Path(output)
    for table, name in ((replication, "replication"), (effects, "differences")):
        write_frame(table, folder / f"{name}.parquet")
        write_csv(table, folder / f"{name}.csv")
    figure = honest_effects(effects, rate=false_discovery_rate)
    write_figure(figure, folder / "effects.png")
    write_figure(figure, folder / "effects.svg")
    _show(replication, effects)


@dataclass(frozen=True, eq=False)
class _Tables:
    """The features of all baskets and, where customers have any, of each half."""

    whole: FeatureTable
    halves: Mapping[str, FeatureTable]

    @classmethod
    def read(cls, features: Path, block: str) -> "_Tables":
        folder = features / "halves" / block
        there = {half: folder / f"{half}.parquet" for half in HALVES if (folder / f"{half}.parquet").exists()}
        if not there:
            raise FileNotFoundError(
                f"{folder} is needed and missing; run stage=features with stage.halves=true and features={block}."
            )
        whole = read_features(features / f"{block}.parquet")
        return cls(whole, {half: read_features(path) for half, path in there.items()})

    def half(self, half: str, lifestage: str) -> FeatureTable:
        if half not in self.halves:
            raise ValueError(f"No customer has features in the {half} half.")
        return self.halves[half].select(lifestage)


def _looked_at(
    lifestage: str, choice: Choice, tables: _Tables, store: CandidateStore, rate: float
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Of one lifestage: a row of replication for either way of halving, and the differences."""
    everybody = tables.whole.select(lifestage)
    chosen = chosen_candidate(lifestage, choice, everybody, store)
    pipelines = Pipelines(chosen.scaler, chosen.reducer, {choice.candidate_key: chosen.clusterer}, chosen.seed)
    rows, tested = [], []
    for name, halves in _PAIRS.items():
        row: dict[str, Any] = dict.fromkeys(REPLICATION, 0)
        row |= {"lifestage": lifestage, "clusterer": choice.clusterer, "reducer": choice.reducer}
        row |= {"n_clusters": choice.n_clusters, "halves": name, "found_on": halves[0], "looked_at": halves[1]}
        row |= {"replication": np.nan, "stayed_share": np.nan, "why_not": ""}
        try:
            found_on, looked_at = (tables.half(half, lifestage) for half in halves)
            found = look_at_other_baskets(found_on, looked_at, pipelines, choice.candidate_key, place=chosen.place)
        except ValueError as error:
            log.warning("%s, %s to %s: no replication. %s", lifestage, *halves, error)
            rows.append({**row, "why_not": str(error)})
            continue
        rows.append({**row, **_numbers(found, everybody)})
        tested.append(
            held_out_tests(found.named_as(chosen.labels), found_on.values, looked_at.values, seed=chosen.seed)
        )
    if len(tested) < len(_PAIRS):
        return rows, pd.DataFrame(columns=list(DIFFERENCES)).astype(DIFFERENCES)
    differing = differences(*tested, rate=rate).assign(lifestage=lifestage)
    return rows, differing[list(DIFFERENCES)].astype(DIFFERENCES)


def _numbers(found: OtherBaskets, everybody: FeatureTable) -> dict[str, Any]:
    return {
        "customer_count": len(found.customers),
        "left_out_count": len(everybody.values.index.difference(found.customers)),
        "clusters_found": int(found.found.max()) + 1,
        "clusters_own": int(found.own.max()) + 1,
        "replication": found.replication,
        "stayed_share": found.stayed_share,
    }


def _show(replication: pd.DataFrame, effects: pd.DataFrame) -> None:
    """The chosen partition of every lifestage: whether it comes back, and what its segments differ on most."""
    table = Table(
        title="Chosen segments on baskets that did not make them",
        caption=f"ARI: adjusted Rand index; stay: customers the rule leaves in their segment. {CAVEAT}",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    left = ("", "method", "most on")
    for name in ("", "method", "k", "ARI weeks", "stay", "ARI baskets", "stay", "differ", "most on"):
        table.add_column(name, justify="left" if name in left else "right")
    for lifestage, rows in replication.groupby("lifestage", sort=False):
        numbers = {halves: rows[rows["halves"] == halves].iloc[0] for halves in _PAIRS}
        own = effects[(effects["lifestage"] == lifestage) & (effects["untested"] == "")]
        differing = own[own["differs"]]
        cells = [
            "" if np.isnan(numbers[halves][name]) else f"{numbers[halves][name]:{form}}"
            for halves in ("weeks", "baskets")
            for name, form in (("replication", ".2f"), ("stayed_share", ".0%"))
        ]
        most = ", ".join(differing["feature"].head(2))
        k = str(rows["n_clusters"].iloc[0])
        table.add_row(
            str(lifestage), rows["clusterer"].iloc[0], k, *cells, f"{len(differing)} of {len(own)}", most or "nothing"
        )
    Console(stderr=True).print(table)
