"""A group of columns as free coordinates and back: whatever the coordinates, the group keeps what holds within it."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.evidence.structure import Group

Values = npt.NDArray[np.float64]

_NOTHING: Final = 1e-12


def encode(group: Group, values: pd.DataFrame, main_axis: Values) -> Values:
    """Coordinates (n, q) of a group; a column that is undefined in some rows is filled with what others have there.

    A one-hot group is one coordinate, the place of the level among the levels by their mean along ``main_axis`` (n,);
    shares are parts of what earlier columns leave, the largest first; log-ratios are themselves; an order is the
    lowest and the steps up from it; a flag has none.
    """
    if group.kind == "one_hot":
        return _place_of_level(group, values, main_axis)
    columns = values[list(group.columns)].to_numpy()
    if group.kind == "shares":
        return _broken(columns[:, _largest_first(group, values)])
    if group.kind == "ordered":
        return np.column_stack([columns[:, 0], np.diff(columns, axis=1)])
    return columns[:, :0] if group.kind == "flag" else columns


def decode(group: Group, coordinates: Values, values: pd.DataFrame, main_axis: Values) -> pd.DataFrame:
    """Columns of a group from drawn coordinates; ``values`` and ``main_axis`` are those that were encoded."""
    columns = list(group.columns)
    if group.kind == "one_hot":
        order = _levels(group, values, main_axis)
        drawn = np.zeros((len(coordinates), len(columns)))
        drawn[np.arange(len(coordinates)), order[coordinates[:, 0].astype(np.int64)]] = 1.0
    elif group.kind == "shares":
        drawn = _unbroken(group, coordinates, values)
    elif group.kind == "log_ratios":
        drawn = coordinates - coordinates.mean(axis=1, keepdims=True)
    elif group.kind == "ordered":
        drawn = np.cumsum(coordinates, axis=1)
    else:
        drawn = coordinates
    return pd.DataFrame(drawn, columns=columns)


def _place_of_level(group: Group, values: pd.DataFrame, main_axis: Values) -> Values:
    place = np.argsort(_levels(group, values, main_axis))
    return np.asarray(place[values[list(group.columns)].to_numpy().argmax(axis=1)][:, np.newaxis], dtype=np.float64)


def _levels(group: Group, values: pd.DataFrame, main_axis: Values) -> npt.NDArray[np.int64]:
    """Columns of a one-hot group by the mean of their customers along the main axis."""
    hot = values[list(group.columns)].to_numpy()
    return np.argsort(main_axis @ hot / np.maximum(hot.sum(axis=0), 1), kind="stable")


def _broken(parts: Values) -> Values:
    left = 1.0 - np.cumsum(parts, axis=1)[:, :-1] + parts[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        broken = np.where(left > _NOTHING, parts[:, :-1] / left, np.nan)
    return np.clip(_filled(broken), 0.0, 1.0)


def _largest_first(group: Group, values: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.argsort(-values[list(group.columns)].to_numpy().mean(axis=0), kind="stable")


def _unbroken(group: Group, coordinates: Values, values: pd.DataFrame) -> Values:
    drawn = np.empty((len(coordinates), len(group.columns)))
    left = np.ones(len(coordinates))
    order = _largest_first(group, values)
    for place, column in enumerate(order[:-1]):
        drawn[:, column] = left * coordinates[:, place]
        left = np.maximum(left - drawn[:, column], 0.0)
    drawn[:, order[-1]] = np.where(left > _NOTHING, left, 0.0)
    return drawn


def _filled(columns: Values) -> Values:
    """Undefined numbers replaced by numbers of the same column, drawn with a fixed seed; 0 where there is none."""
    filled = columns.copy()
    for number, column in enumerate(filled.T):
        undefined = np.isnan(column)
        known = column[~undefined]
        rng = np.random.default_rng(number)
        column[undefined] = rng.choice(known, undefined.sum()) if known.size else 0.0
    return filled
