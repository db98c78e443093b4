"""The nearest neighbours of all rows, which reducers that begin with them can share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Neighbours:
    """``rows`` (n, k): every row's k nearest rows, itself among them, nearest first; ``distances`` (n, k) to them."""

    rows: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape != self.distances.shape:
            raise ValueError(
                f"Neighbours need a distance for each row of a table; got the shapes {self.rows.shape} and "
                f"{self.distances.shape}."
            )


@runtime_checkable
class NeighbourReducer(Protocol):
    """A reducer that begins with nearest neighbours and takes them from whoever has them already."""

    def neighbour_params(self) -> Mapping[str, Any]:
        """All that the neighbours depend on besides the values: reducers for which it is equal can share them."""
        ...

    def neighbours(self, X: npt.ArrayLike) -> Neighbours:
        """The neighbours of the rows of ``X`` (n, d)."""
        ...

    def fit_transform(self, X: npt.ArrayLike, y: None = None, *, neighbours: Neighbours | None = None) -> Any:
        """``X`` (n, d) reduced; ``neighbours`` are what the method of that name gives for it, or computed when None."""
        ...
