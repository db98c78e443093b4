"""The embedded engine reads folders of Parquet files, refuses what is not one, and leaves nothing behind."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from aisle.database import Extraction, ParquetFolder
from aisle.features.exact import relation
from aisle.storage import write_arrow
from aisle.tables import CANONICAL

Tables = dict[str, pyarrow.Table]
NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}


def engine(folder: Path) -> ParquetFolder:
    return ParquetFolder(folder, memory_limit="1GB", threads=2)


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "data"))


def test_rows_come_back_as_they_are_sorted_by_the_bytes_of_their_key(
    tables: Tables, tmp_path: Path, save: Callable[..., Path]
) -> None:
    stores = {"store_id": ["ö", "b", "a", "B", "é", "z"], "store_format": [None] * 6, "store_region": [None] * 6}
    changed = tables | {"stores": pyarrow.table(stores, schema=CANONICAL["stores"].arrow_schema)}
    with engine(save(changed, tmp_path)).connect(NEEDED) as connection:
        found = connection.fetch(relation(CANONICAL["stores"]), order_by=["store_id"])
        lines = connection.fetch(relation(CANONICAL["lines"]), order_by=["basket_id", "product_id"])
    assert found.column("store_id").to_pylist() == sorted(stores["store_id"], key=str.encode)
    assert (
        lines.to_pylist()
        == tables["lines"].sort_by([("basket_id", "ascending"), ("product_id", "ascending")]).to_pylist()
    )


def test_optional_tables_are_there_when_their_files_are(folder: Path) -> None:
    with engine(folder).connect(CANONICAL) as connection:
        assert sorted(connection.names) == sorted(NEEDED)


def test_a_folder_is_a_folder_whatever_its_name(folder: Path) -> None:
    """DuckDB takes paths for patterns."""
    odd = folder.rename(folder.parent / "week [1-3] 'all' *? data")
    with engine(odd).connect(NEEDED) as connection:
        assert connection.fetch(relation(CANONICAL["stores"]), order_by=["store_id"]).num_rows == 5


def test_a_connection_is_closed_and_leaves_no_file_behind(folder: Path) -> None:
    before = sorted(path.name for path in folder.parent.rglob("*"))
    with engine(folder).connect(NEEDED) as connection:
        connection.fetch(relation(CANONICAL["lines"]), order_by=["basket_id"])
    assert sorted(path.name for path in folder.parent.rglob("*")) == before
    with pytest.raises(Exception, match=r"Connection.*closed"):
        connection.raw.sql("select 1")


def test_making_an_engine_touches_nothing(tmp_path: Path) -> None:
    engine(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_table_is_named_with_what_makes_it(folder: Path, name: str) -> None:
    (folder / f"{name}.parquet").unlink()
    message = rf"data needs a table {name}: .*{name}\.parquet is missing; run stage=fetch first\.$"
    with pytest.raises(FileNotFoundError, match=message), engine(folder).connect(NEEDED):
        pass


@pytest.mark.parametrize("content", [b"", b"basket_id,product_id\n", b"PAR1 cut short"], ids=["empty", "csv", "cut"])
def test_a_file_that_is_not_parquet_is_named(folder: Path, content: bytes) -> None:
    (folder / "lines.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"lines\.parquet must be a Parquet file; "), engine(folder).connect(NEEDED):
        pass


def test_a_file_cut_short_is_named(folder: Path) -> None:
    path = folder / "lines.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"lines\.parquet must be a Parquet file; "), engine(folder).connect(NEEDED):
        pass


def test_a_table_of_something_else_is_refused_with_the_columns_it_needs(folder: Path) -> None:
    write_arrow(pyarrow.table({"a": [1]}), folder / "stores.parquet")
    message = r"stores\.parquet: table stores needs the columns \['store_id', 'store_format', 'store_region'\]; missing"
    with pytest.raises(ValueError, match=message), engine(folder).connect(NEEDED):
        pass


def test_a_column_of_another_type_is_named(folder: Path, tables: Tables) -> None:
    lines = tables["lines"]
    write_arrow(lines.set_column(3, "spend", lines.column("spend").cast("double")), folder / "lines.parquet")
    message = r"lines\.parquet: lines\.spend must be decimal128\(12, 2\); got double\.$"
    with pytest.raises(ValueError, match=message), engine(folder).connect(NEEDED):
        pass


def test_text_as_pandas_writes_it_is_read(folder: Path, tables: Tables) -> None:
    wide = [
        pyarrow.field(field.name, pyarrow.large_string() if field.type == pyarrow.string() else field.type)
        for field in tables["lines"].schema
    ]
    pyarrow.parquet.write_table(tables["lines"].cast(pyarrow.schema(wide)), folder / "lines.parquet")
    with engine(folder).connect(NEEDED) as connection:
        found = connection.fetch(relation(CANONICAL["lines"]), order_by=["basket_id"])
    assert found.num_rows == tables["lines"].num_rows
    assert found.schema.field("basket_id").type == pyarrow.string()


def test_a_file_damaged_in_the_middle_is_a_sentence_that_names_the_folder(folder: Path, tables: Tables) -> None:
    write_arrow(pyarrow.concat_tables([tables["lines"]] * 20), folder / "lines.parquet")
    path = folder / "lines.parquet"
    content = bytearray(path.read_bytes())
    content[4:3000] = bytes(2996)
    path.write_bytes(content)
    with engine(folder).connect(NEEDED) as connection, pytest.raises(OSError, match=r"data: DuckDB cannot answer: "):
        connection.fetch(relation(CANONICAL["lines"]), order_by=["basket_id"])


def test_a_sum_too_large_for_money_is_a_sentence_that_names_the_folder(folder: Path, tables: Tables) -> None:
    rich = [{**row, "spend": Decimal("9999999999.99")} for row in tables["lines"].to_pylist()]
    write_arrow(pyarrow.Table.from_pylist(rich, schema=tables["lines"].schema), folder / "lines.parquet")
    query = Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1).baskets()
    with (
        engine(folder).connect(NEEDED) as connection,
        pytest.raises(OSError, match=r"data: DuckDB cannot answer: .*range"),
    ):
        connection.fetch(query, order_by=["basket_id"])


@pytest.mark.parametrize(
    ("limit", "threads", "message"),
    [
        ("plenty", 2, r"^DuckDB refuses memory_limit=plenty, threads=2: "),
        ("1GB", 0, r"^DuckDB refuses memory_limit=1GB, threads=0: "),
    ],
)
def test_settings_that_the_engine_refuses_are_named(data: Path, limit: str, threads: int, message: str) -> None:
    with pytest.raises(ValueError, match=message), ParquetFolder(data, limit, threads).connect(NEEDED):
        pass
