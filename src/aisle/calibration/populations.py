"""Populations whose truth is known: clouds without clusters, bands, and planted segments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.evidence.null import null_of
from aisle.features.table import FeatureTable

Values = npt.NDArray[np.float64]


class Population(Protocol):
    """What customers are drawn from. ``segments`` is how many clusters it has, 0 for none."""

    @property
    def customers(self) -> int:
        """How many are drawn."""
        ...

    @property
    def segments(self) -> int: ...

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        """A feature table of ``customers`` rows, the same for a seed."""
        ...


@dataclass(frozen=True)
class Normal:
    """N(0, I)."""

    customers: int
    columns: int
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        return _table(np.random.default_rng(seed).standard_normal((self.customers, self.columns)))


@dataclass(frozen=True)
class LongAxis:
    """A normal cloud ``times`` longer in one direction, which is turned at random: no column shows it alone."""

    customers: int
    columns: int
    times: float
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        rng = np.random.default_rng(seed)
        values = rng.standard_normal((self.customers, self.columns))
        values[:, 0] *= self.times
        return _table(values @ _turn(rng, self.columns))


@dataclass(frozen=True)
class Lognormal:
    """Independent columns, the logarithm of each N(0, 1): many silhouettes are high, and there is no cluster."""

    customers: int
    columns: int
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        return _table(np.exp(np.random.default_rng(seed).standard_normal((self.customers, self.columns))))


@dataclass(frozen=True)
class NormalsAndLevels:
    """``columns`` of N(0, 1), and a category of ``levels`` equally likely levels as one-hot columns."""

    customers: int
    columns: int
    levels: int
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((self.customers, self.columns))
        return _table(np.hstack([normal, np.eye(self.levels)[rng.integers(0, self.levels, self.customers)]]))


@dataclass(frozen=True)
class Dirichlet:
    """One composition: shares with these parameters, which add up to 1."""

    customers: int
    parameters: tuple[float, ...]
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        return _table(np.random.default_rng(seed).dirichlet(self.parameters, self.customers))


@dataclass(frozen=True)
class Band:
    """``share`` of a circle of radius 1, evenly filled, with normal noise of standard deviation ``noise``.

    It has no clusters, but cut across it shows a gap along the straight line between its parts: the test's limit.
    """

    customers: int
    share: float
    noise: float
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        rng = np.random.default_rng(seed)
        angle = 2 * np.pi * self.share * rng.random(self.customers)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        return _table(circle + self.noise * rng.standard_normal((self.customers, 2)))


@dataclass(frozen=True, eq=False)
class Copula:
    """A Gaussian copula with the columns and rank correlations of observed ``features``; see `aisle.evidence.null`.

    The marginals are those of ``customers`` of the observed rows, drawn anew each time, without repeats.

    Raises:
        ValueError: more customers are asked for than were observed.
    """

    customers: int
    features: FeatureTable
    segments: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.customers > len(self.features.values):
            raise ValueError(
                f"A copula of {self.customers} customers needs as many observed ones; there are "
                f"{len(self.features.values)}."
            )

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(len(self.features.values), self.customers, replace=False))
        part = FeatureTable(self.features.values.iloc[rows], self.features.cohort.iloc[rows]).varying()
        return null_of(part, kind="copula", seed=int(rng.integers(2**31))).draw(0)


@dataclass(frozen=True)
class Planted:
    """Round segments of unit variance, any two centres ``apart`` standard deviations from each other.

    ``shares`` of the customers add up to 1; the last segment is rounded up, the first takes what is left. The centres
    are turned at random, so that every column tells them apart a little.

    Raises:
        ValueError: shares do not add up to 1, or there are more segments than columns.
    """

    customers: int
    columns: int
    shares: tuple[float, ...]
    apart: float

    def __post_init__(self) -> None:
        if abs(sum(self.shares) - 1) > 1e-9 or min(self.shares) <= 0:
            raise ValueError(f"Shares of planted segments must be above 0 and add up to 1; got {self.shares}.")
        if len(self.shares) > self.columns:
            raise ValueError(f"{len(self.shares)} planted segments need as many columns; got {self.columns}.")

    @property
    def segments(self) -> int:
        return len(self.shares)

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        rng = np.random.default_rng(seed)
        sizes = [int(np.ceil(round(share * self.customers, 6))) for share in self.shares]
        sizes[0] = self.customers - sum(sizes[1:])
        centres = self.apart / np.sqrt(2) * _turn(rng, self.columns)[: self.segments]
        centre = rng.permutation(np.repeat(np.arange(self.segments), sizes))
        return _table(centres[centre] + rng.standard_normal((self.customers, self.columns)))


def shares_of(labels: Sequence[int]) -> tuple[float, ...]:
    """Shares of the labels 0..k-1 among all, noise included.

    >>> shares_of([0, 0, 1, -1])
    (0.5, 0.25)
    """
    numbers = np.asarray(labels)
    return tuple((np.bincount(numbers[numbers >= 0]) / numbers.size).tolist())


def _turn(rng: np.random.Generator, columns: int) -> Values:
    """A random rotation (columns, columns)."""
    turn, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    return np.asarray(turn)


def _table(values: Values) -> FeatureTable:
    index = pd.Index([f"c{number:06d}" for number in range(len(values))], name="customer_id")
    columns = [f"column_{number}" for number in range(values.shape[1])]
    frame = pd.DataFrame(values, index=index, columns=columns, dtype=np.float64)
    return FeatureTable(frame, pd.Series("all", index=index, dtype=str))
