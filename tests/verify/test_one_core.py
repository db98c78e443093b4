"""A second clone, set up by uv and given one core and one thread, has the lock of the first."""

import shutil
from pathlib import Path

import pytest
from tests.verify.workspace import Clone, check_as_committed

pytestmark = pytest.mark.verify


def test_a_second_clone_on_one_core_with_uv_gives_the_same_lock(clone: Clone, uv: Path) -> None:
    if not shutil.which("taskset"):
        pytest.skip("taskset, which gives a command one core, is not on this machine.")
    second = clone(path=uv)
    second.run("OMP_NUM_THREADS=1 taskset -c 0 make reproduce", seconds=3600)
    assert "uv = " in second.read(".venv/pyvenv.cfg").decode()
    check_as_committed(second)
    shutil.rmtree(second.folder)
