"""A component from what `aisle.storage.describe` told of it."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any


def rebuilt(description: Mapping[str, Any]) -> Any:
    """The estimator, function, list or number that was described, unfitted.

    A mapping comes back as the list of its pairs. Only classes and functions by name are looked up: nothing that the
    description holds is executed as code.

    Raises:
        ValueError: it describes nothing, or something that this installation does not have.
    """
    if "class" in description:
        parameters = {name: rebuilt(value) for name, value in description["params"].items()}
        return _named(description["class"])(**parameters)
    if "keywords" in description:
        keywords = dict(map(rebuilt, description["keywords"]["values"]))
        return partial(_named(description["function"]), *rebuilt(description["args"]), **keywords)
    if "function" in description:
        return _named(description["function"])
    if "values" in description:
        return [rebuilt(item) for item in description["values"]]
    if "value" in description:
        return description["value"]
    raise ValueError(f"A component's description must name a class, a function or a value; got {sorted(description)}.")


def _named(path: str) -> Any:
    """A class or function by its module and qualified name, which may have dots of its own."""
    parts = path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        try:
            for name in parts[cut:]:
                found = getattr(found, name)
        except AttributeError:
            break
        return found
    raise ValueError(f"{path} is needed to compute a candidate again, and this installation does not have it.")
