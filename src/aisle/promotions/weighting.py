"""The augmented inverse-propensity weighted effect of one response among comparable rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from aisle.promotions.overlap import effective_count, normalised_weights
from aisle.promotions.sensitivity import robustness_value

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """An effect with its interval, in the unit of the response, and the two-sided p-value of no effect.

    ``strength`` is the effect, ``strength_low`` the end of the interval nearer to 0, as a `robustness_value`; the
    latter is 0 where the interval holds 0.
    """

    effect: float
    standard_error: float
    low: float
    high: float
    p_value: float
    strength: float
    strength_low: float


def augmented_effect(
    response: Values,
    received: Flags,
    propensity: Values,
    if_received: Values,
    if_not: Values,
    customers: Numbers,
    *,
    confidence: float,
) -> Estimate:
    """The mean difference that receiving makes to ``response``, from out-of-fold nuisances, all by row.

    Mean of what the outcome models expect, corrected by the weighted means of what they miss (Robins, Rotnitzky & Zhao
    1994; weights of mean one: Hajek). The standard error is the influence function's, summed by customer first. The
    interval is Student's: its degrees of freedom are the effective number of customers in the smaller arm, less one.
    """
    n = response.size
    weights = normalised_weights(propensity, received)
    rests = response - if_received, response - if_not
    missed = [float((weight * rest).mean()) for weight, rest in zip(weights, rests, strict=True)]
    expected = if_received - if_not
    effect = float(expected.mean()) + missed[0] - missed[1]
    influence = expected - expected.mean() + weights[0] * (rests[0] - missed[0]) - weights[1] * (rests[1] - missed[1])
    sums = np.bincount(customers, weights=influence)
    count = np.unique(customers).size
    error = float(np.sqrt((sums**2).sum() * count / (count - 1)) / n)
    freedom = min(effective_count(weight, customers) for weight in weights) - 1
    reach = float(stats.t.isf((1 - confidence) / 2, freedom)) * error
    p = float(2 * stats.t.sf(abs(effect) / error, freedom)) if error > 0 else float(effect == 0)
    rest = np.where(received, rests[0] - missed[0], rests[1] - missed[1])
    scale = float(np.sqrt((rest**2).mean() * ((weights[0] - weights[1]) ** 2).mean()))
    nearer = max(abs(effect) - reach, 0.0)
    strengths = [robustness_value(one / scale) if scale > 0 else float(one > 0) for one in (abs(effect), nearer)]
    return Estimate(effect, error, effect - reach, effect + reach, p, *strengths)
