"""An extract made elsewhere is studied as one's own: filtered, summed up, and turned into features."""

from pathlib import Path

import pyarrow.compute as pc
import pytest
from tests.sources.test_basket_extract import row, write

from aisle.database import Extraction, ParquetFolder
from aisle.features import Baskets, Mix
from aisle.sources.basket_extract import BasketExtract
from aisle.sources.lgsr import Lgsr
from aisle.stages import adopt, extract, features
from aisle.storage import read_features, read_json, read_table, write_json
from aisle.tables import BASKET_EXTRACT, FILTERS

NAMES = {
    "cust_id": "customer_id",
    "cust_price_sensitivity": "price_sensitivity",
    "basket_dominant_mission": "dominant_mission",
    "std_quantity": "quantity_std",
    "nunique_products": "product_count",
    "n_products": "item_count",
    "sum_spend": "spend",
    "cust_lifestage": "lifestage",
}
ROWS = (
    row("b1", "C1"),
    row("b2", "C1", shop_date="20060420"),
    row("b3", "C1", basket_type="XX", basket_price_sensitivity="XX"),
    row("b4", "C2", "YA", cust_price_sensitivity="XX"),
    row("b5", "C2", "YA", cust_price_sensitivity="XX", basket_size="XX"),
    row("b6", "C3", "NULL"),
)


def extraction(**switches: bool) -> Extraction:
    return Extraction(**{"baskets_xx": False, "customers_xx": False} | switches, sample="all", seed=1)


def adopted(folder: Path, **switches: bool) -> Path:
    source = BasketExtract(write(folder / "baskets.csv", *ROWS))
    adopt.run(source=source, extraction=extraction(**switches), output=folder / "extract")
    return folder / "extract"


def test_undefined_codes_are_filtered_and_counted_as_in_the_extraction(tmp_path: Path) -> None:
    folder = adopted(tmp_path)
    rows = read_table(folder / "basket_extract.parquet", BASKET_EXTRACT)
    assert rows.column("basket_id").to_pylist() == ["b1", "b2", "b6"]
    assert [tuple(counts.values())[1:] for counts in read_table(folder / "filters.parquet", FILTERS).to_pylist()] == [
        (2, 2),
        (1, 1),
    ]
    summary = read_json(folder / "summary.json")
    assert (summary["first_day"], summary["last_day"], summary["basket_count"]) == ("2006-04-11", "2006-04-20", 3)
    assert summary["lifestages"]["OF"] == {"basket_count": 2, "customer_count": 1}


@pytest.mark.parametrize(
    ("switches", "baskets"),
    [
        ({"baskets_xx": True}, ["b1", "b2", "b3", "b6"]),
        ({"customers_xx": True}, ["b1", "b2", "b4", "b6"]),
        ({"baskets_xx": True, "customers_xx": True}, ["b1", "b2", "b3", "b4", "b5", "b6"]),
    ],
)
def test_filters_can_be_switched_off(tmp_path: Path, switches: dict[str, bool], baskets: list[str]) -> None:
    rows = read_table(adopted(tmp_path, **switches) / "basket_extract.parquet", BASKET_EXTRACT)
    assert rows.column("basket_id").to_pylist() == baskets


def test_the_same_extract_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = adopted(tmp_path / "a"), adopted(tmp_path / "b")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["basket_extract.parquet", "filters.csv", "filters.parquet", "summary.json"]
    assert [(first / name).read_bytes() for name in names] == [(second / name).read_bytes() for name in names]


def test_features_are_made_of_it_but_not_of_what_it_lacks(tmp_path: Path) -> None:
    folder = adopted(tmp_path)
    place = {"database": ParquetFolder(folder, "1GB", 1), "summary": folder / "summary.json", "output": tmp_path}
    features.run(**place, blocks={"baskets": Baskets()}, name="baskets")
    assert read_features(tmp_path / "baskets.parquet").values.index.tolist() == ["C1"]
    message = r"needs a table group_spend: .*group_spend.parquet is missing; .*after stage=adopt there is none"
    with pytest.raises(FileNotFoundError, match=message):
        features.run(**place, blocks={"mix": Mix(smoothing=1.0, min_buyers_share=0.1)}, name="mix")
    assert not (tmp_path / "mix.parquet").exists()


def test_an_extract_of_ones_own_comes_back_from_a_joined_csv_file(data: Path, tmp_path: Path) -> None:
    """Round trip: what the stage extract wrote, as somebody else's join; the join knows only the hour."""
    write_json({}, tmp_path / "fingerprint.json")
    extract.run(
        database=ParquetFolder(data, "1GB", 1),
        extraction=extraction(),
        fingerprint=tmp_path / "fingerprint.json",
        output=tmp_path / "own",
    )
    own = read_table(tmp_path / "own" / "basket_extract.parquet", BASKET_EXTRACT)
    hours = pc.floor_temporal(own.column("shopped_at"), unit="hour")
    expected = own.set_column(own.column_names.index("shopped_at"), own.schema.field("shopped_at"), hours)
    frame = expected.to_pandas()
    join = frame.rename(columns={canonical: name for name, canonical in NAMES.items()}).assign(
        basket_price_sensitivity=frame["basket_price_sensitivity"],
        cust_lifestage=frame["lifestage"].replace("unclassified", None),
        shop_date=frame["shopped_at"].dt.strftime("%Y%m%d"),
        shop_hour=frame["shopped_at"].dt.hour,
    )
    join.drop(columns="shopped_at").sample(frac=1, random_state=1).to_csv(tmp_path / "join.csv", index=False)
    source = BasketExtract(tmp_path / "join.csv")
    adopt.run(source=source, extraction=extraction(baskets_xx=True, customers_xx=True), output=tmp_path / "back")
    assert read_table(tmp_path / "back" / "basket_extract.parquet", BASKET_EXTRACT).equals(expected)
    assert (
        read_json(tmp_path / "back" / "summary.json")["lifestages"]
        == (read_json(tmp_path / "own" / "summary.json")["lifestages"])
    )


def test_a_group_spend_that_was_there_before_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "group_spend.parquet").write_bytes(b"of another extract")
    (tmp_path / "extract" / "store_group_spend.parquet").write_bytes(b"of another extract")
    assert not list(adopted(tmp_path).glob("*group_spend.parquet"))


def test_a_source_with_canonical_tables_is_sent_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stage=adopt needs source=basket_extract; Lgsr\(path='weeks', .*stage=fetch"):
        adopt.run(source=Lgsr("weeks"), extraction=extraction(), output=tmp_path / "extract")
    assert not list(tmp_path.iterdir())


def test_an_extract_of_which_nothing_is_left_is_an_error_and_a_broken_one_writes_nothing(tmp_path: Path) -> None:
    for rows, message in (
        ([row(basket_type="XX")], r"The extract is empty: every basket was dropped"),
        ([row(), row()], r"baskets.csv, line 3, column basket_id: 'b1' was there before"),
    ):
        source = BasketExtract(write(tmp_path / "baskets.csv", *rows))
        with pytest.raises(ValueError, match=message):
            adopt.run(source=source, extraction=extraction(), output=tmp_path / "extract")
    assert not (tmp_path / "extract").exists()
