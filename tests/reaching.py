"""What a function's result depends on: the files of the package that hold whatever it can reach by name.

Finer than the modules it imports: a module that offers ten functions counts by those that are used.
"""

import ast
from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "aisle"


class Meaning(NamedTuple):
    """What a name of a module stands for: a name of another module or the whole of it, and code of its own."""

    module: str | None
    name: str | None
    code: tuple[ast.stmt, ...]


def files_reached(*targets: Iterable[str]) -> set[Path]:
    """The files with code that these objects can reach, such as ``aisle.stages.select.run``."""
    waiting = []
    for target in chain(*targets):
        module, _, name = target.rpartition(".")
        waiting += _everything(module, name)
    seen: set[tuple[Path, str]] = set()
    found = set()
    while waiting:
        place = waiting.pop()
        file, name = place
        if place in seen or name not in _meanings(file):
            continue
        seen.add(place)
        meaning = _meanings(file)[name]
        if meaning.module is not None:
            waiting += _everything(meaning.module, meaning.name)
        if meaning.code:
            found.add(file)
            waiting += [(file, used) for node in meaning.code for used in _names(node, ast.Load)]
    return found


def _everything(module: str, name: str | None) -> list[tuple[Path, str]]:
    """The places a name of a module leads to: itself, or all names of the module that it is."""
    below = _file(f"{module}.{name}") if name else _file(module)
    if below is not None:
        return [(below, each) for each in _meanings(below)]
    file = _file(module)
    return [(file, name)] if file and name else []


def _file(module: str) -> Path | None:
    """The file of a module of the package; None for anything else."""
    first, *rest = module.split(".")
    if first != PACKAGE.name:
        return None
    path = PACKAGE.joinpath(*rest)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


@cache
def _meanings(file: Path) -> dict[str, Meaning]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found: dict[str, Meaning] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.split(".")[0]: Meaning(each.name, None, ()) for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {each.asname or each.name: Meaning(node.module, each.name, ()) for each in node.names}
    for node in tree.body:
        named = {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else _names(node, ast.Store)
        for name in named:
            known = found.setdefault(name, Meaning(None, None, ()))
            found[name] = known._replace(code=(*known.code, node))
    return found


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """The names that are loaded or stored, those in annotations left out: they change no result."""
    if isinstance(tree, ast.Name):
        return {tree.id} if isinstance(tree.ctx, context) else set()
    parts = [part for field, part in ast.iter_fields(tree) if field not in ("annotation", "returns")]
    nodes = [node for part in parts for node in (part if isinstance(part, list) else [part])]
    return {name for node in nodes if isinstance(node, ast.AST) for name in _names(node, context)}
