"""The generated parts of the documents: text made from a run and from the contracts, between markers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from aisle.leaderboard import NAMES, RANKED_BY
from aisle.selection import Selection
from aisle.tables import LIFESTAGES, Table


def replace_part(text: str, name: str, part: str, origin: str) -> str:
    """``text`` with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced by ``part``.

    Raises:
        ValueError: the markers are not there, once each, in this order.
    """
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(opening)
    _, ended, after = rest.partition(closing)
    if not (found and ended) or text.count(opening) > 1 or text.count(closing) > 1:
        raise ValueError(f"{origin} must hold the markers <!-- {name} --> and <!-- /{name} --> once, in this order.")
    return f"{before}{opening}{part.rstrip()}\n{closing}{after}"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table.

    >>> print(markdown_table(["k", "score"], [[2, "0.31"]]))
    | k | score |
    |---|---|
    | 2 | 0.31 |
    """
    lines = [columns, ["---"] * len(columns), *rows]
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    head, rule, *body = ["| " + " | ".join(line) + " |" for line in cells]
    return "\n".join([head, rule.replace(" ", ""), *body])


def leaderboard_part(board: pd.DataFrame, best: int) -> str:
    """The ``best`` methods of every lifestage: their best eligible partition, as a Markdown table."""
    eligible = board[board["eligible"].astype(bool)]
    methods = eligible.drop_duplicates(list(NAMES))
    top = methods.groupby("lifestage", sort=True).head(best)
    columns = ["lifestage", "customers", "reducer", "clusterer", "segments", "smallest", "coverage", "ranking score"]
    rows = [
        [
            f"{LIFESTAGES.get(row['lifestage'], row['lifestage'])} ({row['lifestage']})",
            row["customer_count"],
            row["reducer"],
            row["clusterer"],
            row["n_clusters"],
            f"{row['smallest_share']:.0%}",
            f"{row['coverage']:.0%}",
            f"{row[RANKED_BY]:.3f}",
        ]
        for row in top.to_dict("records")
    ]
    return markdown_table(columns, rows)


def verdict_part(selection: Selection, replication: pd.DataFrame) -> str:
    """What is chosen for every lifestage and what speaks for it, as a Markdown table.

    ``replication`` has lifestage, halves (weeks or baskets) and replication: of the chosen clusters on other baskets.
    """
    weeks = replication[replication["halves"] == "weeks"].set_index("lifestage")["replication"].to_dict()
    head = ["lifestage", "class", "chosen", "segments", "smallest", "null p", "valley p"]
    head += ["worst Jaccard", "prediction strength", "replication", "over weeks"]
    rows = []
    for verdict in selection.verdicts:
        found = {finding.measure: finding.value for finding in verdict.findings}
        chosen = verdict.chosen
        told = [f"{chosen.clusterer}, {chosen.reducer}", chosen.n_clusters] if chosen else ["", ""]
        told.append(f"{chosen.scores['smallest_share']:.0%}" if chosen else "")
        names = ("null_p", "valley_p", "jaccard_worst", "strength", "replication")
        values = [*(found.get(name, math.nan) for name in names), weeks.get(verdict.lifestage, math.nan)]
        numbers = ["" if math.isnan(value) else f"{value:.2f}" for value in values]
        name = f"{LIFESTAGES.get(verdict.lifestage, verdict.lifestage)} ({verdict.lifestage})"
        rows.append([name, verdict.evidence_class or "not computed", *told, *numbers])
    return markdown_table(head, rows)


def extract_part(summary: Mapping[str, Any]) -> str:
    """How many customers and baskets the extract has, per lifestage, as a Markdown table."""
    rows = [
        [LIFESTAGES.get(code, code), code, counts["customer_count"], counts["basket_count"]]
        for code, counts in summary["lifestages"].items()
    ]
    return markdown_table(["lifestage", "code", "customers", "baskets"], rows)


def dictionary(tables: Sequence[Table]) -> str:
    """The data dictionary: every table's grain, key and columns."""
    parts = ["# Data dictionary", "", "Generated from `src/aisle/tables.py` by `make readme`; do not edit."]
    for table in tables:
        grain = table.grain[0].upper() + table.grain[1:]
        parts += ["", f"## {table.name}", "", f"{grain}. Key: {', '.join(table.key)}."]
        if table.references:
            parts[-1] += " " + " ".join(f"{column} is found in {other}." for column, other in table.references.items())
        rows = [
            [
                name,
                column.type,
                "may be null" if column.nullable else "",
                ", ".join(column.codes) or (f"at least {column.minimum}" if column.minimum is not None else ""),
                column.meaning,
            ]
            for name, column in table.columns.items()
        ]
        parts += ["", markdown_table(["column", "type", "null", "values", "meaning"], rows)]
    return "\n".join(parts) + "\n"


