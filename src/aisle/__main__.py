"""The command line: ``python -m aisle stage=NAME role=OPTION key=value``. Hydra composes, the stage does."""

import os

import hydra
from omegaconf import DictConfig

from aisle.complaints import USERS_MISTAKES, complaint, configuration_folder


def perform(cfg: DictConfig) -> None:
    """Do the configured stage."""
    try:
        hydra.utils.call(cfg.stage)
    except USERS_MISTAKES as error:
        if "AISLE_TRACEBACK" in os.environ:
            raise
        raise SystemExit(complaint(error)) from None


def main() -> None:
    """Compose the configuration and do its stage; a user's mistake ends in one sentence and exit code 1."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors instead of printing them
    try:
        hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(perform)()
    except USERS_MISTAKES as error:
        if "AISLE_TRACEBACK" in os.environ:
            raise
        raise SystemExit(complaint(error)) from None


if __name__ == "__main__":
    main()
