"""The guard: the data in use are the data that were agreed on.

``dvc repro`` takes changed data silently and rewrites ``data.dvc``. So the folder is compared with ``data.dvc`` as git
has it staged, which only a person changes. This is the one place in the code that knows DVC.
"""

import hashlib
import json
from pathlib import Path

import yaml

from aisle.git import staged

_BLOCK = 1 << 20


def folder_digest(folder: Path) -> str:
    """DVC's digest of a folder: MD5 of the sorted list of its files' paths and MD5s, with the suffix ``.dir``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = [{"md5": _md5(path), "relpath": path.relative_to(folder).as_posix()} for path in files]
    listing = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def check_pinned(data: Path, pinned: Path) -> None:
    """That ``data`` is what ``pinned`` (a .dvc file) names; no such file means nothing was agreed on.

    Raises:
        ValueError: the data differ, or the file does not name one folder.
        FileNotFoundError: the data are not there.
    """
    text = staged(pinned) or (pinned.read_text(encoding="utf-8") if pinned.exists() else None)
    if text is None:
        return
    if not data.is_dir():
        raise FileNotFoundError(f"{data} is missing; make it with python -m aisle stage=fetch.")
    try:
        agreed = yaml.safe_load(text)["outs"][0]["md5"]
    except (yaml.YAMLError, TypeError, KeyError, IndexError):
        raise ValueError(f"{pinned} must be a file that dvc add wrote; it names no folder and digest.") from None
    found = folder_digest(data)
    if found != agreed:
        raise ValueError(
            f"{data} differs from {pinned}: {agreed} is agreed on, {found} is there; to go back, run "
            f"python -m aisle stage=fetch; to accept the new data, run dvc add {data} && git add {pinned}."
        )


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