def entity_diagram(tables: Sequence[Table]) -> str:
    """The relations of the tables as a Mermaid diagram, which GitHub and editors draw; a page of its own."""
    lines = ["erDiagram"]
    for table in tables:
        lines += [f"  {table.name} {{"]
        for name, column in table.columns.items():
            marks = [mark for mark, holds in (("PK", name in table.key), ("FK", name in table.references)) if holds]
            kind = str(column.type).split("[")[0].replace("128(", "_").replace(", ", "_").rstrip(")")
            told = " ".join([kind, name, ", ".join(marks), f'"{column.meaning}"'])
            lines += [f"    {' '.join(told.split())}"]
        lines += ["  }"]
    for table in tables:
        for name, parent in table.references.items():
            some = "|o" if table.columns[name].nullable else "||"
            lines += [f"  {parent} {some}--o{{ {table.name} : {name}"]
    head = "Generated from `src/aisle/tables.py` by `make readme`; do not edit."
    return "\n".join(["# Tables and relations", "", head, "", "```mermaid", *lines, "```"]) + "\n"


def frame_part(frame: pd.DataFrame) -> str:
    """A table of results in Markdown, four digits of every number that is not whole.

    >>> print(frame_part(pd.DataFrame({"grade": ["A"], "spent_mean": [1234.5678]})))
    | grade | spent_mean |
    |---|---|
    | A | 1235 |
    """
    rows = [[f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row] for row in frame.to_numpy(object)]
    return markdown_table([str(name) for name in frame.columns], rows)


def findings_entry(
    *, day: str, title: str, summary: Mapping[str, Any], commit: str, command: str, tables: Sequence[str], remark: str
) -> str:
    """An entry of a study that answers in sentences: its question, the answers, its tables in Markdown, a remark."""
    about = f"{summary['customer_count']} customers, {summary['first_day']} to {summary['last_day']}"
    facts = f"Data `{summary['data_digest'][:12]}`, commit `{commit}`, {about}."
    answers = "\n".join(f"- {one['sentence']}" for one in summary["answers"])
    notes = " ".join(summary["notes"])
    parts = [f"## {day} · {title}", summary["question"], f"`{command}`", facts, answers, *tables, notes, remark]
    return "\n\n".join(part for part in parts if part) + "\n"


def between_part(frame: pd.DataFrame, texts: Sequence[str], numbers: Mapping[str, str]) -> str:
    """A table of results with their intervals; ``numbers`` maps columns that have ``_low`` and ``_high`` to formats.

    >>> rows = pd.DataFrame({"who": ["a"], "auc": [0.61], "auc_low": [0.5], "auc_high": [0.7]})
    >>> print(between_part(rows, ["who"], {"auc": ".2f"}))
    | who | auc |
    |---|---|
    | a | 0.61 (0.50 to 0.70) |
    """
    lines = []
    for row in frame.to_dict("records"):
        told = [row[name] for name in texts]
        for name, form in numbers.items():
            value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
            ends = "" if math.isnan(low) or math.isnan(high) else f" ({low:{form}} to {high:{form}})"
            told.append("" if math.isnan(value) else f"{value:{form}}{ends}")
        lines.append(told)
    return markdown_table([*texts, *numbers], lines)


def lab_entry(
    *,
    day: str,
    title: str,
    study: Mapping[str, Any],
    board: pd.DataFrame,
    commit: str,
    command: str,
    tables: Sequence[pd.DataFrame],
    verdict: str,
    answers: Sequence[str],
    remark: str,
) -> str:
    """One entry of the lab book: the verdict in the title, question and hypothesis, what was run on what, its tables.

    Then the verdicts, the ``answers``, which are sentences, and a remark.
    """
    counts = pd.Series([candidate["status"] for candidate in study["candidates"]]).value_counts()
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    facts = f"Data `{study['data_digest'][:12]}`, commit `{commit}`, {told} candidates, {len(board)} partitions."
    expected = study.get("hypothesis", "")
    parts = [f"## {day} · {title}", study["question"], f"Hypothesis: {expected}" if expected else "", f"`{command}`"]
    parts += [facts, leaderboard_part(board, best=3), *map(frame_part, tables), verdict]
    parts += ["\n".join(f"- {sentence}" for sentence in answers), remark]
    return "\n\n".join(part for part in parts if part) + "\n"
