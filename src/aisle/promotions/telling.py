"""The effect on one group, or why it cannot be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aisle.promotions.exposures import Exposure
from aisle.promotions.nuisances import Nuisances
from aisle.promotions.overlap import Balance, balance, find_overlap
from aisle.promotions.rule import EffectRule
from aisle.promotions.sensitivity import strongest_known
from aisle.promotions.weighting import Estimate, augmented_effect

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_FEWEST: Final = 3
"""Customers' weight in the smaller arm below which not even an interval has a meaning."""


@dataclass(frozen=True, eq=False)
class Told:
    """A group: a row of ``rows`` per response, ``balance`` as columns by covariate, and which rows were ``kept``."""

    rows: list[dict[str, Any]]
    balance: Mapping[str, Any]
    kept: Flags


def tell(
    now: Exposure,
    before: Exposure,
    nuisances: Nuisances | None,
    placebo_nuisances: Nuisances | None,
    responded: Flags,
    inside: Numbers,
    rule: EffectRule,
) -> Told:
    """What can be said of the group of the rows at the places ``inside``; see `aisle.promotions.estimate_effects`."""
    received, customers = now.received.to_numpy()[inside], now.customer_numbers[inside]
    covariates = now.covariates.to_numpy()[inside]
    seen = find_overlap(nuisances.propensity[inside] if nuisances else None, received, customers)
    held = None
    if min(seen.received, seen.others) >= _FEWEST:
        held = balance(covariates, received, seen, most=rule.most_imbalance, level=rule.level)
    names = [str(name) for name in now.covariates]
    facts = {
        "row_count": inside.size,
        "customer_count": np.unique(customers).size,
        "received_count": np.unique(customers[received]).size,
        "responder_count": np.unique(customers[received & responded[inside]]).size,
        "overlap_share": seen.share,
        "received_overlap_share": seen.received_share,
        "effective_received": seen.received,
        "effective_others": seen.others,
        "imbalance_before": np.abs(held.before).max() if held else np.nan,
        "imbalance": np.abs(held.after).max() if held else np.nan,
        "imbalance_limit": held.limit if held else np.nan,
        "imbalanced_covariate": names[held.worst] if held else "",
        "strongest_covariate": "",
    }
    reason = _reason(facts, held, rule)
    rows = []
    for place, name in enumerate(now.responses):
        row, why = {"response": str(name), **facts}, reason
        if not reason and nuisances and placebo_nuisances:
            placebo = _placebo(before, placebo_nuisances, place, inside[seen.kept], rule)
            why = _doubt(placebo, rule)
            row |= _placebo_columns(placebo)
            if not why:
                row |= _effect(now, nuisances, place, inside, seen.kept, rule)
        rows.append({**row, "told": not why, "reason": why})
    return Told(rows, _by_covariate(held, names), seen.kept)


def _reason(facts: Mapping[str, Any], held: Balance | None, rule: EffectRule) -> str:
    """Why nothing can be told of any response; empty where something can."""
    if facts["responder_count"] < rule.fewest_responders:
        return f"{facts['responder_count']} customers responded; {rule.fewest_responders} are needed."
    if held is None or facts["received_overlap_share"] < rule.least_overlap:
        share = 0.0 if held is None else facts["received_overlap_share"]
        return (
            f"{share:.0%} of those who received it can be compared with others who were as likely to; "
            f"{rule.least_overlap:.0%} are needed."
        )
    for arm, who in (("effective_received", "who received it"), ("effective_others", "who did not")):
        if facts[arm] < rule.fewest_effective:
            return (
                f"After weighting, those {who} count as {facts[arm]:.0f} customers; {rule.fewest_effective} are needed."
            )
    if not held.holds:
        return (
            f"After weighting, those who received it still differ in {facts['imbalanced_covariate']} by "
            f"{facts['imbalance']:.2f} standard deviations; at most {facts['imbalance_limit']:.2f} may be left."
        )
    return ""


def _placebo(before: Exposure, nuisances: Nuisances, place: int, kept: Numbers, rule: EffectRule) -> Estimate | None:
    """The effect in weeks when there could be none, among the ``kept`` rows that were comparable then too."""
    received, customers = before.received.to_numpy()[kept], before.customer_numbers[kept]
    seen = find_overlap(nuisances.propensity[kept], received, customers)
    if min(seen.received, seen.others) < _FEWEST:
        return None
    return _estimate(before, nuisances, place, kept[seen.kept], rule)


def _doubt(placebo: Estimate | None, rule: EffectRule) -> str:
    if placebo is None:
        return "In the weeks before, those who received it cannot be compared with others, so there is no placebo."
    if placebo.p_value < rule.level:
        return (
            f"It seems to work in the weeks before already, when it could not (p = {placebo.p_value:.2g}): those who "
            "received it differ in something unknown."
        )
    return ""


def _estimate(exposure: Exposure, nuisances: Nuisances, place: int, rows: Numbers, rule: EffectRule) -> Estimate:
    return augmented_effect(
        exposure.responses.iloc[rows, place].to_numpy(),
        exposure.received.to_numpy()[rows],
        nuisances.propensity[rows],
        nuisances.if_received[rows, place],
        nuisances.if_not[rows, place],
        exposure.customer_numbers[rows],
        confidence=rule.confidence,
    )


def _effect(
    now: Exposure, nuisances: Nuisances, place: int, inside: Numbers, kept: Flags, rule: EffectRule
) -> dict[str, Any]:
    found = _estimate(now, nuisances, place, inside[kept], rule)
    received, response = now.received.to_numpy()[inside], now.responses.iloc[inside, place].to_numpy()
    covariates = now.covariates.to_numpy()[inside]
    strongest, strength = strongest_known(covariates[kept], received[kept], response[kept])
    return {
        "naive": response[received].mean() - response[~received].mean(),
        "effect": found.effect,
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "robustness": found.strength,
        "robustness_low": found.strength_low,
        "strongest": strength,
        "strongest_covariate": str(now.covariates.columns[strongest]),
    }


def _placebo_columns(placebo: Estimate | None) -> dict[str, Any]:
    if placebo is None:
        return {}
    return {
        "placebo": placebo.effect,
        "placebo_low": placebo.low,
        "placebo_high": placebo.high,
        "placebo_p": placebo.p_value,
    }


def _by_covariate(held: Balance | None, names: list[str]) -> dict[str, Any]:
    before, after, limit = (held.before, held.after, held.limit) if held else (np.nan, np.nan, np.nan)
    return {"covariate": names, "before": before, "after": after, "limit": limit}
