"""How far a sweep is: a bar on a terminal, a line now and then elsewhere."""

import atexit
import json
import logging
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

log = logging.getLogger(__name__)

OUTCOME = "outcome.json"
_LOOK_EVERY = 0.5  # seconds
_SAY_EVERY = 30.0  # seconds, where there is no terminal


class SweepProgress:
    """Counts the outcomes that the jobs of a sweep leave in ``folder/*/``, ``total`` of them at the end.

    It runs in a thread of the process that launched the sweep; the jobs may be anywhere.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder = folder
        self.total = total
        self.failed_count = 0
        self._counted: set[Path] = set()
        self._over = threading.Event()

    @property
    def done_count(self) -> int:
        """Jobs that have left an outcome so far."""
        return len(self._counted)

    def start(self) -> None:
        """Show the bar and begin to count."""
        console = Console(stderr=True)
        columns = (
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("candidates"),
            TimeElapsedColumn(),
            TextColumn("gone,"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("left, {task.fields[failed]} failed"),
        )
        # Jobs' messages must go above the bar, but output that is redirected to a file must stay where it is.
        self._bar = Progress(
            *columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty(), speed_estimate_period=600.0
        )
        self._task = self._bar.add_task("", total=self.total, failed=0)
        self._began = self._said = time.monotonic()
        if console.is_terminal:
            self._bar.start()
        self._thread = threading.Thread(target=self._watch, name="sweep-progress", daemon=True)
        self._thread.start()
        atexit.register(self.stop)  # a sweep that raises or is interrupted never gets to the end

    def stop(self) -> None:
        """Take the bar away."""
        atexit.unregister(self.stop)
        self._over.set()
        self._thread.join()
        self._bar.stop()

    def count(self) -> None:
        """Look for outcomes that were not there before."""
        for path in set(self.folder.glob(f"*/{OUTCOME}")) - self._counted:
            self._counted.add(path)
            self.failed_count += json.loads(path.read_text(encoding="utf-8"))["status"] == "failed"

    def sentence(self, seconds: float) -> str:
        """How far it is after these seconds, in words.

        >>> SweepProgress(Path("empty"), 12).sentence(30.0)
        '0 of 12 candidates done, 0 failed, 0:00:30 gone'
        """
        gone = timedelta(seconds=round(seconds))
        said = f"{self.done_count} of {self.total} candidates done, {self.failed_count} failed, {gone} gone"
        if not 0 < self.done_count < self.total:
            return said
        left = timedelta(seconds=round(seconds * (self.total - self.done_count) / self.done_count))
        return f"{said}, about {left} left"

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            self.count()
            self._bar.update(self._task, completed=self.done_count, failed=self.failed_count)
            now = time.monotonic()
            if not self._bar.console.is_terminal and now - self._said >= _SAY_EVERY:
                self._said = now
                log.info(self.sentence(now - self._began))
