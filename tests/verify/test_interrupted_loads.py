"""Loads killed at twenty random moments on every engine: the old content or the new one, whole."""

from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from tests.database.conftest import KINDS, empty_database, without_orphans
from tests.verify.loads import check_killed_loads

pytestmark = pytest.mark.verify


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_load_leaves_the_old_or_the_new(
    kind: str,
    grocery: Callable[..., dict[str, pyarrow.Table]],
    save: Callable[[dict[str, pyarrow.Table], Path], Path],
    tmp_path: Path,
) -> None:
    one, other = (
        save(without_orphans(grocery(customers, seed=customers)), tmp_path / str(customers)) for customers in (400, 900)
    )
    with empty_database(kind, tmp_path) as engine:
        check_killed_loads(engine, one, other, moments=20, seed=KINDS.index(kind))
