"""The configuration: every option composes and is what it says, every study composes with every value it sweeps."""

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from sklearn.base import clone

from aisle.clusterers import PathClusterer
from aisle.database import Extraction, ParquetFolder
from aisle.selection import SelectionRule
from aisle.tables import LIFESTAGES

Compose = Callable[..., DictConfig]
REPOSITORY = Path(__file__).resolve().parents[1]
CONF, EXPERIMENTS = REPOSITORY / "conf", REPOSITORY / "experiments"
OPTIONS = {
    folder.name: sorted(path.stem for path in folder.glob("*.yaml"))
    for folder in sorted(CONF.iterdir())
    if folder.is_dir() and folder.name != "hydra"
}
PAIRS = [(role, option) for role, options in OPTIONS.items() for option in options]
STUDIES = sorted(path.stem for path in EXPERIMENTS.glob("*.yaml") if path.stem not in ("calibration", "promotions"))
"""Those that sweep candidates."""
LEFT_TO_THE_USER = {
    **{("source", name): ["source.path=somewhere"] for name in ("basket_extract", "grocery_star", "lgsr", "olist")},
    ("stage", "entry"): ["stage.title=Nothing new", "stage.remark=None"],
}
EVERY_OPTION = pytest.mark.parametrize(("role", "option"), PAIRS, ids=[f"{role}={option}" for role, option in PAIRS])
OF = {role: pytest.mark.parametrize("option", options) for role, options in OPTIONS.items()}
EVERY_STUDY = pytest.mark.parametrize("study", STUDIES)


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers' addresses come from the environment."""
    monkeypatch.setenv("AISLE_POSTGRESQL_URL", "postgresql://reader@nowhere/shop")
    monkeypatch.setenv("AISLE_MYSQL_URL", "mysql://reader@nowhere/shop")


def composed(compose: Compose, role: str, option: str) -> DictConfig:
    return compose(f"{role}={option}", *LEFT_TO_THE_USER.get((role, option), []))


