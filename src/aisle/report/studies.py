"""What every study asked, what it expected, and what it found."""

import pandas as pd

from aisle.leaderboard import NAMES, RANKED_BY
from aisle.report.html import Cell, Html, absent, element, lifestage, percent, score, section, table
from aisle.report.material import Material, StudyResult


def study_section(material: Material) -> Html:
    """Every study: its question, the hypothesis where it has one, the finding."""
    told: list[Html] = [_study(study, material) for study in material.studies]
    told += [absent(f"{name}: left out, the study has not been run.") for name in material.missing_studies]
    return section("studies", "Studies", *(told or [absent("No study has been run.")]))


def _study(study: StudyResult, material: Material) -> Html:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(study.status_counts.items()))
    told: list[Html] = [element("h3", study.name), element("p", element("strong", "Question. "), study.question)]
    if study.hypothesis:
        told.append(element("p", element("strong", "Hypothesis. "), study.hypothesis))
    told.append(element("p", element("strong", "Finding. "), finding(study, material)))
    told.append(element("p", f"Candidates: {counts or 'none'}.", class_="small"))
    if study.board is not None and not study.board.empty:
        told.append(_board(study.name, study.board))
    return element("article", *told)


def finding(study: StudyResult, material: Material) -> str:
    """What the study found, in sentences; where it is not the one that was judged, which methods score highest."""
    if material.selection is not None and material.selection.study.get("study") == study.name:
        return " ".join(material.selection.overall) or "No evidence was computed; see the verdicts."
    if study.board is None or study.board.empty or not study.board["eligible"].any():
        return "No partition is eligible."
    best = study.board[study.board["eligible"].astype(bool)].sort_values(RANKED_BY, ascending=False, kind="stable")
    told = [
        f"{lifestage(str(row['lifestage']))} {row['clusterer']}, {row['n_clusters']} segments ({row[RANKED_BY]:.2f})"
        for row in best.drop_duplicates("lifestage").sort_values("lifestage").to_dict("records")
    ]
    return f"Ranked by score alone, without a verdict: {'; '.join(told)}."


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
