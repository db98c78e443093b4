"""Customers without clusters: data like the observed in every column and in rank correlation, and nothing more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from aisle.evidence.coordinates import decode, encode
from aisle.evidence.structure import Group, structure_of
from aisle.features.table import FeatureTable

Values = npt.NDArray[np.float64]
NullKind = Literal["copula", "permutation"]

_STREAM: Final = 3
"""Of the random numbers: splits, bootstrap samples and pairs of customers have others for the same seed and number."""
_ROUNDS: Final = 3
_FITTED_ON: Final = 4000


@dataclass(frozen=True, eq=False)
class Null:
    """A distribution of feature tables without clusters; ``draw(number)`` gives one, the same for the same number."""

    draw: Callable[[int], FeatureTable]


def null_of(features: FeatureTable, *, kind: NullKind, seed: int) -> Null:
    """The null of a feature table.

    ``copula``: a Gaussian copula (normal to anything: Cario & Nelson 1997) over the free coordinates of the columns'
    groups. Every coordinate has the observed values in another order, and the rank correlations are those observed,
    corrected for ties; one-hot groups, shares, log-ratios, orders and flags stay whole. ``permutation``: every group is
    permuted by itself, so that groups do not depend on each other.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind == "permutation":
        return _permutation(features, seed)
    if kind == "copula":
        return _copula(features, seed)
    raise ValueError(f"evidence.null_kind must be copula or permutation; got {kind!r}.")


def _permutation(features: FeatureTable, seed: int) -> Null:
    groups = [group for group in structure_of(features.values) if group.kind != "flag"]
    flags = [group for group in structure_of(features.values) if group.kind == "flag"]

    def draw(number: int) -> FeatureTable:
        rng = np.random.default_rng([seed, number, _STREAM])
        parts = [features.values[list(group.columns)].iloc[rng.permutation(len(features.values))] for group in groups]
        return _table([part.reset_index(drop=True) for part in parts], flags, features)

    return Null(draw)


def _copula(features: FeatureTable, seed: int) -> Null:
    values = features.values
    groups = structure_of(values)
    axis = _main_axis(values.to_numpy())
    free = [group for group in groups if group.kind != "flag"]
    coordinates = [encode(group, values, axis) for group in free]
    ends = np.cumsum([part.shape[1] for part in coordinates])[:-1]
    sorted_columns = np.sort(np.column_stack(coordinates), axis=0)
    factor = _factor(np.column_stack(coordinates), sorted_columns, seed)
    flags = [group for group in groups if group.kind == "flag"]

    def draw(number: int) -> FeatureTable:
        rng = np.random.default_rng([seed, number, _STREAM])
        normal = rng.standard_normal((len(values), factor.shape[1])) @ factor.T
        drawn = np.take_along_axis(sorted_columns, normal.argsort(axis=0).argsort(axis=0), axis=0)
        parts = zip(free, np.split(drawn, ends, axis=1), strict=True)
        return _table([decode(group, part, values, axis) for group, part in parts], flags, features)

    return Null(draw)


def _table(parts: list[pd.DataFrame], flags: list[Group], features: FeatureTable) -> FeatureTable:
    drawn = pd.concat(parts, axis=1)
    for flag in flags:
        drawn[flag.columns[0]] = (drawn[flag.columns[1]] > 0).astype(np.float64)
    drawn.index = features.values.index
    return FeatureTable(drawn[features.values.columns], features.cohort)


def _main_axis(values: Values) -> Values:
    """Customers along the first principal component of the ranks."""
    scores = _normal_scores(values)
    spread = scores.std(axis=0)
    standard = np.divide(scores - scores.mean(axis=0), spread, out=np.zeros_like(scores), where=spread > 0)
    _, vectors = np.linalg.eigh(standard.T @ standard)
    axis = vectors[:, -1]
    return np.asarray(standard @ (axis * np.sign(axis[np.argmax(np.abs(axis))])))


def _normal_scores(values: Values) -> Values:
    return np.asarray(ndtri(rankdata(values, axis=0) / (len(values) + 1)))


def _rank_correlations(values: Values) -> Values:
    """Spearman's, 0 for a column without variance."""
    ranks = rankdata(values, axis=0)
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return np.asarray(unit.T @ unit)


def _factor(coordinates: Values, sorted_columns: Values, seed: int) -> Values:
    """A root F of the normals' correlations, F @ F.T, for which drawn coordinates have the observed rank correlations.

    Ties weaken a rank correlation, so those of the normals are strengthened until what is drawn has them.
    """
    wanted = _rank_correlations(coordinates)
    asked = 2 * np.sin(np.pi / 6 * wanted)
    rng = np.random.default_rng([seed, 2**31])
    normal = rng.standard_normal((_FITTED_ON, len(wanted)))
    places = np.arange(_FITTED_ON) * len(sorted_columns) // _FITTED_ON
    columns = sorted_columns[places]
    factor = _root(asked)
    for _ in range(_ROUNDS):
        ranks = (normal @ factor.T).argsort(axis=0).argsort(axis=0)
        asked = asked + wanted - _rank_correlations(np.take_along_axis(columns, ranks, axis=0))
        factor = _root(np.clip(asked, -1.0, 1.0))
    return factor


def _root(correlations: Values) -> Values:
    """The root of the nearest correlations without negative eigenvalues: those are cut off, and 1 put on the diagonal.

    Higham (2002) iterates this; one step is near enough for what is corrected afterwards.
    """
    symmetric = (correlations + correlations.T) / 2
    np.fill_diagonal(symmetric, 1.0)
    sizes, vectors = np.linalg.eigh(symmetric)
    root = vectors * np.sqrt(np.maximum(sizes, 0.0))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))
