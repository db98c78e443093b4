"""A component is made again from its description, equal to the one described."""

import importlib
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, OPTICS, KMeans
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler

from aisle.clusterers import EstimatorPath
from aisle.storage import describe, rebuilt

CONF = Path(__file__).resolve().parents[2] / "conf"
OPTIONS = [
    (role, path.stem) for role in ("scaler", "reducer", "clusterer") for path in sorted((CONF / role).glob("*.yaml"))
]


def again(component: Any) -> Any:
    """The component after its description has been a file."""
    return rebuilt(json.loads(json.dumps(describe(component), allow_nan=False)))


def parameters(component: Any) -> dict[str, Any]:
    """Every parameter at any depth, with its type, which scikit-learn checks too."""
    told = component.get_params() if hasattr(component, "get_params") else {"": component}
    return {name: (type(value), repr(value)) for name, value in told.items()}


@pytest.mark.parametrize(("role_name", "option"), OPTIONS, ids=[f"{name}={option}" for name, option in OPTIONS])
def test_every_option_of_a_pipeline_is_made_again(role: Callable[..., Any], role_name: str, option: str) -> None:
    given = role(role_name, option)
    found = again(given)
    assert type(found) is type(given)
    assert found is not given
    assert parameters(found) == parameters(given)


@pytest.mark.parametrize(
    "component",
    [
        RobustScaler(quantile_range=(10.0, 90.0)),
        MinMaxScaler(feature_range=(-1, 1)),
        SimpleImputer(missing_values=np.nan),
        EstimatorPath(OPTICS(), "min_samples", [5, 0.1]),
        EstimatorPath(KMeans(init="random"), "n_clusters", [2, 3]),
        DBSCAN(metric="minkowski", metric_params={"p": np.inf, "w": [1, 2.0]}),
        FunctionTransformer(np.log1p, np.expm1, kw_args={"where": True}),
        FunctionTransformer(pd.DataFrame.to_numpy),
    ],
    ids=lambda component: type(component).__name__,
)
def test_parameters_of_every_kind_keep_their_value_and_type(component: Any) -> None:
    assert parameters(again(component)) == parameters(component)
    assert describe(again(component)) == describe(component)


@pytest.mark.parametrize(
    "given", [RobustScaler(), make_pipeline(PCA(0.5), StandardScaler(with_mean=False))], ids=["robust", "pipeline"]
)
def test_a_component_made_again_passes_the_checks_of_its_library(given: Any) -> None:
    values = np.random.default_rng(1).normal(size=(20, 3))
    assert np.array_equal(again(given).fit_transform(values), given.fit_transform(values))


def test_a_function_keeps_the_arguments_it_was_given() -> None:
    found = again(FunctionTransformer(partial(np.clip, a_min=-1.0, a_max=2.0))).func
    assert found([-3.0, 0.5, 3.0]).tolist() == [-1.0, 0.5, 2.0]
    assert again(partial(pow, 2))(5) == 32


def test_an_array_and_a_tuple_that_nobody_asks_for_come_back_as_lists() -> None:
    assert again(KMeans(init=np.eye(2))).init == [[1.0, 0.0], [0.0, 1.0]]
    assert again(EstimatorPath(KMeans(), "n_clusters", (2, 3))).values == [2, 3]


def test_a_class_from_elsewhere_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from sklearn.base import BaseEstimator\n\nclass Mine:\n    class Inner(BaseEstimator):\n        pass\n"
    (tmp_path / "mine_to_be_rebuilt.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = importlib.import_module("mine_to_be_rebuilt").Mine.Inner()
    described = describe(mine)
    assert type(rebuilt(described)) is type(mine)
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "mine_to_be_rebuilt")
    with pytest.raises(
        ValueError,
        match=r"^mine_to_be_rebuilt\.Mine\.Inner is needed to compute a candidate again, and this installation does "
        r"not have it\.$",
    ):
        rebuilt(described)


@pytest.mark.parametrize(
    "path",
    ["sklearn.cluster.KMedians", "no_such_library.Thing", "KMeans", "tests.<lambda>", "sklearn.cluster.KMeans.x"],
)
def test_a_name_that_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=f"^{path} is needed to compute a candidate again, and this installation"):
        rebuilt({"class": path, "params": {}})
    with pytest.raises(ValueError, match=f"^{path} is needed to compute a candidate again, and this installation"):
        rebuilt({"function": path})


def test_a_parameter_of_another_version_is_refused() -> None:
    described = describe(KMeans())
    described["params"]["n_jobs"] = {"value": 2}
    with pytest.raises(ValueError, match=r"^sklearn.*KMeans cannot be made as it was for the candidate: .*'n_jobs'\.$"):
        rebuilt(described)


@pytest.mark.parametrize("description", [{}, {"text": "KMeans()"}])
def test_a_description_of_nothing_is_refused(description: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r"^A component's description must name a class, a function or a value; got \["
    ):
        rebuilt(description)
