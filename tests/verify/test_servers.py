"""The README's commands on a server, as they are typed, with the published files of both data sets."""

import os
import re
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.database.conftest import empty_database
from tests.verify.workspace import REPOSITORY, Workspace, blocks, shell_environment

from aisle.storage import read_json

pytestmark = pytest.mark.verify

TYPED = {
    root: block
    for block in blocks((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    if block.needs == "server"
    for root in sorted(set(re.findall(r"paths\.root=work/(\w+)", block.text)))
}
"""Each block, by the folder below which it works."""


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("name", ["server", "olist"])
def test_the_commands_of_the_server_blocks_run(name: str, kind: str, tmp_path: Path) -> None:
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder with real data")
    assert sorted(TYPED) == ["olist", "server"]
    for folder in ("conf", "experiments"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    for folder in ("lgsr", "olist"):
        (tmp_path / folder).symlink_to(Path(os.environ["AISLE_REAL_DATA"]) / folder)
    root = tmp_path / "work" / name / "artifacts"
    with empty_database(kind, tmp_path) as engine:
        address = {f"AISLE_{kind.upper()}_URL": engine.read}
        typed = TYPED[name].text.replace("postgresql", kind)
        Workspace(tmp_path, shell_environment(**address)).run(typed, seconds=1200)
        if name == "server":
            labels = pyarrow.parquet.read_table(root / "segments" / "labels.parquet")
            assert read_json(root / "publish" / "receipt.json")["opened"] == labels.num_rows > 0
        else:
            grades = pyarrow.parquet.read_table(root / "value_frequency" / "grades" / "grades.parquet").to_pandas()
            with engine.reading() as session:
                found = session.rows("SELECT customer_id, grade FROM customers WHERE grade IS NOT NULL")
            assert dict(found) == dict(zip(grades["customer_id"], grades["grade"], strict=True))
            assert grades["grade"].nunique() > 1
