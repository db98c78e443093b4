"""Two commands on a fresh machine give the committed lock; and only what depends on a change runs again."""

import json
import re
import socket
import time
import urllib.request
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml
from tests.verify.workspace import REPOSITORY, Block, Workspace, blocks, check_as_committed

from aisle.storage import read_features

pytestmark = pytest.mark.verify

SLOW = [block for block in blocks((REPOSITORY / "README.md").read_text(encoding="utf-8")) if block.needs == "slow"]
LOCKED = yaml.safe_load((REPOSITORY / "dvc.lock").read_text(encoding="utf-8"))["stages"]
STUDY = "study@method_grid"
PORT = 5000


def _rerun(said: str) -> set[str]:
    """The stages that ``dvc repro`` ran, but for the one that always runs."""
    return set(re.findall(r"Running stage '([\w@]+)'", said)) - {"fingerprint"}


def _depending_on(path: str) -> set[str]:
    """The stages that read this file or folder, or what these wrote."""
    readers = {name for name, stage in LOCKED.items() if any(_meet(path, dep["path"]) for dep in stage["deps"])}
    return readers.union(*(_depending_on(out["path"]) for name in readers for out in LOCKED[name]["outs"]))


def _meet(one: str, other: str) -> bool:
    return Path(one).is_relative_to(other) or Path(other).is_relative_to(one)


def test_make_reproduce_in_an_empty_folder_gives_the_committed_lock(reproduced_clone: tuple[Workspace, str]) -> None:
    workspace, said = reproduced_clone
    assert "Reproduced to the byte: all" in said
    check_as_committed(workspace)


def test_nothing_to_do_takes_seconds(reproduced: Workspace) -> None:
    started = time.monotonic()
    said = reproduced.run("dvc repro")
    assert time.monotonic() - started < 15
    assert _rerun(said) == set()
    check_as_committed(reproduced)


def test_the_environment_can_be_activated(reproduced: Workspace) -> None:
    alone = Workspace(reproduced.folder, reproduced.environment | {"PATH": "/usr/bin:/bin"})
    assert "One candidate:" in alone.run(". .venv/bin/activate && python -m aisle --help")


def test_the_generated_parts_of_the_documents_are_those_of_the_run(reproduced: Workspace) -> None:
    reproduced.run("make readme")
    check_as_committed(reproduced)


def test_the_numbers_in_the_sentences_of_the_readme_are_those_of_the_data(reproduced: Workspace) -> None:
    customers = pyarrow.parquet.read_table(reproduced.folder / "data" / "customers.parquet")
    features = read_features(reproduced.folder / "artifacts" / "features" / "baskets.parquet").values
    readme = " ".join(reproduced.read("README.md").decode().split())
    assert f"{customers.num_rows:,} households" in readme
    assert f"{customers['lifestage'].null_count:,} of its {customers.num_rows:,} households have no lifestage" in readme
    assert f"`baskets` block has {features.shape[1]} columns instead of 38" in readme


@pytest.mark.parametrize(
    ("change", "stage", "counts"),
    [
        ("conf/stage/compare.yaml: # Segments -> # The segments", "compare", []),
        ("conf/features/mix.yaml: smoothing: 1.0 -> smoothing: 2.0", "features@mix", []),
        ("conf/evidence/rule.yaml: floor: 0.05 -> floor: 0.06", STUDY, ["90 found"]),
        ("conf/clusterer/kmeans.yaml: n_init: 20 -> n_init: 21", STUDY, ["15 finished", "75 found"]),
    ],
)
def test_a_changed_configuration_reruns_only_what_depends_on_it(
    reproduced: Workspace, change: str, stage: str, counts: list[str]
) -> None:
    """The stage runs; what must run after it is only told: it takes minutes, and the README's slow block runs it."""
    file, old, new = re.split(r"(?<=yaml): | -> ", change)
    before = reproduced.read(file).decode()
    assert old in before
    reproduced.write(file, before.replace(old, new))
    said = reproduced.run(f"dvc repro {stage}", seconds=900)
    assert _rerun(said) == {stage}
    assert all(count in said for count in counts)
    stale = set(json.loads(reproduced.run("dvc status --json 2> /dev/null"))) - {"fingerprint"}
    assert stale <= _depending_on(file)
    assert ("evidence" in stale) is (stage == STUDY)


CHANGE = """python - <<'END'
import pyarrow.parquet as parquet
lines = parquet.read_table("data/lines.parquet")
parquet.write_table(lines.slice(1), "data/lines.parquet")
END"""


def test_changed_data_are_refused_until_they_are_accepted(reproduced: Workspace) -> None:
    reproduced.run(CHANGE)
    said = reproduced.run("dvc repro", fails=True)
    assert re.search(r"aisle: data differs from \S*data.dvc: \w+.dir is agreed on, \w+.dir is there", said)
    assert _rerun(said) == set()
    assert reproduced.run("git diff --name-only HEAD").split() == ["data.dvc"]
    accept = re.search(r"to accept the new data, run (dvc add data && git add \S+)\.", said)
    assert accept
    reproduced.run(accept[1])
    reproduced.run("dvc repro fingerprint")
    assert reproduced.run("git diff --name-only HEAD").split() == ["data.dvc", "dvc.lock"]


def test_data_that_were_refused_can_be_fetched_again(reproduced: Workspace) -> None:
    reproduced.run(CHANGE)
    said = reproduced.run("dvc repro", fails=True)
    back = re.search(r"to go back, run (python -m aisle stage=fetch);", said)
    assert back
    reproduced.run(back[1])
    assert _rerun(reproduced.run("dvc repro")) == set()
    check_as_committed(reproduced)


def test_make_mlflow_shows_every_study(reproduced: Workspace) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"Port {PORT}, which make mlflow uses, is taken on this machine.")
    address = f"http://127.0.0.1:{PORT}/api/2.0/mlflow/experiments/get-by-name?experiment_name=method_grid"
    with reproduced.running("make mlflow"):
        assert b'"name": "method_grid"' in _answer(address, seconds=180)
    check_as_committed(reproduced)


def _answer(address: str, seconds: float) -> bytes:
    patient_until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  the address is this test's own
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > patient_until:
                raise
            time.sleep(0.5)


@pytest.mark.parametrize("block", SLOW, ids=lambda block: block.heading.replace(" ", "-"))
def test_the_commands_of_every_slow_block_run(reproduced: Workspace, block: Block) -> None:
    said = reproduced.run(block.text, seconds=1800)
    if "dvc exp run" in block.text:
        assert {STUDY, "evidence", "select"} <= _rerun(said) <= _depending_on("conf/evidence/rule.yaml")


def test_make_lint_and_make_test_pass(reproduced: Workspace) -> None:
    reproduced.run("make lint")
    assert " passed" in reproduced.run("make test", seconds=1800)
    check_as_committed(reproduced)
