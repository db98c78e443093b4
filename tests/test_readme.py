"""The README tells the truth: its commands run, its links lead somewhere, its numbers are those of the last run."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from omegaconf import DictConfig
from tests.verify.workspace import REPOSITORY, Block, Workspace, blocks, grocery_workspace

from aisle.documents import dictionary, extract_part, leaderboard_part, replace_part
from aisle.stages.readme import DESCRIBED
from aisle.storage import read_json

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
LEADERBOARD = REPOSITORY / "artifacts" / "method_grid" / "leaderboard.csv"
SUMMARY = REPOSITORY / "artifacts" / "extract" / "summary.json"
COMMANDS = [block for block in blocks(README) if block.language == "sh"]
INLINE = r"`((?:make|python -m|dvc|pip|git|\. \.venv)[^`]*)`"
PROVED = {
    "make reproduce": "tests/verify/conftest.py",
    "make test": "tests/verify/test_fresh_clone.py",
    "make mlflow": "tests/verify/test_fresh_clone.py",
    "dvc repro": "tests/verify/test_fresh_clone.py",
    "dvc exp run -S": "README.md",
    "dvc metrics diff": "README.md",
    ". .venv/bin/activate": "tests/verify/test_fresh_clone.py",
    "pip install .": "tests/verify/test_wheel.py",
}
"""Commands in the README's sentences -> the proof that types them, or the README where one of its blocks does."""


def _is_quick(block: Block) -> bool:
    return not block.needs and not block.text.startswith("make ")


def _named(block: Block) -> str:
    return re.sub(r"\W+", "-", f"{block.heading} {block.text[:40]}").strip("-")


@pytest.fixture(scope="module")
def groceries(
    compose: Callable[..., DictConfig],
    grocery: Callable[..., dict[str, pyarrow.Table]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Workspace:
    """Enough customers in YA and OA for every clusterer; never run in, only copied."""
    return grocery_workspace(tmp_path_factory.mktemp("groceries") / "aisle", grocery(500, seed=11), compose)


@pytest.mark.parametrize("block", [block for block in COMMANDS if _is_quick(block)], ids=_named)
def test_the_commands_of_every_quick_block_run(block: Block, groceries: Workspace, tmp_path: Path) -> None:
    groceries.copied(tmp_path / "aisle").run(block.text)


def test_the_first_block_holds_the_two_commands() -> None:
    assert [line.split("#")[0].strip() for line in COMMANDS[0].text.splitlines()] == ["make reproduce", "make test"]


def test_every_command_in_a_sentence_has_a_proof_that_types_it() -> None:
    fences = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    assert sorted(set(re.findall(INLINE, fences))) == sorted(set(PROVED))
    for command, proof in PROVED.items():
        assert command in (REPOSITORY / proof).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/decisions.md", "CHANGELOG.md"])
def test_every_relative_link_leads_to_a_file(document: str) -> None:
    path = REPOSITORY / document
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    missing = [target for target in targets if ":" not in target and not (path.parent / target).exists()]
    assert missing == []


def _names_in_table(head: str) -> list[str]:
    """The names, set as code, in the first column of the table that has this head."""
    rows = README.split(f"{head}\n")[1].split("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", rows, flags=re.MULTILINE)


def test_the_table_of_studies_names_every_experiment() -> None:
    told = _names_in_table("| study | question |")
    assert sorted(told) == sorted(path.stem for path in (REPOSITORY / "experiments").glob("*.yaml"))


def test_every_stage_of_the_table_can_be_run() -> None:
    told = _names_in_table("| stage | reads | writes |")
    assert told
    assert set(told) <= {path.stem for path in (REPOSITORY / "conf" / "stage").glob("*.yaml")}


def _part(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, flags=re.DOTALL)
    assert found, f"README.md must hold the markers of {name}."
    return found[1]


def _made_from(path: Path, name: str) -> Path:
    """The committed result a part is made from. Only a README without that part may be without it."""
    if not path.exists() and not _part(name):
        pytest.skip(f"README.md has no {name} yet and {path.name} is not there: run make reproduce and make readme.")
    return path


def test_the_leaderboard_is_that_of_the_committed_run() -> None:
    board = pd.read_csv(_made_from(LEADERBOARD, "leaderboard"))
    assert replace_part(README, "leaderboard", leaderboard_part(board, best=3), "README.md") == README


def test_the_counts_of_the_extract_are_those_of_the_committed_run() -> None:
    summary = read_json(_made_from(SUMMARY, "extract"))
    assert replace_part(README, "extract", extract_part(summary), "README.md") == README


def test_the_data_dictionary_is_that_of_the_contracts() -> None:
    told = (REPOSITORY / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert told == dictionary(DESCRIBED)
