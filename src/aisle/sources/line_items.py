"""Line items as every source judges, nets, adds up and writes them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from aisle.sources.dirt import Rule
from aisle.sources.money import not_whole_cents, to_cents, to_decimals

Numbers = npt.NDArray[np.int64]
Amounts = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Lines = npt.NDArray[np.void]

LINE = np.dtype([("basket", "i4"), ("product", "i4"), ("quantity", "i8"), ("cents", "i8")])
"""A line: row number of its basket and of its product, items, and spend in hundredths."""

LINE_NO_ITEM = Rule("lines", "The quantity is missing or below 1.")
LINE_NO_SPEND = Rule("lines", "The spend is missing, negative or no number.")
LINE_ROUNDED = Rule("lines", "The spend was not in whole cents and was rounded.", "changed")
LINE_REPEATED = Rule("lines", "The product was in the basket before: quantity and spend were added up.", "changed")
LINE_RETURNED = Rule("lines", "The quantity is below 1: taken off what the basket has of the product.", "changed")
LINE_NOTHING = Rule("lines", "What is left of the product after returns is below 1 item, or below 0 in money.")
LINE_POLICY = (LINE_NO_ITEM, LINE_NO_SPEND, LINE_ROUNDED, LINE_REPEATED, LINE_RETURNED, LINE_NOTHING)

CHOICES = ("drop", "keep", "error")


@dataclass(frozen=True)
class LinePolicy:
    """What becomes of lines whose quantity is zero or negative.

    ``drop``: they are dropped and counted. ``error``: the first one is refused. ``keep``: they are returns, and are
    kept by being taken off (quantity and spend) what the same basket has of the same product; a canonical line has at
    least one item, so what falls below that is dropped and counted.
    """

    nonpositive_quantity: str

    def __post_init__(self) -> None:
        if self.nonpositive_quantity not in CHOICES:
            got = self.nonpositive_quantity
            raise ValueError(f"source.nonpositive_quantity must be one of {', '.join(CHOICES)}; got {got!r}.")

    def judge(
        self, quantity: pyarrow.ChunkedArray, spend: pyarrow.ChunkedArray, place: Callable[[int], str]
    ) -> "JudgedLines":
        """Quantities and spends (doubles), and which rule each breaks; ``place`` names a row, for the error.

        Raises:
            ValueError: the policy is ``error`` and a quantity is below 1.
        """
        items = np.asarray(quantity.fill_null(0).to_numpy(), dtype=np.int64)
        money = np.asarray(spend.fill_null(np.nan).to_numpy(), dtype=np.float64)
        below = (items < 1) & quantity.is_valid().to_numpy()
        if self.nonpositive_quantity == "error" and below.any():
            first = int(np.flatnonzero(below)[0])
            message = f"{place(first)}: the quantity must be at least 1; got {items[first]}"
            raise ValueError(f"{message}; mend it, or set source.nonpositive_quantity to drop or keep.")
        returned = below if self.nonpositive_quantity == "keep" else np.zeros(len(items), dtype=bool)
        no_item = (items < 1) & ~returned
        no_spend = ~np.isfinite(money) | ((money < 0) & ~returned)
        return JudgedLines(items, money, returned, {LINE_NO_ITEM: no_item, LINE_NO_SPEND: no_spend})


@dataclass(frozen=True, eq=False)
class JudgedLines:
    """One element per line. ``broken`` are masks by rule, in the order of the policy; ``returned`` are returns."""

    items: Numbers
    money: Amounts
    returned: Mask
    broken: Mapping[Rule, Mask] = field(default_factory=dict)

    def cents(self, clean: Mask, counts: Counter[Rule]) -> Numbers:
        """The spend of the ``clean`` lines in whole cents; roundings and returns are counted."""
        counts[LINE_ROUNDED] += int(not_whole_cents(self.money[clean]).sum())
        counts[LINE_RETURNED] += int(self.returned[clean].sum())
        return to_cents(self.money[clean])


def row_numbers(ids: pyarrow.ChunkedArray, known: pyarrow.ChunkedArray) -> Numbers:
    """The place of each id among the ``known``; -1 where it is null or not among them."""
    places = pyarrow.compute.index_in(ids, value_set=known, skip_nulls=True)
    return np.asarray(places.fill_null(-1).to_numpy(), dtype=np.int64)


def add_up(lines: Lines, counts: Counter[Rule]) -> Lines:
    """One line per basket and product, sorted by both; repeats and what returns left nothing of are counted."""
    ordered = lines[np.lexsort((lines["product"], lines["basket"]))]
    changed = (np.diff(ordered["basket"]) != 0) | (np.diff(ordered["product"]) != 0)
    starts = np.flatnonzero(np.r_[True, changed])[: len(ordered)]
    summed = ordered[starts]
    for column in ("quantity", "cents"):
        summed[column] = np.add.reduceat(ordered[column], starts) if len(starts) else 0
    counts[LINE_REPEATED] += len(lines) - len(summed)
    some = (summed["quantity"] >= 1) & (summed["cents"] >= 0)
    counts[LINE_NOTHING] += int((~some).sum())
    return summed[some]


def line_rows(lines: Lines, basket_ids: pyarrow.ChunkedArray, product_ids: pyarrow.ChunkedArray) -> pyarrow.Table:
    """The canonical table of lines."""
    return pyarrow.table(
        {
            "basket_id": basket_ids.take(pyarrow.array(lines["basket"])),
            "product_id": product_ids.take(pyarrow.array(lines["product"])),
            "quantity": pyarrow.array(lines["quantity"]),
            "spend": to_decimals(lines["cents"]),
        }
    )
