"""The words of a run: its name and its note, in Markdown, to be read without opening an artifact."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from aisle.leaderboard import NAMES, RANKED_BY
from aisle.partition import NOISE, Partition

_NOTE_LENGTH = 7_500  # MLflow cuts a tag, and a note is one, at 8,000 characters
_BEST_PER_LIFESTAGE = 3


def told_apart_by(candidates: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The roles a run's name needs: lifestage, reducer, clusterer, and of the others those that vary in the study."""
    always = ("lifestage", "reducer", "clusterer")
    return tuple(role for role in NAMES if role in always or len({told["names"][role] for told in candidates}) > 1)


def called(names: Mapping[str, str], roles: Sequence[str] = NAMES) -> str:
    """What a run is called.

    >>> called({"lifestage": "YF", "reducer": "pca", "clusterer": "kmeans"}, ["lifestage", "reducer", "clusterer"])
    'YF · pca · kmeans'
    """
    return " · ".join(names[role] for role in roles)


def cluster_name(label: int) -> str:
    """A cluster as people are told of it; noise is none."""
    return "noise" if label == NOISE else f"cluster {label}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown; columns are spaced, for MLflow's page sets cells of a note without any space between them.

    >>> print(table(["cluster", "customers"], [["cluster 0", 12]]))
    | cluster | &nbsp;&nbsp;customers |
    |---|---|
    | cluster 0 | &nbsp;&nbsp;12 |
    """
    lines = [f"| {' | &nbsp;&nbsp;'.join(map(str, cells))} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:]])


def candidate_note(parameter: str, best: "pd.Series[Any]", partition: Partition, warnings: Sequence[str]) -> str:
    """Markdown: where the candidate is best, how good, its clusters' sizes, and what its libraries warned of."""
    at = f"{parameter} = {best['tuning_value']:g}"
    said = [f"Best at **{at}**: {_score(best[RANKED_BY])} with {best['n_clusters']} clusters."]
    if not best["eligible"]:
        said.append(f"**Not eligible at any tuning value**; here {best['excluded_because']}.")
    total = partition.labels.size
    sizes = [*enumerate(partition.sizes), (NOISE, total - partition.sizes.sum())]
    rows = [(cluster_name(label), size, f"{size / total:.1%}") for label, size in sizes if size]
    said.append(table(["cluster", "customers", "share"], rows))
    if warnings:
        said.append("**Warnings**\n\n" + "\n".join(f"- {warning}" for warning in warnings))
    return _cut("\n\n".join(said))


def summary_note(
    *,
    question: str,
    verdict: Sequence[str],
    candidates: Sequence[Mapping[str, Any]],
    board: pd.DataFrame,
    data_digest: str,
) -> str:
    """Markdown: the question, the verdict, the best candidates of each lifestage, what failed or was skipped and why.

    ``verdict`` are its sentences; none while nothing has been selected.
    """
    said = [question]  # plain, for the list of experiments shows Markdown as it is written
    finished = sum(told["status"] == "finished" for told in candidates)
    data = f" Data: `{data_digest[:12]}`." if data_digest else ""
    said.append(f"{finished} of {len(candidates)} candidates finished.{data}")
    if verdict:
        said.append("**Verdict**\n\n" + "\n".join(f"- {sentence}" for sentence in verdict))
    if not board.empty:
        said.append(_leaders(best_per_lifestage(board, _BEST_PER_LIFESTAGE), told_apart_by(candidates)))
        said.append("Score: mean silhouette over the standardised columns, Euclidean, noise counted as 0.")
        without = sorted(set(board["lifestage"]) - set(board.loc[board["eligible"].astype(bool), "lifestage"]))
        if without:
            said.append(f"No eligible partition for: {', '.join(without)}.")
    for status in ("failed", "skipped"):
        told = [f"- {called(one['names'])}: {one['reason']}" for one in candidates if one["status"] == status]
        if told:
            said.append(f"**{status.capitalize()}**\n\n" + "\n".join(told))
    return _cut("\n\n".join(said))


def best_per_lifestage(board: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first eligible row of each candidate, of the ``count`` best candidates of each lifestage."""
    eligible = board[board["eligible"].astype(bool)].drop_duplicates([*NAMES, "candidate_key"])
    return eligible.groupby("lifestage", sort=True).head(count)


def _score(value: float) -> str:
    return "no ranking score is defined" if math.isnan(value) else f"ranking score {value:.3f}"


def _leaders(best: pd.DataFrame, roles: Sequence[str]) -> str:
    rows = [
        (
            *(row[role] for role in roles),
            f"{row['parameter']} = {row['tuning_value']:g}",
            row["n_clusters"],
            f"{row['coverage']:.0%}",
            f"{row[RANKED_BY]:.3f}",
        )
        for row in best.to_dict("records")
    ]
    return table([*roles, "tuned", "clusters", "coverage", "score"], rows)


def joined(*parts: str) -> str:
    """Paragraphs as one note, cut to what MLflow takes."""
    return _cut("\n\n".join(parts))


def _cut(note: str) -> str:
    """The note, or its first lines and how much is missing."""
    if len(note) <= _NOTE_LENGTH:
        return note
    lines = note[:_NOTE_LENGTH].splitlines()[:-1]
    return "\n".join([*lines, f"\n... and {len(note.splitlines()) - len(lines)} more lines."])
