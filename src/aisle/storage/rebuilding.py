"""A component from what `aisle.storage.describe` told of it."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from inspect import signature
from typing import Any


def rebuilt(description: Mapping[str, Any]) -> Any:
    """The estimator, function, list, mapping or number that was described, unfitted.

    An array comes back as a list; so does a tuple, but for a parameter whose default is one: scikit-learn checks that.
    Only classes and functions by name are looked up: nothing that the description holds is executed as code.

    Raises:
        ValueError: it describes nothing, or something that this installation does not have.
    """
    if "class" in description:
        kind = _named(description["class"])
        parameters = {name: rebuilt(value) for name, value in description["params"].items()}
        try:
            return kind(**{name: _as_declared(kind, name, value) for name, value in parameters.items()})
        except TypeError as error:  # another version of its library
            raise ValueError(f"{description['class']} cannot be made as it was for the candidate: {error}.") from None
    if "keywords" in description:
        function, arguments = _named(description["function"]), rebuilt(description["args"])
        return partial(function, *arguments, **rebuilt(description["keywords"]))
    if "function" in description:
        return _named(description["function"])
    if "pairs" in description:
        return dict(rebuilt(pair) for pair in description["pairs"])
    if "values" in description:
        return [rebuilt(item) for item in description["values"]]
    if "number" in description:
        return float(description["number"])
    if "value" in description:
        return description["value"]
    raise ValueError(f"A component's description must name a class, a function or a value; got {sorted(description)}.")


def _as_declared(kind: type, name: str, value: Any) -> Any:
    declared = signature(kind).parameters.get(name)
    return tuple(value) if isinstance(value, list) and declared and isinstance(declared.default, tuple) else value


def _named(path: str) -> Any:
    """A class or function by its module and qualified name, which may have dots of its own."""
    parts = path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
            for name in parts[cut:]:
                found = getattr(found, name)
        except (ModuleNotFoundError, AttributeError):
            continue
        return found
    raise ValueError(f"{path} is needed to compute a candidate again, and this installation does not have it.")
