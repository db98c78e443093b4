"""``pip install .`` gives a command that works anywhere: the wheel carries the configuration."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.verify.workspace import Clone, Workspace, shell_environment

pytestmark = pytest.mark.verify


def test_pip_install_in_a_new_environment_works_in_an_empty_folder(
    clone: Clone, groceries: Workspace, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "environment")], check=True)
    environment = shell_environment(tmp_path / "environment" / "bin")
    Workspace(clone().folder, environment).run("pip install .", seconds=600)
    (tmp_path / "empty").mkdir()
    empty = Workspace(tmp_path / "empty", environment)
    assert "One candidate:" in empty.run("python -m aisle --help")
    assert "clusterer: agglomerative" in empty.run("aisle --help")
    shutil.copytree(groceries.folder / "artifacts", empty.folder / "artifacts")
    assert "1 finished" in empty.run("python -m aisle lifestage=YA reducer=umap clusterer=hdbscan")
    assert sorted(path.name for path in empty.folder.iterdir()) == [".aisle", "artifacts", "mlartifacts", "mlflow.db"]


def test_a_configuration_in_the_working_directory_wins(groceries: Workspace, tmp_path: Path) -> None:
    own = groceries.copied(tmp_path / "aisle")
    own.write("conf/clusterer/of_my_own.yaml", "defaults:\n  - kmeans\nvalues: [2, 3]\n")
    assert "of_my_own" in own.run("python -m aisle --help")
