"""What the values of a file's column must be: the type they are read as, and which values of that type are wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute

from aisle.tables import Column

NULL_TEXTS = ("", "NULL", "\\N")
"""How files write a missing value."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2099
_FIRST_MONDAY = -3
"""The day on which the week of 1970-01-01 began, in days since then."""

_MOST_ITEMS, _MOST_MONEY = 1_000_000, 1e9
"""What one line may have, so that the sums and squares of a basket fit into an engine's 64 bits and 12 digits."""

Wrong = Callable[[pyarrow.ChunkedArray], pyarrow.ChunkedArray]
"""Which values are wrong, as a boolean array, or an empty one if none is; null counts as right."""


@dataclass(frozen=True)
class Kind:
    """``meaning`` completes "must be ..."; ``coded`` columns hold text also where a file could hold numbers."""

    meaning: str
    type: pyarrow.DataType
    required: bool = False
    wrong: Wrong | None = None
    coded: bool = False

    def refused(self, values: pyarrow.ChunkedArray) -> int | None:
        """The place of the first value that is wrong, or missing where one is required."""
        places = []
        if self.required and values.null_count:
            places.append(pyarrow.compute.index(values.is_null(), True).as_py())
        if self.wrong is not None:
            places.append(pyarrow.compute.index(self.wrong(values), True).as_py())
        return min((int(place) for place in places if place >= 0), default=None)

    def refused_text(self, texts: list[str]) -> int | None:
        """The place of the first text that cannot be read as this kind, or is wrong."""
        written = [None if text in NULL_TEXTS else text for text in texts]
        if not pyarrow.types.is_string(self.type):
            written = [None if text is None else text.strip() for text in written]
        values = pyarrow.chunked_array([written], pyarrow.string())
        try:
            return self.refused(values.cast(self.type))
        except pyarrow.ArrowInvalid:
            return next(place for place, text in enumerate(texts) if len(texts) == 1 or self._refuses(text))

    def _refuses(self, text: str) -> bool:
        return self.refused_text([text]) is not None


def _below(least: int) -> Wrong:
    return lambda values: pyarrow.compute.less(values, least)


def _no_price(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    return pyarrow.compute.or_(
        pyarrow.compute.less(values, Decimal("0.00")), pyarrow.compute.greater_equal(values, Decimal(int(_MOST_MONEY)))
    )


def _beyond_a_million(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    return pyarrow.compute.or_(pyarrow.compute.less(values, -_MOST_ITEMS), pyarrow.compute.greater(values, _MOST_ITEMS))


def _beyond_money(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    large = pyarrow.compute.greater_equal(pyarrow.compute.abs(values), _MOST_MONEY)
    return pyarrow.compute.and_(pyarrow.compute.is_finite(values), large)


def _no_amount(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    finite = pyarrow.compute.is_finite(values)
    return pyarrow.compute.invert(pyarrow.compute.and_(finite, pyarrow.compute.greater_equal(values, 0.0)))


def _outside(codes: tuple[str, ...]) -> Wrong:
    known = {*codes, None}

    def wrong(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
        unknown = [code for code in pyarrow.compute.unique(values).to_pylist() if code not in known]
        if not unknown:
            return pyarrow.chunked_array([], pyarrow.bool_())
        return pyarrow.compute.is_in(values, pyarrow.array(unknown, pyarrow.string()))

    return wrong


def _no_hour(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    return pyarrow.compute.or_(pyarrow.compute.less(values, 0), pyarrow.compute.greater(values, 23))


def _no_day(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    distinct = pyarrow.compute.unique(values).drop_null()
    dates = _dates(distinct.to_numpy(zero_copy_only=False))
    wrong = np.asarray(dates.isna() | (dates.year > _LAST_YEAR))
    if not wrong.any():
        return pyarrow.chunked_array([], pyarrow.bool_())
    return pyarrow.compute.is_in(values, distinct.filter(pyarrow.array(wrong)))


def _no_moment(values: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    years = pyarrow.compute.year(values)
    return pyarrow.compute.or_(pyarrow.compute.less(years, _FIRST_YEAR), pyarrow.compute.greater(years, _LAST_YEAR))


def _dates(written: npt.NDArray[np.int32]) -> pd.DatetimeIndex:
    dates = pd.to_datetime(pd.Series(written).astype("str"), format="%Y%m%d", errors="coerce")
    return pd.DatetimeIndex(dates.where(dates >= pd.Timestamp(0)))


ID = Kind("an id", pyarrow.string(), required=True)
TEXT = Kind("text", pyarrow.string())
"""An id or a name that may be missing."""
QUANTITY = Kind("a whole number, at most a million either way", pyarrow.int64(), wrong=_beyond_a_million)
COUNT = Kind("a whole number from 1 on", pyarrow.int64(), required=True, wrong=_below(1))
NUMBER = Kind("a number from 0 on, with a decimal point", pyarrow.float64(), required=True, wrong=_no_amount)
AMOUNT = Kind(
    "an amount of money below a thousand million, with a decimal point", pyarrow.float64(), wrong=_beyond_money
)
"""An amount that may be missing, negative, infinite or no number: `aisle.sources.line_items` judges it."""
MONEY = Kind(
    "an amount of money from 0 on and below a thousand million, with a decimal point and at most 2 places",
    pyarrow.decimal128(12, 2),
    required=True,
    wrong=_no_price,
)
DAY = Kind(f"a day from {_FIRST_YEAR} to {_LAST_YEAR}, written yyyymmdd", pyarrow.int32(), required=True, wrong=_no_day)
HOUR = Kind("an hour from 0 to 23", pyarrow.int64(), required=True, wrong=_no_hour)
MOMENT = Kind(
    f"a time from {_FIRST_YEAR} to {_LAST_YEAR}, written yyyy-mm-dd hh:mm:ss",
    pyarrow.timestamp("s"),
    required=True,
    wrong=_no_moment,
)


def code(column: Column) -> Kind:
    """The kind of a file's column that holds the codes of a canonical column, or nothing."""
    return Kind(f"one of {list(column.codes)}", pyarrow.string(), wrong=_outside(column.codes), coded=True)


def said(value: object) -> str:
    """A value as sentences name it.

    >>> said(None), said("3,44")
    ('nothing', "'3,44'")
    """
    return "nothing" if value in (None, "") else repr(value)


def days(written: pyarrow.ChunkedArray) -> npt.NDArray[np.int64]:
    """Days since 1970-01-01 of the values of a column of the kind `DAY`.

    >>> days(pyarrow.chunked_array([[19700102, 20000101, 19700102]], DAY.type)).tolist()
    [1, 10957, 1]
    """
    distinct, place = np.unique(written.to_numpy(), return_inverse=True)
    return np.asarray(_dates(distinct).to_numpy().astype("datetime64[D]").astype(np.int64)[place])


def weeks(days_since_1970: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The number of each day's week, Monday to Sunday; week 0 is that of 1970-01-01.

    >>> weeks(np.array([0, 3, 4])).tolist()
    [0, 0, 1]
    """
    return (days_since_1970 - _FIRST_MONDAY) // 7


def monday(week: int) -> date:
    """The first day of a week.

    >>> monday(1)
    datetime.date(1970, 1, 5)
    """
    return date(1970, 1, 1) + timedelta(days=_FIRST_MONDAY + 7 * week)
