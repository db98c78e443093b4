"""The slides of what was found: the answer, the verdicts, the segments, and whether they come back."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from aisle.evidence import CAVEAT
from aisle.partition import NOISE
from aisle.report import evidence, replication, segments, verdicts
from aisle.report.answer import alike, kicker, lead_and_classes, methods_chosen, names, over_weeks, parts_of, set_apart
from aisle.report.html import Grid, capital, ended, lifestage, listed_sources, percent, words
from aisle.report.material import Material
from aisle.report.slides.slide import Bars, Slide
from aisle.tables import LIFESTAGES

_CONTRASTS: Final = 8
"""Features of a lifestage that a slide shows."""
_NAMED: Final = 3
"""Segments up to which a title names all of a lifestage's, and features that it names."""


def answer_slides(material: Material) -> Iterator[Slide]:
    """The answer in sentences."""
    lead, classes = lead_and_classes(material)
    told = [f"{capital('; '.join(classes))}."] if classes else []
    told += [sentence for ask in (methods_chosen, set_apart, alike, over_weeks) if (sentence := ask(material))]
    part = f"Customer segments · {kicker(material)}".removesuffix(" · ")
    yield Slide(part, ended(lead), tuple(told), source=listed_sources(verdicts.SOURCES))


def size_slides(material: Material) -> Iterator[Slide]:
    """How large the segments are, as bars."""
    if material.sizes is None or material.sizes.empty:
        return
    shares = [
        (float(row["customer_share"]), str(row["lifestage"]))
        for row in material.sizes.to_dict("records")
        if row["segment"] != NOISE and (str(row["lifestage"]), int(row["segment"])) not in material.hidden
    ]
    if not shares:
        return
    (least, of_least), (most, of_most) = min(shares), max(shares)
    ends = f"{percent(least)} ({names([of_least])}), the largest {percent(most)} ({names([of_most])})"
    bars: list[tuple[str, dict[str, float]]] = []
    kinds: dict[str, int] = {}
    for code, rows in material.sizes.groupby("lifestage", sort=True):
        for column, what in (("customer_share", "customers"), ("spend_share", "spend")):
            if rows[column].notna().all():
                parts = parts_of(material, str(code), rows, column)
                bars.append((f"{lifestage(str(code))}: {what}", {name: share for name, _, share in parts}))
                kinds |= {name: segment for name, segment, _ in parts}
    order = sorted(kinds, key=lambda name: (kinds[name] == NOISE, kinds[name], name))
    drawn = Bars("Shares of customers and of spend", tuple(bars), {name: kinds[name] for name in order})
    title = f"The smallest segment holds {ends} of its lifestage's customers."
    yield Slide("Segments", title, bars=drawn, source=listed_sources(segments.SOURCES[:1]))


def verdict_slides(material: Material) -> Iterator[Slide]:
    """What was chosen for every lifestage, and how sure that is."""
    grid = verdicts.verdict_grid(material)
    if not grid.rows or material.selection is None:
        return
    _, classes = lead_and_classes(material)
    title = f"{capital('; '.join(classes))}." if classes else "No evidence has been computed, so nothing is judged."
    why = [
        f"{lifestage(verdict.lifestage)}: {verdict.reasons[0]}"
        for verdict in material.selection.verdicts
        if verdict.chosen is None and verdict.reasons
    ]
    meaning = [f"{name.capitalize()}: {told}" for name, told in verdicts.MEANING.items()]
    source = listed_sources(verdicts.SOURCES)
    yield Slide("Verdicts", title, tuple(why), (grid,), source=source, notes=tuple(meaning))


def measure_slides(material: Material) -> Iterator[Slide]:
    """Every measure of the evidence against its threshold."""
    grid = evidence.measure_grid(material)
    if not grid.rows or material.selection is None:
        return
    judged = [verdict for verdict in material.selection.verdicts if verdict.findings]
    gaps = [v.lifestage for v in judged if all(one.met for one in v.findings if one.measure == "valley_p")]
    title = (
        f"There is a gap between every segment and its neighbour for {names(gaps)}; a gap is asked of types of people."
        if gaps
        else "No lifestage has a gap between every segment and its neighbour, which types of people would have."
    )
    notes = (evidence.WHY, *(f"{name}: {asks}" for name, asks in evidence.asked().items()))
    yield Slide("Evidence", title, grids=(grid,), source=listed_sources(evidence.SOURCES[:2]), notes=notes)


def segment_slides(material: Material) -> Iterator[Slide]:
    """A slide a lifestage: who is in which segment, and what sets segments apart."""
    if material.sizes is None or material.sizes.empty:
        return
    source = listed_sources(segments.SOURCES)
    for key, rows in material.sizes.groupby("lifestage", sort=True):
        code = str(key)
        veil = segments.suppressed(material, code)
        told = [veil] if veil else []
        grids = [segments.size_grid(material, code, rows)]
        found = segments.contrast_grid(material, code, rows)
        if found.rows:
            told += [] if veil else [_told_apart(code, found)]
            grids.append(Grid(found.caption, found.head, found.rows[:_CONTRASTS]))
        title, notes = _fall_into(material, code, rows), (segments.IN_THEIR_UNITS,)
        yield Slide("Segments", title, tuple(told), tuple(grids), source=source, notes=notes)


def _fall_into(material: Material, code: str, rows: pd.DataFrame) -> str:
    inside = rows[rows["segment"] != NOISE]
    name, count = _who(code), len(inside)
    if count == 0:
        return f"{name} are in no segment."
    lead = f"{name} fall into {count} segments" if count > 1 else f"{name} are one segment"
    shown = [
        (float(row["customer_share"]), material.segment_name(code, int(row["segment"])) or f"segment {row['segment']}")
        for row in inside.to_dict("records")
        if (code, int(row["segment"])) not in material.hidden
    ]
    if not shown:
        return f"{lead}; none is large enough to be shown."
    if len(shown) == count <= _NAMED:
        return f"{lead}: {words([f'“{called}” ({percent(share)})' for share, called in shown])}."
    share, called = max(shown)
    return f"{lead}; the largest that is shown, “{called}”, holds {percent(share)}."


def _told_apart(code: str, found: Grid) -> str:
    """What distinguishes a lifestage's segments, the strongest first."""
    first = [str(row[0]) for row in found.rows[:_NAMED]]
    return f"The segments of {names([code])} are furthest apart in {words(first)}."


def difference_slides(material: Material) -> Iterator[Slide]:
    """On which features segments differ on other baskets."""
    grid = replication.strongest_grid(material)
    if grid.rows:
        source = listed_sources(replication.SOURCES[1:])
        yield Slide("Other baskets", set_apart(material), (CAVEAT,), (grid,), source=source)


def week_slides(material: Material) -> Iterator[Slide]:
    """Whether segments come back in later weeks."""
    grid, title = replication.replication_grid(material), over_weeks(material)
    if grid.rows and title:
        source = listed_sources(replication.SOURCES[:1])
        yield Slide("Over time", title, grids=(grid,), source=source, notes=(replication.EXPLAINED,))


def _who(code: str) -> str:
    return LIFESTAGES[code].capitalize() if code in LIFESTAGES else f"The customers of {code}"
