"""Rules of the lab book's entries."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig

from aisle.leaderboard import leaderboard, rows
from aisle.selection import Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import entry
from aisle.storage import read_json, write_frame, write_json

REPOSITORY = Path(__file__).resolve().parents[2]
BOOK = "# Lab book\n\n<!-- entries: newest first -->\n\n## 2026-01-01 · An older entry\n"
NAMES = {"lifestage": "YA", "features": "baskets", "scaler": "standard", "reducer": "none", "clusterer": "kmeans"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    scores = {"n_clusters": 2.0, "coverage": 1.0, "balance": 1.0, "smallest_share": 0.4, "features/silhouette": 0.3}
    scored = {2: scores | {"features/ranking_score": 0.31, "embedding/silhouette": 0.4, "embedding/ranking_score": 0.4}}
    folder = tmp_path / "artifacts" / "grid"
    write_frame(leaderboard(rows(NAMES, "k1", 120, "n_clusters", scored), floor=0.05), folder / "leaderboard.parquet")
    told = [{"names": NAMES, "key": "k1", "status": "finished", "reason": ""}]
    content = {"study": "grid", "question": "Which is best?", "data_digest": "abcdef0123456789", "candidates": told}
    write_json(content, folder / "candidates.json")
    return folder


def _write(study: Path, book: Path, tables: Sequence[str] = (), answers: Sequence[str] = ()) -> str:
    entry.run(
        study=study,
        verdicts=study.parent / "select" / "verdicts.json",
        replication=study.parent / "differences" / "replication.csv",
        title="KMeans, two segments",
        command="make study",
        remark="Nothing else ran.",
        tables=tables,
        rows=2,
        answers=answers,
        book=book,
        calibration=book.parent / "calibration.json",
    )
    return book.read_text(encoding="utf-8")


def test_an_entry_stands_on_top_and_its_numbers_come_from_the_run(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    text = _write(study, book)
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles[0].endswith("· KMeans, two segments")
    assert titles[1:] == ["## 2026-01-01 · An older entry"]
    assert "| young adults (YA) | 120 | none | kmeans | 2 | 40% | 100% | 0.310 |" in text
    assert "Data `abcdef012345`" in text
    assert "1 finished candidates, 1 partitions." in text
    assert "Nothing else ran." in text


def test_the_verdicts_on_the_study_are_told_and_those_on_another_are_not(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    verdict = Verdict("YA", 120, None, ("Do not segment YA.",), (), Tally(1, 1, 1, 1, {}, {}), (), "do not segment")
    rule = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
    for name, told in (("grid", True), ("another", False)):
        book.write_text(BOOK, encoding="utf-8")
        selection = Selection("baskets", rule, {"study": name}, (verdict,), ("Of 1 lifestage: 1 do not segment.",))
        write_json(selection_to_json(selection), study.parent / "select" / "verdicts.json")
        text = _write(study, book)
        assert ("| young adults (YA) | do not segment |" in text) is told
        assert ("Of 1 lifestage: 1 do not segment." in text) is told


def test_a_hypothesis_stands_before_what_was_found_and_a_study_without_one_says_none(
    study: Path, tmp_path: Path
) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    assert "Hypothesis" not in _write(study, book)
    content = read_json(study / "candidates.json") | {"hypothesis": "Ward wins."}
    write_json(content, study / "candidates.json")
    text = _write(study, book)
    assert text.index("Which is best?") < text.index("Hypothesis: Ward wins.") < text.index("| young adults (YA) |")


def test_the_sentences_of_a_summary_are_told_before_the_remark(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    write_json({"sentences": ["Two levels are no better.", "They agree."]}, study / "levels" / "summary.json")
    text = _write(study, book, answers=["levels/summary.json"])
    assert "- Two levels are no better.\n- They agree.\n\nNothing else ran." in text


def test_a_summary_without_sentences_leaves_the_book_as_it_is(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    with pytest.raises(ValueError, match=r"candidates\.json must hold sentences, .* it has none\."):
        _write(study, book, answers=["candidates.json"])
    assert book.read_text(encoding="utf-8") == BOOK


def test_a_book_without_a_place_for_entries_is_left_as_it_is(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text("# Notes\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"must hold the line <!-- entries: newest first --> once"):
        _write(study, book)
    assert book.read_text(encoding="utf-8") == "# Notes\n"


def test_the_command_that_the_lab_book_prints_passes_commas_on(
    compose: Callable[..., DictConfig],
) -> None:
    printed = (REPOSITORY / "experiments" / "README.md").read_text(encoding="utf-8")
    command = next(line for line in printed.splitlines() if "stage=entry study=NAME" in line)
    words = shlex.split(command.replace("the verdict, in one line", "Two segments, not three"))
    assert words[:3] == ["python", "-m", "aisle"]
    assert compose(*words[3:]).stage.title == "Two segments, not three"


def test_further_tables_of_the_run_follow_its_leaderboard(study: Path, tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    (study / "sizes.csv").write_text("grade,spent_mean\nA,330.9222\nB,200.5\nC,100.5\n")
    text = _write(study, book, ["sizes.csv"])
    assert text.index("| young adults (YA) |") < text.index("| A | 330.9 |") < text.index("Nothing else ran.")
    assert "| B | 200.5 |" in text
    assert "| C |" not in text


@pytest.mark.parametrize(("content", "message"), [(None, "is needed and missing"), ("", "must be a CSV file")])
def test_a_table_that_is_not_there_or_empty_leaves_the_book_as_it_is(
    study: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    if content is not None:
        (study / "sizes.csv").write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        _write(study, book, ["sizes.csv"])
    assert book.read_text(encoding="utf-8") == BOOK


def test_the_calibration_has_an_entry_from_what_its_stage_wrote(tmp_path: Path) -> None:
    book = tmp_path / "README.md"
    book.write_text(BOOK, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"calibration\.json is needed and missing; run make calibration\.$"):
        _write(tmp_path / "artifacts" / "calibration", book)
    (tmp_path / "calibration.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"must hold the results of make calibration; it does not\.$"):
        _write(tmp_path / "artifacts" / "calibration", book)
    assert book.read_text(encoding="utf-8") == BOOK
    (tmp_path / "calibration.json").write_bytes((REPOSITORY / "docs" / "calibration.json").read_bytes())
    text = _write(tmp_path / "artifacts" / "calibration", book)
    told = read_json(tmp_path / "calibration.json")
    assert f"{told['done']:,} of {told['asked']:,} draws" in text
    assert "Nothing else ran." in text
