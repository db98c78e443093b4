"""Shares of customers who responded, group by group, drawn towards all groups as far as few customers say little.

Twelve customers of whom three responded are no 25 %. The groups' true shares are taken for draws from one beta law,
whose mean and width the groups themselves tell; both are integrated over, not fixed at their best values, as intervals
would otherwise be too short where there are few groups (Gelman et al. 2013, Bayesian Data Analysis, section 5.3).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Values = npt.NDArray[np.float64]

SHARE_COLUMNS: Final = ("responder_count", "customer_count", "share", "low", "high")
_COARSE: Final = 121
_FINE: Final = 25
_NEGLIGIBLE: Final = 1e-7
_HALVINGS: Final = 30


def shrunken_shares(responders: "pd.Series[int]", customers: "pd.Series[int]", *, confidence: float) -> pd.DataFrame:
    """The share of every group: `SHARE_COLUMNS` on the index of both, which count each group's customers.

    ``share``, in (0, 1), is the posterior mean, between the group's own proportion and that of all groups; the ends of
    the interval are the posterior quantiles. A group without customers gets what a further group may be like; one
    without responders an interval that begins near 0 and is no shorter for it. A priori the mean of the shares is
    uniform, and so is the law's width 1 / sqrt(a + b) in (0, 1). The same counts give the same digits everywhere.

    Raises:
        ValueError: the indices differ, there is no group, more customers responded than there are, or ``confidence`` is
            out of (0, 1).
    """
    _check(responders, customers, confidence)
    x, n = (np.asarray(one, dtype=np.float64) for one in (responders, customers))
    a, b, weights = _posterior(x, n)
    return pd.DataFrame(
        {
            "responder_count": responders.astype("int64"),
            "customer_count": customers.astype("int64"),
            "share": weights @ ((a + x) / (a + b + n)),
            "low": _quantile(a + x, b + n - x, weights, (1 - confidence) / 2),
            "high": _quantile(a + x, b + n - x, weights, (1 + confidence) / 2),
        },
        index=responders.index,
    )


def share_in_words(row: Mapping[str, Any]) -> str:
    """A row of `shrunken_shares` as it may be printed: never without its interval and the customers behind it.

    >>> share_in_words({"share": 0.123, "low": 0.05, "high": 0.24, "responder_count": 3, "customer_count": 12})
    '12 % (5 to 24 %; 3 of 12 customers)'
    """
    return (
        f"{100 * row['share']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f} %; "
        f"{row['responder_count']:.0f} of {row['customer_count']:.0f} customers)"
    )


def _check(responders: "pd.Series[int]", customers: "pd.Series[int]", confidence: float) -> None:
    if not responders.index.equals(customers.index) or not len(customers):
        raise ValueError(
            "Responders and customers must be counted for the same groups, at least one; got "
            f"{len(responders)} and {len(customers)} groups."
        )
    wrong = customers.index[~((responders >= 0) & (responders <= customers))]
    if len(wrong):
        raise ValueError(
            f"Of a group, 0 up to all customers may respond; {wrong[0]!r} has {responders[wrong[0]]} of "
            f"{customers[wrong[0]]}."
        )
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be above 0 and below 1; got {confidence}.")


def _posterior(x: Values, n: Values) -> tuple[Values, Values, Values]:
    """Parameters a and b of the groups' beta law, (m, 1) each, and the weights (m,) of these m laws, which sum to 1."""
    logit, width = np.linspace(-14.0, 14.0, _COARSE), (np.arange(_COARSE) + 0.5) / _COARSE
    for size in (_FINE, _FINE, 0):
        a, b, log_weight = _laws(logit, width, x, n)
        weight = np.exp(log_weight - log_weight.max())
        if size:
            logit, width = (
                _around(axis, weight.max(axis=1 - along), size) for along, axis in enumerate((logit, width))
            )
    flat = weight.ravel()
    heavy = flat > _NEGLIGIBLE
    return a.ravel()[heavy, np.newaxis], b.ravel()[heavy, np.newaxis], flat[heavy] / flat[heavy].sum()


def _laws(logit: Values, width: Values, x: Values, n: Values) -> tuple[Values, Values, Values]:
    mean = special.expit(logit)[:, np.newaxis]
    total = 1 / width**2
    a, b = mean * total, (1 - mean) * total
    likelihood = sum(special.betaln(a + own, b + of - own) - special.betaln(a, b) for own, of in zip(x, n, strict=True))
    return a, b, likelihood + np.log(mean) + np.log1p(-mean)


def _around(axis: Values, weight: Values, size: int) -> Values:
    """``size`` points over the part of ``axis`` where the best law of each point has weight."""
    inside = np.flatnonzero(weight > _NEGLIGIBLE)
    return np.linspace(axis[max(inside[0] - 1, 0)], axis[min(inside[-1] + 1, axis.size - 1)], size)


def _quantile(a: Values, b: Values, weights: Values, at: float) -> Values:
    low, high = np.zeros(a.shape[1]), np.ones(a.shape[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = weights @ special.betainc(a, b, middle) < at
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
