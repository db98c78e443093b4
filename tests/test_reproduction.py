"""Is this what was published? Equal to the byte, or else as near as another machine allows, and never silently."""

import hashlib
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from aisle.reproduction import SCORE_TOLERANCE, compare_labels, compare_leaderboards, compare_locks
from aisle.stages import reproduced


def _lock(**digests: str) -> dict[str, Any]:
    outs = [{"path": path, "md5": digest} for path, digest in digests.items()]
    return {"schema": "2.0", "stages": {"study": {"cmd": "run", "outs": outs}, "frozen": {"cmd": "run"}}}


def _board(rows: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "lifestage": ["YA", "OA"] * (rows // 2),
            "features": "baskets",
            "scaler": "standard",
            "reducer": "none",
            "clusterer": "hdbscan",
            "parameter": "min_cluster_size",
            "tuning_value": np.repeat(np.arange(rows // 2) / 100, 2),
            "n_clusters": 3,
            "balance": np.append(np.nan, rng.random(rows - 1)),
            "features/ranking_score": rng.random(rows),
            "candidate_key": [f"key {row}" for row in range(rows)],
        }
    )


def _labels() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"{number:03d}" for number in range(40)],
            "lifestage": ["YA"] * 20 + ["OA"] * 20,
            "segment": [0] * 12 + [1] * 8 + [0] * 10 + [1] * 6 + [-1] * 4,
        }
    )


def test_locks_differ_where_an_out_has_another_digest_is_new_or_is_gone() -> None:
    before, after = _lock(same="1", changed="2", gone="3"), _lock(same="1", changed="9", new="4")
    assert compare_locks(before, after) == ["changed", "gone", "new"]
    assert compare_locks(before, before) == []


@given(st.permutations(range(6)))
def test_the_order_of_rows_and_the_keys_of_candidates_do_not_matter(order: list[int]) -> None:
    other = _board().iloc[order].assign(candidate_key="of another machine")
    assert compare_leaderboards(_board(), other).same


@pytest.mark.parametrize(("reducer", "same"), [("umap", True), ("pca", False)])
def test_only_reducers_that_follow_the_processor_may_differ_and_are_told_apart(reducer: str, same: bool) -> None:
    board = _board()
    board.loc[[1, 3], "reducer"] = reducer
    other = board.copy()
    other.loc[3, "features/ranking_score"] += 0.25
    comparison = compare_leaderboards(board, other)
    assert comparison.same is same
    assert any("of which 1 differ" in finding and "2.5e-01" in finding for finding in comparison.findings)
    assert any("follow the processor (umap)" in finding for finding in comparison.findings) is same


@pytest.mark.parametrize(("change", "same"), [(0.5 * SCORE_TOLERANCE, True), (2 * SCORE_TOLERANCE, False)])
def test_scores_may_differ_by_no_more_than_the_tolerance(change: float, same: bool) -> None:
    other = _board()
    other.loc[3, "features/ranking_score"] += change
    comparison = compare_leaderboards(_board(), other)
    assert comparison.same is same
    assert f"of which {0 if same else 1} differ" in comparison.findings[0]
    assert f"the largest difference of a score is {change:.1e}." in comparison.findings[0]


@pytest.mark.parametrize(("change", "same"), [(0.5 * SCORE_TOLERANCE, True), (2 * SCORE_TOLERANCE, False)])
def test_a_score_beyond_one_may_differ_in_proportion(change: float, same: bool) -> None:
    before = _board().assign(**{"features/inertia": 5000.0})
    after = before.assign(**{"features/inertia": 5000.0 * (1 + change)})
    assert compare_leaderboards(before, after).same is same


def test_a_score_that_becomes_undefined_is_a_difference() -> None:
    other = _board()
    other.loc[3, "balance"] = np.nan
    assert not compare_leaderboards(_board(), other).same
    assert not compare_leaderboards(other, _board()).same


def test_other_candidates_are_counted() -> None:
    other = _board().replace({"tuning_value": {0.02: 0.5}})
    assert compare_leaderboards(_board(), other).findings == ("Other candidates: 2 are missing and 2 are new.",)


def test_a_score_that_is_no_longer_there_is_a_difference() -> None:
    comparison = compare_leaderboards(_board(), _board().drop(columns="balance"))
    assert not comparison.same
    assert comparison.findings == ("Other scores: ['balance'] are missing.",)


def test_renumbered_segments_are_the_same_segments() -> None:
    renumbered = _labels().assign(segment=_labels()["segment"].map({0: 1, 1: 0, -1: -1}))
    assert compare_labels(_labels(), renumbered).same


def test_one_customer_in_another_segment_is_a_difference() -> None:
    moved = _labels()
    moved.loc[0, "segment"] = 1
    comparison = compare_labels(_labels(), moved)
    assert not comparison.same
    assert "at least 0." in comparison.findings[0]


