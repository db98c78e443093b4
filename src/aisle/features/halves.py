"""Halves of every customer's baskets: each other one, and those of the first and of the last weeks.

What was found on one half can then be looked at on baskets that had no part in it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import ibis
import ibis.expr.types as ir

from aisle.features.block import EPOCH
from aisle.features.exact import day_number, md5
from aisle.tables import BASKET_EXTRACT, GROUP_SPEND

ODD, EVEN, FIRST, SECOND = "odd", "even", "first", "second"
PARITY, WEEKS = "basket_parity", "time_half"
HALVES: Final[Mapping[str, str]] = {ODD: PARITY, EVEN: PARITY, FIRST: WEEKS, SECOND: WEEKS}
"""The halves, and the column that says which of the two a basket is in."""

_WEEK = 7


def second_half_from(first_day: date, last_day: date) -> date:
    """The first day of the second half of the weeks from ``first_day`` to ``last_day``; of an odd number it has more.

    >>> second_half_from(date(2017, 1, 1), date(2017, 12, 31))
    datetime.date(2017, 7, 2)
    """
    weeks = ((last_day - first_day).days + _WEEK) // _WEEK
    return first_day + timedelta(days=_WEEK * (weeks // 2))


def parity(baskets: ir.Table) -> ir.StringColumn:
    """Whether a basket is an odd or an even one of its customer; the first is odd.

    They are counted in the order of time; baskets of one moment in that of a hash of their id, as engines do not agree
    on the order of text.
    """
    return named_parity(parity_number(baskets, "customer_id"))


def parity_number(baskets: ir.Table, of: str) -> ir.IntegerColumn:
    """`parity` as a number, which is faster to group by: 0 is odd, 1 even; baskets are counted by the column ``of``."""
    in_time = [baskets.shopped_at, md5(baskets.basket_id)]
    return ibis.row_number().over(group_by=baskets[of], order_by=in_time) % 2


def named_parity(number: ir.IntegerColumn) -> ir.StringColumn:
    """`parity` from `parity_number`."""
    return (number == 0).ifelse(ODD, EVEN)


def time_half(baskets: ir.Table, middle: date) -> ir.StringColumn:
    """Which half of the weeks a basket is in; ``middle`` is the first day of the second."""
    return named_time_half(time_half_number(baskets, middle))


def time_half_number(baskets: ir.Table, middle: date) -> ir.IntegerColumn:
    """`time_half` as a number, which is faster to group by: 0 is the first, 1 the second."""
    return (day_number(baskets.shopped_at) >= (middle - EPOCH).days).cast("int64")


def named_time_half(number: ir.IntegerColumn) -> ir.StringColumn:
    """`time_half` from `time_half_number`."""
    return (number == 0).ifelse(FIRST, SECOND)


def half_of(extract: Mapping[str, ir.Table], half: str, middle: date) -> dict[str, ir.Table]:
    """The extract's tables, those of them that are there, with the baskets of one of the `HALVES` only."""
    column = HALVES[half]
    found = dict(extract)
    baskets = found[BASKET_EXTRACT.name]
    marked = baskets.mutate(**{column: parity(baskets) if column == PARITY else time_half(baskets, middle)})
    found[BASKET_EXTRACT.name] = marked.filter(marked[column] == half).drop(column)
    if GROUP_SPEND.name in found:
        spend = found[GROUP_SPEND.name]
        found[GROUP_SPEND.name] = spend.filter(spend[column] == half)
    return found
