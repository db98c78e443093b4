"""Dossiers in the store: under a key of all they depend on, read back equal, made anew where they are damaged."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import grimp
import numpy as np
import pandas as pd
import pytest

import aisle
from aisle.evidence import Contender, Dossier, Effort, Thresholds
from aisle.storage import candidates, dossier_key, evidence, read_dossier, write_dossier

TABLES = [field.name for field in fields(Dossier)]
KEY = "0123456789abcdef0123456789abcdef"
LABELS = np.array([[0, 0, 1, 1], [0, 1, 2, -1]])
ONE = Contender("k1", "kmeans", (2.0, 3.0), LABELS, np.array([True, False]))
OTHER = Contender("k2", "ward", (2.0, 3.0), 1 - LABELS.clip(0, 1), np.array([True, True]))
EFFORT, THRESHOLDS = Effort(25, 5, 5, 99), Thresholds()


def dossier(seed: int = 1, segments: int = 4) -> Dossier:
    rng = np.random.default_rng(seed)
    measures = {
        "candidate_key": ["k1", "k1", "k2"],
        "tuning_value": [2.0, 3.0, 0.05],
        "n_clusters": [2, 3, 0],
        "null_p": [0.01, np.nan, 1.0],
        "eligible": [True, False, True],
        "failure": ["", "ValueError: too few", ""],
    }
    parts = {"candidate_key": ["k1"] * segments, "segment": np.arange(segments), "jaccard": rng.random(segments)}
    gaps = pd.DataFrame({"candidate_key": ["k1"], "segment": [0], "share": rng.random(1)}).iloc[:segments]
    return Dossier(pd.DataFrame(measures), pd.DataFrame(parts), gaps)


def assert_equal(found: Dossier | None, expected: Dossier) -> None:
    assert found is not None
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)


@pytest.mark.parametrize("segments", [0, 4])
def test_a_dossier_reads_back_equal_undefined_measures_included(tmp_path: Path, segments: int) -> None:
    assert read_dossier(tmp_path, KEY) is None
    write_dossier(tmp_path, KEY, dossier(segments=segments))
    assert_equal(read_dossier(tmp_path, KEY), dossier(segments=segments))
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == [KEY]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    "damage",
    [lambda file: file.write_bytes(file.read_bytes()[:-20]), lambda file: file.write_bytes(b""), Path.unlink],
    ids=["cut short", "empty", "gone"],
)
def test_a_damaged_dossier_is_none_and_the_next_takes_its_place(
    tmp_path: Path, name: str, damage: Callable[[Path], Any]
) -> None:
    write_dossier(tmp_path, KEY, dossier(1))
    damage(tmp_path / "evidence" / KEY / f"{name}.parquet")
    assert read_dossier(tmp_path, KEY) is None
    write_dossier(tmp_path, KEY, dossier(2))
    assert_equal(read_dossier(tmp_path, KEY), dossier(2))


def key(features: str = "f", contenders: tuple[Contender, ...] = (ONE, OTHER), **changes: Any) -> str:
    given = {"effort": EFFORT, "thresholds": THRESHOLDS, "seed": 1} | changes
    return dossier_key(features, contenders, **given)


def test_the_key_does_not_depend_on_the_order_of_the_contenders() -> None:
    assert len(key()) == 32
    assert key() == key(contenders=(OTHER, ONE))
    assert key() == key(contenders=(replace(ONE, labelings=np.asfortranarray(LABELS)), OTHER))


OTHERS: dict[str, dict[str, Any]] = {
    "features": {"features": "g"},
    "seed": {"seed": 2},
    "a contender gone": {"contenders": (ONE,)},
    "a contender's key": {"contenders": (replace(ONE, key="k3"), OTHER)},
    "its method": {"contenders": (replace(ONE, method="pam"), OTHER)},
    "its values": {"contenders": (replace(ONE, values=(2.0, 4.0)), OTHER)},
    "its eligible partitions": {"contenders": (replace(ONE, eligible=np.array([True, True])), OTHER)},
    "one label": {"contenders": (replace(ONE, labelings=LABELS * [[1], [0]]), OTHER)},
    "labels exchanged": {
        "contenders": (replace(ONE, labelings=OTHER.labelings), replace(OTHER, labelings=ONE.labelings))
    },
    **{
        f"effort {name}": {"effort": replace(EFFORT, **{name: value})}
        for name, value in {
            "splits": 26,
            "screening": 6,
            "finalists": 4,
            "null_draws": 100,
            "null_kind": "permutation",
            "bootstraps": 2,
        }.items()
    },
    **{
        f"threshold {name}": {"thresholds": replace(THRESHOLDS, **{name: value})}
        for name, value in {
            "valley_p": 0.01,
            "null_p": 0.01,
            "separated": 0.9,
            "reproducible": 0.8,
            "constructive": 0.5,
            "strength": 0.7,
            "replication": 0.8,
            "first_class": False,
        }.items()
    },
}


def test_the_key_changes_with_every_ingredient(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {name: key(**change) for name, change in OTHERS.items()}
    for module, name in ((evidence, "code_digest"), (evidence, "_evidence_digest")):
        with monkeypatch.context() as changed:
            changed.setattr(module, name, lambda: "other code")
            keys[name] = key()
    assert len({key(), *keys.values()}) == 1 + len(OTHERS) + 2, keys


def test_every_number_of_effort_and_thresholds_is_an_ingredient() -> None:
    assert {f"effort {name}" for name in vars(EFFORT)} | {f"threshold {name}" for name in vars(THRESHOLDS)} <= {*OTHERS}


def test_all_code_a_dossier_is_computed_by_is_in_its_key() -> None:
    package = Path(aisle.__file__).parent
    entries = [package / entry for entry in (*evidence._CODE, *candidates._CODE)]
    covered = {*entries} | {path for entry in entries if entry.is_dir() for path in entry.rglob("*.py")}
    graph = grimp.build_graph("aisle", cache_dir=None)
    within = {"aisle.evidence", *graph.find_descendants("aisle.evidence")}
    for module in within.union(*(graph.find_upstream_modules(name) for name in within)):
        below = package.joinpath(*module.split(".")[1:])
        assert {below.with_suffix(".py"), below / "__init__.py"} & covered, module