def test_customers_of_only_one_run_are_counted() -> None:
    comparison = compare_labels(_labels(), _labels().iloc[2:])
    assert not comparison.same
    assert comparison.findings[0] == "2 customers are segmented in only one of the two runs."


Published = Callable[..., dict[str, Path]]


@pytest.fixture
def publish(tmp_path: Path) -> Published:
    """Commits a lock, a leaderboard and labels to a repository of its own; gives the stage's arguments."""

    def published(*, commit: bool = True) -> dict[str, Path]:
        paths = {name: tmp_path / file for name, file in _FILES.items()}
        _write(paths, _lock(out="1"), _board(), _labels())
        git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "published"])[
            : 3 if commit else 2
        ]:
            subprocess.run([*git, *command], check=True)
        return paths

    return published


_FILES = {"lock": "dvc.lock", "leaderboard": "leaderboard.csv", "labels": "labels.csv"}


def _write(paths: dict[str, Path], lock: dict[str, Any], board: pd.DataFrame, labels: pd.DataFrame) -> None:
    paths["lock"].write_text(yaml.safe_dump(lock))
    board.to_csv(paths["leaderboard"], index=False)
    labels.to_csv(paths["labels"], index=False)


def test_equal_locks_are_reproduced_to_the_byte(publish: Published, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reproduced.run(**publish())
    assert "Reproduced to the byte: all 1 outputs are as published" in caplog.text


def test_another_machine_is_compared_by_scores_and_labels(publish: Published, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    paths = publish()
    near = _board().assign(**{"features/ranking_score": _board()["features/ranking_score"] + 1e-9})
    _write(paths, _lock(out="2"), near, _labels().iloc[::-1])
    reproduced.run(**paths)
    assert "Not equal to the byte (another processor or lock file can cause that): out." in caplog.text
    assert "Reproduced: scores and labels are as published." in caplog.text


@pytest.mark.parametrize("what", ["scores", "labels"])
def test_another_result_is_refused(publish: Published, what: str) -> None:
    paths = publish()
    board = _board().assign(balance=0.5) if what == "scores" else _board()
    labels = _labels().assign(segment=0) if what == "labels" else _labels()
    _write(paths, _lock(out="2"), board, labels)
    with pytest.raises(ValueError, match="The run did not give what was published"):
        reproduced.run(**paths)


def test_what_is_staged_but_in_no_commit_was_not_published(publish: Published) -> None:
    with pytest.raises(ValueError, match=r"dvc.lock is in no commit, so there is nothing to compare with"):
        reproduced.run(**publish(commit=False))


def _each(foreach: Any) -> list[tuple[Any, Any]]:
    return list(foreach.items()) if isinstance(foreach, dict) else list(enumerate(foreach))


def test_the_results_in_git_are_those_of_the_lock(repository: Path) -> None:
    stages = yaml.safe_load((repository / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    lock = yaml.safe_load((repository / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    pinned = {out["path"]: out["md5"] for stage in lock.values() for out in stage["outs"]}
    listed = [
        path.replace("${key}", str(key)).replace("${item}", str(item))
        for stage in stages.values()
        for key, item in _each(stage.get("foreach", [None]))
        for out in [*stage.get("do", stage).get("outs", []), *stage.get("do", stage).get("metrics", [])]
        if isinstance(out, dict)
        for path, options in out.items()
        if options.get("cache") is False
    ]
    found = {path: hashlib.md5((repository / path).read_bytes(), usedforsecurity=False).hexdigest() for path in listed}
    assert listed
    assert found == {path: pinned[path] for path in listed}


def test_files_that_python_and_aisle_leave_in_folders_do_not_enter_the_lock(repository: Path) -> None:
    left = ["src/aisle/database/__pycache__/engine.cpython-311.pyc", "conf/cohort/.lifestage.yaml.part-a1b2"]
    dvc = str(Path(sys.executable).parent / "dvc")
    ignored = subprocess.run([dvc, "check-ignore", *left], cwd=repository, capture_output=True, text=True, check=False)
    assert ignored.stdout.split() == left


def test_every_python_computes_with_the_same_libraries(repository: Path) -> None:
    lock = (repository / "requirements.lock").read_text(encoding="utf-8")
    pins = [Requirement(line.rstrip(" \\")) for line in lock.splitlines() if re.match(r"[a-z].*==", line)]
    for library in (
        "numpy",
        "scipy",
        "scikit-learn",
        "hdbscan",
        "umap-learn",
        "pynndescent",
        "numba",
        "pyarrow",
        "duckdb",
    ):
        versions = {
            str(pin.specifier)
            for python in ("3.11", "3.12", "3.13")
            for pin in pins
            if pin.name == library and (pin.marker is None or pin.marker.evaluate(_environment(python)))
        }
        assert len(versions) == 1, f"{library}: {sorted(versions)}"


def _environment(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.1"}
