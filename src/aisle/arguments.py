"""Configured numbers and switches are checked against the annotations of what they are for."""

import inspect
import re
import types
from collections.abc import Callable, Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_WORDS = {int: "a whole number", float: "a number", bool: "true or false"}
_ACCEPTED: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float), bool: (bool,)}


def check_arguments(node: DictConfig, path: str) -> None:
    """That every number and switch below ``node``, of which ``path`` is the name, is one.

    Only Aisle's own functions and classes are looked at (libraries check their own), and only parameters annotated as
    int, float or bool, or one of them or None: nothing else of the configuration is resolved.

    Raises:
        ValueError: an argument is of another type; its name, what it must be, and what it is.
    """
    target = node.get("_target_")
    if isinstance(target, str) and target.startswith("aisle."):
        for name, kinds, optional in _plain_parameters(get_object(target)):
            if name in node and not OmegaConf.is_missing(node, name):
                _check(node[name], kinds, optional, f"{path}.{name}")
    plain = OmegaConf.to_container(node, resolve=False)
    for key, written in plain.items() if isinstance(plain, dict) else ():
        name = str(key)
        reference = _REFERENCE.fullmatch(written) if isinstance(written, str) else None
        if (isinstance(written, dict) or reference) and isinstance(node[name], DictConfig):
            check_arguments(node[name], reference[1] if reference else f"{path}.{name}")


def _plain_parameters(target: Callable[..., object]) -> Iterator[tuple[str, list[type], bool]]:
    """Name, types and whether None is one, of the parameters that take nothing but numbers and switches."""
    described = target.__init__ if inspect.isclass(target) else target
    for name, hint in get_type_hints(described).items():
        parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
        kinds = [part for part in parts if part is not type(None)]
        if name != "return" and kinds and all(kind in _ACCEPTED for kind in kinds):
            yield name, kinds, len(kinds) < len(parts)


def _check(value: Any, kinds: list[type], optional: bool, name: str) -> None:
    if value is None and optional:
        return
    accepted = {one for kind in kinds for one in _ACCEPTED[kind]}
    if type(value) in accepted:
        return
    words = " or ".join([_WORDS[kind] for kind in kinds] + (["null"] if optional else []))
    raise ValueError(f"{name} must be {words}; got {value!r}.")
