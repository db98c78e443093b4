"""The worked examples of CONTRIBUTING.md work as printed, and the house is drawn as it is built."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from omegaconf import DictConfig
from tests.verify.workspace import REPOSITORY, Workspace, blocks, grocery_workspace

from aisle.storage import read_features, read_table
from aisle.tables import CANONICAL

GUIDE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = REPOSITORY / "src" / "aisle"
EXAMPLES = ["Add a source", "Add a feature block", "Add a clusterer", "Add a study"]


@pytest.fixture(scope="module")
def house(
    compose: Callable[..., DictConfig],
    grocery: Callable[..., dict[str, pyarrow.Table]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Workspace:
    """The package, the configuration, and enough customers in YA and OA for every clusterer; only to be copied."""
    return grocery_workspace(tmp_path_factory.mktemp("house") / "aisle", grocery(500, seed=11), compose, source=True)


@pytest.fixture
def workspace(house: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the house to build in."""
    return house.copied(tmp_path / "aisle")


def _follow(heading: str, workspace: Workspace) -> list[str]:
    """Write the files of an example and type its commands; the files it wrote."""
    written = []
    for block in (block for block in blocks(GUIDE) if block.heading == heading):
        if block.file:
            workspace.write(block.file, block.text)
            written.append(block.file)
        elif block.language == "sh":
            workspace.run(block.text)
    return written


def _methods(workspace: Workspace, study: str) -> set[str]:
    board = pd.read_csv(workspace.folder / "artifacts" / study / "leaderboard.csv")
    return set(board["reducer"] + " " + board["clusterer"])


@pytest.mark.verify
def test_the_source_of_the_example_is_fetched_extracted_and_gives_features(workspace: Workspace) -> None:
    assert len(_follow("Add a source", workspace)) == 4
    root = workspace.folder / "work" / "corner_shop"
    lines = read_table(root / "data" / "lines.parquet", CANONICAL["lines"]).to_pylist()
    assert {(line["basket_id"], line["product_id"], line["quantity"], str(line["spend"])) for line in lines} == {
        ("r1", "bread", 1, "2.20"),
        ("r1", "butter", 2, "5.10"),
        ("r2", "apples", 6, "3.00"),
        ("r3", "apples", 6, "3.00"),
        ("r4", "bread", 1, "2.20"),
        ("r5", "butter", 1, "2.55"),
    }
    dirt = read_table(root / "data" / "dirt.parquet", CANONICAL["dirt"]).to_pylist()
    assert [rule["row_count"] for rule in dirt] == [1, 1]
    assert read_features(root / "artifacts" / "features" / "rfm.parquet").values.index.tolist() == ["c1", "c2", "c3"]


@pytest.mark.verify
def test_the_feature_block_of_the_example_is_made_and_clustered(workspace: Workspace) -> None:
    assert len(_follow("Add a feature block", workspace)) == 3
    features = read_features(workspace.folder / "artifacts" / "features" / "baskets_rhythm.parquet").values
    extract = pd.read_parquet(workspace.folder / "artifacts" / "extract" / "basket_extract.parquet")
    weekend = (extract["shopped_at"].dt.day_of_week >= 5).groupby(extract["customer_id"]).mean()
    evening = (extract["shopped_at"].dt.hour >= 18).groupby(extract["customer_id"]).mean()
    assert features["weekend_share"].to_numpy() == pytest.approx(weekend[features.index].to_numpy())
    assert features["evening_share"].to_numpy() == pytest.approx(evening[features.index].to_numpy())
    assert _methods(workspace, "adhoc") == {"none kmeans", "none ward"}


def test_the_clusterers_of_the_example_are_on_the_leaderboard(workspace: Workspace) -> None:
    assert len(_follow("Add a clusterer", workspace)) == 3
    assert _methods(workspace, "adhoc") == {"pca bisecting_kmeans", "pca tiers"}
    board = pd.read_csv(workspace.folder / "artifacts" / "adhoc" / "leaderboard.csv")
    tiers = board[board["clusterer"] == "tiers"]
    assert sorted(tiers["tuning_value"].unique()) == [2, 3, 4, 5]
    assert tiers["eligible"].all()


@pytest.mark.verify
def test_the_study_of_the_example_has_its_leaderboard(workspace: Workspace) -> None:
    assert len(_follow("Add a study", workspace)) == 1
    shares = (0.5, 0.8, 0.95)
    assert _methods(workspace, "pca_share") == {f"pca n_components={share} ward" for share in shares}
    assert "· Half of the variance is enough\n" in workspace.read("experiments/README.md").decode()


def test_every_example_is_followed_by_a_test() -> None:
    headings = {block.heading for block in blocks(GUIDE) if block.file}
    assert headings == set(EXAMPLES)


@pytest.mark.verify
def test_the_code_of_the_examples_passes_the_checks(workspace: Workspace) -> None:
    for block in blocks(GUIDE):
        if block.file:
            workspace.write(block.file, block.text)
    workspace.run("ruff check . && ruff format --check . && mypy && lint-imports", seconds=400)


def test_the_house_is_drawn_as_it_is_built() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    (drawing,) = (block.text for block in blocks(GUIDE) if block.heading == "The house")
    drawn = [set(re.findall(r"\w+", line[len("stages    ") :])) for line in drawing.splitlines()]
    assert drawn == [set(layer.replace("aisle.", "").split(" | ")) for layer in layers]


def test_the_targets_it_names_are_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)", GUIDE)) | set(re.findall(r"^make ([a-z]+)", GUIDE, flags=re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/decisions.md"])
def test_the_files_and_folders_of_the_repository_that_are_named_exist(document: str) -> None:
    prose = re.sub(r"```.*?```", "", (REPOSITORY / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    made = {"artifacts/pca_share/", "data/", "mlartifacts/", *(block.file for block in blocks(GUIDE))}
    named = set(re.findall(r"`([a-z]\w*(?:/\w+)*(?:/|\.py|\.yaml|\.toml|\.lock|\.dvc))`", prose)) - made
    assert named
    missing = [name for name in named if not any((folder / name).exists() for folder in (REPOSITORY, PACKAGE))]
    assert sorted(missing) == []
