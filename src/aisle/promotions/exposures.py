"""Who received the campaigns of one type, what everybody did then, and what was known before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True, eq=False)
class Exposure:
    """The campaigns of one type: a row per campaign and customer who could have received it, all on one unique index.

    ``customers`` and ``campaigns`` name the row; ``received`` is true for those it was sent to. ``responses`` has a
    column per response, measured in the campaign's window for everybody alike (redemptions are none: who received
    nothing cannot redeem). ``covariates`` is what was known before that window: how the customer shopped, the responses
    in earlier weeks, and campaigns received before or at the same time, as an overlapping campaign is a cause too.
    Both are float64 and finite.

    Raises:
        ValueError: the indices differ, a customer occurs twice in a campaign, or a number is no finite float64.
    """

    customers: "pd.Series[str]"
    campaigns: "pd.Series[str]"
    received: "pd.Series[bool]"
    responses: pd.DataFrame
    covariates: pd.DataFrame

    def __post_init__(self) -> None:
        index = self.customers.index
        if not index.is_unique:
            raise ValueError("The rows of an exposure must have a unique index; number them.")
        for name, part in vars(self).items():
            if not part.index.equals(index):
                raise ValueError(f"All parts of an exposure must have the same index; that of {name} differs.")
        repeated = pd.MultiIndex.from_arrays([self.campaigns, self.customers]).duplicated()
        if repeated.any():
            first = f"{self.customers[repeated].iloc[0]} in campaign {self.campaigns[repeated].iloc[0]}"
            raise ValueError(f"A customer must occur once in a campaign; {first} occurs again.")
        if self.received.dtype != np.bool_:
            raise ValueError(f"The column received must be boolean; it is {self.received.dtype}.")
        for name, table in (("responses", self.responses), ("covariates", self.covariates)):
            if not table.shape[1]:
                raise ValueError(f"An exposure must have {name}; it has none.")
            bad = [str(column) for column, kind in table.dtypes.items() if kind != np.float64]
            bad = bad or [str(column) for column in table if not np.isfinite(table[column]).all()]
            if bad:
                raise ValueError(f"The {name} must be finite and float64; these are not: {bad}.")

    @cached_property
    def customer_numbers(self) -> npt.NDArray[np.int64]:
        """Each row's customer as a number from 0, by the order of their names."""
        return np.asarray(pd.factorize(self.customers, sort=True)[0], dtype=np.int64)

    def is_same_as(self, other: "Exposure") -> bool:
        """Do both have the same rows, who received, and names of responses? Then one can be the other's placebo."""
        return (
            self.customers.equals(other.customers)
            and self.campaigns.equals(other.campaigns)
            and self.received.equals(other.received)
            and list(self.responses) == list(other.responses)
        )
