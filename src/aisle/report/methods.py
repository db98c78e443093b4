"""The methods: ranked across lifestages, the best of each in every lifestage, and why the chosen one was chosen."""

import math
from typing import Final

import pandas as pd

from aisle.leaderboard import RANKED_BY
from aisle.report.html import (
    DASH,
    Cell,
    Grid,
    Html,
    absent,
    drawn,
    element,
    figure,
    lifestage,
    plain,
    score,
    section,
)
from aisle.report.material import Material

RANKS: Final = (
    "Mean rank of every method across lifestages, the best on the left. A bar joins methods that these lifestages "
    "cannot tell apart."
)
_KEY_LETTERS = 12
"""Letters of a candidate's key that are shown; MLflow finds its run by them."""


def methods_section(material: Material) -> Html:
    """What was compared, by which rule, with which result."""
    if material.selection is None:
        return section("methods", "Methods", absent("Left out: stage=select has not been run."))
    sentences = across(material)
    chosen, leaders = choice_grid(material), leader_grid(material)
    return section(
        "methods",
        "Methods",
        element("p", " ".join(sentences)) if sentences else "",
        element("p", declared_rule(material)),
        drawn(chosen) if chosen.rows else absent("Nothing is chosen for any lifestage; the verdicts say why."),
        drawn(leaders) if leaders.rows else "",
        figure(
            material.pictures.get("select/methods"),
            f"Critical difference of the methods. {' '.join(sentences)}".strip(),
            RANKS,
        ),
        figure(
            material.pictures.get("study/ranking"),
            "Ranking score against the number of segments, one panel a lifestage, one line a method.",
            "The ranking score of every candidate over the number of segments.",
        ),
        sources=sources(material),
    )


def sources(material: Material) -> tuple[str, ...]:
    """The artifacts that the numbers of this section are from."""
    study = str(material.selection.study.get("study") or "study") if material.selection else "study"
    return ("select/verdicts.json", f"{study}/leaderboard.csv")


def across(material: Material) -> list[str]:
    """The sentences on the methods across lifestages, the ones that count classes left out."""
    told = material.selection.overall if material.selection else ()
    return [sentence for sentence in told if not sentence.startswith("Of ")]


def declared_rule(material: Material) -> str:
    """The rule in words; empty where nothing was selected."""
    if material.selection is None:
        return ""
    rule = material.selection.rule
    return (
        f"Declared before the study: a segment holds at least {rule.floor:.0%} of the customers; the better class "
        "wins, within a class the higher ranking score; between equals the fewest segments, then the cheapest method, "
        f"in the order {', '.join(rule.cost_rank)}."
    )


def choice_grid(material: Material) -> Grid:
    """Which method was chosen for every lifestage, the next one, and why that was not."""
    rows = []
    for verdict in material.selection.verdicts if material.selection else ():
        choice = verdict.chosen
        if choice is None:
            continue
        following = next((runner for runner in verdict.runners_up if runner.best), None)
        rows.append(
            [
                lifestage(verdict.lifestage),
                choice.clusterer if choice.reducer == "none" else f"{choice.clusterer} after {choice.reducer}",
                score(choice.ranking_score),
                following.method if following else DASH,
                following.why if following else "No other method has an eligible partition.",
                choice.candidate_key[:_KEY_LETTERS],
            ]
        )
    head = ["lifestage", "chosen", "score", "next method", "why not that", "candidate"]
    return Grid("Why the chosen method was chosen; the candidate names its run in MLflow", head, rows)


def leader_grid(material: Material) -> Grid:
    """The leaderboard: of every method the highest ranking score in every lifestage, the best mean first.

    A method without an eligible partition in a lifestage has none there, and comes after those that have one in all.
    """
    board = _board(material)
    if board is None or board.empty:
        return Grid("", [], [])
    eligible = board[board["eligible"].astype(bool)]
    wide = eligible.pivot_table(index="clusterer", columns="lifestage", values=RANKED_BY, aggfunc="max", sort=True)
    order = pd.DataFrame({"known": wide.notna().sum(axis=1), "mean": wide.mean(axis=1)})
    wide = wide.loc[order.sort_values(["known", "mean"], ascending=False, kind="stable").index]
    chosen = (
        {code: choice.clusterer for code, choice in material.selection.chosen.items()} if material.selection else {}
    )
    rows = []
    for method, scores in wide.iterrows():
        cells = [_leader(float(scores[code]), chosen=chosen.get(str(code)) == method) for code in wide.columns]
        rows.append([plain(str(method)), *cells, score(float(scores.mean()))])
    head = ["method", *(str(code) for code in wide.columns), "mean"]
    return Grid("The highest ranking score of every method in every lifestage; * is the chosen method", head, rows)


def _leader(found: float, *, chosen: bool) -> Cell:
    told = score(found)
    return Cell(f"{told.shown}{' *' if chosen and not math.isnan(found) else ''}", found)


def _board(material: Material) -> pd.DataFrame | None:
    name = material.selection.study.get("study") if material.selection else None
    return next((study.board for study in material.studies if study.name == name), None)
