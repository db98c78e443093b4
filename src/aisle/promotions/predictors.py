"""Who will respond, predicted from more and more: nothing, lifestage, quintiles, segments, everything.

All but the last are one regression on the levels a customer is in, so that they differ in what they know and in nothing
else. A prediction for a day is made by what was fitted to outcomes that were over before that day.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.preprocessing import OneHotEncoder

from aisle.kernels.threads import one_thread

Values = npt.NDArray[np.float64]

BASE, LIFESTAGE, RFM, SEGMENTS, BOTH, CEILING = (
    "base rate",
    "lifestage",
    "RFM quintiles",
    "segments",
    "segments and lifestage",
    "per-customer model",
)
LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    BASE: (),
    LIFESTAGE: ("lifestage",),
    RFM: ("recency", "frequency", "monetary"),
    SEGMENTS: ("kind",),
    BOTH: ("lifestage", "segment"),
}
"""What every predictor but the last knows: columns of levels. A segment is one of its lifestage, a kind is of all."""
TYPE: Final = "campaign_type"


def predictions(
    rows: pd.DataFrame,
    outcome: str,
    *,
    levels: Mapping[str, Sequence[str]],
    numbers: pd.DataFrame | None,
    rates: Any,
    ceiling: Any,
    fewest: int,
) -> pd.DataFrame:
    """What every predictor expects of the rows of each later day; NaN where too little was over before it.

    ``rows``: start_date and end_date of what is predicted, `TYPE`, the columns of ``levels`` (by predictor), and the
    ``outcome`` (boolean, or a number). ``numbers`` (rows alike) are what the predictor `CEILING` knows besides; without
    them there is none. ``rates`` and ``ceiling`` are scikit-learn estimators, classifiers where the outcome is boolean.
    A day is predicted where at least ``fewest`` rows of either outcome (or, of a number, rows at all) were over before.
    """
    found = {name: np.full(len(rows), np.nan) for name in levels}
    if numbers is not None:
        found[CEILING] = np.full(len(rows), np.nan)
    wanted, start, end = (rows[name].to_numpy() for name in (outcome, "start_date", "end_date"))
    with one_thread():
        for day in np.unique(start):
            over, now = end < day, start == day
            if not _enough(wanted[over], is_classifier(rates), fewest):
                continue
            for name, columns in levels.items():
                known, new = _designs(rows[[TYPE, *columns]], over, now)
                found[name][now] = _predicted(rates, known, wanted[over], new)
            if numbers is not None:
                known, new = _designs(rows[[TYPE, *LEVELS[BOTH]]], over, now, interacting=False)
                given = numbers.to_numpy()
                wide = np.column_stack([known, given[over]]), np.column_stack([new, given[now]])
                found[CEILING][now] = _predicted(ceiling, wide[0], wanted[over], wide[1])
    return pd.DataFrame(found, index=rows.index)


def _enough(outcomes: npt.NDArray[Any], two: bool, fewest: int) -> bool:
    if not two:
        return bool(outcomes.size >= fewest)
    return bool(min(outcomes.sum(), (~outcomes.astype(bool)).sum()) >= fewest) if outcomes.size else False


def _predicted(estimator: Any, known: Values, wanted: npt.NDArray[Any], new: Values) -> Values:
    model = clone(estimator).fit(known, wanted)
    return np.asarray(model.predict_proba(new)[:, 1] if is_classifier(model) else model.predict(new))


def _designs(levels: pd.DataFrame, over: Any, now: Any, *, interacting: bool = True) -> tuple[Values, Values]:
    """A column per level met before, and, where ``interacting``, per type of campaign and other level."""
    told = levels.astype("str")
    if interacting:
        pairs = {f"{TYPE} {name}": told[TYPE] + "\x1f" + told[name] for name in told if name != TYPE}
        told = told.assign(**pairs)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(told[over].to_numpy())
    return encoder.transform(told[over].to_numpy()), encoder.transform(told[now].to_numpy())
