"""The page of a calibration: what was asked, what was found, and in how many of the draws that were asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from aisle.calibration.rates import LEVEL, Summary, interval, most_allowed
from aisle.documents import markdown_table

_QUESTION = "Does the verdict stay silent where there are no clusters, and speak where there are?"
_PLACE = "../docs/calibration.md"
_HEAD = f"""# Calibration

Written by `make calibration`; not to be edited.

{_QUESTION} Customers are drawn from
populations whose truth is known, and examined by the code that examines a lifestage: the same splits, null draws,
thresholds and classes. What could not change an answer is left out: second halves of splits where there is no valley,
splits and null draws after an answer is certain. So it is told whether a p-value is below its threshold, not what it
is."""
_CLOUDS = """A test is one tuning value of one clusterer behind one reduction. Rates stand with their exact 95 %
interval. The tests of one draw share its customers, which the pooled test, a binomial one, does not know. A clusterer
that finds fewer than two clusters has nothing to test: that draw counts as silent, and what remains without such
draws stands below it. *At most* are the rejections that the limit of a single test allows, its level divided by the
number of tests (Bonferroni). Silhouettes are compared with the null in some draws only, of every partition with two
clusters: {null_draws} null draws, ended when so many score as high that it cannot be rejected any more. In the other
draws a partition without a valley needs no null to be called not separated."""
_POWER = """Segments are round, of unit variance in {columns} columns, and any two centres are as far apart as stated.
Found means: the largest number of segments of which every one is separated, by any of the clusterers, is the number
planted. *Other* are draws in which it is another number above none. The null of a partition that passes everything
else is of {planted_null_draws} draws and ended by the first that scores as high: a test at the level {planted_level};
the study's has {null_draws} draws."""
_TABLE = """{methods}: the silhouette is in the space that was clustered, unscaled for drawn customers and standardised
for real ones; null and z are of the ranking score in the reference space over {nulls} copula draws; the valley is of
{splits} splits. One draw of each population."""


def page(
    summary: Summary,
    *,
    portraits: pd.DataFrame,
    absent: Sequence[str],
    facts: Mapping[str, Any],
    pictures: Sequence[str],
) -> str:
    """Markdown; ``portraits`` are the rows of the table of silhouettes; ``absent`` says what could not be done and why.

    ``facts``: columns of planted segments (columns), null draws of clouds and of planted segments and the level of the
    latter (null_draws, planted_null_draws, planted_level), splits, null draws and methods of the table (splits, nulls,
    methods), hours of one processor that were spent (hours) and that a complete run takes (whole_hours, None where it
    is not known yet), cells without a draw (untouched).
    """
    parts = [
        _HEAD,
        _state(summary, **{name: facts[name] for name in ("hours", "whole_hours", "untouched")}),
        *_verdict(summary),
    ]
    if absent:
        parts.append("\n".join(f"- Absent: {sentence}" for sentence in absent))
    parts += ["## No clusters", _CLOUDS.format(**facts), *_pooled(summary), _rejections(summary.rejections)]
    parts += [f"![{name}](pictures/{name}.png)" for name in pictures]
    if not summary.power.empty:
        parts += ["## Planted segments", _POWER.format(**facts), _found(summary.power)]
    if not portraits.empty:
        parts += ["## Silhouettes, nulls and valleys", _TABLE.format(**facts), _portraits(portraits)]
    return "\n\n".join(parts) + "\n"


def entry(summary: Summary, *, day: str, title: str, commit: str, command: str, remark: str) -> str:
    """The lab book's entry: the question, how far the run is, the pooled tests, what was found of planted segments."""
    facts = f"Commit `{commit}`, {summary.done:,} of {summary.asked:,} draws ([docs/calibration.md]({_PLACE}))."
    limits = summary.rejections[~summary.rejections["counted"].astype(bool)]
    reported = [
        f"Of the {name}, a stated limit of the test, {int(rows['separated'].sum()):,} of {int(rows['draws'].sum()):,} "
        "partitions were called separated."
        for name, rows in limits.groupby("population", sort=False)
    ]
    found = [] if summary.power.empty else [_found(summary.power)]
    parts = [f"## {day} · {title}", _QUESTION, f"`{command}`", facts, *_verdict(summary), *_pooled(summary)]
    return "\n\n".join(part for part in [*parts, " ".join(reported), *found, remark] if part) + "\n"


