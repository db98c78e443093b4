"""Seconds and peak memory of one call, each in a process of its own.

A *work* is a function of plain arguments at the top of a benchmark's file. It makes the data, warms up what must be
warm (imports, compilation) and returns the call to be measured:

    def tree(*, n: int) -> Callable[[], object]:
        X = customers(n)
        linkage_tree(X[:100], linkage="ward", metric="euclidean")
        return lambda: linkage_tree(X, linkage="ward", metric="euclidean")

    measure(tree, n=20_000)
"""

import inspect
import json
import resource
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Work = Callable[..., Callable[[], object]]
REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measurement:
    """``seconds`` of the call (the best of its repeats) and the peak memory of its whole process, in MiB."""

    seconds: float
    peak_mib: float

    def times(self, factor: float) -> "Measurement":
        """The same call ``factor`` times over, for peers too slow to be called as often: say so in the row."""
        return Measurement(self.seconds * factor, self.peak_mib)


class ChildClock:
    """A clock that only goes while a measured call runs: pytest-benchmark's table then shows the call alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = ChildClock()


def measure(work: Work, *, repeats: int = 1, processes: int = 0, **arguments: Any) -> Measurement:
    """Runs ``work(**arguments)`` in a fresh process, then the call it returned ``repeats`` times.

    The peak holds all of the process: interpreter, libraries, data (about 150 MiB before anything is done). A work that
    starts ``processes`` of its own counts the largest of them as often: an upper bound.

    Raises:
        RuntimeError: the process failed; the message is what it wrote.
    """
    order = {"file": inspect.getfile(work), "work": work.__name__, "arguments": arguments, "repeats": repeats}
    order["processes"] = processes
    command = [sys.executable, "-m", "benchmarks.measuring"]
    child = subprocess.run(
        command, input=json.dumps(order), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if child.returncode != 0:
        raise RuntimeError(f"{work.__name__}({arguments}) failed:\n{child.stderr}")
    measured = Measurement(**json.loads(child.stdout.splitlines()[-1]))
    CLOCK.now += measured.seconds
    return measured


def customers(n: int, *, columns: int = 13, segments: int = 8, seed: int = 0) -> npt.NDArray[np.float64]:
    """Values of ``n`` customers, shape (n, columns), standardised: overlapping segments, as grocery customers are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(segments, columns))
    values = centres[rng.integers(segments, size=n)] + rng.normal(size=(n, columns))
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _own_peak() -> float:
    """In MiB. ru_maxrss would not do: it still holds what the process weighed before it became this program."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _child() -> None:
    order = json.load(sys.stdin)
    call = runpy.run_path(order["file"])[order["work"]](**order["arguments"])
    seconds = []
    for _ in range(order["repeats"]):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    peak = _own_peak() + order["processes"] * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak_mib": peak}))


if __name__ == "__main__":
    _child()
