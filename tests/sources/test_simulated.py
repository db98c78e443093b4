"""The simulated grocery keeps the exact rules of the real one, resembles its portrait, and hides what was planted."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from aisle.sources.basket_codes import KINDS, NEUTRAL, code_baskets, dunnhumby_kinds
from aisle.sources.grocery_star import GroceryStar
from aisle.sources.simulated import Simulated
from aisle.sources.simulated.measures import customer_habits, measure, receipts
from aisle.sources.simulated.population import PLANTED_TRAITS, segment_centres
from aisle.sources.simulated.portrait import CONTINUUM, FLAT, STATISTICS, Statistic
from aisle.sources.simulated.visits import season
from aisle.tables import CANONICAL

Tables = dict[str, pyarrow.Table]
Measured = dict[str, dict[str, float]]


def read(source: Any) -> Tables:
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in source.batches():
        parts.setdefault(batch.table, []).append(batch.rows)
    return {name: pyarrow.concat_tables(tables) for name, tables in parts.items()}


def habits(tables: Tables) -> pd.DataFrame:
    """22 standardised habits per customer with at least ten baskets."""
    baskets, _ = receipts(tables)
    rows = customer_habits(baskets, tables["customers"].to_pandas())
    rows = rows[rows["baskets"] >= 10]
    named = rows[[column for column in rows if " " in str(column)]]
    few = ["basket_size M", "price_sensitivity MM", "store_format MS", "store_format XLS"]
    columns = named.drop(columns=few).assign(
        hour=rows["hour"],
        spread_of_hours=rows["spread_of_hours"],
        main_store=rows["main_store"],
        gap=np.log((rows["last"] - rows["first"] + 1) / rows["baskets"]),
        **{name: np.log(rows[name]) for name in ("baskets", "mean_spend", "mean_lines", "mean_items", "stores")},
    )
    return (columns - columns.mean()) / columns.std()


def silhouettes(values: pd.DataFrame) -> dict[str, float]:
    fits = {k: KMeans(int(k), n_init=4, random_state=0).fit_predict(values) for k in CONTINUUM.values}
    return {k: float(silhouette_score(values, labels)) for k, labels in fits.items()}


@pytest.fixture(scope="module")
def simulated() -> Tables:
    """As many customers and weeks as the real data: about 3 million lines."""
    return read(Simulated(customers=5000, weeks=117, seed=1))


@pytest.fixture(scope="module")
def measured(simulated: Tables) -> Measured:
    return measure(simulated)


@pytest.fixture(scope="module")
def till(simulated: Tables) -> pd.DataFrame:
    """The lines with numbers for baskets, products, groups and kinds, and their money in cents."""
    lines, products = simulated["lines"], simulated["products"].to_pandas()
    kinds = dunnhumby_kinds(
        products["product_class"].to_numpy(dtype=str), products["product_group"].to_numpy(dtype=str)
    )
    product = pyarrow.compute.index_in(lines["product_id"], value_set=simulated["products"]["product_id"]).to_numpy()
    return pd.DataFrame(
        {
            "basket": pyarrow.compute.index_in(lines["basket_id"], simulated["baskets"]["basket_id"]).to_numpy(),
            "product": product,
            "group": pd.factorize(products["product_group"])[0][product],
            "kind": np.argmax(kinds[:, None] == np.array([*KINDS, NEUTRAL]), axis=1)[product],
            "quantity": lines["quantity"].to_numpy(),
            "cents": np.rint(lines["spend"].cast(pyarrow.float64()).to_numpy() * 100).astype(np.int64),
        }
    )


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda statistic: statistic.name)
def test_a_simulation_shares_the_statistic_with_the_real_data(measured: Measured, statistic: Statistic) -> None:
    assert statistic.misses(measured[statistic.name]) == []


@pytest.mark.parametrize("statistic", FLAT, ids=lambda statistic: statistic.name)
def test_a_simulation_is_flat_where_the_real_data_is(measured: Measured, statistic: Statistic) -> None:
    assert statistic.misses(measured[statistic.name]) == []


def test_customers_are_a_continuum_where_nothing_is_planted(simulated: Tables) -> None:
    assert CONTINUUM.misses(silhouettes(habits(simulated))) == []


def test_the_real_data_has_the_statistics_of_the_portrait() -> None:
    folder = os.environ.get("AISLE_REAL_DATA")
    if not folder:
        pytest.skip("AISLE_REAL_DATA is not set: the portrait is not compared with real data.")
    tables = read(GroceryStar(Path(folder) / "lgsr"))
    found = measure(tables)
    exact = [Statistic(one.name, one.values, relative=0.02, absolute=0.01) for one in (*STATISTICS, *FLAT)]
    assert {one.name: one.misses(found[one.name]) for one in exact if one.misses(found[one.name])} == {}
    assert CONTINUUM.misses(silhouettes(habits(tables))) == []


def test_a_statistic_names_what_is_further_off_than_allowed() -> None:
    statistic = Statistic("hours", {"8": 0.06, "9": 0.04}, relative=0.5, absolute=0.01)
    assert statistic.misses({"8": 0.021, "9": 0.01}) == []
    assert statistic.misses({"8": 0.019, "9": 0.04}) == ["8: 0.019 instead of 0.06"]
    assert statistic.misses({"8": float("nan"), "9": 0.04}) == ["8: nan instead of 0.06"]


def test_a_basket_has_one_line_per_product(till: pd.DataFrame) -> None:
    assert not till.duplicated(["basket", "product"]).any()


def test_every_basket_has_lines_and_its_id_occurs_once(simulated: Tables, till: pd.DataFrame) -> None:
    baskets = simulated["baskets"]["basket_id"]
    assert len(pyarrow.compute.unique(baskets)) == len(baskets)
    assert till["basket"].nunique() == len(baskets)


def test_rows_are_in_the_order_of_their_keys(simulated: Tables, till: pd.DataFrame) -> None:
    for name in ("customers", "stores", "products", "baskets"):
        ids = simulated[name].column(0).to_pandas()
        assert ids.is_monotonic_increasing, name
    assert (np.diff(till["basket"] * 4997 + till["product"]) > 0).all()


def test_basket_codes_follow_the_rules_of_the_real_data(simulated: Tables, till: pd.DataFrame) -> None:
    baskets = simulated["baskets"]
    codes = code_baskets(
        basket=till["basket"].to_numpy(),
        group=till["group"].to_numpy(),
        kind=till["kind"].to_numpy(),
        item_count=till["quantity"].to_numpy(),
        cents=till["cents"].to_numpy(),
        basket_count=baskets.num_rows,
    )
    assert baskets["basket_size"].to_pylist() == codes.sizes.tolist()
    assert baskets["basket_type"].to_pylist() == codes.types.tolist()
    assert baskets["dominant_mission"].to_pylist() == codes.missions.tolist()


def test_type_and_mission_are_undefined_together(simulated: Tables) -> None:
    baskets = simulated["baskets"].to_pandas()
    assert ((baskets["basket_type"] == "XX") == (baskets["dominant_mission"] == "XX")).all()
    undefined = baskets.loc[baskets["basket_type"] == "XX", "price_sensitivity"]
    assert set(undefined) == {"XX", "MM"}
    assert 0.8 < (undefined == "XX").mean() < 0.95


def test_only_nonfood_and_neutral_baskets_have_no_price_sensitivity(simulated: Tables) -> None:
    baskets = simulated["baskets"].to_pandas()
    assert set(baskets.loc[baskets["price_sensitivity"] == "XX", "dominant_mission"]) == {"XX", "Nonfood"}


def test_full_shops_have_many_lines_and_groups(simulated: Tables, till: pd.DataFrame) -> None:
    full = (simulated["baskets"]["basket_type"].to_pandas() == "Full Shop").to_numpy()
    by_basket = till.groupby("basket").agg(lines=("product", "size"), groups=("group", "nunique"))
    assert by_basket.loc[full].min().min() >= 8


def test_quantity_is_never_two(till: pd.DataFrame) -> None:
    assert till["quantity"].min() == 1
    assert not (till["quantity"] == 2).any()
    assert till["quantity"].max() <= 1685


def test_a_price_is_constant_unless_the_product_is_sold_by_weight(till: pd.DataFrame) -> None:
    assert till["cents"].min() >= 1
    assert (till["cents"] % till["quantity"] == 0).all()
    each = (till["cents"] // till["quantity"]).groupby(till["product"]).agg(["min", "max"])
    weighed = each.index[each["min"] != each["max"]]
    assert len(weighed) == pytest.approx(287, abs=5)
    assert (till.loc[till["product"].isin(weighed), "quantity"] == 1).all()


def test_the_product_tree_is_strict(simulated: Tables) -> None:
    products = simulated["products"].to_pandas()
    levels = ["division", "product_group", "department", "product_class", "product_id"]
    assert products[levels].nunique().tolist() == [9, 31, 90, 250, 4997]
    for upper, lower in pairwise(levels):
        assert products[[upper, lower]].drop_duplicates()[lower].is_unique, lower


def test_hours_are_whole_and_from_8_to_21(simulated: Tables) -> None:
    moments = simulated["baskets"]["shopped_at"].to_pandas()
    assert (moments == moments.dt.floor("h")).all()
    assert set(moments.dt.hour) == set(range(8, 22))


def test_weeks_run_from_monday_to_sunday_and_ids_grow_with_them(simulated: Tables) -> None:
    baskets = simulated["baskets"].to_pandas()
    week = (baskets["shopped_at"] - pd.Timestamp("2006-04-10")).dt.days // 7
    assert set(week) == set(range(117))
    assert (baskets["basket_id"].str[:7].astype(int) == 9941001 + week).all()
    assert baskets["shopped_at"].is_monotonic_increasing


def test_ids_look_like_the_originals(simulated: Tables) -> None:
    forms = {
        ("customers", "customer_id"): r"CUST\d{10}",
        ("stores", "store_id"): r"STORE\d{5}",
        ("products", "product_id"): r"PRD09\d{5}",
        ("products", "product_class"): r"CL\d{5}",
        ("products", "department"): r"DEP\d{5}",
        ("products", "product_group"): r"G\d{5}",
        ("products", "division"): r"D\d{5}",
        ("baskets", "basket_id"): r"9941\d{11}",
    }
    for (table, column), form in forms.items():
        assert simulated[table][column].to_pandas().str.fullmatch(form).all(), column


def test_nulls_are_only_in_the_customer_columns(simulated: Tables) -> None:
    nulls = {
        (name, column) for name, rows in simulated.items() for column in rows.column_names if rows[column].null_count
    }
    absent = {("baskets", "status"), ("baskets", "paid"), ("baskets", "payment_count")}
    assert nulls - absent == {("customers", "lifestage"), ("baskets", "customer_id")}


def test_every_reference_is_found(simulated: Tables) -> None:
    for name in ("baskets", "lines"):
        for column, other in CANONICAL[name].references.items():
            known = simulated[other][CANONICAL[other].key[0]]
            ids = simulated[name][column].drop_null()
            assert pyarrow.compute.all(pyarrow.compute.is_in(ids, known)).as_py(), column


def test_customers_come_back_to_the_same_store_and_products(simulated: Tables, till: pd.DataFrame) -> None:
    baskets = simulated["baskets"].to_pandas()
    by_store = baskets.groupby("customer_id")["store_id"].value_counts()
    main = by_store.groupby("customer_id").max() / by_store.groupby("customer_id").sum()
    assert 0.75 < main.mean() < 0.87  # in the real data 0.81
    owner = baskets["customer_id"].to_numpy()[till["basket"]]
    variety = till.groupby(owner)["product"].agg(["size", "nunique"])
    some = variety[variety["size"].between(450, 550)]
    assert 180 < some["nunique"].mean() < 250  # in the real data 212; 409 if customers had no favourites


@given(
    customers=st.integers(1, 60),
    weeks=st.integers(1, 3),
    seed=st.integers(0, 2**40),
    shares=st.lists(st.integers(1, 5), max_size=8),
    separation=st.floats(0, 20),
    anonymous=st.floats(0, 0.9),
)
@settings(max_examples=20)
def test_any_size_fulfils_the_contracts(
    customers: int, weeks: int, seed: int, shares: list[int], separation: float, anonymous: float
) -> None:
    segments = [share / sum(shares) for share in shares]
    source = Simulated(
        customers=customers,
        weeks=weeks,
        seed=seed,
        anonymous_share=anonymous,
        segments=segments,
        separation=separation if len(segments) > 1 else 0,
    )
    tables = read(source)
    assert tables["customers"].num_rows == customers
    assert tables["stores"]["store_format"].to_pandas().nunique() == 4
    baskets, lines = tables["baskets"], tables["lines"]
    assert pyarrow.compute.unique(lines["basket_id"]).to_pylist() == baskets["basket_id"].to_pylist()
    assert source.planted().index.tolist() == tables["customers"]["customer_id"].to_pylist()


def test_one_seed_gives_the_same_bytes_whatever_the_number_of_threads() -> None:
    source = Simulated(customers=300, weeks=4, seed=5, segments=(0.6, 0.4), separation=2)
    threads = pyarrow.cpu_count()
    first = read(source)
    try:
        pyarrow.set_cpu_count(threads + 1)
        again = read(source)
    finally:
        pyarrow.set_cpu_count(threads)
    assert all(first[name].equals(again[name]) for name in first)
    assert not first["lines"].equals(read(Simulated(customers=300, weeks=4, seed=6))["lines"])


def test_a_longer_simulation_begins_with_the_shorter_one() -> None:
    short, long = (read(Simulated(customers=200, weeks=weeks, seed=2)) for weeks in (2, 5))
    for name in ("customers", "stores", "products"):
        assert short[name].equals(long[name])
    for name in ("baskets", "lines"):
        assert short[name].equals(long[name].slice(0, short[name].num_rows))


def test_baskets_and_lines_come_week_by_week() -> None:
    names = [batch.table for batch in Simulated(customers=50, weeks=3, seed=0).batches()]
    assert names == ["customers", "stores", "products", *["baskets", "lines"] * 3, "dirt"]


def test_nothing_is_dirty() -> None:
    assert read(Simulated(customers=5, weeks=1, seed=0))["dirt"].num_rows == 0


def test_rates_do_not_depend_on_the_number_of_customers() -> None:
    few, many = (read(Simulated(customers=customers, weeks=6, seed=3)) for customers in (2000, 12000))
    for name in ("baskets", "lines"):
        assert many[name].num_rows / 12000 == pytest.approx(few[name].num_rows / 2000, rel=0.1)
    assert many["stores"].num_rows == 761
    assert few["stores"].num_rows == pytest.approx(761 * 0.4, abs=1)


@pytest.mark.parametrize("share", [0.0, 0.2052, 0.5])
def test_the_share_of_baskets_without_a_card_is_as_asked(share: float) -> None:
    baskets = read(Simulated(customers=1500, weeks=5, seed=4, anonymous_share=share))["baskets"]
    assert baskets["customer_id"].null_count / baskets.num_rows == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("week", "factor"), [(35, 1.0), (36, 1.0), (37, 0.70), (38, 0.88), (39, 1.0), (89, 0.70), (90, 0.88), (91, 1.0)]
)
def test_only_the_weeks_of_christmas_and_new_year_stand_out(week: int, factor: float) -> None:
    assert season(week) == factor


def test_nothing_planted_is_one_segment() -> None:
    assert set(Simulated(customers=30, weeks=1, seed=0).planted()) == {0}


def test_planted_segments_have_the_chosen_sizes() -> None:
    planted = Simulated(customers=1000, weeks=1, seed=8, segments=(0.5, 0.301, 0.199), separation=6).planted()
    assert planted.value_counts().sort_index().tolist() == [500, 301, 199]
    assert planted.name == "segment"
    assert planted.index.name == "customer_id"


@pytest.mark.parametrize(
    ("shares", "traits"), [((0.5, 0.5), 7), ((0.5, 0.3, 0.2), 7), ((0.4, 0.3, 0.2, 0.1), 7), ((0.125,) * 8, 5)]
)
def test_segment_centres_are_a_step_apart_in_most_traits(shares: tuple[float, ...], traits: int) -> None:
    centres = segment_centres(shares)
    assert np.einsum("k,kj->j", np.array(shares), centres) == pytest.approx(np.zeros(len(PLANTED_TRAITS)))
    steps = np.abs(centres[:, None] - centres[None, :])[~np.eye(len(shares), dtype=bool)]
    apart = steps > 0.999
    assert (apart | (steps < 0.001)).all()
    assert apart.sum(axis=1).min() >= traits


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.5, 0.3, 0.2), (0.4, 0.3, 0.2, 0.1)])
def test_clearly_separated_segments_are_found(shares: tuple[float, ...]) -> None:
    source = Simulated(customers=700, weeks=104, seed=3, segments=shares, separation=6)
    values = habits(read(source))
    truth = source.planted().reindex(values.index)
    assert len(values) > 0.9 * len(source.planted())
    methods = {
        "k-means": KMeans(len(shares), n_init=4, random_state=0),
        "ward": AgglomerativeClustering(len(shares)),
        "mixture": GaussianMixture(len(shares), n_init=3, random_state=0, reg_covar=1e-3),
    }
    for name, method in methods.items():
        assert adjusted_rand_score(truth, method.fit_predict(values)) > 0.9, name


def test_segments_without_separation_cannot_be_found() -> None:
    source = Simulated(customers=700, weeks=60, seed=3, segments=(0.5, 0.3, 0.2))
    values = habits(read(source))
    truth = source.planted().reindex(values.index)
    assert abs(adjusted_rand_score(truth, KMeans(3, n_init=4, random_state=0).fit_predict(values))) < 0.03


def test_segments_are_the_same_in_every_lifestage() -> None:
    source = Simulated(customers=20000, weeks=1, seed=1, segments=(0.7, 0.3), separation=8)
    lifestages = read(source)["customers"].to_pandas().set_index("customer_id")["lifestage"].fillna("none")
    shares = pd.crosstab(lifestages, source.planted(), normalize="index")[0]
    assert shares.between(0.65, 0.75).all()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"customers": 0}, r"source.customers must be at least 1; got 0\."),
        ({"weeks": 0}, r"source.weeks must be from 1 to 58999; got 0\."),
        ({"weeks": 59000}, r"source.weeks must be from 1 to 58999; got 59000\."),
        ({"seed": -1}, r"source.seed must be at least 0; got -1\."),
        ({"anonymous_share": 1.0}, r"source.anonymous_share must be at least 0 and below 1; got 1.0\."),
        ({"separation": float("nan")}, r"source.separation must be from 0 to 20; got nan\."),
        ({"separation": 20.5}, r"source.separation must be from 0 to 20; got 20.5\."),
        ({"segments": [0.1] * 10}, r"source.segments must be at most 8; got 10\."),
        ({"segments": [0.5, 0.4]}, r"source.segments must be shares above 0 that add up to 1; got \[0.5, 0.4\]\."),
        ({"segments": [1.5, -0.5]}, r"source.segments must be shares above 0 that add up to 1; got \[1.5, -0.5\]\."),
        ({"separation": 2.0}, r"source.separation is between two source.segments; got only \[\]\."),
    ],
)
def test_a_bad_argument_is_refused_in_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Simulated(**{"customers": 10, "weeks": 1, "seed": 0, **changed})


def test_the_configuration_describes_the_source(role: Callable[..., Any]) -> None:
    source = role("source", "simulated", "source.segments=[0.5,0.5]", "source.separation=3")
    assert source == Simulated(customers=5000, weeks=117, seed=1, segments=(0.5, 0.5), separation=3.0)
