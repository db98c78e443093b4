"""The command line: ``python -m aisle stage=NAME role=OPTION key=value``. Hydra composes, the stage does."""

import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from aisle.arguments import check_arguments
from aisle.complaints import USERS_MISTAKES, check_no_password, complaint, configuration_folder

_INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells expect it."""


def perform(cfg: DictConfig) -> None:
    """Do the configured stage."""
    _in_one_sentence(lambda: _checked_call(cfg.stage))


def main() -> None:
    """Compose the configuration and do its stage; a user's mistake ends in one sentence and exit code 1."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors instead of printing them
    try:
        _in_one_sentence(_compose_and_perform)
    except KeyboardInterrupt:
        print("\naisle: interrupted; what is finished is kept, and the same command goes on there.", file=sys.stderr)  # noqa: T201
        raise SystemExit(_INTERRUPTED) from None


def _compose_and_perform() -> None:
    check_no_password(sys.argv[1:])
    hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(perform)()


def _checked_call(stage: DictConfig) -> None:
    check_arguments(stage, "stage")
    hydra.utils.call(stage)


def _in_one_sentence(call: Callable[[], None]) -> None:
    try:
        call()
    except BrokenProcessPool:
        raise SystemExit(
            "aisle: a worker process was ended from outside, perhaps for want of memory; what is finished is kept: "
            "start the same command again, with hydra/launcher=basic for one process at a time."
        ) from None
    except USERS_MISTAKES as error:
        if _needs_traceback(error):
            raise
        raise SystemExit(complaint(error)) from None


def _needs_traceback(error: Exception) -> bool:
    """Whether somebody asked for it, or the error is a bug: Hydra wraps whatever a stage raises in its own."""
    cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
    wrong_argument = isinstance(cause, TypeError) and "argument" in str(cause)
    return "AISLE_TRACEBACK" in os.environ or not (isinstance(cause, USERS_MISTAKES) or wrong_argument)


if __name__ == "__main__":
    main()
