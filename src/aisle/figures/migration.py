"""Where the customers of an earlier segmentation are now."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.figures.bands import OUTSIDE, WIDE, Counts, Values, bands, bar, bottoms
from aisle.figures.canvas import INK, SMALL, colours, headed, lifestage_name, only_text, sheet, styled
from aisle.partition import NOISE
from aisle.profiles import FEWEST_SHOWN

_BETWEEN = 0.07
"""Between bars, in shares of all customers: as high as a line of the smallest type."""
_LINE = 0.17
"""Height of such a line, in inches."""
_LETTERS = 40
_LETTER = 0.058
"""Width of a letter, in inches."""
_HEAD = 4.2
"""Width of the lines below the title, in inches."""


@styled
def migration_flow(migration: pd.DataFrame, names: Mapping[int, str], *, lifestage: str) -> Figure:
    """Segments of one lifestage before (left) and after (right), and the customers who went from each to each.

    ``migration`` has from_segment, to_segment (-1 = in none) and customer_count, a row per pair, as
    `aisle.matching.migration` and a run of the published table customer_segment_migration have them. ``names`` by
    segment stand beside the bars, how many customers they have only from 10 on.

    Raises:
        ValueError: a pair occurs twice.
    """
    counted = migration[(migration["customer_count"] > 0)]
    counted = counted[(counted[["from_segment", "to_segment"]] != NOISE).any(axis=1)]
    if counted.empty:
        return only_text("No customer is in a segment before or after: there is no migration to draw.")
    if counted.duplicated(["from_segment", "to_segment"]).any():
        raise ValueError(f"{lifestage}: a migration must have one row per pair of segments; some pairs have more.")
    before, after = (_groups(counted[column]) for column in ("from_segment", "to_segment"))
    wide = counted.pivot(index="from_segment", columns="to_segment", values="customer_count")
    moved = wide.reindex(index=before, columns=after).fillna(0).to_numpy(dtype=np.int64)
    most = max(*before, *after) + 1
    palette = colours([str(segment) for segment in range(most)])
    lines = [_told(before, moved.sum(axis=1), names), _told(after, moved.sum(axis=0), names)]
    room = _LETTER * max(len(line) for side in lines for line in side)
    top = 1 + _BETWEEN * (max(len(before), len(after)) - 1)
    figure = sheet(2 * room + max(2.6, _HEAD - room), _LINE / _BETWEEN * top + 0.75)
    axes = figure.subplots()
    ends = [bottoms(moved.sum(axis=1 - side), np.arange(moved.shape[side]), between=_BETWEEN) for side in (0, 1)]
    ink = [_ink(segment, palette) for segment in after]
    bands(axes, 0, moved, ends[0], ends[1], ink)
    _side(axes, 0, before, moved.sum(axis=1) / moved.sum(), ends[0], palette, lines[0])
    _side(axes, 1, after, moved.sum(axis=0) / moved.sum(), ends[1], palette, lines[1])
    axes.set_xlim(-WIDE, 1 + WIDE)
    axes.set_ylim(-0.02, top + 0.02)
    axes.axis("off")
    headed(axes, f"{lifestage_name(lifestage)}: who moved", _kept(counted), "a band is coloured as where it leads")
    return figure


def _groups(segments: "pd.Series[int]") -> list[int]:
    """From the bottom: those in none, then the segments, the first on top."""
    return sorted(map(int, segments.unique()), key=lambda segment: (segment != NOISE, -segment))


def _ink(segment: int, palette: Mapping[str, str]) -> str:
    return OUTSIDE if segment == NOISE else palette[str(segment)]


def _told(segments: Sequence[int], sizes: Counts, names: Mapping[int, str]) -> list[str]:
    called = [
        "in none, or not there" if segment == NOISE else f"{segment} {names.get(segment, '')}".strip()
        for segment in segments
    ]
    return [
        f"{textwrap.shorten(name, _LETTERS, placeholder=' …')}: {_counted(int(size))}"
        for name, size in zip(called, sizes, strict=True)
    ]


def _counted(size: int) -> str:
    return f"{size:,}" if size >= FEWEST_SHOWN else f"fewer than {FEWEST_SHOWN}"


def _side(
    axes: Axes,
    place: int,
    segments: Sequence[int],
    shares: Values,
    low: Values,
    palette: Mapping[str, str],
    lines: Sequence[str],
) -> None:
    for segment, share, bottom, line in zip(segments, shares, low, lines, strict=True):
        bar(axes, place, bottom, share, _ink(segment, palette), outside=segment == NOISE)
        axes.annotate(
            line,
            (place + (WIDE if place else -WIDE) / 2, bottom + share / 2),
            (4 if place else -4, 0),
            textcoords="offset points",
            ha="left" if place else "right",
            va="center",
            fontsize=SMALL,
            color=INK,
        )


def _kept(counted: pd.DataFrame) -> str:
    """How many of those in a segment before and after are in the same."""
    both = counted[(counted[["from_segment", "to_segment"]] != NOISE).all(axis=1)]
    total = int(both["customer_count"].sum())
    if total == 0:
        return "nobody is in a segment of both"
    stayed = int(both.loc[both["from_segment"] == both["to_segment"], "customer_count"].sum())
    return f"{stayed:,} of {total:,} in a segment before and after kept theirs ({stayed / total:.0%})"
