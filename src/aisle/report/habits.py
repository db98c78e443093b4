"""What segments buy, and when and where they shop."""

import math
from typing import Any

import pandas as pd

from aisle.habits import GROUP
from aisle.report.html import DASH, Cell, Html, absent, element, folded, fragment, lifestage, percent, table
from aisle.report.material import Material

_FROM = 0.02
"""Share of the lifestage's spend from which a product group is shown at once."""
_FIRST = 8
"""Product groups shown before one opens the others."""


def habit_tables(material: Material, code: str) -> list[Html]:
    """The tables of one lifestage; nothing where its habits are not known.

    A share that comes from fewer customers than the privacy floor is not shown.
    """
    if material.habits is None:
        return []
    own = material.habits[material.habits["lifestage"] == code]
    shown = [int(s) for s in sorted(own["segment"].unique()) if (code, int(s)) not in material.hidden]
    if not shown:
        return []
    groups, others = own[own["habit"] == GROUP], own[own["habit"] != GROUP]
    told = []
    name = lifestage(code)
    if len(groups):
        order = _strongest(groups[groups["segment"].isin(shown)])
        first = [value for value, share in order if share >= _FROM][:_FIRST]
        rest = [value for value, _ in order if value not in first]
        caption = f"{name}: product groups most over- and under-bought (share of spend, index)"
        if first:
            told.append(_table(material, groups, shown, first, caption))
        if rest:
            caption = f"{name}: other product groups (share of spend, index)"
            told.append(folded("All other product groups", _table(material, groups, shown, rest, caption)))
    for habit, rows in others.groupby("habit", sort=True):
        caption = f"{name}: {habit} (share of baskets, index)"
        values = list(dict.fromkeys(rows["value"]))
        told.append(folded(f"Baskets by {habit}", _table(material, rows, shown, values, caption)))
    return told


def missing_habits(material: Material) -> Html:
    """A sentence where nothing is known of habits."""
    if material.habits is not None and len(material.habits):
        return Html("")
    return absent("What segments buy and when is left out: stage=segments has not written habits of baskets.")


def _strongest(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Values and their share of the lifestage, the one whose index is furthest from 100 first."""
    apart = rows.assign(apart=(rows["index"] - 100).abs())
    found = apart.groupby("value").agg(apart=("apart", "max"), share=("lifestage_share", "first")).reset_index()
    ordered = found.sort_values(["apart", "value"], ascending=[False, True], kind="stable")
    return list(zip(ordered["value"], ordered["share"], strict=True))


def _table(material: Material, rows: pd.DataFrame, shown: list[int], values: list[str], caption: str) -> Html:
    by = {(row["value"], row["segment"]): row for row in rows.to_dict("records")}
    everybody = rows.groupby("value")["lifestage_share"].first()
    lines = []
    for value in values:
        share = float(everybody[value])
        cells = [_share(by.get((value, segment)), material.privacy_floor) for segment in shown]
        lines.append([value, Cell(percent(share), share), *cells])
    return table(caption, ["value", "lifestage", *(f"segment {segment}" for segment in shown)], lines)


def _share(row: dict[Any, Any] | None, floor: int) -> Cell:
    if row is None or row["customer_count"] < floor:
        return Cell(DASH, math.nan)
    share, index = float(row["share"]), float(row["index"])
    told = "" if math.isnan(index) else element("small", f" {index:.0f}", title="index, 100 = lifestage share")
    return Cell(fragment(percent(share), told), share)
