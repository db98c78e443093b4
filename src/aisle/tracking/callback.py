"""Hydra's callback around a sweep: the store before it, a bar during it, the results after it."""

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from aisle.tracking.progress import OUTCOME, SweepProgress

_USERS_MISTAKES = (HydraException, OmegaConfBaseException, ValueError, OSError)


class StudyCallback(Callback):
    """Watches jobs that leave an outcome, and gathers their results when they are over.

    ``collect(sweep=FOLDER)`` turns outcomes into the study's files and gives the number of failed candidates;
    ``sync()`` then brings the study into the tracker. Both, and ``tracker``, may be configurations, made when they are
    needed, so that other stages do not pay for their imports: the callback's own configuration then says
    ``_recursive_: false``. Jobs must not raise: after a job that raises, Hydra does not call the end of a sweep.
    """

    def __init__(self, collect: Any, sync: Any, tracker: Any) -> None:
        self.collect = collect
        self.sync = sync
        self.tracker = tracker
        self._progress: SweepProgress | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the bar: jobs in other processes get a copy of the callback."""
        return self.__dict__ | {"_progress": None}

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Make the store, forget the outcomes of an earlier sweep in this folder, and start the bar."""
        if "outcome" not in list(config.stage):
            return
        sweep = _sweep_folder(config)
        hydra = GlobalHydra.instance().hydra
        loader = None if hydra is None else hydra.config_loader
        total = job_count(config.hydra.overrides.task, config.hydra.sweeper.get("params") or {}, loader)
        _or_exit(lambda: _made(self.tracker).prepare())
        for path in sweep.glob(f"*/{OUTCOME}"):
            path.unlink()
        self._progress = SweepProgress(sweep, total)
        self._progress.start()

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Take the bar away and gather the results."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        sweep = _sweep_folder(config)
        if any(sweep.glob(f"*/{OUTCOME}")):
            self._gather(sweep)

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        """Gather the result of a single candidate."""
        folder = Path(config.hydra.runtime.output_dir)
        if (folder / OUTCOME).exists():
            self._gather(folder)

    def _gather(self, sweep: Path) -> None:
        """Write the results, then end with exit code 1 if a candidate failed."""
        failed_count = _or_exit(lambda: _step(self.collect)(sweep=sweep))
        _or_exit(lambda: _step(self.sync)())
        if failed_count:
            were = "candidate" if failed_count == 1 else "candidates"
            raise SystemExit(f"aisle: {failed_count} {were} failed; the reasons are above and in {sweep}.")


def job_count(overrides: Iterable[str], params: Mapping[str, Any], loader: Any = None) -> int:
    """How many jobs Hydra's basic sweeper makes: the product of the choices; the later override of a key wins.

    >>> job_count(["reducer=pca,umap", "seed=3"], {"reducer": "none,pca,umap", "lifestage": "YA,OA,YF"})
    6
    """
    texts = [*(f"{key}={value}" for key, value in params.items()), *overrides]
    choices = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(texts):
        sweeps = override.is_sweep_override()
        choices[override.get_key_element()] = sum(1 for _ in override.sweep_string_iterator()) if sweeps else 1
    total = 1
    for count in choices.values():
        total *= count
    return total


def _sweep_folder(config: DictConfig) -> Path:
    return Path(str(config.hydra.sweep.dir))


def _made(thing: Any) -> Any:
    return instantiate(thing) if OmegaConf.is_config(thing) else thing


def _step(thing: Any) -> Callable[..., Any]:
    """The stage that a configuration names, with its arguments, to be called."""
    if OmegaConf.is_config(thing):
        return partial(instantiate(thing, _partial_=True))
    return partial(thing)


def _or_exit(call: Callable[[], Any]) -> Any:
    """What the call gives. Hydra would turn an error of a callback into a warning and exit code 0; this does not."""
    try:
        return call()
    except Exception as error:
        if "AISLE_TRACEBACK" in os.environ or not isinstance(error, _USERS_MISTAKES):
            traceback.print_exc()  # a bug must not pass as a warning either
            raise SystemExit(1) from None
        cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
        raise SystemExit(f"aisle: {' '.join(str(cause).split())}") from None
