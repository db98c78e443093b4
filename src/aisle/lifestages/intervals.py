"""How sure the correlations of segment profiles are: Fisher's z with a bootstrap over customers.

Features depend on each other, so Fisher's own standard error, 1 / sqrt(features - 3), would be wrong. Here customers
are drawn anew, within their lifestage, and the profiles are made again of those drawn. The segments are kept as they
are: the intervals do not say how the segments themselves would change.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from aisle.comparison import COMMON, WITHIN, Comparison
from aisle.features.table import EVERYBODY, FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]

FEWEST: Final = 5
"""Customers a segment needs for an interval: draws of fewer hardly vary."""
_LEVEL: Final = 0.95
_AT_ONCE: Final = 50
_NOTHING: Final = 1e-9
_KEY = ["lifestage", "segment"]


def with_intervals(
    comparison: Comparison, labels: pd.DataFrame, features: FeatureTable, *, draws: int, seed: int
) -> pd.DataFrame:
    """The comparison's pairs with fisher_z = artanh(correlation) and the correlation's 95 % interval, low and high.

    The interval is tanh(z -/+ 1.96 s), s the standard deviation of z over ``draws`` bootstrap samples; it lies within
    [-1, 1]. It is NaN where the correlation is undefined, where it is 1 or -1 by construction, and where a segment has
    fewer than `FEWEST` customers. ``comparison`` must be of these ``labels`` and ``features``.

    Raises:
        ValueError: fewer than two draws.
    """
    if draws < 2:
        raise ValueError(f"stage.draws must be at least 2; got {draws}.")
    pairs = comparison.pairs()
    keys = comparison.order.sort_values()
    sizes = labels.groupby(_KEY).size()
    place = {key: number for number, key in enumerate(keys)}
    spread = np.full(len(pairs), np.nan)
    z = np.arctanh(pairs["correlation"].where(pairs["correlation"].abs() < 1 - _NOTHING).to_numpy(dtype=np.float64))
    if len(keys):
        drawn = _profiles(labels, features, keys, draws, seed)
        first = [place[key] for key in zip(pairs["lifestage_a"], pairs["segment_a"], strict=True)]
        second = [place[key] for key in zip(pairs["lifestage_b"], pairs["segment_b"], strict=True)]
        enough = np.array([sizes[key] >= FEWEST for key in keys], dtype=bool)
        for row, (scale, a, b) in enumerate(zip(pairs["scale"], first, second, strict=True)):
            if np.isfinite(z[row]) and enough[a] and enough[b]:
                spread[row] = _deviation(drawn[scale][:, a], drawn[scale][:, b])
    reach = norm.ppf((1 + _LEVEL) / 2) * spread
    return pairs.assign(fisher_z=z, low=np.tanh(z - reach), high=np.tanh(z + reach))


def _deviation(first: Values, second: Values) -> float:
    """Standard deviation of Fisher's z of the profiles (draws, features) of two segments; NaN = unknown in a draw."""
    known = np.isfinite(first) & np.isfinite(second)
    count = known.sum(axis=1)
    a, b = (np.where(known, part, 0.0) for part in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        a = np.where(known, a - (a.sum(axis=1) / count)[:, np.newaxis], 0.0)
        b = np.where(known, b - (b.sum(axis=1) / count)[:, np.newaxis], 0.0)
        r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    r = r[np.isfinite(r) & (count > 2)]
    return float(np.arctanh(r.clip(-1 + _NOTHING, 1 - _NOTHING)).std(ddof=1)) if r.size > 1 else float("nan")


def _profiles(
    labels: pd.DataFrame, features: FeatureTable, keys: pd.MultiIndex, draws: int, seed: int
) -> dict[str, Values]:
    """Profiles by scale, (draws, segments, features), of customers drawn anew."""
    own = labels.sort_values("lifestage", key=lambda names: names == EVERYBODY, kind="stable")
    stratum = own.drop_duplicates("customer_id").set_index("customer_id")["lifestage"].sort_index()
    values = features.values.loc[stratum.index]
    varies = (values.max() > values.min()).to_numpy()
    deviation = values.std(ddof=0).to_numpy()
    standard = (values.to_numpy() - values.mean().to_numpy()) / np.where(varies, deviation, 1.0)
    place = pd.Series(np.arange(len(stratum)), index=stratum.index)
    rows = {name: place[part].to_numpy() for name, part in labels.groupby("lifestage")["customer_id"]}
    inside = labels[labels["segment"] != NOISE]
    cells = {key: place[part].to_numpy() for key, part in inside.groupby(_KEY)["customer_id"]}
    found = {scale: np.full((draws, len(keys), standard.shape[1]), np.nan) for scale in (WITHIN, COMMON)}
    begin = 0
    with one_thread():  # sums of several threads differ in their last digits
        for weights in _weights(stratum, draws, seed):
            end = begin + len(weights)
            whole = _moments(weights, standard, np.arange(len(stratum)))
            of_stage = {name: _moments(weights, standard, own_rows) for name, own_rows in rows.items()}
            for number, key in enumerate(keys):
                mean, _ = _moments(weights, standard, cells[key])
                for scale, (middle, width) in ((COMMON, whole), (WITHIN, of_stage[key[0]])):
                    with np.errstate(invalid="ignore", divide="ignore"):
                        found[scale][begin:end, number] = (mean - middle) / width
            begin = end
    return found


def _weights(stratum: "pd.Series[str]", draws: int, seed: int) -> Iterator[Values]:
    """How often each customer is drawn, (up to 50, customers), as many from each stratum as it has."""
    rng = np.random.default_rng(seed)
    names = stratum.to_numpy(dtype=object)
    parts = [np.flatnonzero(names == name) for name in sorted(set(names))]
    for begin in range(0, draws, _AT_ONCE):
        weights = np.zeros((min(_AT_ONCE, draws - begin), len(stratum)))
        for part in parts:
            weights[:, part] = rng.multinomial(part.size, np.full(part.size, 1 / part.size), size=len(weights))
        yield weights


def _moments(weights: Values, values: Values, rows: npt.NDArray[np.int64]) -> tuple[Values, Values]:
    """Weighted mean and standard deviation (draws, features) of these rows; NaN where there is none."""
    part, drawn = values[rows], weights[:, rows]
    count = drawn.sum(axis=1)[:, np.newaxis]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = drawn @ part / count
        variance = drawn @ part**2 / count - mean**2
    return mean, np.sqrt(np.where(variance > _NOTHING, variance, np.nan))
