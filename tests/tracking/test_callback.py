"""What happens around a sweep."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from aisle.storage import write_json
from aisle.tracking import NoTracker, StudyCallback
from aisle.tracking.callback import job_count

KEYS = st.sampled_from(["lifestage", "+reducer", "clusterer.linkage", "features"])
VALUES = st.sampled_from(["YA", "YA,OA", "range(2,6)", "choice(a,b,c)", "[1,2]", "'a,b'", "1,2,3,4"])


@given(st.dictionaries(KEYS, VALUES), st.lists(st.tuples(KEYS, VALUES)))
def test_jobs_are_counted_as_hydra_counts_them(params: dict[str, str], typed: list[tuple[str, str]]) -> None:
    configured, overrides = ([f"{key}={value}" for key, value in pairs] for pairs in (params.items(), typed))
    (jobs,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides([*configured, *overrides]), None)
    assert job_count(overrides, params) == len(jobs)


def sweep_config(folder: Path, stage: dict[str, Any], *overrides: str) -> DictConfig:
    return OmegaConf.create(
        {
            "stage": stage,
            "hydra": {
                "sweep": {"dir": str(folder)},
                "sweeper": {"params": None},
                "overrides": {"task": list(overrides)},
                "runtime": {"output_dir": str(folder)},
            },
        }
    )


class Steps:
    """The two steps after a sweep, and what they were called with."""

    def __init__(self, failed_count: int = 0) -> None:
        self.failed_count = failed_count
        self.collected: list[Path] = []
        self.synced = 0

    def collect(self, *, sweep: Path) -> int:
        self.collected.append(sweep)
        return self.failed_count

    def sync(self) -> None:
        self.synced += 1

    def callback(self) -> StudyCallback:
        return StudyCallback(self.collect, self.sync, NoTracker())


JOB = {"outcome": "${hydra:runtime.output_dir}/outcome.json"}


def test_after_a_sweep_results_are_collected_and_shown(tmp_path: Path) -> None:
    steps, config = Steps(), sweep_config(tmp_path, JOB, "reducer=none,pca")
    callback = steps.callback()
    callback.on_multirun_start(config)
    write_json({"status": "finished"}, tmp_path / "0" / "outcome.json")
    callback.on_multirun_end(config)
    assert (steps.collected, steps.synced) == ([tmp_path], 1)


def test_a_single_candidate_is_collected_too(tmp_path: Path) -> None:
    steps = Steps()
    write_json({"status": "finished"}, tmp_path / "outcome.json")
    steps.callback().on_run_end(sweep_config(tmp_path, JOB))
    assert (steps.collected, steps.synced) == ([tmp_path], 1)


def test_a_stage_without_outcomes_is_none_of_its_business(tmp_path: Path) -> None:
    steps, config = Steps(), sweep_config(tmp_path, {"output": "artifacts"}, "sample=1,2")
    callback = steps.callback()
    callback.on_multirun_start(config)
    callback.on_multirun_end(config)
    callback.on_run_end(config)
    assert (steps.collected, steps.synced) == ([], 0)


def test_outcomes_of_an_earlier_sweep_in_the_folder_do_not_count(tmp_path: Path) -> None:
    old = tmp_path / "7" / "outcome.json"
    write_json({"status": "failed"}, old)
    steps, config = Steps(), sweep_config(tmp_path, JOB, "reducer=none,pca")
    callback = steps.callback()
    callback.on_multirun_start(config)
    assert not old.exists()
    callback.on_multirun_end(config)
    assert steps.collected == []


@pytest.mark.parametrize(("failed_count", "said"), [(1, "^aisle: 1 candidate failed; "), (2, "^aisle: 2 candidates ")])
def test_failed_candidates_make_the_exit_code_but_everything_is_shown_first(
    tmp_path: Path, failed_count: int, said: str
) -> None:
    steps = Steps(failed_count)
    write_json({"status": "failed"}, tmp_path / "outcome.json")
    with pytest.raises(SystemExit, match=said):
        steps.callback().on_run_end(sweep_config(tmp_path, JOB))
    assert steps.synced == 1


@pytest.mark.parametrize("step", ["collect", "sync"])
def test_a_users_mistake_in_a_step_is_one_sentence(
    tmp_path: Path, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: Any) -> int:
        raise FileNotFoundError("The store is\nmissing.")

    write_json({"status": "finished"}, tmp_path / "outcome.json")
    steps = Steps()
    named = {"collect": steps.collect, "sync": steps.sync} | {step: refuse}
    with pytest.raises(SystemExit, match=r"^aisle: The store is missing\.$"):
        StudyCallback(**named, tracker=NoTracker()).on_run_end(sweep_config(tmp_path, JOB))
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_in_a_step_keeps_its_traceback_and_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json({"status": "finished"}, tmp_path / "outcome.json")
    with pytest.raises(SystemExit) as told:
        StudyCallback(lambda sweep: sweep.no, Steps().sync, NoTracker()).on_run_end(sweep_config(tmp_path, JOB))
    assert told.value.code == 1
    assert "has no attribute 'no'" in capsys.readouterr().err


def test_the_configured_callback_can_be_sent_to_other_processes(
    compose: Callable[..., DictConfig], tmp_path: Path
) -> None:
    config = compose(f"paths.root={tmp_path}", "tracker=none")
    described = OmegaConf.to_container(config.hydra.callbacks.study, resolve=True)
    assert isinstance(described, dict)
    steps = {name: OmegaConf.create(described[name]) for name in ("collect", "sync", "tracker")}
    callback = StudyCallback(**steps)
    callback.on_multirun_start(sweep_config(tmp_path, JOB, "reducer=none,pca"))
    try:
        copy = pickle.loads(pickle.dumps(callback))  # noqa: S301
    finally:
        callback.on_multirun_end(sweep_config(tmp_path, JOB))
    assert copy.collect == callback.collect
    assert copy._progress is None


APP = """
import json, os
from pathlib import Path
import hydra

