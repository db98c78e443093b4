"""Numbers and switches of the configuration: one sentence where something else was typed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from aisle.arguments import check_arguments

Compose = Callable[..., DictConfig]
CONF = Path(__file__).resolve().parents[1] / "conf"
GIVEN = {"entry": ["stage.title=Nothing new"]}


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers' addresses come from the environment: they may not even be looked at."""
    for engine in ("POSTGRESQL", "MYSQL"):
        monkeypatch.delenv(f"AISLE_{engine}_URL", raising=False)


@pytest.mark.parametrize("database", ["parquet", "postgresql"])
@pytest.mark.parametrize("stage", sorted(path.stem for path in (CONF / "stage").glob("*.yaml")))
def test_what_is_declared_is_of_the_types_that_are_asked_for(compose: Compose, stage: str, database: str) -> None:
    check_arguments(compose(f"stage={stage}", f"database={database}", *GIVEN.get(stage, [])).stage, "stage")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["stage=compare", "stage.draws=many"], r"^stage\.draws must be a whole number; got 'many'\.$"),
        (["stage=compare", "stage.draws=9.5"], r"^stage\.draws must be a whole number; got 9\.5\.$"),
        (["stage=compare", "stage.draws=true"], r"^stage\.draws must be a whole number; got True\.$"),
        (["stage=compare", "stage.draws=null"], r"^stage\.draws must be a whole number; got None\.$"),
        (["stage=report", "stage.privacy_floor=few"], r"^stage\.privacy_floor must be a whole number; got 'few'\.$"),
        (["stage=differences", "stage.false_discovery_rate=low"], r"_rate must be a number; got 'low'\.$"),
        (["stage=evidence", "stage.workers=1.5"], r"^stage\.workers must be a whole number or null; got 1\.5\.$"),
        (["stage=evidence", "evidence.effort.splits=all"], r"^evidence\.effort\.splits must be a whole number; got"),
    ],
)
def test_another_type_is_refused_by_name(compose: Compose, settings: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_arguments(compose(*settings).stage, "stage")
