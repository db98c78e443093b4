"""What a computation's code is: the modules it imports, directly or not, without comments and docstrings."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from aisle.storage.candidates import LIBRARIES

_PACKAGE = Path(__file__).parents[1]


@cache
def closure_digest(module: str) -> str:
    """Digest of a module of the package, of all its modules that it imports, and of the numerical libraries' versions.

    Comments, docstrings and line breaks do not count: results stay valid when only these change.
    """
    content = hashlib.sha256()
    for path in closure(module):
        tree = _without_docstrings(ast.parse(path.read_text(encoding="utf-8")))
        content.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\x00" + ast.dump(tree).encode())
    for library in LIBRARIES:
        content.update(f"{library}=={version(library)}".encode())
    return content.hexdigest()


def closure(module: str) -> list[Path]:
    """Files of a module and of all modules of the package that it imports, sorted."""
    found: set[Path] = set()
    waiting = [_file(module)]
    while waiting:
        path = waiting.pop()
        if path is not None and path not in found:
            found.add(path)
            waiting += map(_file, _imported(ast.parse(path.read_text(encoding="utf-8"))))
    return sorted(found)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [f"{node.module}.{name.name}" for name in node.names]
            yield from (module for module in modules if _file(module))
            if not all(map(_file, modules)):
                yield node.module


def _file(module: str) -> Path | None:
    """The file of a module of the package; None for anything else."""
    first, *rest = module.split(".")
    if first != _PACKAGE.name:
        return None
    path = _PACKAGE.joinpath(*rest)
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if rest and file.is_file()), None)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Also without the texts that stand below a constant and describe it."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
