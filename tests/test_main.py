"""The command line: a user's mistake is one sentence that says what would have been right, and exit code 1."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from joblib.externals.loky.process_executor import TerminatedWorkerError
from omegaconf import OmegaConf

from aisle.__main__ import main, perform
from aisle.complaints import configuration_folder
from aisle.features import FeatureTable
from aisle.storage import read_json, write_features, write_json

REPOSITORY = Path(__file__).resolve().parents[1]
EXPERIMENTS = str(REPOSITORY / "experiments")


def one_sentence(text: str) -> str:
    """The last line of what was said, which is all that may be said of a mistake."""
    assert "Traceback" not in text
    lines = text.strip().splitlines()
    assert lines[-1].startswith("aisle: "), text
    assert not any(line.startswith("aisle: ") for line in lines[:-1])
    return lines[-1]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What is said of a command that cannot even be composed."""

    def of(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # set by main, restored afterwards
        monkeypatch.setattr(sys, "argv", ["aisle", *arguments])
        try:
            with pytest.raises(SystemExit) as caught:
                main()
        finally:
            GlobalHydra.instance().clear()
        assert list(tmp_path.iterdir()) == []
        return one_sentence(str(caught.value.code))

    return of


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``python -m aisle`` in an empty folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        quiet = {name: value for name, value in os.environ.items() if not name.startswith(("HYDRA_", "AISLE_"))}
        return subprocess.run(
            [sys.executable, "-m", "aisle", *arguments],
            cwd=tmp_path,
            env={**quiet, "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def options(role: str) -> list[str]:
    return sorted(path.stem for path in (REPOSITORY / "conf" / role).glob("*.yaml"))


@pytest.mark.parametrize(
    "role", ["source", "database", "features", "scaler", "reducer", "clusterer", "tracker", "stage"]
)
def test_an_unknown_option_is_refused_with_the_valid_ones(refused: Callable[..., str], role: str) -> None:
    said = refused(f"{role}=wrong")
    assert f"{role}/wrong" in said
    assert all(option in said for option in options(role))


@pytest.mark.parametrize(
    ("arguments", "key", "valid"),
    [
        (["seeed=3"], "seeed", ["lifestage", "minimum_customers", "sample", "seed", "study"]),
        (["clusterr=ward"], "clusterr", ["clusterer", "reducer"]),
        (["stage=fetch", "stage.outptu=x"], "stage.outptu", ["output", "source"]),
        (["clusterer.linkage=single"], "clusterer.linkage", ["n_clusters", "n_init"]),
        (["clusterer=ward", "clusterer.linkge=single"], "clusterer.linkge", ["linkage", "metric", "n_clusters"]),
        (["-cd", EXPERIMENTS, "-cn", "method_grid", "floor=0.1"], "floor", ["evidence", "study"]),
        (["nowhere.at.all=1"], "nowhere.at.all", ["there is no 'nowhere.at' either"]),
    ],
)
def test_an_unknown_key_is_refused_with_the_valid_ones(
    refused: Callable[..., str], arguments: list[str], key: str, valid: list[str]
) -> None:
    said = refused(*arguments)
    assert f"There is no key {key!r}" in said
    assert all(name in said for name in valid)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-cd", EXPERIMENTS, "-cn", "method_gird"], ["method_gird", "method_grid", "lifestages", "all_customers"]),
        (["-cd", "nowhere", "-cn", "method_grid"], ["nowhere", "not found"]),
        (["-cn", "method_grid"], ["method_grid", "config"]),
        (["seed"], ["seed", "EQUAL"]),
        (["seed=[1,2"], ["[1,2"]),
        (["~seeed"], ["seeed"]),
        (["+seed=3"], ["seed"]),
    ],
)
def test_a_command_that_cannot_be_understood_is_refused(
    refused: Callable[..., str], arguments: list[str], words: list[str]
) -> None:
    said = refused(*arguments)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "argument",
    [
        "database.read=postgresql://ann:secret@shop/tills",
        "database.read='mysql://ann:se/cret@shop/tills'",
        "database.publish=postgresql://:secret@shop/tills",
        "database.read=postgresql://shop/tills?password=secret",
        "+database.password=secret",
        "tracker.uri=https://ann:secret@mlflow.example",
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(refused: Callable[..., str], argument: str) -> None:
    said = refused("stage=fingerprint", "database=postgresql", argument)
    assert "environment variable" in said
    assert "cret" not in said


@pytest.mark.parametrize(
    ("arguments", "key"),
    [(["stage=fetch", "source=lgsr"], "source.path"), (["stage=entry", "study=method_grid"], "stage.title")],
)
def test_a_value_that_must_be_given_is_named(command: Callable[..., Any], arguments: list[str], key: str) -> None:
    done = command(*arguments)
    assert done.returncode == 1
    assert done.stderr == f"aisle: {key} must be given a value, {key}=...; it has none.\n"


def test_a_missing_address_is_named(command: Callable[..., Any]) -> None:
    done = command("stage=fingerprint", "database=postgresql")
    assert done.returncode == 1
    assert one_sentence(done.stderr) == (
        "aisle: The environment variable AISLE_POSTGRESQL_URL must be set to an address, "
        "scheme://user:password@host:port/database; it is not."
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stage=fingerprint"], ["data/customers.parquet is missing; run stage=fetch first."]),
        (["-m", "seeed=1,2", "lifestage=YA,OA", "tracker=none"], ["There is no key 'seeed'", "seed, source, stage"]),
        (["stage=features"], ["artifacts/extract/summary.json is needed and missing; run the stage that writes it"]),
        (["stage=fetch", "source=grocery_star"], ["source.path"]),
        (["stage=fetch", "+stage.colour=red"], ["'colour'", "aisle.stages.fetch.run takes output, source."]),
        (
            ["stage=extract", "cohort.sample=many"],
            ["sample must be a positive whole number of baskets or 'all'; got 'many'"],
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and "=" in value[0] else "",
)
def test_a_stage_that_cannot_run_ends_in_one_sentence_and_exit_code_one(
    command: Callable[..., Any], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    said = one_sentence(done.stderr)
    assert all(word in said for word in words), said
    assert {path.name for path in tmp_path.iterdir()} <= {".aisle"}


def test_a_foreign_file_ends_in_one_sentence(command: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "lines.parquet").write_text("basket_id,product_id,quantity,spend\n")
    write_json({}, tmp_path / "artifacts" / "fingerprint.json")
    done = command("stage=extract")
    assert done.returncode == 1
    assert one_sentence(done.stderr) == "aisle: data/lines.parquet must be a Parquet file; it is not one."
    assert not (tmp_path / "artifacts" / "extract").exists()


def test_an_output_that_cannot_be_written_ends_in_one_sentence(
    command: Callable[..., Any], data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "full").write_text("a file")
    done = command("stage=fingerprint", "paths.artifacts=full/artifacts")
    assert done.returncode == 1
    assert one_sentence(done.stderr) == "aisle: full/artifacts/fingerprint.json cannot be written: Not a directory."


def test_a_traceback_is_there_for_who_asks(command: Callable[..., Any]) -> None:
    done = command("stage=fingerprint", AISLE_TRACEBACK="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "customers.parquet is missing" in done.stderr


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        ({"_target_": "json.loads", "s": "{"}, "aisle: Expecting property name"),
        ({"_target_": "json.loads"}, "aisle: loads() missing 1 required positional argument: 's'"),
    ],
)
def test_a_users_mistake_inside_a_stage_is_a_sentence(stage: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SystemExit) as caught:
        perform(OmegaConf.create({"stage": stage}))
    assert one_sentence(str(caught.value.code)).startswith(sentence)


def test_a_bug_inside_a_stage_keeps_its_traceback() -> None:
    bug = {"_target_": "aisle.stages.study._report", "outcomes": [{"names": {}}], "_convert_": "all"}
    with pytest.raises(HydraException) as caught:
        perform(OmegaConf.create({"stage": bug}))
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_unknown_lifestage_is_a_failed_candidate_with_the_valid_ones(
    command: Callable[..., Any], planted: Callable[..., tuple[FeatureTable, Any]], tmp_path: Path
) -> None:
    features, _ = planted((30, 20), separation=5, seed=70)
    write_features(features, tmp_path / "artifacts" / "features" / "baskets.parquet")
    write_json({"data_digest": "d"}, tmp_path / "artifacts" / "extract" / "summary.json")
    done = command("lifestage=ya", "tracker=none")
    assert done.returncode == 1
    assert "Lifestage 'ya' is unknown; the features have ['YA', 'all']." in done.stderr
    assert one_sentence(done.stderr).startswith("aisle: 1 candidate failed")
    told = read_json(tmp_path / "artifacts" / "adhoc" / "candidates.json")
    assert [entry["status"] for entry in told["candidates"]] == ["failed"]


def test_a_candidate_that_works_ends_well_and_says_what_it_found(
    command: Callable[..., Any], planted: Callable[..., tuple[FeatureTable, Any]], tmp_path: Path
) -> None:
    features, _ = planted((30, 20), separation=5, seed=70)
    write_features(features, tmp_path / "artifacts" / "features" / "baskets.parquet")
    write_json({"data_digest": "d"}, tmp_path / "artifacts" / "extract" / "summary.json")
    done = command("lifestage=YA", "tracker=none", "clusterer=ward")
    assert done.returncode == 0, done.stderr
    assert "candidates: 1 finished" in done.stderr
    assert (tmp_path / "artifacts" / "adhoc" / "leaderboard.csv").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"artifacts", ".aisle"}


def test_help_lists_every_role_with_its_options_and_how_to_use_them(command: Callable[..., Any]) -> None:
    done = command("--help")
    assert done.returncode == 0
    for role in ("source", "features", "scaler", "reducer", "clusterer", "stage", "tracker"):
        assert f"{role}: {', '.join(options(role))}" in done.stdout
    assert "python -m aisle -cd experiments -cn method_grid" in done.stdout


def test_the_configuration_in_the_working_directory_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert configuration_folder() == REPOSITORY / "conf"
    (tmp_path / "conf").mkdir()
    assert configuration_folder() == REPOSITORY / "conf"
    (tmp_path / "conf" / "config.yaml").write_text("")
    assert configuration_folder() == tmp_path / "conf"


def test_an_interrupted_command_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = interrupted_at(KeyboardInterrupt(), monkeypatch, tmp_path)
    assert said == 130


def test_a_worker_that_is_ended_from_outside_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = interrupted_at(TerminatedWorkerError("exit codes of the workers are {SIGKILL(-9)}"), monkeypatch, tmp_path)
    assert "worker process was ended from outside" in one_sentence(str(said))


def interrupted_at(error: BaseException, monkeypatch: pytest.MonkeyPatch, folder: Path) -> object:
    """How ``main`` ends when what it runs ends so."""

    def raising(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(folder)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    monkeypatch.setattr(sys, "argv", ["aisle", "stage=readme"])
    monkeypatch.setattr("hydra.utils.call", raising)
    try:
        with pytest.raises(SystemExit) as caught:
            main()
    finally:
        GlobalHydra.instance().clear()
    return caught.value.code
