"""The code a calibration's draws depend on: what is imported, without words."""

import ast
from pathlib import Path

from aisle.storage import closure
from aisle.storage.closure import closure as files
from aisle.storage.closure import closure_digest

PACKAGE = Path(closure.__file__).parents[1]


def test_everything_a_draw_runs_through_is_in_it_and_nothing_else() -> None:
    found = {path.relative_to(PACKAGE).as_posix() for path in files("aisle.calibration.trial")}
    assert found >= {
        "assignment.py",
        "calibration/populations.py",
        "candidate.py",
        "evidence/dossier.py",
        "evidence/null.py",
        "evidence/stability.py",
        "evidence/valley.py",
        "features/table.py",
        "kernels/dip.py",
        "kernels/silhouette_loops.py",
        "partition.py",
        "scores.py",
    }
    assert not any(path.startswith(("stages", "storage", "figures", "database")) for path in found)


def test_words_do_not_count_and_code_does() -> None:
    def told(text: str) -> str:
        return ast.dump(closure._without_docstrings(ast.parse(text)))

    code = 'def double(x):\n    """Twice."""\n    return 2 * x\n'
    assert told(code) == told("# a remark\ndef double(x):\n    '''Two times.'''\n\n    return 2 * x  # simple\n")
    assert told(code) != told("def double(x):\n    return 3 * x\n")
    assert told('LIMIT = 3\n"""At most."""\n') == told("LIMIT = 3\n")


def test_the_digest_of_a_module_is_the_same_every_time_and_differs_between_modules() -> None:
    assert closure_digest("aisle.partition") == closure_digest.__wrapped__("aisle.partition")
    assert closure_digest("aisle.partition") != closure_digest("aisle.scores")
