"""A user's mistake as one sentence that names what would have been right."""

import inspect
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

USERS_MISTAKES = (HydraException, OmegaConfBaseException, ValueError, OSError)
"""What a command, a configuration or a file can be wrong with; anything else is a bug and keeps its traceback."""


_PASSWORD = re.compile(r"://[^\s@]*:[^\s]*@|password=\S", re.IGNORECASE)
_NO_VARIABLE = re.compile(r"Environment variable '(\w+)' not found")


def configuration_folder() -> Path:
    """``./conf`` wins, then the folder in the wheel, then that of the source tree."""
    package = Path(__file__).resolve().parent
    places = (Path.cwd() / "conf", package / "conf", package.parents[1] / "conf")
    return next(place for place in places if (place / "config.yaml").is_file())


def check_no_password(arguments: Sequence[str]) -> None:
    """That no argument holds a password: Hydra would write it into files, and the system shows it to every user.

    Raises:
        ValueError: one does; the message does not repeat it.
    """
    if any(_PASSWORD.search(argument) for argument in arguments):
        raise ValueError(
            "A password must not be typed on the command line, where files and process lists keep it; put the whole "
            "address into the environment variable that conf/database names, such as AISLE_POSTGRESQL_URL."
        )


def complaint(error: BaseException) -> str:
    """The error as one line for standard error, the valid names listed where a name was wrong."""
    cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
    text = str(cause).split("Config search path:")[0]
    unknown_key = re.search(r"Could not override '([\w.@/]+)'", str(error))
    unknown_argument = re.search(r"Error in call to target '([\w.]+)'", str(error))
    no_variable = _NO_VARIABLE.search(text)
    if no_variable:
        form = " to an address, scheme://user:password@host:port/database" if no_variable[1].endswith("_URL") else ""
        text = f"The environment variable {no_variable[1]} must be set{form}; it is not."
    elif isinstance(cause, MissingMandatoryValue):
        key = re.sub(r"^stage\.(?=\w+\.)", "", str(cause.full_key))  # a stage's source is the role of that name
        text = f"{key} must be given a value, {key}=...; it has none."
    elif unknown_key:
        text = f"There is no key {unknown_key[1]!r} in the configuration; {_keys_beside(unknown_key[1])}."
    elif text.startswith("Cannot find primary config"):
        text = f"{text.split('.')[0]}; there are {_studies()}."
    elif isinstance(cause, TypeError) and unknown_argument:
        text = f"{text}; {unknown_argument[1]} takes {_parameters(unknown_argument[1])}."
    return f"aisle: {' '.join(text.split())}"


def _keys_beside(key: str) -> str:
    """The keys that exist where ``key`` was looked for, in the configuration of the command without it."""
    arguments = get_args_parser().parse_args(sys.argv[1:])
    others = [text for text in arguments.overrides if not text.lstrip("+~").startswith(f"{key}=") and "," not in text]
    options = configuration_folder()
    folder = Path(arguments.config_dir or options).resolve()
    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(folder)):
        searched = [*others, f"hydra.searchpath=[file://{options.resolve()}]"]
        config = compose(config_name=arguments.config_name or "config", overrides=searched)
    parent, _, _ = key.rpartition(".")
    found = OmegaConf.select(config, parent) if parent else config
    where = f"{parent} has" if parent else "there are"
    return f"{where} {_listed(found)}" if OmegaConf.is_dict(found) else f"there is no {parent!r} either"


def _studies() -> str:
    folder = get_args_parser().parse_args(sys.argv[1:]).config_dir
    return _listed(path.stem for path in Path(folder or configuration_folder()).glob("*.yaml"))


def _parameters(target: str) -> str:
    return _listed(name for name in inspect.signature(get_object(target)).parameters if name != "self")


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(str(name) for name in names if not str(name).startswith("_")))
