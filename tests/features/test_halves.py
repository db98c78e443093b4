"""Halves of the baskets: who is in which, and that the features of all baskets do not notice them."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import Extraction, ParquetFolder, customer_features, half_features
from aisle.database.parquet_folder import FolderConnection
from aisle.features import Baskets, Mix, Rfm
from aisle.features.exact import relation
from aisle.features.halves import EVEN, FIRST, HALVES, ODD, PARITY, SECOND, half_of, parity, second_half_from
from aisle.tables import BASKET_EXTRACT, CANONICAL, EXTRACTED, GROUP_SPEND

NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
EVERYBODY = Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1)
BLOCKS = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.3)}
MIDDLE, TODAY = date(2024, 2, 12), date(2024, 4, 1)
RELATIONS = {name: relation(table) for name, table in EXTRACTED.items()}


@pytest.fixture(scope="module")
def source(grocery: Callable[..., Any], save: Callable[..., Path], tmp_path_factory: Any) -> Path:
    return save(grocery(120, seed=12), tmp_path_factory.mktemp("halves") / "data")


@pytest.fixture(scope="module")
def extract(source: Path) -> Iterator[FolderConnection]:
    """A connection to the extract of a small grocery."""
    folder = source.parent
    with ParquetFolder(source, "1GB", 1).connect(NEEDED) as connection:
        for name, query in (
            ("basket_extract", EVERYBODY.baskets()),
            ("group_spend", EVERYBODY.group_spend(EVERYBODY.split_spend(MIDDLE))),
        ):
            rows = connection.fetch(query, order_by=EXTRACTED[name].key)
            pyarrow.parquet.write_table(EXTRACTED[name].check(rows, name), folder / f"{name}.parquet")
    with ParquetFolder(folder, "1GB", 1).connect(EXTRACTED) as connection:
        yield connection


def rows_of(connection: FolderConnection, name: str, half: str | None = None) -> pd.DataFrame:
    relations = RELATIONS if half is None else half_of(RELATIONS, half, MIDDLE)
    return connection.fetch(relations[name], order_by=EXTRACTED[name].key).to_pandas(date_as_object=False)


def test_a_customers_baskets_are_odd_and_even_in_turn_in_the_order_of_time(extract: FolderConnection) -> None:
    odd = set(rows_of(extract, "basket_extract", ODD)["basket_id"])
    even = set(rows_of(extract, "basket_extract", EVEN)["basket_id"])
    baskets = rows_of(extract, "basket_extract")
    assert odd | even == set(baskets["basket_id"])
    assert not odd & even
    hashes = baskets["basket_id"].map(lambda name: md5(name.encode(), usedforsecurity=False).hexdigest())
    ordered = baskets.assign(hash=hashes).sort_values(["customer_id", "shopped_at", "hash"])
    assert baskets.duplicated(["customer_id", "shopped_at"]).any()
    for _, own in ordered.groupby("customer_id"):
        assert [basket in odd for basket in own["basket_id"]] == [place % 2 == 0 for place in range(len(own))]


def test_the_weeks_halves_meet_at_the_middle(extract: FolderConnection) -> None:
    first, second = (rows_of(extract, "basket_extract", half) for half in (FIRST, SECOND))
    assert max(first["shopped_at"]).date() < MIDDLE <= min(second["shopped_at"]).date()
    assert len(first) + len(second) == len(rows_of(extract, "basket_extract"))


@pytest.mark.parametrize("half", HALVES)
def test_spend_per_group_is_that_of_the_halfs_baskets(extract: FolderConnection, half: str) -> None:
    baskets, groups = rows_of(extract, "basket_extract", half), rows_of(extract, "group_spend", half)
    for column in ("spend", "item_count"):
        own = groups.groupby("customer_id")[column].sum()
        assert own.to_dict() == baskets.groupby("customer_id")[column].sum().to_dict()


def test_over_the_halves_spend_per_group_adds_up_to_what_is_not_split(source: Path, extract: FolderConnection) -> None:
    with ParquetFolder(source, "1GB", 1).connect(NEEDED) as connection:
        whole = connection.fetch(EVERYBODY.whole_group_spend(), order_by=["customer_id", "product_group"]).to_pandas()
    halves = rows_of(extract, "group_spend")
    assert len(halves) > 2 * len(whole)
    summed = halves.groupby(["customer_id", "product_group"], as_index=False)[["item_count", "spend"]].sum()
    pd.testing.assert_frame_equal(summed, whole, check_dtype=False)


def test_features_of_all_baskets_are_to_the_byte_what_they_are_without_halves(
    source: Path, extract: FolderConnection
) -> None:
    split = customer_features(extract, RELATIONS, BLOCKS, TODAY)
    with ParquetFolder(source, "1GB", 1).connect(NEEDED) as connection:
        unsplit = {"basket_extract": EVERYBODY.baskets(), "group_spend": EVERYBODY.whole_group_spend()}
        whole = customer_features(connection, unsplit, BLOCKS, TODAY)
    assert split.features.digest() == whole.features.digest()
    assert split.reasons.to_dict() == whole.reasons.to_dict()


@pytest.mark.parametrize("half", HALVES)
def test_features_of_a_half_are_those_of_an_extract_of_that_half(
    extract: FolderConnection, tmp_path: Path, half: str
) -> None:
    until = MIDDLE if half == FIRST else TODAY
    whole = customer_features(extract, RELATIONS, BLOCKS, TODAY)
    found = half_features(extract, RELATIONS, whole, until, half=half, middle=MIDDLE)
    for table in (BASKET_EXTRACT, GROUP_SPEND):
        rows = extract.fetch(half_of(RELATIONS, half, MIDDLE)[table.name], order_by=table.key)
        pyarrow.parquet.write_table(table.check(rows, table.name), tmp_path / f"{table.name}.parquet")
    with ParquetFolder(tmp_path, "1GB", 1).connect(EXTRACTED) as connection:
        alone = customer_features(connection, RELATIONS, whole.blocks, until)
    assert found.features.digest() == alone.features.digest()
    assert set(found.features.values.columns) == set(whole.features.values.columns)
    assert sorted([*found.features.values.index, *found.reasons.index]) == sorted(whole.lifestages.index)
    gone = set(whole.lifestages.index) - set(alone.lifestages.index)
    assert set(found.reasons.index[found.reasons == "no basket in this half"]) == gone
    assert bool(gone) is (half != ODD)


def test_groups_that_are_rare_in_a_half_alone_keep_their_columns() -> None:
    def rows(**cents: list[int]) -> pd.DataFrame:
        wide = pd.DataFrame(cents, index=pd.Index(["ann", "bob", "zoe"], name="customer_id"))
        long = wide.melt(var_name="product_group", value_name="cents", ignore_index=False).reset_index()
        return long[long["cents"] > 0]

    block = Mix(1.0, 0.5)
    settled = block.settled(rows(bread=[100, 200, 300], milk=[100, 100, 0], wine=[0, 0, 900]))
    found = settled.finish(rows(bread=[100, 0, 300], wine=[0, 500, 0], soap=[400, 0, 0]))
    assert list(found.columns) == ["mix_bread", "mix_milk", "mix_other"]
    alike = block.finish(rows(bread=[100, 0, 300], milk=[1, 1, 0], wine=[400, 500, 0])).assign(mix_milk=0.0)
    assert list(alike.columns) == list(found.columns) or "mix_wine" in alike
    assert (found["mix_other"] - found["mix_bread"]).round(9).tolist() == pytest.approx(
        [0.9162907319, 1.7917594692, -1.3862943611]
    )


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "A", "a ", "ä"]), st.integers(0, 3)),
        min_size=1,
        max_size=14,
    )
)
def test_parity_is_exact_whatever_moments_tie(tmp_path_factory: Any, baskets: list[tuple[str, int]]) -> None:
    template: dict[str, Any] = dict.fromkeys(BASKET_EXTRACT.columns)
    template |= {"lifestage": "YA", "store_id": "s", "quantity_std": 0.0, "product_count": 1, "item_count": 1}
    rows = [
        template
        | {"basket_id": f"b{number}", "customer_id": customer, "spend": number}
        | {"shopped_at": datetime(2024, 2, 1) + timedelta(hours=hour)}
        for number, (customer, hour) in enumerate(baskets)
    ]
    folder = tmp_path_factory.mktemp("parity")
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows, schema=BASKET_EXTRACT.arrow_schema), folder / "basket_extract.parquet"
    )
    table = RELATIONS["basket_extract"]
    with ParquetFolder(folder, "1GB", 1).connect(EXTRACTED) as connection:
        query = table.select("basket_id", **{PARITY: parity(table)})
        found = {row["basket_id"]: row[PARITY] for row in connection.fetch(query, order_by=["basket_id"]).to_pylist()}
    owned = defaultdict(list)
    for row in rows:
        name = row["basket_id"]
        owned[row["customer_id"]].append(
            (row["shopped_at"], md5(name.encode(), usedforsecurity=False).hexdigest(), name)
        )
    for own in owned.values():
        assert [found[name] for _, _, name in sorted(own)] == [[ODD, EVEN][n % 2] for n in range(len(own))]


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_halves_are_whole_weeks_and_the_second_has_at_most_one_more(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    middle = second_half_from(first, last)
    assert (middle - first).days % 7 == 0
    weeks = (middle - first).days // 7, ((last - middle).days + 7) // 7
    assert 0 <= weeks[1] - weeks[0] <= 1
