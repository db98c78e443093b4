"""Methods compared by the use of their segments: what each foresees within a lifestage, beyond the base rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from aisle.features.table import EVERYBODY, FeatureTable
from aisle.partition import NOISE
from aisle.promotions.earlier_segments import Dated
from aisle.promotions.gains import Resamples, interval, log_losses, squared_losses
from aisle.promotions.predictors import BASE, predictions

_NAME: Final = "rival"


@dataclass(frozen=True, eq=False)
class Question:
    """An outcome to be foreseen: its column ``name`` of ``rows`` (see `predictions`, with customer_id).

    ``kind`` is "share" where it is boolean, "number" where it is one.
    """

    name: str
    rows: pd.DataFrame
    kind: str


def use_columns(names: "list[str]") -> list[str]:
    """The columns of the leaderboard for outcomes of these names."""
    return [f"use/{name}_gain{end}" for name in names for end in ("", "_low", "_high")]


def use(
    lifestage: str,
    segments: Mapping[date, Dated],
    features: Mapping[date, FeatureTable],
    questions: Sequence[Question],
    *,
    rates: Mapping[str, Any],
    fewest: int,
    draws: int,
    confidence: float,
    seed: int,
) -> dict[str, float]:
    """By column of `use_columns`: how much the loss of every outcome falls where the segments of the day are known.

    Only customers of the ``lifestage`` count, beside the base rate of their lifestage; above 0 is better, NaN = cannot
    be told, as too little was over before any day. ``features`` are those made from the baskets before each day.
    """
    by_day: dict[date, pd.Series[int]] = {}
    for day, dated in segments.items():
        own = dated.labels[dated.labels["lifestage"] == lifestage]
        by_day[day] = own.set_index("customer_id")["segment"]
    everybody = lifestage == EVERYBODY
    members = {day: table.cohort.index[everybody | (table.cohort == lifestage)] for day, table in features.items()}
    found: dict[str, float] = dict.fromkeys(use_columns([one.name for one in questions]), float("nan"))
    for question in questions:
        rows, predicted = _foreseen(question, by_day, members, rates[question.kind], fewest)
        ends = _gain(rows, predicted, question.name, draws, confidence, seed)
        found.update(zip(use_columns([question.name]), ends, strict=True))
    return found


def _foreseen(
    question: Question,
    by_day: "Mapping[date, pd.Series[int]]",
    members: Mapping[date, pd.Index],
    rates: Any,
    fewest: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The question's rows of the lifestage, and what the base rate and the segments expect of them."""
    parts = [question.rows.iloc[:0].assign(**{_NAME: ""})]
    groups: Any = question.rows.groupby("start_date")
    for day, rows in groups:
        own = rows[rows["customer_id"].isin(members[day])]
        segment = by_day[day].reindex(own["customer_id"]).fillna(NOISE).astype("int64").astype("str")
        parts.append(own.assign(**{_NAME: segment.to_numpy()}))
    rows = pd.concat([part for part in parts if len(part)] or parts)
    predicted = predictions(
        rows,
        question.name,
        levels={BASE: (), _NAME: (_NAME,)},
        numbers=None,
        rates=rates,
        ceiling=None,
        fewest=fewest,
    )
    return rows, predicted


def _gain(
    rows: pd.DataFrame, predicted: pd.DataFrame, outcome: str, draws: int, confidence: float, seed: int
) -> tuple[float, float, float]:
    known = predicted.notna().all(axis=1)
    if not known.any():
        return (float("nan"),) * 3
    actual = rows.loc[known, outcome]
    losses = log_losses if pd.api.types.is_bool_dtype(actual) else squared_losses
    wanted = actual.to_numpy(dtype=np.float64)
    number = np.unique(rows.loc[known, "customer_id"].to_numpy(dtype=str), return_inverse=True)[1]
    resamples = Resamples.of(number, draws=draws, seed=seed)
    base, own = (losses(wanted, predicted.loc[known, name].to_numpy()) for name in (BASE, _NAME))
    return interval(resamples.mean(base - own), confidence)
