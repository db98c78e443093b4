"""Kernels that several processes compile at once, or that call what has changed since."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aisle.kernels import compiled

INNER = """
from numba import prange
from aisle.kernels.compiled import compiled

@compiled(parallel=True)
def inner(values, out):
    for i in prange(values.size):
        out[i] = values[i] + 1.0
"""
OUTER = """
import numpy as np
from aisle.kernels.compiled import compiled
from aisle.kernels.inner import inner

@compiled()
def outer(values):
    out = np.zeros_like(values)
    inner(values, out)
    return out
"""
CALL = "import numpy as np; from aisle.kernels.outer import outer; print(outer(np.arange(3.0)).tolist())"
CALL_INNER = """
import numpy as np
from aisle.kernels.inner import inner
values = np.zeros(3, dtype={type})
inner(np.arange(3, dtype={type}), values)
print(values.tolist())
"""
# Numba keeps what two processes compile in the worst order, unless one waits for the other (then it gives up soon).
WORST_ORDER = """
import sys, time
from pathlib import Path
from numba.core.caching import IndexDataCacheFile as Files
own, other = sys.argv[1:]
save_index, save_data = Files._save_index, Files._save_data
def wait_for(file):
    until = time.monotonic() + 2
    while not Path(file).exists() and time.monotonic() < until:
        time.sleep(0.01)
def save_index_late(self, index):
    Path(f"{own} has read {Path(self._index_name).stem}").touch()
    wait_for(f"{other} has read {Path(self._index_name).stem}")
    time.sleep(0.3 if own == "second" else 0.0)
    save_index(self, index)
def save_data_late(self, name, data):
    wait_for(f"second has kept {name}" if own == "first" else ".")
    save_data(self, name, data)
    Path(f"{own} has kept {name}").touch()
Files._save_index, Files._save_data = save_index_late, save_data_late
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A package with two kernels of which one calls the other, and nothing compiled yet."""
    kernels = tmp_path / "aisle" / "kernels"
    kernels.mkdir(parents=True)
    for folder in (kernels.parent, kernels):
        (folder / "__init__.py").touch()
    shutil.copy(compiled.__file__, kernels)
    (kernels / "inner.py").write_text(INNER)
    (kernels / "outer.py").write_text(OUTER)
    return tmp_path


def start(house: Path, code: str, *arguments: str) -> subprocess.Popen[str]:
    surroundings = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=house, env=surroundings, text=True, stdout=subprocess.PIPE
    )


def end(process: subprocess.Popen[str]) -> tuple[str, int]:
    """What it printed and its exit code."""
    return process.communicate()[0].strip(), process.returncode


def test_a_kernel_that_is_loaded_may_call_a_parallel_one_that_another_process_compiled(house: Path) -> None:
    assert end(start(house, CALL_INNER.format(type="float"))) == ("[1.0, 2.0, 3.0]", 0)
    for _ in ("outer is compiled", "outer is loaded"):
        assert end(start(house, CALL)) == ("[1.0, 2.0, 3.0]", 0)
    assert len(list((house / "aisle" / "kernels" / "__pycache__").glob("*.nbc"))) == 2  # kept, each once


def test_two_processes_that_compile_at_once_leave_what_others_can_load(house: Path) -> None:
    calls = {CALL_INNER.format(type="float"): ("[1.0, 2.0, 3.0]", 0), CALL_INNER.format(type="int"): ("[1, 2, 3]", 0)}
    names = (("first", "second"), ("second", "first"))
    processes = [start(house, WORST_ORDER + call, *pair) for call, pair in zip(calls, names, strict=True)]
    assert [end(process) for process in processes] == list(calls.values())
    for call, found in calls.items():
        assert end(start(house, call)) == found


def test_a_kernel_follows_a_change_of_one_that_it_calls(house: Path) -> None:
    assert end(start(house, CALL)) == ("[1.0, 2.0, 3.0]", 0)
    inner = house / "aisle" / "kernels" / "inner.py"
    inner.write_text(INNER.replace("+ 1.0", "+ 10.0"))
    assert end(start(house, CALL)) == ("[10.0, 11.0, 12.0]", 0)
