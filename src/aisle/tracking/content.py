"""From a candidate, or a whole study, to what its MLflow run says. Pure functions; nothing here talks to MLflow."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.features.table import FeatureTable
from aisle.leaderboard import NAMES, RANKED_BY
from aisle.partition import NOISE, Partition, PartitionPath
from aisle.profiles import labels_of
from aisle.profiles import medoids as medoids_of
from aisle.profiles import profiles as profiles_of
from aisle.profiles import sizes as sizes_of
from aisle.tracking.notes import best_per_lifestage, called, candidate_note, cluster_name, summary_note
from aisle.tracking.run_content import Cell, Dataset, RunContent, Score, Table
from aisle.tracking.view import AT_BEST, SCORE


def candidate_content(
    *,
    study: str,
    roles: Sequence[str],
    names: Mapping[str, str],
    key: str,
    path: PartitionPath,
    scores: Mapping[float, Mapping[str, float]],
    facts: Mapping[str, Any],
    board: pd.DataFrame,
    features: FeatureTable,
    data_digest: str,
    provenance: Mapping[str, str],
) -> RunContent:
    """The run of a finished candidate, called after its ``roles``.

    ``board`` holds the candidate's leaderboard rows, best first; ``features`` is the table it was computed from.

    Raises:
        ValueError: the leaderboard has no row of this candidate.
    """
    if board.empty:
        raise ValueError(
            f"Study {study}: the leaderboard lacks candidate {called(names)} ({key}); run the study again."
        )
    best = board.iloc[0]
    value = float(best["tuning_value"])
    partition = next(partition for tried, partition in path.partitions.items() if float(tried) == value)
    at_best = next(found for tried, found in scores.items() if float(tried) == value)
    facts_of_features = facts["features"]
    tags = {
        **_common_tags(study, names, "candidate", data_digest),
        "candidate_key": key,
        "features_digest": facts_of_features["digest"],
        "eligible": "yes" if best["eligible"] else f"no: {best['excluded_because']}",
    }
    return RunContent(
        name=called(names, roles),
        identity=_identity(names, key),
        status="FINISHED",
        note=candidate_note(path.parameter, best, partition, facts["warnings"]),
        tags=tags,
        params=_params(names, path.parameter, facts),
        scores=(*_along_path(scores), *_at_best(value, at_best, eligible=bool(best["eligible"]))),
        tables=partial(_cluster_tables, names["lifestage"], partition, features),
        dataset=Dataset(
            f"{names['features']} · {names['lifestage']}",
            facts_of_features["digest"],
            int(facts_of_features["customers"]),
            tuple(facts_of_features["columns"]),
        ),
        seconds=float(facts["seconds"]),
        provenance=provenance,
    )


def failed_content(
    *,
    study: str,
    roles: Sequence[str],
    names: Mapping[str, str],
    key: str | None,
    reason: str,
    data_digest: str,
    provenance: Mapping[str, str],
) -> RunContent:
    """The run of a candidate that raised: its error as note and tag."""
    tags = _common_tags(study, names, "candidate", data_digest) | {"error": reason}
    return RunContent(
        name=called(names, roles),
        identity=_identity(names, key or ""),
        status="FAILED",
        note=f"**Failed.** {reason}",
        tags=tags if key is None else tags | {"candidate_key": key},
        params={name: names[name] for name in NAMES},
        provenance=provenance,
    )


def summary_content(
    *,
    study: str,
    question: str,
    verdict: Sequence[str],
    candidates: Sequence[Mapping[str, Any]],
    board: pd.DataFrame,
    data_digest: str,
    files: Mapping[str, Path],
    provenance: Mapping[str, str],
) -> RunContent:
    """The one run that sums up a study: its leaderboard as a table, the best of every lifestage as a note."""
    counts = Counter(told["status"] for told in candidates)
    best = best_per_lifestage(board, 1)
    scores = [(f"summary/{status}", float(counts[status]), 0) for status in ("finished", "failed", "skipped")]
    scores += [(f"summary/best {row['lifestage']}", float(row[RANKED_BY]), 0) for row in best.to_dict("records")]
    return RunContent(
        name=f"Summary · {study}",
        identity="summary",
        status="FINISHED",
        note=summary_note(
            question=question, verdict=verdict, candidates=candidates, board=board, data_digest=data_digest
        ),
        tags={"study": study, "kind": "summary", "question": question} | _if_known("data_digest", data_digest),
        scores=tuple(_finite(scores)),
        tables=lambda: {"leaderboard.json": Table(tuple(map(str, board.columns)), _cells(board))},
        provenance=provenance,
        files=files,
    )


def _cluster_tables(lifestage: str, partition: Partition, features: FeatureTable) -> dict[str, Table]:
    labels = labels_of({lifestage: partition.labels}, features)
    return {
        "cluster_sizes.json": cluster_sizes(labels, features),
        "cluster_profiles.json": cluster_profiles(labels, features),
        "cluster_medoids.json": cluster_medoids(labels, features),
    }


def cluster_sizes(labels: pd.DataFrame, features: FeatureTable) -> Table:
    """One row per cluster, largest first, noise last: customers, and shares of customers, baskets and spend."""
    counted = sizes_of(labels, features).sort_values("segment", key=_noise_last)
    shares = ("customer_share", "basket_share", "spend_share")
    return Table(
        ("cluster", "customer_count", *shares),
        tuple(
            (cluster_name(row["segment"]), int(row["customer_count"]), *(_rounded(row[share]) for share in shares))
            for row in counted.to_dict("records")
        ),
    )


def cluster_profiles(labels: pd.DataFrame, features: FeatureTable) -> Table:
    """One row per feature: its mean over everybody and over each cluster, in the feature's own unit. Noise has none."""
    long = profiles_of(labels, features)
    wide = long.pivot_table(index="feature", columns="segment", values="mean", sort=False)
    everybody = features.values.mean()
    return Table(
        ("feature", "everybody", *(cluster_name(int(label)) for label in wide.columns)),
        tuple(
            (str(name), _rounded(everybody[name]), *map(_rounded, row))
            for name, row in zip(wide.index, wide.to_numpy(), strict=True)
        ),
    )


