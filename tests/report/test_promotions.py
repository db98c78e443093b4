"""The section on promotions tells what was found, and hides what is too few."""

import shutil
from pathlib import Path

import pytest
from tests.report.artifacts import artifacts, report
from tests.stages.test_report import section

from aisle.report.html import DASH
from aisle.storage import read_json, write_json


def test_the_answers_the_plan_and_the_tables_are_told(tmp_path: Path) -> None:
    told = section(report(artifacts(tmp_path)), "promotions")
    assert "Segments capture 42 % of what can be known." in told
    assert "caviar of YA 0" in told
    assert "leaflet 25% (25% to 25%) 25% the share; effect on spend:" in told
    assert "25 % (25 to 25 %; 9 of 60 customers)" in told
    assert f"leaflet PE 1 spend cannot be told {DASH} too few responders" in told
    assert "leaflet PE 0 spend +0.25 (+0.25 to +0.25)" in told
    assert "kmeans, none (chosen) 2 0.20 0.0200 (0.0100 to 0.0300)" in told
    assert "Nothing is left out." in told


def test_a_segment_of_few_customers_is_in_no_table(tmp_path: Path) -> None:
    told = section(report(artifacts(tmp_path, sizes={"YA": (60, 30, 4), "PE": (25, 15)})), "promotions")
    assert "YA 2" not in told
    assert "caviar of YA 1" not in told  # what is left would tell of the hidden one
    assert "caviar of YA 0" in told


def test_a_study_that_was_not_run_is_one_sentence(tmp_path: Path) -> None:
    artifacts(tmp_path)
    shutil.rmtree(tmp_path / "artifacts" / "promotions")
    assert "stage=promotions has not been run" in section(report(tmp_path), "promotions")


def test_a_study_of_other_data_is_refused(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "promotions" / "summary.json"
    write_json({**read_json(path), "data_digest": "e" * 64}, path)
    with pytest.raises(ValueError, match="promotions are of other data than the verdicts"):
        report(tmp_path)


def test_a_table_that_is_not_one_is_refused(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "promotions" / "plan.csv"
    path.write_text("lifestage\nYA\n")
    with pytest.raises(ValueError, match=r"plan\.csv must hold what its stage writes; it lacks"):
        report(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=r"plan\.csv must be what stage=promotions writes; run it again"):
        report(tmp_path)
