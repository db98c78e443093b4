"""A password, right or wrong, is in no file, no log, no record and no traceback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aisle.database import MySQL, PostgreSQL
from aisle.database.address import Address

STAGES = (
    ["stage=fingerprint"],
    ["stage=extract", "sample=all", "cohort.baskets_xx=true", "stage.csv=true"],
    ["stage=population", "features=rfm"],
    ["stage=features", "features=rfm"],
    ["lifestage=all", "features=rfm", "clusterer=ward"],
)


@pytest.fixture
def shop(network_server: Any, filled: Callable[..., None], tables: dict[str, Any]) -> Any:
    filled(network_server, tables)
    return network_server


def run(folder: Path, url: str, kind: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("HYDRA_", "AISLE_", "MLFLOW_"))}
    return subprocess.run(
        [sys.executable, "-m", "aisle", f"database={kind}", *arguments],
        cwd=folder,
        env={**quiet, "OMP_NUM_THREADS": "1", "AISLE_TRACEBACK": "1", f"AISLE_{kind.upper()}_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def places_of(word: str, folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and word.encode() in path.read_bytes():
            yield path


def test_a_password_is_nowhere(
    shop: PostgreSQL | MySQL, temporary_account: Any, address_for: Callable[..., str], tmp_path: Path
) -> None:
    kind = "mysql" if isinstance(shop, MySQL) else "postgresql"
    with temporary_account(shop, may_read=True) as (user, password):
        # a server may trust this machine whatever the password, but nobody it does not know
        wrong = run(tmp_path, address_for(shop.read, f"{user}x", "wrong-secret"), kind, "stage=fingerprint")
        assert wrong.returncode == 1
        assert "refuses" in wrong.stderr
        right = address_for(shop.read, user, password)
        done = [run(tmp_path, right, kind, *stage) for stage in (STAGES if kind == "mysql" else STAGES[:2])]
    assert [each.returncode for each in done] == [0] * len(done), done[-1].stderr
    assert (tmp_path / "artifacts/extract/basket_extract.csv").exists()
    assert (tmp_path / "mlflow.db").exists() == (kind == "mysql")
    written = list(tmp_path.rglob("*"))
    assert any(path.name == "overrides.yaml" for path in written)
    for word in (password, "wrong-secret"):
        assert list(places_of(word, tmp_path)) == []
        assert not any(word in each.stdout + each.stderr for each in (wrong, *done))


def test_a_wrong_password_is_one_sentence(new_server: Any, temporary_account: Any, address_for: Any) -> None:
    """Of MySQL: PostgreSQL may trust this machine, and then no password is wrong."""
    server = new_server("mysql")
    with temporary_account(server, may_read=True) as (user, _):
        engine = MySQL(address_for(server.read, user, "wrong"), "")
        with pytest.raises(OSError, match=rf"MySQL refuses: Access denied for user '{user}'.*\.$"), engine.reading():
            pass


@pytest.mark.parametrize("engine", [PostgreSQL, MySQL])
def test_an_engine_does_not_show_its_addresses(engine: Any) -> None:
    assert "secret" not in repr(engine("postgresql://u:secret@h/d", "postgresql://u:secret@h/d"))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@h/d",
        "postgresql://u:se/secret@h/d",
        "postgresql://u:12/secret@h/d",
        "postgresql://u:12#secret@h/d",
        "postgresql://u:12?secret@h/d",
        "postgresql://h/d?password=secret",
        "postgresql://u:secret@/d",
        "postgresql://u:secret@h",
        "postgresql://u:secret@h:port/d",
        "secret",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^The address of the database must read postgresql://user:password@"
    ) as caught:
        Address.of(url, scheme="postgresql", port=5432)
    assert "secret" not in str(caught.value)


def test_an_address_is_shown_without_its_password() -> None:
    address = Address.of("postgresql://ann:%40%2Fsecret@shop.example:5433/tills", scheme="postgresql", port=5432)
    assert str(address) == "postgresql://ann@shop.example:5433/tills"
    assert address.password == "@/secret"  # noqa: S105
    assert "secret" not in repr(address)
