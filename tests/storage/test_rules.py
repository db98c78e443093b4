"""Rules in files that hold no code."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.features import FeatureTable
from aisle.rules import TRUSTED, SegmentRules, segment_rules
from aisle.storage import read_rules, write_rules


def made() -> tuple[SegmentRules, pd.DataFrame]:
    """Rules of two lifestages, one by centroids and one by neighbours, and the customers they were made from."""
    rng = np.random.default_rng(1)
    index = pd.Index([f"c{number:03d}" for number in range(120)], name="customer_id")
    cohort = pd.Series(np.repeat(["OA", "YA"], 60), index=index, name="cohort")
    angle = rng.uniform(0, 2 * np.pi, 60)
    inner = np.arange(60) % 3 == 0
    ring = np.where(inner, 1, 6)[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    round_ = rng.normal(size=(60, 2)) + 6 * inner[:, np.newaxis]
    values = pd.DataFrame(np.vstack([round_, ring]), index=index, columns=["spend", "größe"])
    labels = pd.DataFrame({"customer_id": index, "lifestage": cohort.to_numpy(), "segment": np.tile(inner, 2) * 1})
    return segment_rules(labels, FeatureTable(values, cohort)), values.assign(lifestage=cohort)


def test_rules_read_from_a_file_give_the_same_segments(tmp_path: Path) -> None:
    rules, customers = made()
    assert [rule.kind_ for rule in rules.rules.values()] == ["centroids", "neighbours"]
    write_rules(rules, tmp_path / "rules.skops")
    read = read_rules(tmp_path / "rules.skops")
    assert read.columns == rules.columns
    assert (read.predict(customers) == rules.predict(customers)).all()
    assert read.rules["YA"].given_back_.tolist() == rules.rules["YA"].given_back_.tolist()


def test_rules_of_no_lifestage_can_be_kept(tmp_path: Path) -> None:
    write_rules(SegmentRules(("spend",), {}), tmp_path / "rules.skops")
    assert read_rules(tmp_path / "rules.skops").rules == {}


def test_a_file_needs_no_other_types_than_those_that_are_listed(tmp_path: Path) -> None:
    write_rules(made()[0], tmp_path / "rules.skops")
    assert sorted(skops.io.get_untrusted_types(file=tmp_path / "rules.skops")) == sorted(TRUSTED)


def test_the_bytes_are_the_same_in_another_process(tmp_path: Path) -> None:
    write_rules(made()[0], tmp_path / "here.skops")
    program = (
        "import sys; from pathlib import Path; waste = [object() for _ in range(1000)]; "
        "from tests.storage.test_rules import made; from aisle.storage import write_rules; "
        "write_rules(made()[0], Path(sys.argv[1]))"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, tmp_path / "there.skops"], cwd=root, check=True)
    assert (tmp_path / "here.skops").read_bytes() == (tmp_path / "there.skops").read_bytes()


class Foreign:
    """A type of somebody else's."""


def foreign_type(path: Path) -> None:
    skops.io.dump({"rules": Foreign()}, path)


def foreign_function(path: Path) -> None:
    rules, _ = made()
    skops.io.dump(SegmentRules(rules.columns, {"YA": FunctionTransformer(subprocess.call)}), path)  # type: ignore[dict-item]


def renamed_type(path: Path) -> None:
    """A file of rules in which one type's name is exchanged for that of a function of the system."""
    rules = skops.io.dumps(made()[0])
    with zipfile.ZipFile(io.BytesIO(rules)) as archive, zipfile.ZipFile(path, "w") as spoilt:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "schema.json":
                text = json.dumps(json.loads(content)).replace('"NearestRule"', '"system"')
                content = text.replace('"aisle.rules.nearest"', '"os"').encode()
            spoilt.writestr(name, content)


@pytest.mark.parametrize(
    ("write", "named"),
    [(foreign_type, r"Foreign"), (foreign_function, r"subprocess\.call"), (renamed_type, r"os\.system")],
)
def test_a_file_with_foreign_types_is_refused_before_anything_is_loaded(
    write: Callable[[Path], None], named: str, tmp_path: Path
) -> None:
    write(tmp_path / "rules.skops")
    with pytest.raises(ValueError, match=rf"rules\.skops must hold nothing but rules; it names .*{named}.* not loaded"):
        read_rules(tmp_path / "rules.skops")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_short(path: Path) -> None:
    write_rules(made()[0], path)
    path.write_bytes(path.read_bytes()[:2000])


def without_schema(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("something.txt", "else")


def without_content(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{}")


def scaler(path: Path) -> None:
    skops.io.dump(StandardScaler(), path)


@pytest.mark.parametrize("write", [empty, cut_short, without_schema, without_content, scaler])
def test_a_file_that_is_something_else_is_one_sentence(write: Callable[[Path], Any], tmp_path: Path) -> None:
    write(tmp_path / "rules.skops")
    with pytest.raises(ValueError, match=r"rules\.skops must hold the rules that stage=assign writes; it "):
        read_rules(tmp_path / "rules.skops")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"rules\.skops is needed and missing; run stage=assign\.$"):
        read_rules(tmp_path / "rules.skops")
