"""The contract of every table: grain, key, columns, types, codes.

A table that crosses a border (a source, a Parquet file, a database) is checked against its contract once,
where it is made or read. What is wrong is said in one sentence that names the place, the table and the column.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow
import pyarrow.compute as pc

if TYPE_CHECKING:  # pandera costs most of a second, and only a table that is not as it should be needs it
    import pandera.pandas as pa

TEXT = pyarrow.string()
COUNT = pyarrow.int64()
MONEY = pyarrow.decimal128(12, 2)
MOMENT = pyarrow.timestamp("us")
DAY = pyarrow.date32()
NUMBER = pyarrow.float64()

LIFESTAGES = {
    "YA": "young adults",
    "OA": "older adults",
    "YF": "young families",
    "OF": "older families",
    "PE": "pensioners",
    "OT": "other",
}
"""Lifestage code -> its name (dunnhumby's codes). XX or null means unclassified."""

UNDEFINED = "XX"
UNCLASSIFIED = "unclassified"
"""The cohort of customers whose lifestage is null or XX."""

PRICE_SENSITIVITIES = {"LA": "less affluent", "MM": "mid-market", "UM": "up-market"}
BASKET_SIZES = ("S", "M", "L")
BASKET_TYPES = ("Small Shop", "Top Up", "Full Shop")
MISSIONS = ("Fresh", "Grocery", "Mixed", "Nonfood")
STORE_FORMATS = ("LS", "MS", "SS", "XLS")


@dataclass(frozen=True)
class Column:
    """One column: Arrow type, meaning, and what its values must obey."""

    type: pyarrow.DataType
    meaning: str
    nullable: bool = False
    codes: tuple[str, ...] = ()
    minimum: int | None = None

    def contract(self) -> "pa.Column":
        import pandera.pandas as pa

        checks = []
        if self.codes:
            checks.append(pa.Check.isin(self.codes))
        if self.minimum is not None:
            checks.append(pa.Check.ge(self.minimum))
        return pa.Column(pd.ArrowDtype(self.type), checks, nullable=self.nullable)

    def holds(self, values: pyarrow.ChunkedArray) -> bool:
        """Whether all ``values`` obey; where that cannot be told, they do not."""
        present = values.drop_null()
        obeyed = []
        if self.codes:
            obeyed.append(pc.is_in(present, pyarrow.array(self.codes, self.type)))
        if self.minimum is not None:
            obeyed.append(pc.greater_equal(present, pyarrow.scalar(self.minimum, self.type)))
        all_there = self.nullable or values.null_count == 0
        return all_there and all(pc.all(each, min_count=0).as_py() for each in obeyed)

    @property
    def requirement(self) -> str:
        """What values must be, for messages."""
        return f"must be one of {list(self.codes)}" if self.codes else f"must be at least {self.minimum}"


@dataclass(frozen=True)
class Table:
    """A table's contract. ``references`` maps a column to the table whose key it must be found in."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    references: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """Column names and types in declared order; nullability as declared."""
        return pyarrow.schema(
            [pyarrow.field(name, column.type, column.nullable) for name, column in self.columns.items()]
        )

    def check(self, rows: pyarrow.Table, origin: str) -> pyarrow.Table:
        """``rows`` with the declared columns, order and types; ``origin`` is named in the error.

        Raises:
            ValueError: a column is missing, unknown or repeated, a value does not fit its type, a value that must be
                there is null, a code is unknown, a number is below its minimum, or a key occurs twice.
        """
        self._check_columns(rows.column_names, origin)
        fitted = []
        for name, column in self.columns.items():
            try:
                fitted.append(rows.column(name).cast(column.type))
            except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
                message = f"{origin}: {self.name}.{name} must be {column.type}; got {rows.column(name).type}."
                raise ValueError(message) from None
        table = pyarrow.Table.from_arrays(fitted, names=list(self.columns))
        self._check_values(table, origin)
        return table.cast(self.arrow_schema)

    def check_schema(self, schema: pyarrow.Schema, origin: str) -> None:
        """That a file's columns and types are the declared ones; its values are not read.

        Text may also be Arrow's large_string, as pandas writes it.

        Raises:
            ValueError: a column is missing, unknown, repeated, or of another type.
        """
        self._check_columns(schema.names, origin)
        for name, column in self.columns.items():
            wide_text = pyarrow.types.is_large_string(schema.field(name).type) and column.type == TEXT
            if schema.field(name).type != column.type and not wide_text:
                message = f"{origin}: {self.name}.{name} must be {column.type}; got {schema.field(name).type}."
                raise ValueError(message)

    def repeated(self, rows: int) -> str:
        """The sentence for rows whose key occurs twice."""
        return f"{self.name} must have one row per {', '.join(self.key)}; {rows} rows repeat an earlier key."

    def _check_columns(self, got: list[str], origin: str) -> None:
        wrong = {
            "missing": [name for name in self.columns if name not in got],
            "unknown": [name for name in got if name not in self.columns],
            "repeated": [name for name in self.columns if got.count(name) > 1],
        }
        what = "; ".join(f"{kind} {names}" for kind, names in wrong.items() if names)
        if what:
            raise ValueError(f"{origin}: table {self.name} needs the columns {list(self.columns)}; {what}.")

    def _check_values(self, table: pyarrow.Table, origin: str) -> None:
        if self._is_fulfilled(table):
            return
        import pandera.pandas as pa

        contract = pa.DataFrameSchema(
            {name: column.contract() for name, column in self.columns.items()},
            unique=list(self.key) or None,
            report_duplicates="exclude_first",
        )
        try:
            contract.validate(table.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)
        except pa.errors.SchemaErrors as errors:
            raise ValueError(f"{origin}: {self._sentence(errors.failure_cases)}") from None

    def _is_fulfilled(self, table: pyarrow.Table) -> bool:
        """What the contract asks of values, told in Arrow; where it says no, pandera says of what and how often."""
        keys = table.select(list(self.key))
        return all(column.holds(table.column(name)) for name, column in self.columns.items()) and (
            not self.key
            or _strictly_sorted(keys)
            or keys.group_by(list(self.key), use_threads=False).aggregate([]).num_rows == keys.num_rows
        )

    def _sentence(self, failures: pd.DataFrame) -> str:
        first = failures.iloc[0]
        check = str(first["check"])
        if check == "multiple_fields_uniqueness":
            rows = failures.loc[failures["check"] == check, "index"].nunique()
            return self.repeated(rows)
        same = failures[(failures["column"] == first["column"]) & (failures["check"] == first["check"])]
        column = self.columns[str(first["column"])]
        if check == "not_nullable":
            required, got = "must not be null", f"{len(same)} rows are"
        else:
            required = column.requirement
            got = f"{len(same)} rows are not, the first is {first['failure_case']!r}"
        return f"{self.name}.{first['column']} {required}; {got}."


def _strictly_sorted(keys: pyarrow.Table) -> bool:
    """Whether every row is greater than the one before: then none repeats, told in a fraction of the time."""
    greater = pyarrow.scalar(False)
    for column in reversed(keys.columns):
        before, after = column.slice(0, max(len(column) - 1, 0)), column.slice(1)
        greater = pc.or_(pc.less(before, after), pc.and_(pc.equal(before, after), greater))
    return bool(pc.all(pc.fill_null(greater, False), min_count=0).as_py())


def _code(meaning: str, codes: tuple[str, ...]) -> Column:
    return Column(TEXT, meaning, nullable=True, codes=(*codes, UNDEFINED))


CUSTOMERS = Table(
    "customers",
    "one row per customer (a card)",
    ("customer_id",),
    {
        "customer_id": Column(TEXT, "the customer"),
        "lifestage": _code("lifestage; null or XX = unclassified", tuple(LIFESTAGES)),
        "price_sensitivity": _code("the customer's price sensitivity", tuple(PRICE_SENSITIVITIES)),
    },
)
STORES = Table(
    "stores",
    "one row per store",
    ("store_id",),
    {
        "store_id": Column(TEXT, "the store"),
        "store_format": Column(TEXT, "small, medium, large or extra large", nullable=True, codes=STORE_FORMATS),
        "store_region": Column(TEXT, "the region of the store", nullable=True),
    },
)
PRODUCTS = Table(
    "products",
    "one row per product; class < department < product group < division",
    ("product_id",),
    {
        "product_id": Column(TEXT, "the product"),
        "product_class": Column(TEXT, "the finest level of the product tree", nullable=True),
        "department": Column(TEXT, "a group of classes", nullable=True),
        "product_group": Column(TEXT, "a group of departments", nullable=True),
        "division": Column(TEXT, "a group of product groups", nullable=True),
    },
)
BASKETS = Table(
    "baskets",
    "one row per till receipt",
    ("basket_id",),
    {
        "basket_id": Column(TEXT, "the basket"),
        "customer_id": Column(TEXT, "who paid; null = no card", nullable=True),
        "store_id": Column(TEXT, "where; null = unknown, as of an order without items", nullable=True),
        "shopped_at": Column(MOMENT, "when, in the store's local time"),
        "basket_size": _code("S = 1-2 items, M = 3-9, L = 10 and more", BASKET_SIZES),
        "basket_type": _code("the kind of shopping trip", BASKET_TYPES),
        "dominant_mission": _code("what most of the money went to", MISSIONS),
        "price_sensitivity": _code("the basket's price sensitivity", tuple(PRICE_SENSITIVITIES)),
        "status": Column(TEXT, "the order's state, where the source has one", nullable=True),
        "paid": Column(MONEY, "amount paid; null = the sum of its lines", nullable=True),
        "payment_count": Column(
            COUNT, "payments it was paid with; null = the source does not say", nullable=True, minimum=0
        ),
    },
    references={"customer_id": "customers", "store_id": "stores"},
)
LINES = Table(
    "lines",
    "one row per product in a basket (repeats aggregated)",
    ("basket_id", "product_id"),
    {
        "basket_id": Column(TEXT, "the basket"),
        "product_id": Column(TEXT, "the product"),
        "quantity": Column(COUNT, "items of the product", minimum=1),
        "spend": Column(MONEY, "money paid for them, major units", minimum=0),
    },
    references={"basket_id": "baskets", "product_id": "products"},
)
DISCOUNTS = Table(
    "discounts",
    "one row per product in a basket that was bought below its shelf price",
    ("basket_id", "product_id"),
    {
        "basket_id": Column(TEXT, "the basket"),
        "product_id": Column(TEXT, "the product"),
        "shelf_discount": Column(MONEY, "what the shop itself took off, as for cards of the house", minimum=0),
        "coupon_discount": Column(MONEY, "what coupons took off", minimum=0),
    },
    references={"basket_id": "baskets", "product_id": "products"},
    optional=True,
)
CAMPAIGNS = Table(
    "campaigns",
    "one row per campaign",
    ("campaign_id",),
    {
        "campaign_id": Column(TEXT, "the campaign"),
        "campaign_type": Column(TEXT, "the kind of campaign", nullable=True),
        "start_date": Column(DAY, "first day"),
        "end_date": Column(DAY, "last day"),
    },
    optional=True,
)
CAMPAIGN_CUSTOMERS = Table(
    "campaign_customers",
    "one row per customer a campaign was sent to",
    ("campaign_id", "customer_id"),
    {"campaign_id": Column(TEXT, "the campaign"), "customer_id": Column(TEXT, "who received it")},
    references={"campaign_id": "campaigns", "customer_id": "customers"},
    optional=True,
)
COUPONS = Table(
    "coupons",
    "one row per coupon, product and campaign",
    ("coupon_id", "product_id", "campaign_id"),
    {
        "coupon_id": Column(TEXT, "the coupon"),
        "product_id": Column(TEXT, "a product it can be used for"),
        "campaign_id": Column(TEXT, "the campaign it belongs to"),
    },
    references={"product_id": "products", "campaign_id": "campaigns"},
    optional=True,
)
REDEMPTIONS = Table(
    "redemptions",
    "one row per customer, coupon, campaign and day",
    ("customer_id", "coupon_id", "campaign_id", "redemption_date"),
    {
        "customer_id": Column(TEXT, "who redeemed"),
        "coupon_id": Column(TEXT, "the coupon"),
        "campaign_id": Column(TEXT, "the campaign"),
        "redemption_date": Column(DAY, "when"),
        "redemption_count": Column(COUNT, "how often on that day", minimum=1),
    },
    references={"customer_id": "customers", "campaign_id": "campaigns"},
    optional=True,
)
DIRT = Table(
    "dirt",
    "one row per rule of the source's cleaning policy",
    ("table", "rule"),
    {
        "table": Column(TEXT, "the table the rows were meant for"),
        "rule": Column(TEXT, "the rule, as a sentence"),
        "row_count": Column(COUNT, "rows it was applied to", minimum=0),
        "action": Column(TEXT, "what was done with them", codes=("dropped", "changed")),
    },
    optional=True,
)

CANONICAL = {
    table.name: table
    for table in (
        CUSTOMERS,
        STORES,
        PRODUCTS,
        BASKETS,
        LINES,
        DISCOUNTS,
        CAMPAIGNS,
        CAMPAIGN_CUSTOMERS,
        COUPONS,
        REDEMPTIONS,
        DIRT,
    )
}
"""The canonical tables in loading order: a table comes after the tables it refers to."""

BASKET_EXTRACT = Table(
    "basket_extract",
    "one row per kept basket of a sampled customer",
    ("basket_id",),
    {
        "basket_id": Column(TEXT, "the basket"),
        "customer_id": Column(TEXT, "the customer"),
        "lifestage": Column(TEXT, "the customer's lifestage", codes=(*LIFESTAGES, UNCLASSIFIED)),
        "price_sensitivity": _code("the customer's price sensitivity", tuple(PRICE_SENSITIVITIES)),
        "store_id": Column(TEXT, "the store"),
        "store_format": STORES.columns["store_format"],
        "store_region": STORES.columns["store_region"],
        "shopped_at": BASKETS.columns["shopped_at"],
        "basket_size": BASKETS.columns["basket_size"],
        "basket_type": BASKETS.columns["basket_type"],
        "dominant_mission": BASKETS.columns["dominant_mission"],
        "basket_price_sensitivity": BASKETS.columns["price_sensitivity"],
        "quantity_std": Column(NUMBER, "population standard deviation of quantity over the lines", minimum=0),
        "product_count": Column(COUNT, "distinct products", minimum=1),
        "item_count": Column(COUNT, "items", minimum=1),
        "spend": Column(MONEY, "money paid", minimum=0),
    },
)
GROUP_SPEND = Table(
    "group_spend",
    "one row per sampled customer, product group bought, and half of the customer's baskets and of the weeks",
    ("customer_id", "product_group", "basket_parity", "time_half"),
    {
        "customer_id": Column(TEXT, "the customer"),
        "product_group": Column(TEXT, "the product group"),
        "basket_parity": Column(TEXT, "each other basket of the customer, the first is odd", codes=("odd", "even")),
        "time_half": Column(TEXT, "which half of the weeks; the summary has its day", codes=("first", "second")),
        "item_count": Column(COUNT, "items", minimum=1),
        "spend": Column(MONEY, "money paid", minimum=0),
    },
    optional=True,
)
STORE_GROUP_SPEND = Table(
    "store_group_spend",
    "one row per store, product group bought there, and half of the store's baskets and of the weeks",
    ("store_id", "product_group", "basket_parity", "time_half"),
    {
        "store_id": Column(TEXT, "the store"),
        "product_group": Column(TEXT, "the product group"),
        "basket_parity": Column(TEXT, "each other basket of the store, the first is odd", codes=("odd", "even")),
        "time_half": GROUP_SPEND.columns["time_half"],
        "item_count": Column(COUNT, "items", minimum=1),
        "spend": Column(MONEY, "money paid by the sampled customers", minimum=0),
    },
    optional=True,
)
FILTERS = Table(
    "filters",
    "one row per filter of the extraction, in the order they were applied",
    ("filter",),
    {
        "filter": Column(TEXT, "what was dropped, as a sentence"),
        "basket_count": Column(COUNT, "baskets dropped by it", minimum=0),
        "customer_count": Column(COUNT, "customers who owned them", minimum=0),
    },
)
UNSEGMENTED = Table(
    "unsegmented",
    "one row per extracted customer who gets no features",
    ("customer_id",),
    {
        "customer_id": Column(TEXT, "the customer"),
        "lifestage": Column(TEXT, "the customer's lifestage"),
        "reason": Column(TEXT, "why, as a few words"),
    },
)
EXTRACTED = {table.name: table for table in (BASKET_EXTRACT, GROUP_SPEND, STORE_GROUP_SPEND)}
"""What `aisle.stages.extract` writes and the feature blocks read."""