def cluster_medoids(labels: pd.DataFrame, features: FeatureTable) -> Table:
    """One row per feature: its value of the most typical customer of each cluster that is large enough to show one."""
    typical = medoids_of(labels, features)
    names = [str(name) for name in features.values.columns]
    return Table(
        ("feature", *(cluster_name(int(label)) for label in typical["segment"])),
        tuple((name, *map(_rounded, typical[name])) for name in names),
    )


def flattened(role: str, description: Mapping[str, Any]) -> dict[str, str]:
    """A component's description as flat parameters: its class under ``<role>.class``, the rest by name.

    >>> flattened("reducer", {"class": "sklearn.decomposition.PCA", "params": {"n_components": {"value": 0.8}}})
    {'reducer.class': 'sklearn.decomposition.PCA', 'reducer.n_components': '0.8'}
    """
    if "class" not in description:
        return {role: _plain(description)}
    flat = {f"{role}.class": str(description["class"])}
    for name, value in description["params"].items():
        flat |= flattened(f"{role}.{name}", value)
    return flat


def _plain(description: Mapping[str, Any]) -> str:
    if "values" in description:
        return f"[{', '.join(_plain(item) for item in description['values'])}]"
    if "class" in description:
        inside = ", ".join(f"{name}={_plain(value)}" for name, value in description["params"].items())
        return f"{description['class']}({inside})"
    return str(description["function"] if "function" in description else description["value"])


def _params(names: Mapping[str, str], parameter: str, facts: Mapping[str, Any]) -> dict[str, str]:
    params = {name: names[name] for name in NAMES} | {"tuned": parameter, "seed": str(facts["seed"])}
    for role in ("scaler", "reducer", "clusterer"):
        params |= flattened(role, facts[role])
    return params


def _along_path(scores: Mapping[float, Mapping[str, float]]) -> Iterator[Score]:
    """Every score, by tuning value; values that are not told by their step are a score themselves."""
    places = steps(scores)
    whole = places == [float(value) for value in scores]
    for step, (value, found) in zip(places, scores.items(), strict=True):
        extra = {} if whole else {"tuning_value": float(value)}
        yield from _finite((name, score, step) for name, score in (extra | dict(found)).items())


def _at_best(value: float, found: Mapping[str, float], *, eligible: bool) -> Iterator[Score]:
    """The scores at the best tuning value, those that are columns of the page under short names.

    A candidate that is not eligible has no `SCORE`, by which the page sorts: it stands below those that are.
    """
    scores = {f"best/{name}": score for name, score in found.items() if name not in AT_BEST or name == RANKED_BY}
    scores |= {short: round(found[name], 4) for name, short in AT_BEST.items()} | {"best/tuning": value}
    left_out = set() if eligible else {SCORE}
    yield from _finite((name, score, 0) for name, score in scores.items() if name not in left_out)


def steps(values: Iterable[float]) -> list[int]:
    """Where tuning values stand on MLflow's axis, which has integers only: others are told by their position.

    >>> steps([2.0, 3.0, 5.0]), steps([0.05, 0.1])
    ([2, 3, 5], [0, 1])
    """
    found = [float(value) for value in values]
    return [int(value) for value in found] if all(map(float.is_integer, found)) else list(range(len(found)))


def _finite(scores: Any) -> Iterator[Score]:
    """Without the undefined ones: a chart would show them as a point."""
    return (Score(key, float(value), step) for key, value, step in scores if math.isfinite(value))


def _identity(names: Mapping[str, str], key: str) -> str:
    text = json.dumps([*(names[name] for name in NAMES), key])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _common_tags(study: str, names: Mapping[str, str], kind: str, data_digest: str) -> dict[str, str]:
    return {"study": study, "lifestage": names["lifestage"], "kind": kind} | _if_known("data_digest", data_digest)


def _if_known(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


def _cells(board: pd.DataFrame) -> tuple[tuple[Cell, ...], ...]:
    columns = [[None if pd.isna(cell) else cell for cell in board[name].tolist()] for name in board.columns]
    return tuple(zip(*columns, strict=True)) if columns else ()


def _noise_last(segments: "pd.Series[int]") -> "pd.Series[int]":
    return segments.mask(segments == NOISE, segments.max() + 1)


def _rounded(value: float) -> float | None:
    """Six significant digits, enough to read; None for what is not known."""
    return None if math.isnan(value) else float(f"{value:.6g}")
