"""A publication that is killed leaves the old or the new state, whole."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.database.conftest import Database
from tests.database.killing import check_kills


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_killed_publication_leaves_the_old_or_the_new_state(new_server: Callable[[str], Database], kind: str) -> None:
    assert "old" in check_kills(new_server(kind), np.random.default_rng(len(kind)).uniform(0.1, 0.9, 1).tolist(), 5_000)


@pytest.mark.verify
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_publication_killed_at_twenty_random_moments_leaves_the_old_or_the_new_state(
    new_server: Callable[[str], Database], kind: str
) -> None:
    found = check_kills(new_server(kind), np.random.default_rng([20, len(kind)]).uniform(0, 1.3, 20).tolist(), 20_000)
    assert "old" in found
