"""The rule of a study as a registered model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.rules.test_everybody import population

from aisle.rules import SegmentRules, agreement, segment_rules
from aisle.storage import write_json, write_rules
from aisle.tracking import MlflowTracker, RunContent, Written
from aisle.tracking.connection import Connection
from aisle.tracking.rules import rules_content


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> MlflowTracker:
    """A tracker with a store of its own; every test writes another study into it."""
    folder = tmp_path_factory.mktemp("mlflow")
    return MlflowTracker(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", folder / "locks", patience=5)


@pytest.fixture
def content(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., RunContent]:
    """The content of the run of two lifestages' rules, of a study called after the test."""

    def made(digest: str = "1", lifestages: tuple[str, ...] = ("OA", "YA")) -> RunContent:
        features, labels = population()
        every = segment_rules(labels, features)
        rules = SegmentRules(every.columns, {name: every.rules[name] for name in lifestages})
        told = {
            "study": request.node.name,
            "data_digest": "d" * 64,
            "lifestages": {name: {"candidate_key": name, **agreement(rule)} for name, rule in rules.rules.items()},
            "without": {"PE": "Nothing can be chosen."},
            "customers": {"in_database": 9, "in_segment": 7, "reasons": {"one visit": 2}},
        }
        write_rules(rules, tmp_path / "rules.skops")
        write_json(told, tmp_path / "agreement.json")
        files = {f"rule/{path.name}": path for path in sorted(tmp_path.glob("*.*"))}
        return rules_content(told=told, rules=rules, digest=digest, files=files, provenance={})

    return made


def client(tracker: MlflowTracker) -> Any:
    return Connection(tracker.uri, tracker.patience).client()


def chosen(tracker: MlflowTracker, study: str) -> Any:
    return client(tracker).get_model_version_by_alias(f"aisle-{study}", "chosen")


def test_the_run_says_how_far_the_rule_can_be_trusted(content: Callable[..., RunContent]) -> None:
    found = content()
    assert found.params == {"rule.OA": "centroids", "rule.YA": "centroids"}
    scores = {score.key: score.value for score in found.scores}
    assert scores["agreement/OA"] == 1.0
    assert scores["customers/in_segment"] == 7
    assert "| OA | &nbsp;&nbsp;centroids | &nbsp;&nbsp;100.0% | &nbsp;&nbsp;1.000 |" in found.note
    assert "7 of 9 customers of the database are in a segment. one visit: 2." in found.note
    assert "**PE** has no rule: Nothing can be chosen." in found.note
    (table,) = found.tables().values()
    assert [row[0] for row in table.rows] == ["OA", "YA"]


def test_the_example_is_no_customer(content: Callable[..., RunContent]) -> None:
    features, _ = population()
    model = content().model
    assert model is not None
    assert [row[0] for row in model.example.rows] == ["OA", "YA"]
    for row in model.example.rows:
        assert not (features.values.to_numpy() == np.array(row[1:])).all(axis=1).any()


def test_without_a_rule_there_is_no_model(content: Callable[..., RunContent]) -> None:
    assert content(lifestages=()).model is None


def test_the_registered_model_is_loaded_by_its_alias_and_assigns(
    tracker: MlflowTracker, content: Callable[..., RunContent], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    found = content()
    study = found.tags["study"]
    assert tracker.write(study, [found], "") == Written(1, 0, 0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    mlflow.set_registry_uri(tracker.uri)
    model = Connection(tracker.uri, tracker.patience).ask(mlflow.pyfunc.load_model, f"models:/aisle-{study}@chosen")
    features, labels = population()
    customers = features.values.assign(lifestage=features.cohort)
    assert (model.predict(customers) == labels["segment"].to_numpy()).all()
    signature = model.metadata.signature
    assert signature.inputs.input_names() == ["lifestage", "spend", "visits"]
    assert [str(kind) for kind in signature.inputs.input_types()] == [
        *("DataType.string", "DataType.double", "DataType.double")
    ]
    assert signature.outputs.input_names() == ["segment"]
    example = model.input_example
    pd.testing.assert_frame_equal(example[["lifestage"]], pd.DataFrame({"lifestage": ["OA", "YA"]}))


def test_nothing_that_holds_code_is_stored(tracker: MlflowTracker, content: Callable[..., RunContent]) -> None:
    found = content()
    tracker.write(found.tags["study"], [found], "")
    run = client(tracker).get_run(chosen(tracker, found.tags["study"]).run_id)
    (made,) = run.outputs.model_outputs
    logged = client(tracker).get_logged_model(made.model_id)
    names = [path.name for path in Path(logged.artifact_location).rglob("*")]
    assert "model.skops" in names
    assert "input_example.json" in names
    assert not [name for name in names if name.endswith((".pkl", ".py", ".pickle"))]
    assert str(logged.status) == "READY"


def test_the_pages_of_the_model_and_its_version_say_what_it_is(
    tracker: MlflowTracker, content: Callable[..., RunContent]
) -> None:
    found = content()
    study = found.tags["study"]
    tracker.write(study, [found], "")
    (model,) = client(tracker).search_registered_models(f"name = 'aisle-{study}'")
    assert f"load_model('models:/aisle-{study}@chosen')" in model.description
    assert chosen(tracker, study).description == found.note


def test_a_second_time_registers_nothing(tracker: MlflowTracker, content: Callable[..., RunContent]) -> None:
    study = content().tags["study"]
    tracker.write(study, [content()], "")
    before = chosen(tracker, study)
    assert tracker.write(study, [content()], "") == Written(0, 1, 0)
    after = chosen(tracker, study)
    assert (after.version, after.run_id) == (before.version, before.run_id)


def test_another_rule_is_a_new_version_to_which_the_alias_moves(
    tracker: MlflowTracker, content: Callable[..., RunContent]
) -> None:
    study = content().tags["study"]
    tracker.write(study, [content("1")], "")
    assert tracker.write(study, [content("2")], "") == Written(1, 0, 1)
    assert str(chosen(tracker, study).version) == "2"


@pytest.mark.parametrize("lost", ["alias", "model"])
def test_what_was_lost_in_the_registry_comes_back_with_the_next_sync(
    lost: str, tracker: MlflowTracker, content: Callable[..., RunContent]
) -> None:
    study = content().tags["study"]
    tracker.write(study, [content()], "")
    if lost == "alias":
        client(tracker).delete_registered_model_alias(f"aisle-{study}", "chosen")
    else:
        client(tracker).delete_registered_model(f"aisle-{study}")
    assert tracker.write(study, [content()], "") == Written(1, 0, 1)
    assert chosen(tracker, study).run_id


class Killed:
    """A model in whose saving the process is killed."""

    def predict(self, customers: pd.DataFrame) -> list[int]:
        return [0] * len(customers)

    def __getstate__(self) -> object:
        raise KeyboardInterrupt


def test_a_killed_registration_is_made_good_by_the_next_sync(
    tracker: MlflowTracker, content: Callable[..., RunContent]
) -> None:
    found = content()
    study = found.tags["study"]
    assert found.model is not None
    with pytest.raises(KeyboardInterrupt):
        tracker.write(study, [replace(found, model=replace(found.model, estimator=Killed()))], "")
    assert tracker.write(study, [found], "") == Written(1, 0, 1)
    assert str(chosen(tracker, study).version) == "1"
