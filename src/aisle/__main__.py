"""The command line: ``python -m aisle stage=NAME role=OPTION key=value``. Hydra composes, the stage does."""

import os
import sys

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from aisle.complaints import USERS_MISTAKES, check_no_password, complaint, configuration_folder


def perform(cfg: DictConfig) -> None:
    """Do the configured stage."""
    try:
        hydra.utils.call(cfg.stage)
    except USERS_MISTAKES as error:
        if _needs_traceback(error):
            raise
        raise SystemExit(complaint(error)) from None


def main() -> None:
    """Compose the configuration and do its stage; a user's mistake ends in one sentence and exit code 1."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors instead of printing them
    try:
        check_no_password(sys.argv[1:])
        hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(perform)()
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
