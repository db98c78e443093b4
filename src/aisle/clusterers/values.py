"""What every clusterer asks of the customers it is given."""

import numpy as np
import numpy.typing as npt
import pandas as pd


def as_matrix(values: pd.DataFrame, *, fewest: int) -> npt.NDArray[np.float64]:
    """The numbers of ``values`` (n, d), in double precision, as memory of their own, one row after the other.

    Raises:
        ValueError: a column holds no numbers, a value is NaN or infinite, or there are fewer than ``fewest`` customers.
    """
    for column, dtype in values.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise ValueError(f"Customers are clustered by numbers; column {column!r} holds {dtype}: encode or drop it.")
    matrix = np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), order="C")
    if not matrix.shape[1]:
        raise ValueError(f"Customers are clustered by numbers; these {len(values)} customers have no column.")
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"Values must be finite; customer {values.index[row]!r} has {matrix[row, column]} "
            f"in {values.columns[column]!r}: fill it, or leave the customer out."
        )
    if len(matrix) < fewest:
        raise ValueError(f"At least {fewest} customers are needed for these tuning values; got {len(matrix)}.")
    return matrix


def check_counts(name: str, counts: npt.ArrayLike, customers: int) -> None:
    """Raises ValueError when a number of clusters called ``name`` is below 1 or not below that of the customers."""
    wrong = [count for count in np.asarray(counts).tolist() if not 1 <= count < customers or count != int(count)]
    if wrong:
        raise ValueError(f"{name} must be whole, at least 1 and below the {customers} customers; got {wrong}.")
