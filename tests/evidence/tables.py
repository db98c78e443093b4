"""Tables of evidence as the dossier writes them, for the tests of figures."""

import numpy as np
import pandas as pd

from aisle.evidence import MEASURES, Thresholds, class_of
from aisle.evidence.valley import BINS, EDGES, valleys

KS = (2, 3, 4, 5, 6, 7, 8, 9)
METHODS = ("kmeans", "ward", "gaussian_mixture", "agglomerative linkage=average metric=cosine", "hdbscan")


def measures(methods: tuple[str, ...] = METHODS, reducer: str = "pca", seed: int = 1) -> pd.DataFrame:
    """The rows of one lifestage: every method examined, and its twin without reduction screened."""
    rng = np.random.default_rng(seed)
    rows = []
    for method in methods:
        for own, stage in ((reducer, "examined"), ("none", "screened")):
            for k in (2, 3, 3, 5) if method == "hdbscan" else KS:
                found: dict[str, float] = dict.fromkeys(MEASURES, 0.0)
                score = 0.3 / np.sqrt(k) + rng.normal(scale=0.03)
                drawn = stage == "examined"
                found |= {
                    "n_clusters": k,
                    "ranking_score": score,
                    "null_mean": 0.25 / np.sqrt(k) if drawn else np.nan,
                    "null_sd": 0.02 if drawn else np.nan,
                    "null_p": rng.uniform() if drawn else np.nan,
                    "valley_p": rng.uniform(),
                    "jaccard_worst": rng.uniform(0, 0.9),
                    "jaccard_mean": rng.uniform(0.5, 1),
                    "strength": rng.uniform(),
                    "replication": rng.uniform(-0.05, 1),
                }
                rows.append(
                    {
                        "lifestage": "YA",
                        "features": "baskets",
                        "scaler": "standard",
                        "reducer": own,
                        "clusterer": method,
                        "candidate_key": f"{method}-{own}",
                        "tuning_value": float(k),
                        **found,
                        "class": class_of(found, Thresholds()),
                        "stage": stage,
                        "category": "",
                    }
                )
    return pd.DataFrame(rows)


def segments(ks: tuple[int, ...] = KS, values: tuple[float, ...] | None = None, seed: int = 1) -> pd.DataFrame:
    """The segments of one candidate."""
    rng = np.random.default_rng(seed)
    names = {"lifestage": "YA", "features": "baskets", "scaler": "standard", "reducer": "pca"}
    names |= {"clusterer": "agglomerative linkage=average metric=cosine", "candidate_key": "key"}
    return pd.DataFrame(
        {
            **names,
            "tuning_value": float(value),
            "segment": segment,
            "customer_count": 1000 // k,
            "jaccard": rng.uniform(0.3, 1),
            "dissolved": 0.0,
            "valley_p": rng.uniform(),
        }
        for k, value in zip(ks, values or ks, strict=True)
        for segment in range(k)
    )


def gaps(segments: int = 3, apart: float = 6.0, seed: int = 1) -> pd.DataFrame:
    """The gaps of ``segments`` planted segments ``apart`` standard deviations from each other, on one split."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(segments), 150)
    centres = apart / np.sqrt(2) * np.eye(max(segments, 2))[:segments]
    known, new = (centres[labels] + rng.normal(size=(labels.size, max(segments, 2))) for _ in range(2))
    centres_of_bins = EDGES[0] + (np.arange(BINS) + 0.5) * (EDGES[1] - EDGES[0]) / BINS
    rows = [
        {
            "candidate_key": "key",
            "tuning_value": float(segments),
            "segment": valley.cluster,
            "neighbour": valley.neighbour,
            "valley_p": valley.p,
            "position": centres_of_bins[place],
            "share": valley.counts[place] / valley.counts.sum(),
        }
        for valley in valleys(known, labels, new, labels)
        for place in np.flatnonzero(valley.counts)
    ]
    return pd.DataFrame(rows)


def labelings(ks: tuple[int, ...] = KS, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Labels of 400 customers cut from one hidden order, shaken, with a ``noise`` share of noise."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(size=400)
    index = pd.Index([f"c{number:03d}" for number in range(400)], name="customer_id")
    found = {}
    for k in ks:
        labels = np.clip(((place + rng.normal(scale=0.03, size=400)) * k).astype(np.int64), 0, k - 1)
        labels[:k] = np.arange(k)
        found[k] = np.where(rng.uniform(size=400) < noise, -1, labels)
        found[k][:k] = np.arange(k)
    return pd.DataFrame(found, index=index)


def scores(methods: tuple[str, ...] = METHODS, lifestages: int = 6, seed: int = 1) -> pd.DataFrame:
    """Scores of methods in every lifestage; the last has nothing in the first lifestage."""
    rng = np.random.default_rng(seed)
    level = np.linspace(0.3, 0.1, len(methods))
    table = pd.DataFrame(level + rng.normal(scale=0.02, size=(lifestages, len(methods))), columns=list(methods))
    table.iloc[0, -1] = np.nan
    return table.rename(index=lambda number: f"L{number}")


def effects(counts: dict[str, int], seed: int = 4) -> pd.DataFrame:
    """The table of honest differences of lifestages with so many features that were tested, and one that was not."""
    rng = np.random.default_rng(seed)
    parts = []
    for lifestage, count in counts.items():
        both = rng.uniform(0, 0.5, (2, count)) ** 2
        weaker = np.sort(both.min(axis=0))[::-1]
        tested = pd.DataFrame(
            {
                "lifestage": lifestage,
                "feature": [f"basket_price_sensitivity_{number}_share" for number in range(count)],
                "differs": weaker > 0.02,
                "epsilon_squared": weaker,
                "epsilon_squared_baskets": weaker,
                "epsilon_squared_weeks": weaker + rng.uniform(0, 0.1, count),
                "untested": "",
            }
        )
        constant = tested.head(1).assign(
            feature="price_sensitivity_LA", differs=False, untested="the same in both halves"
        )
        empty = ["epsilon_squared", "epsilon_squared_baskets", "epsilon_squared_weeks"]
        parts += [tested, constant.assign(**dict.fromkeys(empty, np.nan))]
    return pd.concat(parts, ignore_index=True)
