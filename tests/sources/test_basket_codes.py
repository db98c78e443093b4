"""The codes of a basket follow dunnhumby's rules."""

import os
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.sources.basket_codes import (
    KINDS,
    NEUTRAL,
    NEUTRAL_NUMBER,
    basket_sizes,
    basket_types,
    code_baskets,
    dunnhumby_kinds,
    missions,
)
from aisle.tables import BASKET_SIZES, BASKET_TYPES, MISSIONS, UNDEFINED

line_items = st.tuples(
    st.integers(0, 4),  # basket
    st.integers(0, 11),  # product group
    st.integers(0, NEUTRAL_NUMBER),  # kind
    st.integers(1, 12),  # items
    st.integers(0, 500),  # cents
)


def coded(lines, basket_count=5):
    columns = np.array(lines, dtype=np.int64).reshape(-1, 5).T
    names = ("basket", "group", "kind", "item_count", "cents")
    return code_baskets(**dict(zip(names, columns, strict=True)), basket_count=basket_count)


def slowly_coded(lines):
    """The published rules in plain Python, with exact fractions."""
    by_basket = defaultdict(list)
    for basket, *line in lines:
        by_basket[basket].append(line)
    codes = {}
    for basket, bought in by_basket.items():
        items = sum(line[2] for line in bought)
        counted = [line for line in bought if line[1] != NEUTRAL_NUMBER]
        counted_items, spend = sum(line[2] for line in counted), sum(line[3] for line in counted)
        groups = len({line[0] for line in counted})
        size = "S" if items <= 2 else "M" if items <= 9 else "L"
        if not counted:
            codes[basket] = (size, UNDEFINED, UNDEFINED)
            continue
        small, full = groups <= 3 and counted_items <= 9, groups >= 8 and counted_items >= 15
        mission = "Mixed"
        for number, kind in enumerate(KINDS):
            of_items = Fraction(sum(line[2] for line in counted if line[1] == number), counted_items)
            of_spend = Fraction(sum(line[3] for line in counted if line[1] == number), spend) if spend else of_items
            if (of_items + of_spend) / 2 >= Fraction(6, 10):
                mission = kind
        codes[basket] = (size, "Small Shop" if small else "Full Shop" if full else "Top Up", mission)
    return codes


@given(st.lists(line_items, max_size=40))
def test_codes_equal_the_rules_applied_one_basket_at_a_time(lines):
    codes = coded(lines)
    for basket, expected in slowly_coded(lines).items():
        assert (codes.sizes[basket], codes.types[basket], codes.missions[basket]) == expected


@given(st.lists(line_items, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_no_code(lines, random):
    shuffled = random.sample(lines, len(lines))
    first, second = coded(lines), coded(shuffled)
    np.testing.assert_array_equal(first.sizes, second.sizes)
    np.testing.assert_array_equal(first.types, second.types)
    np.testing.assert_array_equal(first.missions, second.missions)


@given(st.lists(line_items, max_size=30), st.integers(2, 9))
def test_prices_in_another_currency_change_no_mission(lines, factor):
    dearer = [(*line[:4], line[4] * factor) for line in lines]
    np.testing.assert_array_equal(coded(lines).missions, coded(dearer).missions)


@given(st.lists(line_items.filter(lambda line: line[2] != NEUTRAL_NUMBER), max_size=30))
def test_a_neutral_item_changes_neither_type_nor_mission(lines):
    with_bags = [*lines, *((basket, 3, NEUTRAL_NUMBER, 7, 10_000) for basket in range(5))]
    np.testing.assert_array_equal(coded(lines).types, coded(with_bags).types)
    np.testing.assert_array_equal(coded(lines).missions, coded(with_bags).missions)


@given(st.lists(line_items, max_size=30))
def test_type_and_mission_are_undefined_together(lines):
    codes = coded(lines)
    np.testing.assert_array_equal(codes.types == UNDEFINED, codes.missions == UNDEFINED)


@given(st.lists(line_items, max_size=30))
def test_only_known_codes_are_given(lines):
    codes = coded(lines)
    assert set(codes.sizes) <= set(BASKET_SIZES)
    assert set(codes.types) <= {*BASKET_TYPES, UNDEFINED}
    assert set(codes.missions) <= {*MISSIONS, UNDEFINED}


def test_the_bounds_of_size_and_type_belong_to_the_code_the_rule_names():
    assert basket_sizes(np.array([1, 2, 3, 9, 10, 11])).tolist() == ["S", "S", "M", "M", "L", "L"]
    groups, items = np.array([3, 4, 3, 7, 8, 8]), np.array([9, 9, 10, 15, 14, 15])
    assert basket_types(groups, items).tolist() == ["Small Shop", *["Top Up"] * 4, "Full Shop"]


def test_a_share_of_exactly_three_fifths_makes_the_mission():
    one, none = np.array([1]), np.array([0])
    assert missions(np.array([98]), np.array([42]), none, one, one, none).tolist() == ["Fresh"]
    assert missions(np.array([97]), np.array([43]), none, one, one, none).tolist() == ["Mixed"]


def test_a_basket_of_free_things_takes_its_mission_from_the_items():
    none = np.array([0])
    assert missions(none, none, none, np.array([1]), np.array([2]), none).tolist() == ["Grocery"]


def test_unknown_product_groups_are_neutral():
    assert dunnhumby_kinds(np.array(["CL1"]), np.array(["G99999"])).tolist() == [NEUTRAL]


def test_the_rules_reproduce_the_codes_of_the_real_baskets():
    folder = os.environ.get("AISLE_REAL_DATA")
    if not folder:
        pytest.skip("AISLE_REAL_DATA is not set: the codes are not compared with those of real baskets.")
    star = Path(folder) / "lgsr"
    lines = pd.read_parquet(star / "Transactions.parquet", columns=["basket_id", "prod_id", "quantity", "spend"])
    products = pd.read_parquet(star / "Products.parquet").set_index("prod_id")
    baskets = pd.read_parquet(star / "Baskets.parquet").set_index("basket_id")
    group = pd.factorize(products["prod_code_30"])[0]
    kinds = dunnhumby_kinds(products["prod_code_10"].to_numpy(str), products["prod_code_30"].to_numpy(str))
    product = products.index.get_indexer(lines["prod_id"])
    codes = code_baskets(
        basket=baskets.index.get_indexer(lines["basket_id"]),
        group=group[product],
        kind=np.array([[*KINDS, NEUTRAL].index(kind) for kind in kinds])[product],
        item_count=lines["quantity"].to_numpy(),
        cents=np.rint(lines["spend"].to_numpy() * 100).astype(np.int64),
        basket_count=len(baskets),
    )
    assert (codes.sizes == baskets["basket_size"]).all()
    assert (codes.types == baskets["basket_type"]).all()
    assert (codes.missions != baskets["basket_dominant_mission"]).sum() == 17
