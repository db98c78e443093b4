"""How far a sweep is."""

import logging
import threading
from pathlib import Path

import pytest

from aisle.storage import write_json
from aisle.tracking import progress
from aisle.tracking.progress import SweepProgress


def outcome(folder: Path, number: int, status: str = "finished") -> None:
    write_json({"status": status}, folder / str(number) / "outcome.json")


def test_every_outcome_is_counted_once(tmp_path: Path) -> None:
    sweep = SweepProgress(tmp_path, 3)
    outcome(tmp_path, 0)
    outcome(tmp_path, 1, "failed")
    for _ in range(2):
        sweep.count()
        assert (sweep.done_count, sweep.failed_count) == (2, 1)
    outcome(tmp_path, 2, "skipped")
    sweep.count()
    assert (sweep.done_count, sweep.failed_count) == (3, 1)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (0, "0 of 4 candidates done, 0 failed, 0:01:00 gone"),
        (1, "1 of 4 candidates done, 0 failed, 0:01:00 gone, about 0:03:00 left"),
        (3, "3 of 4 candidates done, 0 failed, 0:01:00 gone, about 0:00:20 left"),
        (4, "4 of 4 candidates done, 0 failed, 0:01:00 gone"),
    ],
)
def test_the_time_left_follows_from_what_is_done(tmp_path: Path, done: int, said: str) -> None:
    for number in range(done):
        outcome(tmp_path, number)
    sweep = SweepProgress(tmp_path, 4)
    sweep.count()
    assert sweep.sentence(60) == said


def test_where_there_is_no_terminal_it_says_a_line_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(progress, "_SAY_EVERY", 0.05)
    caplog.set_level(logging.INFO)
    outcome(tmp_path, 0, "failed")
    sweep = SweepProgress(tmp_path, 2)
    sweep.start()
    assert threading.Event().wait(0.5) is False
    sweep.stop()
    assert "1 of 2 candidates done, 1 failed" in caplog.text


def test_stopping_leaves_no_thread_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = SweepProgress(tmp_path, 2)
    sweep.start()
    sweep.stop()
    assert "sweep-progress" not in [thread.name for thread in threading.enumerate()]
    assert capsys.readouterr().out == ""
