"""From canonical tables to the extract: one row per kept basket, whole customers sampled per lifestage."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

import ibis
import ibis.expr.types as ir

from aisle.database.engine import Stored
from aisle.features.exact import md5, relation, standard_deviation, total
from aisle.features.halves import (
    PARITY,
    WEEKS,
    named_parity,
    named_time_half,
    parity_number,
    time_half_number,
)
from aisle.tables import BASKET_EXTRACT, CANONICAL, UNCLASSIFIED, UNDEFINED

FILTERS_IN_ORDER = (
    "no customer",
    "no lines",
    "undefined (XX) size, type, mission or price sensitivity of the basket",
    "undefined (XX) price sensitivity of the customer",
    "customer not sampled",
)
"""What a basket can be dropped for; a basket is counted under the first that applies."""
_NO_CUSTOMER, _NO_LINES, _BASKET_XX, _CUSTOMER_XX, _NOT_SAMPLED = range(len(FILTERS_IN_ORDER))
_KEPT = len(FILTERS_IN_ORDER)
_OF_STORE = "store_basket_parity"
_OF_STORES = ("store_format", "store_region")
_JUDGED = (*(name for name in BASKET_EXTRACT.columns if name not in _OF_STORES), "filter_number")


def _unstored(query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table:  # noqa: ARG001
    """The query, to be computed wherever it is read."""
    return query


@dataclass(frozen=True)
class Extraction:
    """Which baskets and customers are kept, and the queries that fetch them.

    ``baskets_xx`` keeps baskets whose size, type, mission or price sensitivity is undefined (XX), ``customers_xx``
    customers whose own price sensitivity is. ``sample`` is about how many baskets are drawn in a lifestage, whole
    customers at a time in the order of a hash of their id and ``seed``, or "all".
    """

    baskets_xx: bool
    customers_xx: bool
    sample: int | str
    seed: int

    def __post_init__(self) -> None:
        drawn = isinstance(self.sample, int) and not isinstance(self.sample, bool) and self.sample > 0
        if not drawn and self.sample != "all":
            raise ValueError(f"sample must be a positive whole number of baskets or 'all'; got {self.sample!r}.")

    def of_everybody(self) -> "Extraction":
        """The same filters, and no sampling."""
        return replace(self, sample="all")

    def judged(self, stored: Stored = _unstored) -> ir.Table:
        """Every basket with its customer's attributes, its numbers, and ``filter_number``: what drops it, if anything.

        The other queries are made from it, or from the same rows that they are given as ``judged``. With ``stored`` of
        a connection, an engine that can keep rows computes once what takes long.
        """
        numbered = stored(self._numbered(), "numbered_baskets", coded=("customer_id", "store_id"))
        if self.sample == "all":
            return numbered
        return self._sampled(numbered, stored(self._drawn(numbered), "drawn_customers"))

    def baskets(self, judged: ir.Table | None = None) -> ir.Table:
        """One row per kept basket: contract `aisle.tables.BASKET_EXTRACT`."""
        stores = relation(CANONICAL["stores"])
        return self._kept(judged).left_join(stores, "store_id").select(*BASKET_EXTRACT.columns)

    def split_spend(self, middle: date, judged: ir.Table | None = None, stored: Stored = _unstored) -> ir.Table:
        """Spend per customer, store, product group and half, of which `group_spend` and `store_group_spend` are sums.

        ``middle`` is the first day of the second half of the weeks; see `aisle.features.halves`. Halves are numbers,
        and an unknown product group is null. ``stored`` as in `judged`.
        """
        kept = self._kept(judged)
        halves = {
            PARITY: parity_number(kept, "customer_id"),
            _OF_STORE: parity_number(kept, "store_id"),
            WEEKS: time_half_number(kept, middle),
        }
        groups = stored(_product_groups(), "product_groups", coded=("product_group",))
        bought = _bought(kept.select("basket_id", "customer_id", "store_id", **halves), groups)
        return stored(_summed(bought, ["customer_id", "store_id", "product_group", *halves]), "split_spend")

    @staticmethod
    def group_spend(split: ir.Table) -> ir.Table:
        """Spend of the kept customers per product group and half: contract `aisle.tables.GROUP_SPEND`.

        ``split`` is `split_spend`, or a table of its rows: who needs both sums then joins and groups lines once.
        """
        return _named(_summed(_grouped(split), ["customer_id", "product_group", PARITY, WEEKS]))

    @staticmethod
    def store_group_spend(split: ir.Table) -> ir.Table:
        """Spend of the kept customers per store, product group and half: `aisle.tables.STORE_GROUP_SPEND`.

        ``split`` as in `group_spend`.
        """
        spend = _summed(_grouped(split), ["store_id", "product_group", _OF_STORE, WEEKS])
        return _named(spend.rename({PARITY: _OF_STORE}))

    def whole_group_spend(self) -> ir.Table:
        """Spend of the kept customers per product group: `group_spend` summed over the halves."""
        return self._group_spend(self._kept().select("basket_id", "customer_id"), [])

    def whole_store_group_spend(self) -> ir.Table:
        """Spend of the kept customers per store and product group: `store_group_spend` summed over the halves."""
        kept = self._kept()
        spend = self._group_spend(kept.select("basket_id", customer_id=kept.store_id), [])
        return spend.rename(store_id="customer_id")

    def dated_group_spend(self, judged: ir.Table | None = None) -> ir.Table:
        """Spend of the kept customers per product group and basket: `group_spend` with the moment of each basket."""
        return self._group_spend(self._kept(judged).select("basket_id", "customer_id", "shopped_at"), ["shopped_at"])

    def lines(self, judged: ir.Table | None = None) -> ir.Table:
        """The lines of the kept baskets: basket_id, product_id, spend."""
        kept = self._kept(judged).select("basket_id")
        return relation(CANONICAL["lines"]).inner_join(kept, "basket_id").select("basket_id", "product_id", "spend")

    def discounts(self, judged: ir.Table | None = None) -> ir.Table:
        """The discounts on the lines of the kept baskets: contract `aisle.tables.DISCOUNTS`."""
        kept = self._kept(judged).select("basket_id")
        return relation(CANONICAL["discounts"]).inner_join(kept, "basket_id").select(*CANONICAL["discounts"].columns)

    def _group_spend(self, kept: ir.Table, by: list[str]) -> ir.Table:
        return _summed(_grouped(_bought(kept, _product_groups())), ["customer_id", "product_group", *by])

    def filters(self, judged: ir.Table | None = None) -> ir.Table:
        """Baskets, and customers owning them, by the number of the filter that dropped them."""
        judged = self.judged() if judged is None else judged
        dropped = judged.filter(judged.filter_number < _KEPT)
        return dropped.group_by("filter_number").agg(
            basket_count=dropped.count().cast("int64"), customer_count=dropped.customer_id.nunique().cast("int64")
        )

    def _kept(self, judged: ir.Table | None = None) -> ir.Table:
        judged = self.judged() if judged is None else judged
        return judged.filter(judged.filter_number == _KEPT)

    def _numbered(self) -> ir.Table:
        """`judged` before sampling: all baskets, the ones to sample from marked as kept."""
        baskets = relation(CANONICAL["baskets"]).rename(basket_price_sensitivity="price_sensitivity")
        customers = relation(CANONICAL["customers"])
        joined = baskets.left_join(customers, "customer_id").drop("customer_id_right")
        numbered = joined.left_join(_basket_numbers(), "basket_id").drop("basket_id_right")
        undefined = [
            numbered[name] == UNDEFINED
            for name in ("basket_size", "basket_type", "dominant_mission", "basket_price_sensitivity")
        ]
        lifestage = numbered.lifestage.nullif(UNDEFINED).fill_null(UNCLASSIFIED)
        return numbered.mutate(
            lifestage=lifestage,
            filter_number=ibis.cases(
                (numbered.customer_id.isnull(), _NO_CUSTOMER),
                (numbered.product_count.isnull(), _NO_LINES),
                (ibis.or_(*undefined) & (not self.baskets_xx), _BASKET_XX),
                ((numbered.price_sensitivity == UNDEFINED) & (not self.customers_xx), _CUSTOMER_XX),
                else_=_KEPT,
            ).cast("int64"),
        ).select(*_JUDGED)

    def _drawn(self, numbered: ir.Table) -> ir.Table:
        """The customers of the sample, a column ``drawn``."""
        candidates = numbered.filter(numbered.filter_number == _KEPT)
        sizes = candidates.group_by(["lifestage", "customer_id"]).agg(basket_count=candidates.count())
        draw = md5(sizes.customer_id.concat(f":{self.seed}"))
        up_to_here = sizes.basket_count.sum().over(
            group_by=sizes.lifestage, order_by=[draw, sizes.customer_id], rows=(None, 0)
        )
        within = sizes.mutate(before=up_to_here - sizes.basket_count)
        return within.filter(within.before < self.sample).select(drawn="customer_id")

    @staticmethod
    def _sampled(numbered: ir.Table, drawn: ir.Table) -> ir.Table:
        """The numbered baskets, those of customers beyond the sample marked as dropped."""
        marked = numbered.left_join(drawn, numbered.customer_id == drawn.drawn)
        beyond = (marked.filter_number == _KEPT) & marked.drawn.isnull()
        return marked.mutate(filter_number=beyond.ifelse(_NOT_SAMPLED, marked.filter_number)).drop("drawn")


def _product_groups() -> ir.Table:
    return relation(CANONICAL["products"]).select("product_id", "product_group")


def _bought(kept: ir.Table, groups: ir.Table) -> ir.Table:
    """The lines of the kept baskets, with the product group where it is known."""
    lines = relation(CANONICAL["lines"]).rename(item_count="quantity")
    return lines.inner_join(kept, "basket_id").left_join(groups, "product_id")


def _grouped(spend: ir.Table) -> ir.Table:
    """Every row in a product group, also where it is unknown."""
    return spend.mutate(product_group=spend.product_group.fill_null("unknown"))


def _summed(spend: ir.Table, by: list[str]) -> ir.Table:
    """Items and spend per group of rows."""
    return spend.group_by(by).agg(item_count=total(spend.item_count), spend=spend.spend.sum().cast("decimal(12, 2)"))


def _named(split: ir.Table) -> ir.Table:
    """The halves by their names."""
    return split.mutate(**{PARITY: named_parity(split[PARITY]), WEEKS: named_time_half(split[WEEKS])})


def _basket_numbers() -> ir.Table:
    lines = relation(CANONICAL["lines"])
    count = lines.count().cast("int64")
    items = total(lines.quantity)
    return lines.group_by("basket_id").agg(
        product_count=count,  # a product is in a basket once: the two are the key of the table
        item_count=items,
        quantity_std=standard_deviation(count, items, total(lines.quantity * lines.quantity)),
        spend=lines.spend.sum().cast("decimal(12, 2)"),
    )