def _state(summary: Summary, *, hours: float, whole_hours: float | None, untouched: int) -> str:
    done, asked = summary.done, summary.asked
    whole = "The run is complete" if done == asked else "**The run is partial**"
    failures = ", ".join(f"{count:,} {name}" for name, count in summary.failures.items())
    cost = f"{hours:,.1f} hours of one processor"
    if whole_hours is not None:
        cost = f"{hours:,.1f} of about {whole_hours:,.0f} hours of one processor"
    silent = f" {untouched} populations with their reduction have no draw yet: nothing is known of them."
    return f"{whole}: {done:,} of {asked:,} draws, {cost}. Failed: {failures}.{silent if untouched else ''}"


def _verdict(summary: Summary) -> list[str]:
    if summary.faults:
        return ["What was promised and is not so:", "\n".join(f"- {fault}" for fault in summary.faults)]
    return ["Nothing in these draws breaks a promise."]


def _pooled(summary: Summary) -> list[str]:
    rows = [
        [
            name,
            f"{one['rejected']:,.0f}",
            f"{one['trials']:,.0f}",
            _rate(int(one["rejected"]), int(one["trials"])),
            f"{one['p']:.3g}",
        ]
        for name, one in summary.pooled.items()
    ]
    counted = summary.rejections[summary.rejections["counted"]]
    separated = int(counted["separated"].sum())
    return [
        markdown_table(["test, all populations", "rejected", "draws", "rate", f"p of more than {LEVEL:.0%}"], rows),
        f"Called separated: {separated} of {int(counted['draws'].sum()):,} partitions without clusters.",
    ]


def _rate(found: int, trials: int) -> str:
    if not trials:
        return ""
    low, high = interval(found, trials)
    return f"{found / trials:.1%} ({low:.1%} to {high:.1%})"


def _rejections(table: pd.DataFrame) -> str:
    columns = [
        "population",
        "customers",
        "reduction",
        "clusterer",
        "at",
        "draws",
        "clusters",
        "valley",
        "at most",
        "null",
    ]
    tests = int(table["counted"].sum())
    rows = [
        [
            row["population"],
            row["customers"],
            row["reduction"],
            row["clusterer"],
            f"{row['tuning_value']:g}",
            f"{row['draws']} of {row['asked']}",
            row["clustered"],
            f"{row['valley']}: {_rate(row['valley'], row['draws'])}",
            most_allowed(row["draws"], tests=tests) if row["counted"] else "reported",
            f"{row['null']} of {row['null_draws']}" if row["null_draws"] else "",
            row["separated"],
        ]
        for row in table.to_dict("records")
    ]
    return markdown_table([*columns, "separated"], rows)


def _found(power: pd.DataFrame) -> str:
    columns = ["segments", "sd apart", "customers", "draws", "found", "other", "promised"]
    methods = [name for name in dict.fromkeys(power["clusterer"]) if name != "any"]
    rows = []
    for _, cell in power.groupby("population", sort=False):
        own = cell.set_index("clusterer")
        row: Any = own.loc["any"]
        rows.append(
            [
                row["shares"],
                f"{row['apart']:g}",
                row["customers"],
                f"{row['draws']} of {row['asked']}",
                _rate(row["right"], row["draws"]),
                row["other"],
                "95 %" if row["promised"] else "",
                *(f"{own['right'].get(name, 0) / row['draws']:.0%}" for name in methods),
            ]
        )
    return markdown_table([*columns, *(f"by {name}" for name in methods)], rows)


def _portraits(table: pd.DataFrame) -> str:
    columns = ["data", "customers", "k", "silhouette", "ranking score", "null", "z", "valley p", "class"]
    rows = [
        [
            row["data"],
            row["customers"],
            row["n_clusters"],
            *(_number(row[name]) for name in ("silhouette", "ranking_score", "null_mean")),
            _number(row["null_z"], 1),
            _number(row["valley_p"], 2),
            row["class"],
        ]
        for row in table.to_dict("records")
    ]
    return markdown_table(columns, rows)


def _number(value: Any, digits: int = 3) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"
