"""Every engine gives every customer the same segment."""

from pathlib import Path

import pyarrow
import pytest
from tests.conftest import make_grocery, write_grocery
from tests.database.conftest import Database, fill
from tests.stages.test_assign import OUTPUTS, run, study

from aisle.database import ParquetFolder


@pytest.fixture(scope="module")
def groceries() -> dict[str, pyarrow.Table]:
    return make_grocery(150, seed=4)


@pytest.mark.parametrize("block", ["baskets", "mix"])
def test_every_engine_assigns_alike_to_the_byte(
    server: Database, block: str, groceries: dict[str, pyarrow.Table], tmp_path: Path
) -> None:
    data = write_grocery(groceries, tmp_path / "data")
    fill(server, groceries)
    folder = study(tmp_path / "study", data, block)
    run(folder, server, block)
    run(folder, ParquetFolder(data, "1GB", 2), block, output=tmp_path / "files")
    for name in OUTPUTS:
        assert (folder / "assign" / name).read_bytes() == (tmp_path / "files" / name).read_bytes(), name
