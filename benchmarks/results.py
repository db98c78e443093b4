"""What the benchmarks found: rows against peers, growth over n; as a table, as files of docs/, as a picture."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measuring import REPOSITORY, Measurement
from matplotlib.figure import Figure

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "fastcluster", "hdbscan")


@dataclass(frozen=True)
class Row:
    """One work: ours, the peer in the same run (None where nobody can), and what was promised.

    ``at_least`` is the least ratio peer / ours; ``at_most_seconds`` and ``at_most_mib`` are bounds of ours. ``note``
    says what was multiplied, ``limit`` why a promise cannot be kept: without it, a broken promise fails the benchmark.
    """

    work: str
    ours: Measurement
    peer_name: str = "(nobody can)"
    peer: Measurement | None = None
    at_least: float | None = None
    at_most_seconds: float | None = None
    at_most_mib: float | None = None
    note: str = ""
    limit: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else self.peer.seconds / self.ours.seconds

    @property
    def shortfall(self) -> str:
        """What was promised and is not so; empty when all is."""
        broken = []
        if self.at_least is not None and self.ratio is not None and self.ratio < self.at_least:
            broken.append(f"{self.ratio:.1f}x instead of {self.at_least:g}x")
        if self.at_most_seconds is not None and self.ours.seconds > self.at_most_seconds:
            broken.append(f"{self.ours.seconds:.0f} s instead of {self.at_most_seconds:g} s")
        if self.at_most_mib is not None and self.ours.peak_mib > self.at_most_mib:
            broken.append(f"{self.ours.peak_mib:.0f} MiB instead of {self.at_most_mib:g} MiB")
        return "; ".join(broken)

    @property
    def promise(self) -> str:
        parts = [
            f"{self.at_least:g}x" if self.at_least is not None else "",
            f"< {self.at_most_seconds:g} s" if self.at_most_seconds is not None else "",
            f"< {self.at_most_mib / 1024:g} GiB" if self.at_most_mib is not None else "",
        ]
        return ", ".join(part for part in parts if part)

    def cells(self) -> list[str]:
        """The row as text: work, ours, memory, peer, memory, ratio, promise, remark."""
        peer, ratio = self.peer, self.ratio
        remark = "; ".join(
            part for part in (self.note, self.shortfall and f"SHORT: {self.shortfall}", self.limit) if part
        )
        return [
            self.work,
            _seconds(self.ours.seconds),
            f"{self.ours.peak_mib:,.0f}",
            self.peer_name if peer is None else f"{self.peer_name}: {_seconds(peer.seconds)}",
            "" if peer is None else f"{peer.peak_mib:,.0f}",
            "" if ratio is None else f"{ratio:.1f}x",
            self.promise,
            remark,
        ]


HEADINGS = ("work", "ours, s", "MiB", "peer, s", "MiB", "ratio", "promised", "")


@dataclass(frozen=True)
class Growth:
    """One point of a curve over n: ``curve`` is its name, ``picture`` the file in docs/pictures without its ending."""

    picture: str
    curve: str
    n: int
    measured: Measurement


@dataclass
class Report:
    """Collects what the benchmarks measure; `add` fails the benchmark whose promise is broken without a limit."""

    rows: list[Row] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        if row.shortfall and not row.limit:
            raise AssertionError(f"{row.work}: {row.shortfall}.")

    def grow(self, growth: Growth) -> None:
        self.growths.append(growth)

    def save(self, folder: Path = REPOSITORY / "docs") -> None:
        """Rewrites benchmarks.json, benchmarks.md and the pictures; what this run did not measure again is kept.

        Every machine, with its libraries, has a table of its own, this one's first: times of two machines do not belong
        in one. What was measured here is not told of the others any more.
        """
        store = folder / "benchmarks.json"
        found: list[dict[str, Any]] = json.loads(store.read_text())["machines"] if store.exists() else []
        machine = _machine()
        works, pictures = {row.work for row in self.rows}, {growth.picture for growth in self.growths}
        empty: dict[str, Any] = {"machine": machine, "rows": {}, "growth": {}}
        here = next((one for one in found if one["machine"] == machine), empty)
        others = [one for one in found if one["machine"] != machine]
        for one in others:
            one["rows"] = {work: row for work, row in one["rows"].items() if work not in works}
            one["growth"] = {name: g for name, g in one["growth"].items() if g["picture"] not in pictures}
        here["rows"].update({row.work: asdict(row) for row in self.rows})
        here["growth"].update({f"{g.picture}/{g.curve}/{g.n}": asdict(g) for g in self.growths})
        machines = [one for one in (here, *others) if one["rows"] or one["growth"]]
        store.write_text(json.dumps({"machines": machines}, indent=1, sort_keys=True) + "\n")
        (folder / "benchmarks.md").write_text(_page(machines))
        points = [_growth(kept) for _, kept in sorted(here["growth"].items())]
        for picture in sorted(pictures):
            drawn = _draw([growth for growth in points if growth.picture == picture])
            drawn.savefig(folder / "pictures" / f"{picture}.png", dpi=120)


def _row(kept: dict[str, Any]) -> Row:
    peer = None if kept["peer"] is None else Measurement(**kept["peer"])
    return Row(**kept | {"ours": Measurement(**kept["ours"]), "peer": peer})


def _growth(kept: dict[str, Any]) -> Growth:
    return Growth(**kept | {"measured": Measurement(**kept["measured"])})


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:,.0f}"


def _machine() -> dict[str, str]:
    with Path("/proc/cpuinfo").open() as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    libraries = ", ".join(f"{library} {version(library)}" for library in _LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    return {"processor": model, "cores": str(cores), "Python": platform.python_version(), "libraries": libraries}


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    heads = list(headings)
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines])


def _page(machines: list[dict[str, Any]]) -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; not to be edited. Ours and the peer are measured in the same run, each "
        "call in a process\nof its own; memory is the peak of the whole process, interpreter and data included. "
        "Every machine has a table of its\nown.\n\n" + "\n".join(map(_section, machines))
    )


def _section(kept: dict[str, Any]) -> str:
    """What was measured on one machine."""
    about = "; ".join(f"{name}: {value}" for name, value in sorted(kept["machine"].items()) if name != "processor")
    rows = [_row(row).cells() for _, row in sorted(kept["rows"].items())]
    pictures = "\n".join(
        f"![{name}: seconds and memory over the number of customers](pictures/{name}.png)\n"
        for name in sorted({point["picture"] for point in kept["growth"].values()})
    )
    parts = [f"## {kept['machine']['processor']}\n", f"{about}\n", _table(HEADINGS, rows) + "\n", pictures]
    return "\n".join(part for part in parts if part)


def _draw(growths: list[Growth]) -> Figure:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    for curve in sorted({growth.curve for growth in growths}):
        points = sorted((growth.n, growth.measured) for growth in growths if growth.curve == curve)
        n = [point[0] for point in points]
        style = "--" if "(" in curve else "-"
        seconds.plot(n, [point[1].seconds for point in points], f"o{style}", ms=3, lw=1, label=curve)
        memory.plot(n, [point[1].peak_mib for point in points], f"o{style}", ms=3, lw=1, label=curve)
    for axes, name in ((seconds, "seconds"), (memory, "peak memory of the process, MiB")):
        axes.set(xscale="log", yscale="log", xlabel="customers", title=name)
        axes.grid(which="major", color="#DDDDDD", lw=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*seconds.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return figure
