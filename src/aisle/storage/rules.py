"""The rules of segments in a file that holds no code: skops, with equal bytes for equal rules."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aisle.storage.files import whole_file

if TYPE_CHECKING:  # they bring scikit-learn, which most stages that store something do without
    from aisle.rules import SegmentRules

_SCHEMA = "schema.json"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell


def write_rules(rules: "SegmentRules", path: Path) -> None:
    """The rules as a skops file."""
    import skops.io

    with whole_file(path) as part:
        part.write_bytes(_steady(skops.io.dumps(rules)))


def read_rules(path: Path) -> "SegmentRules":
    """The rules in a skops file.

    Nothing but rules and what they are made of is loaded (`aisle.rules.TRUSTED`, and what skops itself trusts:
    arrays, numbers, texts, scikit-learn's estimators).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no skops file, holds something of another type, or something else than rules.
    """
    import skops.io

    from aisle.rules import TRUSTED, SegmentRules

    if not path.exists():
        raise FileNotFoundError(f"{path} is needed and missing; run stage=assign.")
    with _as_rules(path):
        foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
    if foreign:
        raise ValueError(f"{path} must hold nothing but rules; it names {', '.join(foreign)}, and is not loaded.")
    with _as_rules(path):
        found = skops.io.load(path, trusted=list(TRUSTED))
    if not isinstance(found, SegmentRules):
        raise ValueError(f"{path} must hold the rules that stage=assign writes; it holds a {type(found).__name__}.")
    return found


@contextmanager
def _as_rules(path: Path) -> Iterator[None]:
    """What skops says of a file that it cannot read, as a sentence."""
    try:
        yield
    except (zipfile.BadZipFile, AttributeError, ImportError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} must hold the rules that stage=assign writes; it does not.") from None


def _steady(content: bytes) -> bytes:
    """The same archive with fixed times, and numbered in place of addresses in memory, which skops takes for names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files.pop(_SCHEMA))
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    for node in _nodes(schema):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
        if node.get("type") == "numpy":
            node["file"] = names.setdefault(node["file"], f"{len(names)}.npy")
    steady = io.BytesIO()
    with zipfile.ZipFile(steady, "w") as archive:
        for name, renamed in names.items():
            archive.writestr(zipfile.ZipInfo(renamed, _MOMENT), files[name])
        archive.writestr(zipfile.ZipInfo(_SCHEMA, _MOMENT), json.dumps(schema, indent=2))
    return steady.getvalue()


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON tree, in its order."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)
