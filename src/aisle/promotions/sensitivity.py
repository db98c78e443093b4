"""How strong something that nobody recorded would have to be to explain an effect away."""

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SENSITIVITY: Final = (
    "An unknown trait explains the effect away only if it accounts for {robustness:.1%} of what is left unexplained "
    "both of the response and of who received the campaign ({robustness_low:.1%}: until the interval touches 0); the "
    "strongest known trait, {strongest_covariate}, is worth {strongest:.1%}."
)
"""The sentence of a row of effects that could be told."""


def robustness_value(ratio: float) -> float:
    """The share r, in [0, 1], with r / sqrt(1 - r) = ``ratio``, the effect in units of the bias at full strength.

    A confounder that explains less than r of the rest of both the response and the weights cannot bring the effect to
    0. In linear regression the ratio is |t| / sqrt(degrees of freedom) (Cinelli & Hazlett 2020); for an effect by
    weighting it is |effect| / sqrt(mean squared residual x mean squared weight) (Chernozhukov, Cinelli, Newey, Sharma &
    Syrgkanis 2022).

    >>> robustness_value(0.0)
    0.0
    """
    square = ratio**2
    return float(2 * square / (np.sqrt(square**2 + 4 * square) + square)) if square else 0.0


def strongest_known(covariates: Values, received: Flags, response: Values) -> tuple[int, float]:
    """The covariate that confounds most by itself: its place and strength, on the scale of `robustness_value`.

    From its partial R-squared, by least squares and given the other covariates, with receiving and with the response:
    an unknown trait as strong as this known one (Cinelli & Hazlett 2020, section 4.4) is worth so much.
    """
    with_received = _partial(covariates, received.astype(np.float64))
    with_response = _partial(np.column_stack([covariates, received]), response)[: covariates.shape[1]]
    ratios = np.sqrt(with_response * with_received / (1 - with_received))
    place = int(ratios.argmax())
    return place, robustness_value(float(ratios[place]))


def _partial(columns: Values, wanted: Values) -> Values:
    """Partial R-squared, in [0, 1), of each of the ``columns`` (n, p) with ``wanted``, given the others."""
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    varies = spread > 1e-12 * (1 + np.abs(columns).max(axis=0))
    scaled = centred[:, varies] / spread[varies]
    rest = wanted - wanted.mean()
    inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-10, hermitian=True)
    slopes = inverse @ (scaled.T @ rest)
    unexplained = float(((rest - scaled @ slopes) ** 2).sum())
    found = np.zeros(columns.shape[1])
    gained = slopes**2 / np.maximum(np.diag(inverse), 1e-300)
    if unexplained > 0:
        found[varies] = gained / (gained + unexplained)
    return np.minimum(found, 1 - 1e-9)
