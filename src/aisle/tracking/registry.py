"""A fitted estimator as a model of MLflow: saved without code, with signature and example, found by name and alias."""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aisle.tracking.connection import Connection
from aisle.tracking.run_content import Model

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.tracking import MlflowClient

_LIBRARIES = ("scikit-learn", "skops", "numpy", "pandas")


def is_registered(connection: Connection, client: "MlflowClient", run_id: str, model: Model) -> bool:
    """Whether the model's alias leads to a version that this run made."""
    found = _registered(connection, client, model.name)
    number = None if found is None else found.aliases.get(model.alias)
    if number is None:
        return False
    return bool(connection.ask(client.get_model_version, model.name, str(number)).run_id == run_id)


def register(
    connection: Connection, client: "MlflowClient", experiment_id: str, run_id: str, model: Model, note: str
) -> None:
    """Log the model as an output of the run, and register it as a new version to which its alias then leads.

    ``note`` is what the page of the version says.
    """
    from mlflow.entities import LoggedModelOutput

    ask = connection.ask
    logged = ask(client.create_logged_model, experiment_id, name=model.output, source_run_id=run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        ask(_save, model, path, run_id, logged)
        ask(client.log_model_artifacts, logged.model_id, str(path))
    ask(client.finalize_logged_model, logged.model_id, "READY")
    ask(client.log_outputs, run_id, [LoggedModelOutput(logged.model_id, step=0)])
    if _registered(connection, client, model.name) is None:
        ask(client.create_registered_model, model.name)
    ask(client.update_registered_model, model.name, model.description)
    place = logged.artifact_location  # "models:/<id>" would be looked for in the store of the environment
    made = ask(client.create_model_version, model.name, place, run_id, description=note, model_id=logged.model_id)
    ask(client.set_registered_model_alias, model.name, model.alias, str(made.version))


def _registered(connection: Connection, client: "MlflowClient", name: str) -> Any:
    found = connection.ask(client.search_registered_models, f"name = '{name}'")
    return next((each for each in found if each.name == name), None)


def _save(model: Model, path: Path, run_id: str, logged: Any) -> None:
    """MLflow's folder of a scikit-learn model. skops holds types and arrays; pickle would hold code."""
    import mlflow.sklearn
    import pandas as pd
    from mlflow.models import Model as MlflowModel

    example = pd.DataFrame(list(model.example.rows), columns=list(model.example.columns))
    mlflow.sklearn.save_model(
        model.estimator,
        str(path),
        mlflow_model=MlflowModel(
            artifact_path=logged.artifact_location,
            model_uuid=logged.model_id,
            run_id=run_id,
            model_id=logged.model_id,
        ),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
        skops_trusted_types=list(model.trusted),
        signature=_signature(example, model.output),
        input_example=example,
        pip_requirements=[f"{name}=={version(name)}" for name in _LIBRARIES],
    )


def _signature(example: "pd.DataFrame", output: str) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {str(name): "string" if isinstance(example[name].iloc[0], str) else "double" for name in example}
    inputs: list[Any] = [ColSpec(kind, name) for name, kind in kinds.items()]
    return ModelSignature(Schema(inputs), Schema([ColSpec("long", output)]))
