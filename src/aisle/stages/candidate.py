"""One candidate of a study: fitted and scored into the candidate store, unless it is there already."""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aisle.candidate import Embedding, embed, fit
from aisle.clusterers import PathClusterer
from aisle.features import FeatureTable
from aisle.reducers import NeighbourReducer, Neighbours
from aisle.storage import (
    CandidateRecord,
    CandidateStore,
    candidate_key,
    describe,
    neighbours_key,
    read_features,
    write_json,
)

log = logging.getLogger(__name__)


def run(
    *,
    features: Path,
    names: Mapping[str, str],
    overrides: Sequence[str],
    scaler: Any,
    reducer: Any,
    clusterer: PathClusterer,
    minimum_customers: int,
    seed: int,
    store: Path,
    outcome: Path,
) -> None:
    """Fit the candidate and write how it went to ``outcome``; a candidate that raises is recorded, never raised.

    The outcome's status is finished, found (in the store already), skipped (too few customers) or failed.
    """
    started = time.perf_counter()
    names = detailed(names, overrides)
    key, status, reason = None, "failed", ""
    try:
        _check_block_is_as_made(names["features"], Path(features))
        table = read_features(Path(features)).select(names["lifestage"])
        fewest = max(minimum_customers, clusterer.minimum_customers)
        if len(table.values) < fewest:
            status, reason = "skipped", f"{len(table.values)} customers are too few; at least {fewest} are needed"
        else:
            key = candidate_key(table.digest(), scaler=scaler, reducer=reducer, clusterer=clusterer, seed=seed)
            status = _fit(CandidateStore(Path(store)), key, table, names, scaler, reducer, clusterer, seed)
    except Exception as error:  # a candidate that fails must not stop the sweep; the study's exit code tells
        log.debug("candidate failed", exc_info=True)
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    seconds = round(time.perf_counter() - started, 3)
    content = {"names": names, "key": key, "status": status, "reason": reason, "seconds": seconds}
    write_json(content, Path(outcome))


def detailed(names: Mapping[str, str], overrides: Sequence[str]) -> dict[str, str]:
    """The options' names, with the values that were changed inside an option.

    >>> detailed({"clusterer": "agglomerative"}, ["seed=3", "clusterer.linkage=single"])
    {'clusterer': 'agglomerative linkage=single'}
    """
    bare = [text.lstrip("+") for text in overrides]  # a key that is added to the configuration changes it too
    changed = {
        role: sorted(text.removeprefix(f"{role}.") for text in bare if text.startswith(f"{role}.")) for role in names
    }
    return {role: " ".join([name, *changed[role]]) for role, name in names.items()}


def _check_block_is_as_made(name: str, features: Path) -> None:
    """A candidate reads features that are made: another parameter of their block would change nothing but the name."""
    _, _, changed = name.partition(" ")
    if changed:
        raise ValueError(
            f"The features are read from {features}, so {changed} has no effect; write it into a new option of "
            f"conf/features, make its features with python -m aisle stage=features features=OPTION, and choose that."
        )


def _fit(
    store: CandidateStore,
    key: str,
    features: FeatureTable,
    names: dict[str, str],
    scaler: Any,
    reducer: Any,
    clusterer: PathClusterer,
    seed: int,
) -> str:
    if store.has(key):
        return "found"
    started = time.perf_counter()
    embedding = embedding_of(store, features, scaler, reducer, seed)
    fitted = fit(features, embedding, clusterer=clusterer, seed=seed)
    facts = {
        "names": names,
        "features": {
            "digest": features.digest(),
            "columns": features.values.columns.tolist(),
            "customers": len(features.values),
        },
        "scaler": describe(scaler),
        "reducer": describe(reducer),
        "clusterer": describe(clusterer),
        "dimensions": embedding.values.shape[1],
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 3),
        "warnings": list(fitted.warnings),
    }
    store.write(CandidateRecord(key, fitted.path, fitted.scores, facts))
    return "finished"


def embedding_of(store: CandidateStore, features: FeatureTable, scaler: Any, reducer: Any, seed: int) -> Embedding:
    """The embedding from the store, or computed and stored: the clusterers of one scaler and reducer share it."""
    key = candidate_key(features.digest(), scaler=scaler, reducer=reducer, seed=seed)
    stored = store.read_embedding(key)
    if stored is None:
        with store.lock(key):
            stored = store.read_embedding(key)  # another job may have been faster
            if stored is None:
                shared = partial(_neighbours, store)
                embedding = embed(features, scaler=scaler, reducer=reducer, seed=seed, neighbours_of=shared)
                store.write_embedding(key, embedding.values)
                return embedding
    return Embedding(stored, "embedding")


def _neighbours(store: CandidateStore, reducer: NeighbourReducer, values: npt.NDArray[np.float64]) -> Neighbours:
    """The neighbours from the store, or computed and stored: reducers that differ in the layout alone share them."""
    key = neighbours_key(values, reducer)
    stored = store.read_neighbours(key)
    if stored is None:
        with store.lock(key):  # who holds this lock waits for no other, so nobody waits for ever
            stored = store.read_neighbours(key)
            if stored is None:
                stored = reducer.neighbours(values)
                store.write_neighbours(key, stored)
    return stored
