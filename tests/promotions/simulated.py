"""Customers whose response to campaigns is planted, and campaigns that prefer some of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.promotions import Exposure

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulated:
    """An exposure with its placebo, the segment and lifestage of every row, and the planted effect on ``spend``."""

    now: Exposure
    before: Exposure
    groups: pd.DataFrame
    responded: "pd.Series[bool]"
    truth: Values

    def truth_of(self, grouping: str, group: str, kept: "pd.Series[bool]") -> float:
        """The mean planted effect among the rows that were ``kept`` as comparable."""
        rows = (self.groups[grouping] == group) & kept
        return float(self.truth[rows.to_numpy()].mean())


def simulated(
    *,
    seed: int,
    customers: int = 900,
    campaigns: int = 2,
    by_segment: tuple[float, ...] = (0.0, 0.0),
    by_lifestage: tuple[float, ...] = (0.0, 0.0),
    targeting: float = 1.0,
    hidden: float = 0.0,
    received: float = -0.5,
) -> Simulated:
    """Spend in a window, which grows with the customer's habits, and by the planted effects where they received.

    ``targeting`` is how strongly the log-odds to receive follow the recorded habits, ``hidden`` how strongly they (and
    spend) follow a trait that is not recorded; ``received`` the log-odds of a usual customer. Spend is skewed, and
    correlates over the campaigns of one customer.
    """
    rng = np.random.default_rng(seed)
    visits = rng.gamma(4.0, 1.0, customers)
    basket = np.exp(rng.normal(2.0, 0.4, customers))
    unknown = rng.normal(size=customers)
    segment = rng.integers(0, len(by_segment), customers)
    lifestage = rng.integers(0, len(by_lifestage), customers)
    habit = visits * basket / 10 + 2 * (lifestage == 0)
    own = rng.normal(size=customers) + 2 * hidden * unknown
    liking = (np.log(habit) - np.log(habit).mean()) / np.log(habit).std()
    row = np.tile(np.arange(customers), campaigns)
    campaign = np.repeat(np.arange(campaigns), customers)
    odds = received + targeting * liking[row] + hidden * unknown[row] + 0.3 * campaign
    sent = rng.random(row.size) < 1 / (1 + np.exp(-odds))
    truth = (np.array(by_segment)[segment] + np.array(by_lifestage)[lifestage])[row] * (1 + 0.2 * (liking[row] > 0))

    def spend(effect: Values | float) -> Values:
        noise = rng.gamma(2.0, 1.0, row.size) - 2
        return np.asarray(2 * habit[row] + own[row] + noise + effect)

    index = pd.RangeIndex(row.size)
    names = pd.Series([f"c{number:05d}" for number in row], index=index)
    numbers = pd.Series([f"m{number}" for number in campaign], index=index)
    flags = pd.Series(sent, index=index)
    known = pd.DataFrame(
        {"visits": visits[row], "basket": basket[row], "noise": rng.normal(size=row.size)}, index=index
    )
    groups = pd.DataFrame(
        {
            "all": "all",
            "segment": [f"s{number}" for number in segment[row]],
            "lifestage": [f"l{number}" for number in lifestage[row]],
        },
        index=index,
    )
    now, before = (
        Exposure(names, numbers, flags, pd.DataFrame({"spend": spend(effect)}, index=index), known)
        for effect in (truth * sent, 0.0)
    )
    return Simulated(now, before, groups, pd.Series(rng.random(row.size) < 0.5, index=index), truth)
