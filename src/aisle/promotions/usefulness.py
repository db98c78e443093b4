"""Do segments say who will respond next time: beside lifestage alone, and beside all that is known of a customer?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.promotions.gains import Resamples, calibration_error, interval, log_losses, squared_losses
from aisle.promotions.predictors import BASE, BOTH, CEILING, LIFESTAGE

Values = npt.NDArray[np.float64]

USEFULNESS: Final = {
    "outcome": "string",
    "predictor": "string",
    "row_count": "int64",
    "customer_count": "int64",
    "outcome_mean": "float64",
    "predicted_mean": "float64",
    "loss": "float64",
    "auc": "float64",
    "auc_low": "float64",
    "auc_high": "float64",
    "lift": "float64",
    "lift_low": "float64",
    "lift_high": "float64",
    "calibration_error": "float64",
    "gain": "float64",
    "gain_low": "float64",
    "gain_high": "float64",
    "over_lifestage": "float64",
    "over_lifestage_low": "float64",
    "over_lifestage_high": "float64",
    "captured": "float64",
    "captured_low": "float64",
    "captured_high": "float64",
}
"""Columns of the table of usefulness, a row per outcome and predictor.

``loss`` is the mean log loss (of a number: squared error), lower is better; ``gain`` how much lower it is than that of
the base rate, ``over_lifestage`` than that of lifestage alone; ``captured`` is the gain as a share of the per-customer
model's, NaN where that model itself gains nothing for sure.
"""
_REFERENCES: Final = {"gain": BASE, "over_lifestage": LIFESTAGE}


@dataclass(frozen=True)
class Answer:
    """Whether the segments are ``useful`` for an outcome: they predict it better than lifestage alone, for sure."""

    outcome: str
    useful: bool
    sentence: str


def usefulness(
    outcome: str,
    wanted: "pd.Series[Any]",
    predicted: pd.DataFrame,
    customers: "pd.Series[str]",
    *,
    draws: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """`USEFULNESS` of every predictor (column of ``predicted``), over the rows that all of them predict.

    ``wanted`` is boolean, or the logarithm of one plus an amount, whose lift is that of the amount. Intervals are of
    ``draws`` resamples of the ``customers``, the trained predictors being what they are.
    """
    known = predicted.notna().all(axis=1)
    actual = wanted[known].to_numpy(dtype=np.float64)
    if not actual.size:
        return pd.DataFrame(columns=list(USEFULNESS)).astype(USEFULNESS)
    two = bool(pd.api.types.is_bool_dtype(wanted))
    number = np.unique(customers[known].to_numpy(dtype=str), return_inverse=True)[1]
    resamples = Resamples.of(number, draws=draws, seed=seed)
    losses = log_losses if two else squared_losses
    told_by = {str(name): predicted[name].to_numpy()[known] for name in predicted}
    means = {name: resamples.mean(losses(actual, told)) for name, told in told_by.items()}
    ceiling = means[BASE] - means[CEILING] if CEILING in means else np.full(1 + draws, np.nan)
    sure = interval(ceiling, confidence)[1] > 0
    references = {column: name for column, name in _REFERENCES.items() if name in means}
    rows = []
    for name, told in told_by.items():
        row: dict[str, Any] = {
            "outcome": outcome,
            "predictor": name,
            "row_count": actual.size,
            "customer_count": int(number.max()) + 1,
            "outcome_mean": actual.mean(),
            "predicted_mean": told.mean(),
            "loss": means[name][0],
            "calibration_error": calibration_error(actual, told),
        }
        nothing = np.full(1 + draws, np.nan)
        gain = means[BASE] - means[name]
        drawn = {
            "auc": resamples.area_under_curve(actual, told) if two else nothing,
            "lift": resamples.lift(actual if two else np.expm1(actual), told),
            **{column: means[known_less] - means[name] for column, known_less in references.items()},
            "captured": np.divide(gain, ceiling, out=nothing.copy(), where=ceiling > 0) if sure else nothing,
        }
        for column, values in drawn.items():
            row[column], row[f"{column}_low"], row[f"{column}_high"] = interval(values, confidence)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=list(USEFULNESS)).astype(USEFULNESS)


def answer(table: pd.DataFrame, outcome: str, told: str) -> Answer:
    """The answer for one outcome of the table of `usefulness`; ``told`` says the outcome in words."""
    rows: Mapping[Any, Any] = table[table["outcome"] == outcome].set_index("predictor").to_dict("index")
    if BOTH not in rows:
        return Answer(outcome, False, f"How well {told} can be foreseen cannot be told: too little was over before.")
    segments, lifestage = rows[BOTH], rows[LIFESTAGE]
    sentences = [_captured(rows, told)]
    gain, low, high = (segments[f"over_lifestage{end}"] for end in ("", "_low", "_high"))
    useful = bool(low > 0)
    by = f"{gain:.4f} ({low:.4f} to {high:.4f})"
    if useful:
        sentences.append(f"Segments foresee it better than lifestage alone: they lower the loss by {by}.")
    elif high < 0:
        sentences.append(f"Segments foresee it worse than lifestage alone: they lower the loss by {by}.")
    else:
        sentences.append(
            f"That segments foresee it better than lifestage alone cannot be told: they lower the loss by {by}."
        )
    if not np.isnan(lifestage["captured"]):
        sentences.append(f"Lifestage alone captures {_share(lifestage)}.")
    return Answer(outcome, useful, " ".join(sentences))


def _captured(rows: Mapping[Any, Any], told: str) -> str:
    if CEILING not in rows or np.isnan(rows[CEILING]["captured"]):
        return (
            f"What can be known of {told} cannot be told: a model of every single customer does not surely foresee it "
            "better than the base rate."
        )
    return f"Of what a per-customer model can know of {told}, segments with lifestage capture {_share(rows[BOTH])}."


def _share(row: Mapping[str, Any]) -> str:
    """A captured share with its interval, in words."""
    return f"{100 * row['captured']:.0f} % ({100 * row['captured_low']:.0f} to {100 * row['captured_high']:.0f} %)"
