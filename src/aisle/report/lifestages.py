"""Lifestages side by side, and what every study asked and found."""

import pandas as pd

from aisle.leaderboard import NAMES, RANKED_BY
from aisle.report.answer import nearest_segments
from aisle.report.html import Cell, Html, absent, element, figure, lifestage, listed, percent, score, section, table
from aisle.report.material import Material, StudyResult

_SCALES = {
    "common": "On one common scale: how segments differ from all customers",
    "lifestage": "Scaled within each lifestage: how segments differ from their own lifestage",
}


def comparison_section(material: Material) -> Html:
    """How alike the segments of different lifestages are."""
    title = "Lifestages side by side"
    if material.comparison is None:
        return section("lifestages", title, absent("Left out: stage=compare has not been run."))
    told: list[Html] = []
    for scale, caption in _SCALES.items():
        found = nearest_segments(material, scale)
        if found.empty:
            continue
        rows = [[row["of"], row["segment"], score(float(row["correlation"]))] for row in found.to_dict("records")]
        told.append(table(f"{caption}; the nearest of another lifestage", ["segment", "nearest", "correlation"], rows))
    if not told:
        told.append(absent("No two lifestages have segments that can be shown beside each other."))
    without = [f"{lifestage(code)}: {why}" for code, why in sorted(material.comparison["without_segments"].items())]
    picture = (
        absent("The heatmap is left out: it shows segments that are not shown here.")
        if material.veiled
        else figure(
            material.pictures.get("compare/heatmap"),
            "Heatmaps of the correlations between the profiles of all segments, within each lifestage's scale and on "
            "one common scale.",
            "Correlation of the profiles of every two segments; red is alike, blue is opposite, and every cell has its "
            "number.",
        )
    )
    answer = (material.comparison.get("answer") or {}).get("sentence", "")
    lead = element("p", answer) if answer else Html("")
    return section("lifestages", title, lead, listed([*material.comparison["notes"], *without]), picture, *told)


def study_section(material: Material) -> Html:
    """Every study: its question, the hypothesis where it has one, the finding."""
    told: list[Html] = [_study(study, material) for study in material.studies]
    told += [absent(f"{name}: left out, the study has not been run.") for name in material.missing_studies]
    return section("studies", "Studies", *(told or [absent("No study has been run.")]))


def _study(study: StudyResult, material: Material) -> Html:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(study.status_counts.items()))
    judged = material.selection is not None and material.selection.study.get("study") == study.name
    told: list[Html] = [element("h3", study.name), element("p", element("strong", "Question. "), study.question)]
    if study.hypothesis:
        told.append(element("p", element("strong", "Hypothesis. "), study.hypothesis))
    if judged and material.selection is not None:
        finding = " ".join(material.selection.overall) or "No evidence was computed; see the verdicts."
        told.append(element("p", element("strong", "Finding. "), finding))
    else:
        told.append(
            element("p", element("strong", "Finding. "), "Ranked by score alone, no verdict; the best are below.")
        )
    told.append(element("p", f"Candidates: {counts or 'none'}.", class_="small"))
    if study.board is not None and not study.board.empty:
        told.append(_board(study.name, study.board))
    return element("article", *told)


def _board(name: str, board: pd.DataFrame) -> Html:
    eligible = board[board["eligible"].astype(bool)]
    best = eligible.drop_duplicates(list(NAMES)).groupby("lifestage", sort=True).head(3)
    if best.empty:
        return absent("No partition is eligible.")
    rows = [
        [
            lifestage(str(row["lifestage"])),
            f"{row['clusterer']}, {row['reducer']}",
            Cell(row["n_clusters"], float(row["n_clusters"])),
            Cell(percent(row["coverage"]), float(row["coverage"])),
            score(float(row[RANKED_BY])),
        ]
        for row in best.to_dict("records")
    ]
    head = ["lifestage", "clusterer, reducer", "segments", "covered", "ranking score"]
    return table(f"{name}: the three best methods of every lifestage by ranking score", head, rows)
