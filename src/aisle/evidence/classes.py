"""What the measures of a partition amount to: the class of a verdict, by thresholds declared before the study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SEPARATED: Final = "separated"
REPRODUCIBLE: Final = "reproducible"
CONSTRUCTIVE: Final = "constructive"
DO_NOT_SEGMENT: Final = "do not segment"
CLASSES: Final = (SEPARATED, REPRODUCIBLE, CONSTRUCTIVE, DO_NOT_SEGMENT)
"""From the strongest to none."""


@dataclass(frozen=True)
class Thresholds:
    """Below which p-value, and from which score on, a measure speaks for a partition.

    ``separated``, ``reproducible`` and ``constructive`` are Jaccard coefficients: of the worst segment for the first
    two, of the mean for the last. ``first_class``: whether so few resamples may award "separated" at all.

    Raises:
        ValueError: a threshold is out of [0, 1], or a better class asks for less than a worse one.
    """

    valley_p: float = 0.05
    null_p: float = 0.05
    separated: float = 0.85
    reproducible: float = 0.75
    constructive: float = 0.6
    strength: float = 0.8
    replication: float = 0.7
    first_class: bool = True

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "first_class" and not (isinstance(value, float | int) and 0 <= value <= 1):
                raise ValueError(f"evidence.thresholds.{name} must be in [0, 1]; got {value!r}.")
        if not isinstance(self.first_class, bool):
            raise ValueError(f"evidence.thresholds.first_class must be true or false; got {self.first_class!r}.")
        if not self.constructive <= self.reproducible <= self.separated:
            raise ValueError(
                "evidence.thresholds must rise from constructive over reproducible to separated; got "
                f"{self.constructive}, {self.reproducible}, {self.separated}."
            )


@dataclass(frozen=True)
class Finding:
    """One measure against its threshold: what it is called, its value, what was asked, and whether it was met."""

    measure: str
    value: float
    asked: str
    met: bool


def findings(measures: Mapping[str, float], thresholds: Thresholds) -> tuple[Finding, ...]:
    """Every measure of the verdict against its threshold; an undefined one (NaN) is not met."""
    t = thresholds
    below = (("valley_p", t.valley_p), ("null_p", t.null_p))
    least = (
        ("jaccard_worst", t.separated),
        ("strength", t.strength),
        ("replication", t.replication),
        ("jaccard_worst", t.reproducible),
        ("jaccard_mean", t.constructive),
    )
    strict = {"replication"}
    return (
        *(Finding(name, measures[name], f"< {limit:g}", bool(measures[name] < limit)) for name, limit in below),
        *(
            Finding(
                name,
                measures[name],
                f"{'>' if name in strict else '>='} {limit:g}",
                bool(measures[name] > limit if name in strict else measures[name] >= limit),
            )
            for name, limit in least
        ),
    )


def class_of(measures: Mapping[str, float], thresholds: Thresholds) -> str:
    """The class of a partition from its measures (see `aisle.evidence.dossier.MEASURES`).

    separated: a valley at every segment, the null rejected, every Jaccard coefficient, prediction strength and
    replication high. reproducible: every segment comes back and the partition is replicated. constructive: segments
    come back on average. Otherwise: do not segment.

    >>> low = dict(n_clusters=2, valley_p=1, null_p=1, jaccard_worst=.8, jaccard_mean=.8, strength=.7, replication=.9)
    >>> class_of(low, Thresholds())
    'reproducible'
    """
    if not measures["n_clusters"] >= 2:
        return DO_NOT_SEGMENT
    valley, null, separated, strength, replicated, reproducible, constructive = (
        finding.met for finding in findings(measures, thresholds)
    )
    if thresholds.first_class and valley and null and separated and strength and replicated:
        return SEPARATED
    if reproducible and replicated:
        return REPRODUCIBLE
    return CONSTRUCTIVE if constructive else DO_NOT_SEGMENT
