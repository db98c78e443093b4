"""One thread for linear algebra: sums of several threads differ in their last digits, and cores are shared by tasks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it BLAS and OpenMP run on one thread; may be nested, and is a decorator too.

    As `threadpoolctl.threadpool_limits`, which looks through all loaded libraries each time: that takes longer than
    many a computation it is for. Here they are looked for again only when modules have been imported since.
    """
    with _controller(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _controller(_modules: int) -> ThreadpoolController:
    """Of the libraries that are loaded when so many modules are imported."""
    return ThreadpoolController()