def sweep(study: str) -> dict[str, list[str]]:
    """What a study sweeps: the values of every parameter, as Hydra reads them."""
    params = yaml.safe_load((EXPERIMENTS / f"{study}.yaml").read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
    parsed = OverridesParser.create().parse_overrides([f"{name}={values}" for name, values in params.items()])
    return {
        override.get_key_element(): list(override.sweep_string_iterator())
        if override.is_sweep_override()
        else [str(override.value())]
        for override in parsed
    }


def test_there_is_one_folder_per_role_and_each_has_options() -> None:
    defaults = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    roles = [next(iter(entry)) for entry in defaults if isinstance(entry, dict)]
    assert [role for role in roles if not role.startswith("override")] == [role for role in roles if role in OPTIONS]
    assert all(OPTIONS.values())
    assert set(roles) >= set(OPTIONS)


def test_no_value_has_the_name_of_a_role(compose: Compose) -> None:
    """Hydra would take an override of the value for a choice of an option."""
    scalars = {name for name, value in compose().items() if not OmegaConf.is_config(value)}
    assert scalars.isdisjoint(OPTIONS)


@EVERY_OPTION
def test_every_option_composes_and_resolves(compose: Compose, role: str, option: str) -> None:
    cfg = composed(compose, role, option)
    assert OmegaConf.to_container(cfg[role], resolve=True, throw_on_missing=True)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
@pytest.mark.parametrize(("role", "option"), [pair for pair in PAIRS if pair[0] not in ("stage", "paths")])
def test_every_option_can_be_made_with_nothing_connected_or_written(
    compose: Compose, role: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    instantiate(composed(compose, role, option)[role], _convert_="all")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
@pytest.mark.parametrize("role", ["scaler", "reducer", "clusterer"])
def test_scalers_reducers_and_clusterers_can_be_cloned(compose: Compose, role: str) -> None:
    for option in OPTIONS[role]:
        made = instantiate(compose(f"{role}={option}")[role], _convert_="all")
        assert repr(clone(made).get_params()) == repr(made.get_params())
        methods = ["fit_path"] if role == "clusterer" else ["fit_transform"]
        assert all(callable(getattr(made, method)) for method in methods)


@OF["stage"]
def test_a_stage_gets_the_arguments_it_takes(compose: Compose, option: str) -> None:
    cfg = composed(compose, "stage", option).stage
    run = get_object(cfg._target_)
    parameters = inspect.signature(run).parameters
    assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    required = {name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    given = {name for name in cfg if not name.startswith("_")}
    assert required <= given <= set(parameters)
    assert cfg._target_ == f"aisle.stages.{option}.run"


def test_every_stage_has_a_configuration_and_a_sentence(compose: Compose) -> None:
    """The other modules beside the stages are what several of them, or a long one, are made of."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (REPOSITORY / "src/aisle/stages").glob("*.py")}
    called = {compose()["hydra"].callbacks.study.collect._target_.split(".")[-2]}
    stages = {name for name, text in texts.items() if "\ndef run(" in text}
    assert stages == set(OPTIONS["stage"]) | called
    assert all(get_object(f"aisle.stages.{name}.run").__doc__ for name in stages)
    for shared in set(texts) - stages - {"__init__"}:
        assert any(f"from aisle.stages.{shared} import" in text for text in texts.values())


def test_the_callback_gets_the_arguments_its_stages_take(compose: Compose) -> None:
    callback = compose().hydra.callbacks.study
    for step, more in ((callback.collect, {"sweep"}), (callback.sync, set())):
        parameters = set(inspect.signature(get_object(step._target_)).parameters)
        assert {name for name in step if not name.startswith("_")} | more == parameters
    OmegaConf.to_container(callback, resolve=True, throw_on_missing=True)


def test_roles_make_what_they_are_for(role: Callable[..., Any]) -> None:
    assert isinstance(role("database", "parquet"), ParquetFolder)
    assert isinstance(role("cohort", "lifestage"), Extraction)
    assert isinstance(role("evidence", "standard")["rule"], SelectionRule)
    kmeans: PathClusterer = role("clusterer", "kmeans")
    assert kmeans.minimum_customers == 10
    assert set(role("features", "baskets_mix")) == {"baskets", "mix"}


def test_values_reach_the_options_that_use_them(compose: Compose) -> None:
    cfg = compose("sample=all", "seed=7", "paths.root=work/x", "reducer=umap", "lifestage=PE", "clusterer=ward")
    assert (cfg.cohort.sample, cfg.cohort.seed, cfg.reducer.random_state) == ("all", 7, 7)
    assert cfg.stage.store == "work/x/.aisle"
    assert cfg.stage.features == "work/x/artifacts/features/baskets.parquet"
    assert dict(cfg.names) == {
        "lifestage": "PE",
        "features": "baskets",
        "scaler": "standard",
        "reducer": "umap",
        "clusterer": "ward",
    }


@OF["clusterer"]
def test_clusterers_that_share_a_tree_differ_in_what_their_name_says(compose: Compose, option: str) -> None:
    cfg = compose(f"clusterer={option}").clusterer
    parts = option.split("_")
    if parts[0] in ("average", "complete", "single"):
        assert [cfg.linkage, cfg.metric] == parts


@EVERY_STUDY
def test_every_study_composes(compose: Compose, study: str) -> None:
    cfg = compose(study=study)
    assert cfg.study == study
    assert cfg.question.endswith("?")
    assert cfg.hydra.mode.name == "MULTIRUN"
    assert cfg.stage._target_ == "aisle.stages.candidate.run"
    OmegaConf.to_container(cfg.stage, resolve=True, throw_on_missing=True)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
@EVERY_STUDY
def test_every_value_a_study_sweeps_composes_and_can_be_made(compose: Compose, study: str) -> None:
    swept = sweep(study)
    for turn in range(max(map(len, swept.values()))):
        chosen = {name: values[turn % len(values)] for name, values in swept.items()}
        cfg = compose(*(f"{name}={value}" for name, value in chosen.items()), study=study)
        for role in {name.split(".", 1)[0] for name in chosen} & set(OPTIONS):
            instantiate(cfg[role], _convert_="all")
        for name, value in chosen.items():
            found = cfg.names[name] if name in OPTIONS else OmegaConf.select(cfg, name)
            assert str(found) == value
        assert cfg.lifestage in (*LIFESTAGES, "all") or (study == "two_level" and cfg.lifestage.startswith("segment_"))
        OmegaConf.to_container(cfg.stage, resolve=True, throw_on_missing=True)


@pytest.mark.parametrize("study", ["calibration", "promotions"])
def test_some_studies_are_of_one_job(compose: Compose, study: str) -> None:
    cfg = compose(study=study)
    assert (cfg.study, cfg.stage._target_) == (study, f"aisle.stages.{study}.run")
    assert cfg.question.endswith("?")
    OmegaConf.to_container(cfg.stage, resolve=True, throw_on_missing=True)


@pytest.mark.parametrize("study", [*STUDIES, "calibration", "promotions"])
def test_a_study_says_question_command_and_cost(study: str) -> None:
    text = (EXPERIMENTS / f"{study}.yaml").read_text(encoding="utf-8")
    for word in ("# Question: ", f"# Command:  python -m aisle -cd experiments -cn {study}", "# Cost:"):
        assert word in text


@EVERY_STUDY
def test_a_study_has_as_many_candidates_as_it_says(study: str) -> None:
    number = len(list(itertools.product(*sweep(study).values())))
    text = (EXPERIMENTS / f"{study}.yaml").read_text(encoding="utf-8")
    assert f"{number:,} candidate{'s' * (number > 1)}" in text


def test_the_method_grid_has_at_most_eighteen_candidates_a_lifestage() -> None:
    swept = sweep("method_grid")
    assert set(swept) == {"lifestage", "reducer", "clusterer"}
    assert len(swept["reducer"]) * len(swept["clusterer"]) <= 18
    assert set(swept["lifestage"]) <= set(LIFESTAGES)


def test_no_option_holds_a_secret_or_a_place_of_one_machine() -> None:
    for path in (*CONF.rglob("*.yaml"), *EXPERIMENTS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8").lower()
        assert "password:" not in text, path
        assert "/home/" not in text, path
