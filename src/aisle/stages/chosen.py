"""What was chosen for a lifestage, out of the candidate store, to be computed with again."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from aisle.features import FeatureTable
from aisle.selection import Choice
from aisle.storage import CandidateStore, candidate_key, rebuilt


@dataclass(frozen=True, eq=False)
class ChosenCandidate:
    """The parts of a candidate, unfitted, the place of the chosen tuning value on its path, and the labels there."""

    scaler: Any
    reducer: Any
    clusterer: Any
    seed: int
    place: int
    labels: "pd.Series[int]"


def chosen_candidate(lifestage: str, choice: Choice, features: FeatureTable, store: CandidateStore) -> ChosenCandidate:
    """The candidate of ``choice``; ``features`` are those of the lifestage.

    Raises:
        FileNotFoundError: it is not in the store.
        ValueError: it was computed from other features or by other code than there are now.
    """
    record = store.read(choice.candidate_key)
    parts = {name: rebuilt(record.facts[name]) for name in ("scaler", "reducer", "clusterer")}
    seed = record.facts["seed"]
    if candidate_key(features.digest(), **parts, seed=seed) != choice.candidate_key:
        raise ValueError(
            f"{lifestage}: candidate {choice.candidate_key} was computed from other features or by other code than "
            f"there are now; run the study again."
        )
    place = [float(value) for value in record.path.partitions].index(choice.tuning_value)
    labels = list(record.path.partitions.values())[place].labels
    return ChosenCandidate(**parts, seed=seed, place=place, labels=labels)
