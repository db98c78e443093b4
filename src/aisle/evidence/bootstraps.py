"""What bootstrap samples of the customers say of a candidate: in pairs, each sample clustered once for all measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context

from aisle.assignment import assign
from aisle.evidence.agreement import count, replicated
from aisle.evidence.consensus import NOT_SAMPLED, ambiguity, chosen_customers, cluster_consensus, consensus
from aisle.evidence.instability import disagreement
from aisle.evidence.resamples import Found, Pipelines
from aisle.evidence.stability import best_in_part, standardised
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Resampled:
    """What one bootstrap sample says of a candidate's m partitions.

    ``jaccards``: of each partition (k,), NaN for a cluster without a customer in the sample. ``members`` (m, c): the
    clusters of the customers whose pairs are looked at, as `aisle.evidence.consensus` takes them.
    """

    jaccards: tuple[Values, ...]
    members: npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Pair:
    """What a pair of bootstrap samples says of a candidate's m partitions.

    ``samples`` are those that could be clustered, ``failures`` the sentences of the others. ``rand`` and
    ``instability`` (m,): adjusted Rand index and disagreement of the two rules over all customers; None unless both
    were clustered.
    """

    samples: tuple[Resampled, ...]
    failures: tuple[str, ...]
    rand: Values | None
    instability: Values | None


@dataclass(frozen=True, eq=False)
class Bootstrapped:
    """What all bootstrap samples say of one partition with k clusters; NaN where nothing is defined.

    ``jaccards`` (k,): mean over the samples of the best Jaccard coefficient between the cluster's customers who were
    drawn and a cluster of the sample, in [0, 1], higher is better (Hennig 2007). ``rand``: mean adjusted Rand index of
    pairs of samples, after both rules have assigned everybody, at most 1, higher is better (Dolnicar & Leisch 2010).
    ``instability``: the mean share of pairs of customers on which the two rules disagree, in [0, 1], lower is better
    (Fang & Wang 2012). ``ambiguity``: PAC, in [0, 1], lower is better (Senbabaoglu, Michailidis & Li 2014).
    ``consensus`` (k,): each cluster's mean consensus index, in [0, 1], higher is better (Monti et al. 2003).
    """

    jaccards: Values
    rand: float
    instability: float
    ambiguity: float
    consensus: Values


def draw(customers: int, *, number: int, seed: int) -> Labels:
    """Places, ascending, of the customers of bootstrap sample ``number``: as many as there are, drawn with replacement.

    The same for a seed, and no split has drawn from the same numbers.
    """
    return np.sort(np.random.default_rng([seed, number, 1]).integers(0, customers, customers))


def resample(
    features: FeatureTable, pipelines: Pipelines, labelings: Mapping[str, Labels], *, number: int
) -> dict[str, Pair]:
    """Bootstrap samples 2 ``number`` and 2 ``number`` + 1 on every candidate.

    ``labelings`` are their partitions (m, n) of all customers, by clusterer. Scaler, reducer and clusterer see a
    customer as often as they were drawn, and so does a centroid. Clusters are compared on the different customers of
    a sample. R's fpc::clusterboot clusters these alone, each once, unless asked otherwise; its coefficients are a few
    hundredths higher for that.
    """
    values, size = features.values, len(features.values)
    chosen = chosen_customers(size, seed=pipelines.seed)
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        drawn = [draw(size, number=2 * number + which, seed=pipelines.seed) for which in (0, 1)]
        found = [_clustered(features, pipelines, places) for places in drawn]
        spaces = [standardised(values, places) for places in drawn]
        different = [np.unique(places, return_counts=True) for places in drawn]
        pairs = {}
        for name, full in labelings.items():
            samples, failures, assigned = [], [], []
            for labels, (places, times), space in zip((one[name] for one in found), different, spaces, strict=True):
                if isinstance(labels, str):
                    failures.append(labels)
                else:
                    samples.append(_resampled(full, labels, places, chosen))
                    assigned.append(assign(space[places], labels, space, times))
            rand = instability = None
            if len(assigned) == 2:
                rand = np.array([replicated(*rows) for rows in zip(*assigned, strict=True)])
                instability = np.array([disagreement(*rows) for rows in zip(*assigned, strict=True)])
            pairs[name] = Pair(tuple(samples), tuple(failures), rand, instability)
    return pairs


def _clustered(features: FeatureTable, pipelines: Pipelines, places: Labels) -> Found:
    """Labels (m, d) of the d different customers of a sample; equal rows that were parted count where the first is."""
    rows = features.values.iloc[places].set_axis(pd.RangeIndex(places.size))
    cohort = features.cohort.iloc[places].set_axis(rows.index)
    first = np.unique(places, return_index=True)[1]
    found = pipelines.cluster(FeatureTable(rows, cohort))
    return {name: labels if isinstance(labels, str) else labels[:, first] for name, labels in found.items()}


def _resampled(full: Labels, own: Labels, places: Labels, chosen: Labels) -> Resampled:
    jaccards = tuple(best_in_part(labels[places], row, count(labels)) for labels, row in zip(full, own, strict=True))
    members = np.full(full.shape, NOT_SAMPLED, dtype=np.int16)
    members[:, places] = own
    return Resampled(jaccards, members[:, chosen])


def bootstrapped(pairs: Sequence[Pair], labels: Labels, place: int, *, seed: int) -> Bootstrapped:
    """All pairs on partition ``place`` of a candidate, ``labels`` (n,) of all customers; ``seed`` as in the pipelines.

    All is NaN below two clusters, where everything agrees.
    """
    clusters, samples = count(labels), [sample for pair in pairs for sample in pair.samples]
    if clusters < 2 or not samples:
        undefined = np.full(clusters, np.nan)
        return Bootstrapped(undefined, np.nan, np.nan, np.nan, undefined)
    jaccards = np.array([sample.jaccards[place] for sample in samples])
    known = ~np.isnan(jaccards)
    means = np.full(clusters, np.nan)
    np.divide(np.where(known, jaccards, 0.0).sum(axis=0), known.sum(axis=0), out=means, where=known.any(axis=0))
    indices = consensus(np.array([sample.members[place] for sample in samples]))
    inside = cluster_consensus(indices, labels[chosen_customers(labels.size, seed=seed)], clusters)
    return Bootstrapped(
        means,
        _mean([pair.rand[place] for pair in pairs if pair.rand is not None]),
        _mean([pair.instability[place] for pair in pairs if pair.instability is not None]),
        ambiguity(indices),
        inside,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
