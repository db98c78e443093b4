"""The report that all benchmarks fill; at the end it is printed and written to docs/."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from benchmarks.measuring import CLOCK, Measurement, Work, measure
from benchmarks.results import HEADINGS, Report
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from rich.table import Table

_REPORT = Report()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "benchmarks":
            item.add_marker(pytest.mark.benchmark(timer=CLOCK))


@pytest.fixture
def ours(benchmark: BenchmarkFixture) -> Callable[..., Measurement]:
    """``ours(work, repeats=1, **arguments)``: `measure`, entered in pytest-benchmark's table. Once per test."""

    def measured(work: Work, **arguments: Any) -> Measurement:
        result: Measurement = benchmark.pedantic(measure, args=(work,), kwargs=arguments)
        benchmark.extra_info["peak_mib"] = result.peak_mib
        return result

    return measured


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    """Where rows and points of growth go."""
    yield _REPORT
    _REPORT.save()


def pytest_terminal_summary() -> None:
    if not _REPORT.rows:
        return
    table = Table(*HEADINGS, title="against the peers")
    for row in _REPORT.rows:
        table.add_row(*row.cells())
    Console(width=200).print(table)
