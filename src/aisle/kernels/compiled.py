"""How kernels are compiled: once, kept in Numba's cache, by one process at a time, and anew when any of them changed.

This closes three holes of Numba's cache. A kernel that calls a parallel one which another process compiled starts no
threads when it is loaded, and crashes (https://github.com/numba/numba/issues/4807). Two processes that compile a kernel
for two types at once give both the same file. And a kernel is loaded as it was although one that it calls has changed.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock
from numba import get_num_threads, njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[Function], Function]:
    """Numba's ``njit`` with ``options`` and a cache that many processes may fill and read at once."""

    def decorate(function: Function) -> Function:
        kernel: Any = njit(cache=True, **options)(function)
        if kernel is function:  # NUMBA_DISABLE_JIT: nothing is compiled
            return function
        lock, build = _lock(Path(kernel.stats.cache_path)), kernel.compile

        def build_alone(signature: Any) -> Any:
            get_num_threads()  # starts them
            with lock:
                return build(signature)

        kernel.compile = build_alone
        decorated: Function = kernel
        return decorated

    return decorate


@cache
def _lock(folder: Path) -> FileLock:
    """The lock of Numba's cache in ``folder``, which is emptied first if it was filled by other sources."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "kernels.lock")
    sources = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    stamp = folder / "kernels.sha256"
    with lock:
        if not stamp.exists() or stamp.read_text() != sources.hexdigest():
            for index in folder.glob("*.nbi"):
                index.unlink()
            stamp.write_text(sources.hexdigest())
    return lock
