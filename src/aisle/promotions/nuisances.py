"""What must be known besides the effect: who is likely to receive a campaign, and what they would do either way.

Cross-fitted: a row is predicted by models that saw none of its customer's rows. Each is a linear model or gradient
boosting, whichever predicts those better (a discrete super learner: van der Laan, Polley & Hubbard 2007).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from aisle.kernels.threads import one_thread
from aisle.promotions.exposures import Exposure

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_SURE: Final = 1e-3
_BOOSTING: Final = {"max_iter": 60, "max_leaf_nodes": 8, "min_samples_leaf": 40, "l2_regularization": 1.0}
_TAIL: Final = 0.01


@dataclass(frozen=True, eq=False)
class Nuisances:
    """Out-of-fold predictions by row: ``propensity`` (n,), in (0, 1), to receive; ``if_received``, ``if_not`` (n, r).

    The last two are the r expected responses of a customer who received the campaign and of one who did not.
    """

    propensity: Values
    if_received: Values
    if_not: Values


def cross_fit(exposure: Exposure, groups: pd.DataFrame, *, folds: int, repeats: int, seed: int) -> Nuisances | None:
    """The nuisances of ``exposure``, or None where too few customers received it, or did not, to learn both ways.

    ``groups``, by row, are known to the models as levels, as is the campaign. The customers are dealt into ``folds``
    anew in each of the ``repeats``, by ``seed``, and the predictions averaged: then less hangs on one deal. The result
    does not depend on the number of threads.
    """
    received = exposure.received.to_numpy()
    customers = exposure.customer_numbers
    if min(np.unique(customers[received]).size, np.unique(customers[~received]).size) < 2 * folds:
        return None
    smooth, curved, plain = _designs(exposure, groups)
    responses = exposure.responses.to_numpy()
    senders: list[_Learner] = [(_logistic, smooth), (_logistic, curved), (_boosted_share, plain)]
    buyers: list[_Learner] = [
        *((ridge, design) for ridge in (_light_ridge, _heavy_ridge) for design in (smooth, curved)),
        (_boosted, plain),
    ]
    found = []
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        for repeat in range(repeats):
            fold = deal(customers, received, folds=folds, seed=seed + repeat)
            everybody = np.ones_like(received)
            propensity = _best(senders, received, everybody, fold, seed, loss=_log_loss)
            expected = [
                np.column_stack([_best(buyers, one, arm, fold, seed, loss=_squared) for one in responses.T])
                for arm in (received, ~received)
            ]
            found.append((propensity, *expected))
    means = [np.mean([one[part] for one in found], axis=0) for part in range(3)]
    return Nuisances(np.clip(means[0], _SURE, 1 - _SURE), means[1], means[2])


def deal(customers: Numbers, received: Flags, *, folds: int, seed: int) -> Numbers:
    """The fold of each row: whole customers, those who ever received and those who ever did not spread evenly."""
    count = int(customers.max()) + 1
    ever = np.bincount(customers, weights=received, minlength=count) > 0
    always = np.bincount(customers, weights=~received, minlength=count) == 0
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(ever[order].astype(int) + always[order], kind="stable")]
    fold = np.empty(count, dtype=np.int64)
    fold[order] = np.arange(count) % folds
    return fold[customers]


def _designs(exposure: Exposure, groups: pd.DataFrame) -> tuple[Values, Values, Values]:
    """Two designs of the linear models, and that of the trees, to whom the shape of a scale is all one.

    Linear models get every covariate standardised within its 1st and 99th percentile, as ranks, and once more for each
    group by itself: a shop may pick differently in each, and each is told an effect of its own. The second design also
    has the squares and products of the covariates: spend is baskets times what a basket holds, which sums cannot
    follow, and what neither model follows remains in the effect.
    """
    own = pd.get_dummies(groups).to_numpy(dtype=np.float64)
    levels = np.column_stack([own, pd.get_dummies(exposure.campaigns).to_numpy(dtype=np.float64)])
    values = exposure.covariates.to_numpy()
    ends = np.quantile(values, [_TAIL, 1 - _TAIL], axis=0)
    scaled = _standardised(np.clip(values, *ends))
    ranks = exposure.covariates.rank(pct=True).to_numpy()
    by_group = [scaled * one[:, np.newaxis] for one in own.T]
    smooth = _standardised(np.column_stack([scaled, ranks, levels, *by_group]))
    one, other = np.triu_indices(scaled.shape[1])
    products = _standardised(scaled[:, one] * scaled[:, other])
    return smooth, np.column_stack([smooth, products]), np.column_stack([values, levels])


def _standardised(columns: Values) -> Values:
    """Without the columns that never vary."""
    spread = columns.std(axis=0)
    varies = spread > 1e-9 * (1 + np.abs(columns).max(axis=0))
    return np.asarray((columns[:, varies] - columns[:, varies].mean(axis=0)) / spread[varies])


_Learner = tuple[Callable[[Values, Any, Values, int], Values], Values]


def _best(
    learners: list[_Learner],
    wanted: npt.NDArray[Any],
    arm: Flags,
    fold: Numbers,
    seed: int,
    *,
    loss: Callable[[npt.NDArray[Any], Values], float],
) -> Values:
    """Out-of-fold predictions of ``wanted`` for all rows by the learner that predicts those of ``arm`` best."""
    tried = []
    for fit, design in learners:
        predicted = np.empty(len(fold))
        for one in np.unique(fold):
            known, new = arm & (fold != one), fold == one
            predicted[new] = fit(design[known], wanted[known], design[new], seed)
        tried.append(predicted)
    return min(tried, key=lambda predicted: loss(wanted[arm], predicted[arm]))


def _logistic(known: Values, wanted: Flags, new: Values, _: int) -> Values:
    model = LogisticRegression(C=0.1, solver="newton-cholesky").fit(known, wanted)
    return np.asarray(model.predict_proba(new)[:, 1])


def _boosted_share(known: Values, wanted: Flags, new: Values, seed: int) -> Values:
    model = HistGradientBoostingClassifier(**_BOOSTING, early_stopping=False, random_state=seed).fit(known, wanted)
    return np.asarray(model.predict_proba(new)[:, 1])


def _light_ridge(known: Values, wanted: Values, new: Values, _: int) -> Values:
    return np.asarray(Ridge(alpha=10.0, solver="cholesky").fit(known, wanted).predict(new))


def _heavy_ridge(known: Values, wanted: Values, new: Values, _: int) -> Values:
    return np.asarray(Ridge(alpha=1000.0, solver="cholesky").fit(known, wanted).predict(new))


def _boosted(known: Values, wanted: Values, new: Values, seed: int) -> Values:
    model = HistGradientBoostingRegressor(**_BOOSTING, early_stopping=False, random_state=seed).fit(known, wanted)
    return np.asarray(model.predict(new))


def _log_loss(wanted: Flags, predicted: Values) -> float:
    chance = np.clip(predicted, _SURE, 1 - _SURE)
    return -float(np.log(np.where(wanted, chance, 1 - chance)).mean())


def _squared(wanted: Values, predicted: Values) -> float:
    return float(((wanted - predicted) ** 2).mean())
