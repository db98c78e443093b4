"""Names for the arrays of the kernels."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Merges = tuple[Integers, Floats]
"""A row of either cluster of every merge, shape (n - 1, 2), and the heights, shape (n - 1,)."""
Distances = npt.NDArray[np.float64] | npt.NDArray[np.float32]
