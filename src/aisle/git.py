"""What git knows: files as they were agreed on, and the commit a result was made from."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Commit(NamedTuple):
    """A commit, and whether tracked files have changed since."""

    digest: str
    changed: bool


def staged(path: Path, revision: str = "") -> str | None:
    """A file's text as git has it staged, or in a ``revision``; None where git does not have it."""
    return _said("-C", str(path.parent), "show", f"{revision}:./{path.name}")


def commit(*, apart_from: Path | None = None) -> Commit | None:
    """The commit of the working directory; changes of ``apart_from`` do not count. None outside a repository."""
    digest = _said("rev-parse", "HEAD")
    left_out = [] if apart_from is None else [f":(exclude){apart_from}"]
    changes = _said("status", "--porcelain", "--untracked-files=no", "--", ".", *left_out)
    return None if digest is None or changes is None else Commit(digest.strip(), bool(changes.strip()))


def _said(*arguments: str) -> str | None:
    """What a git command prints; None where it fails or there is no git."""
    try:
        found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return found.stdout if found.returncode == 0 else None
