"""Everything that was known on the days on which something is predicted, day after day, never looking ahead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from aisle.features.table import FeatureTable
from aisle.promotions.campaigns import Mailings
from aisle.promotions.earlier_segments import Dated, Recipe, segments_over
from aisle.promotions.knowledge import Known, known_on
from aisle.promotions.predictors import TYPE
from aisle.promotions.purchases import Purchases, day_of

_WEEK: Final = 7


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Features made from the baskets before a day: those that segments are made of, and those of the block rfm.

    ``cohort`` is the lifestage of everybody who has a basket before that day.
    """

    features: FeatureTable
    rfm: pd.DataFrame
    cohort: "pd.Series[str]"


@dataclass(frozen=True, eq=False)
class Timeline:
    """By day, in their order: what was ``known``, and the ``segments`` that this knowledge rests on."""

    known: Mapping[date, Known]
    segments: Mapping[date, Dated]

    def levels(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The levels of each row's customer on its start_date; the rows' index."""
        return self._of(rows, {day: known.levels for day, known in self.known.items()})

    def numbers(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The numbers of each row's customer on its start_date; the rows' index."""
        return self._of(rows, {day: known.numbers for day, known in self.known.items()})

    def _of(self, rows: pd.DataFrame, tables: Mapping[date, pd.DataFrame]) -> pd.DataFrame:
        by_day: Any = rows.groupby("start_date")
        parts = [tables[day].reindex(own["customer_id"]).set_axis(own.index) for day, own in by_day]
        empty = next(iter(tables.values())).iloc[:0].reset_index(drop=True)
        return pd.concat(parts).loc[rows.index] if parts else empty


def timeline(
    snapshots: Mapping[date, Snapshot], recipes: Mapping[str, Recipe], purchases: Purchases, everything: Mailings | None
) -> Timeline:
    """Segments and knowledge on every day of ``snapshots``; segments keep their numbers from day to day."""
    segments = segments_over({day: snapshot.features for day, snapshot in snapshots.items()}, recipes)
    known = {
        day: known_on(
            day,
            cohort=snapshots[day].cohort,
            labels=dated.labels,
            features=snapshots[day].features.values,
            rfm=snapshots[day].rfm,
            purchases=purchases,
            everything=everything,
        )
        for day, dated in segments.items()
    }
    return Timeline(known, segments)


def period_starts(purchases: Purchases, *, weeks_before: int, next_weeks: int) -> list[date]:
    """The first days of the periods of ``next_weeks`` that follow each other in the data after ``weeks_before``."""
    first = purchases.first_day + timedelta(days=_WEEK * weeks_before)
    length = timedelta(days=_WEEK * next_weeks)
    count = (purchases.last_day + timedelta(days=1) - first) // length
    return [first + number * length for number in range(max(count, 0))]


def periods(purchases: Purchases, starts: list[date], *, weeks_before: int, next_weeks: int) -> pd.DataFrame:
    """One row per period and customer with a basket in the ``weeks_before`` weeks before it; sorted by both.

    ``spend`` is the logarithm of one plus the spend per week of the period; ``lapsed``: no basket in it.
    """
    parts = []
    for start in starts:
        first = day_of(start)
        there = purchases.bought(first - _WEEK * weeks_before, first)["baskets"].to_numpy() > 0
        bought = purchases.bought(first, first + _WEEK * next_weeks)[there]
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": bought.index,
                    "start_date": start,
                    "end_date": start + timedelta(days=_WEEK * next_weeks - 1),
                    TYPE: "period",
                    "spend": np.log1p(bought["spend"].to_numpy() / next_weeks),
                    "lapsed": bought["baskets"].to_numpy() == 0,
                }
            )
        )
    columns = ["customer_id", "start_date", "end_date", TYPE, "spend", "lapsed"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