def job(*, reducer, outcome):
    status = "failed" if reducer == "bad" else "finished"
    Path(outcome).write_text(json.dumps({"status": status}))

def collect(*, sweep, study):
    outcomes = [json.loads(path.read_text())["status"] for path in sorted(Path(sweep).rglob("outcome.json"))]
    print("collected", study, len(outcomes))
    if "refuse" in os.environ:
        raise ValueError("The leaderboard is no good.")
    return outcomes.count("failed")

def sync():
    print("synced")

if __name__ == "__main__":
    hydra.main(version_base="1.3", config_path=".", config_name="config")(lambda cfg: hydra.utils.call(cfg.stage))()
"""
CONFIG = """
reducer: pca
study: grid
stage: {_target_: app.job, reducer: "${reducer}", outcome: "${hydra:runtime.output_dir}/outcome.json"}
hydra:
  run: {dir: jobs}
  sweep: {dir: jobs, subdir: "${hydra.job.num}"}
  callbacks:
    study:
      _target_: aisle.tracking.StudyCallback
      _recursive_: false
      collect: {_target_: app.collect, study: "${study}"}
      sync: {_target_: app.sync}
      tracker: {_target_: aisle.tracking.NoTracker}
"""


def hydra_app(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A small program with the callback, run as a person runs it."""
    (folder / "app.py").write_text(APP)
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "app.py", *arguments]
    path = os.pathsep.join([str(folder), *sys.path])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HYDRA", "AISLE"))}
    return subprocess.run(
        command,
        cwd=folder,
        env=inherited | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_hydra_ends_a_sweep_with_the_steps_and_the_exit_code(tmp_path: Path, launcher: str) -> None:
    done = hydra_app(tmp_path, "-m", "reducer=none,pca,bad", f"hydra/launcher={launcher}")
    assert "collected grid 3\nsynced\n" in done.stdout
    assert done.stderr.splitlines()[-1] == "aisle: 1 candidate failed; the reasons are above and in jobs."
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_hydra_ends_a_single_candidate_likewise(tmp_path: Path) -> None:
    done = hydra_app(tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("collected grid 1\nsynced\n", "", 0)


def test_hydra_does_not_swallow_what_a_step_refuses(tmp_path: Path) -> None:
    done = hydra_app(tmp_path, "-m", "reducer=none,pca", refuse="yes")
    assert done.stderr.splitlines()[-1] == "aisle: The leaderboard is no good."
    assert done.returncode == 1
