"""Within `one_thread` every library that is loaded has one thread, whenever it was loaded."""

import subprocess
import sys

from threadpoolctl import threadpool_info, threadpool_limits

from aisle.kernels.threads import one_thread

IMPORTED_LATER = """
import os, sys
import numpy
from threadpoolctl import threadpool_info
from aisle.kernels.threads import one_thread

def threads():
    return {one["filepath"]: one["num_threads"] for one in threadpool_info()}

with one_thread():
    known = threads()
import sklearn.cluster
with one_thread():
    later = threads()
assert known and set(known.values()) == {1}, known
assert len(later) > len(known), (known, later)  # otherwise nothing has been imported that has threads
assert set(later.values()) == {1}, later
"""


def _threads() -> list[int]:
    return [one["num_threads"] for one in threadpool_info()]


def test_all_libraries_have_one_thread_within_and_what_they_had_after() -> None:
    with threadpool_limits(limits=2):
        before = _threads()
        with one_thread():
            assert set(_threads()) == {1}
            with one_thread():
                assert set(_threads()) == {1}
            assert set(_threads()) == {1}
        assert _threads() == before


def test_a_library_that_is_imported_later_has_one_thread_too() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED_LATER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
