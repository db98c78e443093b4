"""The README's commands on a server, as they are typed, with the published weeks of Let's Get Sort-of-Real."""

import os
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.database.conftest import empty_database
from tests.verify.workspace import REPOSITORY, Block, Workspace, blocks, shell_environment

from aisle.storage import read_json

pytestmark = pytest.mark.verify

TYPED = [block for block in blocks((REPOSITORY / "README.md").read_text(encoding="utf-8")) if block.needs == "server"]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("block", TYPED, ids=lambda block: block.heading.replace(" ", "-"))
def test_the_commands_of_the_server_block_run(block: Block, kind: str, tmp_path: Path) -> None:
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder with real data")
    for name in ("conf", "experiments"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    (tmp_path / "lgsr").symlink_to(Path(os.environ["AISLE_REAL_DATA"]) / "lgsr")
    with empty_database(kind, tmp_path) as engine:
        address = {f"AISLE_{kind.upper()}_URL": engine.read}
        Workspace(tmp_path, shell_environment(**address)).run(block.text.replace("postgresql", kind), seconds=1200)
    root = tmp_path / "work" / "server" / "artifacts"
    labels = pyarrow.parquet.read_table(root / "segments" / "labels.parquet")
    assert read_json(root / "publish" / "receipt.json")["opened"] == labels.num_rows > 0
