"""The command line: ``python -m aisle stage=NAME role=OPTION key=value``. Hydra composes, the stage does."""

from pathlib import Path

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException


def configuration_folder() -> Path:
    """``./conf`` wins, then the folder in the wheel, then that of the source tree."""
    package = Path(__file__).resolve().parent
    places = (Path.cwd() / "conf", package / "conf", package.parents[1] / "conf")
    return next(place for place in places if (place / "config.yaml").is_file())


def perform(cfg: DictConfig) -> None:
    """Do the configured stage. A user's mistake ends in one sentence on standard error and exit code 1."""
    try:
        hydra.utils.call(cfg.stage)
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
        raise SystemExit(f"aisle: {' '.join(str(cause).split())}") from None


def main() -> None:
    """Compose the configuration from the command line and do its stage."""
    hydra.main(version_base="1.3", config_path=str(configuration_folder()), config_name="config")(perform)()


if __name__ == "__main__":
    main()
