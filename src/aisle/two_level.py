"""Segments within segments: what two levels are together, what they may be called, and whether they are worth it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.candidate import REFERENCE, reference_space, score
from aisle.evidence import CLASSES, CONSTRUCTIVE, SEPARATED
from aisle.features.table import FeatureTable
from aisle.leaderboard import RANKED_BY
from aisle.partition import NOISE, Partition
from aisle.selection import Verdict

_PREFIX: Final = "segment_"


def cohort_of(segment: int) -> str:
    """What the customers of a first-level segment are called where each is clustered by itself.

    >>> cohort_of(1)
    'segment_1'
    """
    return f"{_PREFIX}{segment}"


def permitted_class(first: str | None, second: str | None) -> str | None:
    """The class of segments inside a segment: no cut inside a cut of a continuum is more than constructive.

    >>> permitted_class("separated", "reproducible"), permitted_class("reproducible", "separated")
    ('reproducible', 'constructive')
    """
    if second is None or first is None or first == SEPARATED:
        return second
    return CLASSES[max(CLASSES.index(second), CLASSES.index(CONSTRUCTIVE))]


def nested(first: "pd.Series[int]", second: "pd.Series[int]") -> "pd.Series[str]":
    """Names of the segments of two levels by customer: "0_1", or "0" where the first is not divided; "" is none.

    ``second`` has the customers of the divided segments only; -1 is none in either.

    >>> nested(pd.Series([0, 0, 1, -1]), pd.Series([0, -1])).tolist()
    ['0_0', '', '1', '']
    """
    names = first.astype(str).where(first != NOISE, "")
    inside = second.reindex(first.index)
    deeper = names + "_" + inside.fillna(NOISE).astype("int64").astype(str)
    named = names.where(inside.isna() | (names == ""), deeper.where(inside != NOISE, ""))
    return named.rename("segment")


@dataclass(frozen=True, eq=False)
class Levels:
    """``sizes``: a row per segment of two levels; scores are ranking scores in the reference space of everybody.

    ``rival`` is the best eligible partition of everybody at once into as many segments, None where there is none: its
    score, what made it, and its adjusted Rand index with the two levels.
    """

    sizes: pd.DataFrame
    first_score: float
    score: float
    rival: Mapping[str, float | str] | None
    sentences: tuple[str, ...]


def levels(
    features: FeatureTable,
    labels: "pd.Series[str]",
    first: "pd.Series[int]",
    *,
    above: Verdict,
    below: Mapping[str, Verdict],
    flat: tuple[str, "pd.Series[int]"] | None,
) -> Levels:
    """What the segments of two levels, ``labels`` by customer of all ``features``, amount to.

    ``first`` are those of the first level, ``above`` its verdict, ``below`` the verdicts inside its segments by
    `cohort_of`. ``flat`` is what made the best partition of everybody into as many segments, and its labels.
    """
    codes = np.where(labels == "", NOISE, pd.factorize(labels, sort=True)[0])
    partitions = [first, Partition.numbered(codes, labels.index).labels, *([flat[1]] if flat else [])]
    space = reference_space(features)  # its rows have an order of their own
    labelings = np.array([one.loc[space.index] for one in partitions], dtype=np.int64)
    scores = [found[RANKED_BY] for found in score(labelings, {REFERENCE: space.to_numpy()})]
    rival: dict[str, float | str] | None = None
    if flat:
        agreed = float(adjusted_rand_score(labelings[1], labelings[2]))
        rival = {"method": flat[0], "score": scores[2], "rand": agreed}
    told = _sizes(labels, above, below)
    return Levels(told, scores[0], scores[1], rival, tuple(_sentences(told, above, below, scores, rival)))


def _sizes(labels: "pd.Series[str]", above: Verdict, below: Mapping[str, Verdict]) -> pd.DataFrame:
    counts = labels[labels != ""].value_counts().sort_index()
    rows = []
    for name, count in counts.items():
        outer = str(name).split("_")[0]
        inside = below.get(cohort_of(int(outer)))
        divided = "_" in str(name)
        own = (
            permitted_class(above.evidence_class, inside.evidence_class) if inside and divided else above.evidence_class
        )
        chosen = inside.chosen if inside and divided else above.chosen
        told = {"segment": name, "customer_count": int(count), "customer_share": float(count / len(labels))}
        rows.append({**told, "class": own or "", "made_by": str(chosen) if chosen else ""})
    return pd.DataFrame(rows, columns=["segment", "customer_count", "customer_share", "class", "made_by"])


def _sentences(
    sizes: pd.DataFrame,
    above: Verdict,
    below: Mapping[str, Verdict],
    scores: list[float],
    rival: Mapping[str, float | str] | None,
) -> list[str]:
    inner = {name: [one for one in sizes["segment"] if one.startswith(f"{_outer(name)}_")] for name in below}
    told = [
        f"segment {_outer(name)} is divided into {len(own)}" if own else f"segment {_outer(name)} is not divided"
        for name, own in sorted(inner.items())
    ]
    count = above.chosen.n_clusters if above.chosen else 0
    found = [f"The first level has {count} segments ({above.evidence_class or 'not judged'}); {', '.join(told)}."]
    if above.evidence_class not in (SEPARATED, None) and any(inner.values()):
        found.append(
            f"The first level is itself a cut of a continuum ({above.evidence_class}), so what is inside of it is at "
            "most constructive: usable for targeting, not types of people."
        )
    compared = (
        f"In the space of everybody the {len(sizes)} segments of two levels have a ranking score of {scores[1]:.3f}"
    )
    compared += f", the first level alone {scores[0]:.3f}"
    if rival:
        compared += (
            f", the best eligible partition of everybody at once into {len(sizes)} ({rival['method']}) "
            f"{rival['score']:.3f}; the two agree by an adjusted Rand index of {rival['rand']:.2f}"
        )
    return [*found, f"{compared}."]


def _outer(cohort: str) -> int:
    return int(cohort.removeprefix(_PREFIX))
