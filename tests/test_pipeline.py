"""A stage of dvc.yaml lists what its result depends on: a change of anything else cannot change its outs unnoticed."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf
from tests.reaching import PACKAGE, files_reached

Compose = Callable[..., DictConfig]
REPOSITORY = Path(__file__).resolve().parents[1]
CONF = REPOSITORY / "conf"
ROLES = {path.name for path in CONF.iterdir() if path.is_dir()}
PLACES_AND_NAMES = {"hydra", "names", "oc", "paths", "study"}
"""What the configuration only calls things by; the commands, deps and outs of dvc.yaml say it themselves."""


class Stage(NamedTuple):
    """A stage of the pipeline, or one of its parts where it has a foreach."""

    name: str
    commands: list[str]
    deps: list[str]
    outs: list[str]

    def lacks(self, files: Iterable[Path]) -> list[str]:
        """The files that neither are a dep nor lie in one, sorted."""
        places = {file.relative_to(REPOSITORY) for file in files}
        return sorted(str(place) for place in places if not any(place.is_relative_to(dep) for dep in self.deps))


def _stages() -> Iterator[Stage]:
    pipeline = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in pipeline.items():
        each = stage.get("foreach", [None])
        for key, item in each.items() if isinstance(each, dict) else zip(each, each, strict=True):
            text = yaml.safe_dump(stage.get("do", stage)).replace("${item}", str(item)).replace("${key}", str(key))
            one = yaml.safe_load(text)
            if not one.get("always_changed"):  # what always runs depends on everything
                outs = [*one["outs"], *one.get("metrics", [])]
                paths = [next(iter(out)) if isinstance(out, dict) else out for out in outs]
                commands = [one["cmd"]] if isinstance(one["cmd"], str) else one["cmd"]
                yield Stage(f"{name}@{key}" if key else name, commands, one["deps"], paths)


EVERY = pytest.mark.parametrize("stage", list(_stages()), ids=lambda stage: stage.name)


class Work(NamedTuple):
    """What one command of a stage is configured to do: the parts of its configuration that make the outs."""

    cfg: DictConfig
    study: bool
    parts: list[Any]


def _work(compose: Compose, stage: Stage) -> list[Work]:
    found = []
    for command in stage.commands:
        words = command.removeprefix("python -m aisle ").split()
        study = words[words.index("-cn") + 1] if "-cn" in words else None
        cfg = compose(*(word for word in words if "=" in word and not word.startswith("hydra/")), study=study)
        parts = [cfg.stage, cfg.hydra.callbacks.study.collect] if study else [cfg.stage]
        found.append(Work(cfg, study is not None, parts))
    return found


def _asked(node: Any, cfg: DictConfig) -> Iterator[str]:
    """The keys of all values that a part of the configuration takes from elsewhere, directly or not."""
    for key in sorted(set(re.findall(r"\$\{([\w.]+)", str(OmegaConf.to_container(node, resolve=False))))):
        yield key
        if key.split(".")[0] in ROLES - PLACES_AND_NAMES and OmegaConf.is_config(OmegaConf.select(cfg, key)):
            yield from _asked(OmegaConf.select(cfg, key), cfg)


def _source(key: str, choices: DictConfig) -> set[Path]:
    """The files of ``conf/`` that give a value of this key: of an option and its defaults, those that have it."""
    role, _, inside = key.partition(".")
    if role not in ROLES:
        return {CONF / "config.yaml"}
    files = _with_defaults(CONF / role / f"{choices[role]}.yaml")
    return {file for file in files if not inside or OmegaConf.select(OmegaConf.load(file), inside) is not None}


def _with_defaults(file: Path) -> Iterator[Path]:
    """A file of ``conf/`` and those that its defaults name."""
    yield file
    for entry in yaml.safe_load(file.read_text(encoding="utf-8")).get("defaults", []):
        if isinstance(entry, str) and entry != "_self_":
            yield from _with_defaults(file.with_name(f"{entry}.yaml"))


def _swept(cfg: DictConfig) -> list[Path]:
    """The files of the options that the study sweeps."""
    params = (cfg.hydra.sweeper.params or {}).items()
    swept = [(role, options.split(",")) for role, options in params if role in ROLES]
    return [CONF / role / f"{option}.yaml" for role, options in swept for option in options]


def _targets(text: str) -> set[str]:
    """The objects of the package that a configuration names."""
    return set(re.findall(r"_target_: (aisle\.[\w.]+)", text))


def test_a_module_counts_by_the_names_of_it_that_are_used() -> None:
    reached = {file.relative_to(PACKAGE).as_posix() for file in files_reached(["aisle.storage.write_json"])}
    assert reached == {"storage/files.py"}


@EVERY
def test_every_file_of_the_package_that_a_stage_can_reach_is_among_its_deps(compose: Compose, stage: Stage) -> None:
    works = _work(compose, stage)
    reached = files_reached(*(_targets(OmegaConf.to_yaml(part, resolve=True)) for one in works for part in one.parts))
    options = [file for one in works for file in _swept(one.cfg)]
    if PACKAGE / "storage" / "rebuilding.py" in reached:  # by name, from what the candidate store says
        options += [file for role in ("scaler", "reducer", "clusterer") for file in (CONF / role).glob("*.yaml")]
    reached |= files_reached(*(_targets(file.read_text(encoding="utf-8")) for file in options))
    assert reached
    assert stage.lacks(reached) == []


@EVERY
def test_every_file_of_the_configuration_that_a_stage_takes_values_from_is_among_its_deps(
    compose: Compose, stage: Stage
) -> None:
    needed: set[Path] = set()
    for cfg, study, parts in _work(compose, stage):
        choices = cfg.hydra.runtime.choices
        asked = {key for part in parts for key in _asked(part, cfg) if key.split(".")[0] not in PLACES_AND_NAMES}
        needed |= {CONF / "stage" / f"{choices.stage}.yaml", *_swept(cfg)}
        needed = needed.union(*(_source(key, choices) for key in asked))
        if study:
            needed |= {CONF / "hydra" / "callbacks" / "study.yaml", REPOSITORY / "experiments" / f"{cfg.study}.yaml"}
    assert stage.lacks(needed) == []


@EVERY
def test_every_result_that_a_stage_is_told_to_read_is_among_its_deps(compose: Compose, stage: Stage) -> None:
    parts = [OmegaConf.to_container(part, resolve=True) for one in _work(compose, stage) for part in one.parts]
    places = {Path(text) for text in _texts(parts) if Path(text).parts[:1] in (("artifacts",), ("data",))}
    assert places
    owned = [Path(path) for path in (*stage.deps, *stage.outs)]
    missing = [str(one) for one in places if not any(one.is_relative_to(a) or a.is_relative_to(one) for a in owned)]
    assert sorted(missing) == []


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _texts(value)
