"""Arithmetic that gives the same bytes on every database engine.

Engines round floating-point sums differently, and threads reorder them. So sums are taken over integers (money as
cents), and one division in double precision ends every feature.
"""

import ibis
import ibis.expr.types as ir
import pyarrow

from aisle.tables import Table

_IBIS_TYPES = {
    pyarrow.string(): "string",
    pyarrow.int64(): "int64",
    pyarrow.float64(): "float64",
    pyarrow.decimal128(12, 2): "decimal(12, 2)",
    pyarrow.timestamp("us"): "timestamp(6)",
    pyarrow.date32(): "date",
}
_STD_UNIT = 1_000_000


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def md5(text: str) -> str:  # type: ignore[empty-body]
    """Every engine has it and gives the same 32 hexadecimal digits."""


def relation(table: Table) -> ir.Table:
    """The unbound Ibis table of a contract, to build queries on."""
    return ibis.table({name: _IBIS_TYPES[column.type] for name, column in table.columns.items()}, name=table.name)


def total(values: ir.NumericColumn) -> ir.IntegerScalar:
    """Exact sum of an integer column, as a 64-bit integer."""
    return values.sum().cast("int64")


def cents(money: ir.DecimalScalar) -> ir.IntegerScalar:
    """An exact decimal amount as whole cents."""
    return (money * 100).cast("int64")


def ratio(numerator: ir.NumericValue, denominator: ir.NumericValue) -> ir.FloatingValue:
    """One double division of two integers; null where the denominator is 0."""
    return numerator.cast("float64") / denominator.nullif(0).cast("float64")


def standard_deviation(count: ir.NumericValue, total: ir.NumericValue, squares: ir.NumericValue) -> ir.FloatingValue:
    """Population standard deviation from the integer count, sum and sum of squares."""
    return (count * squares - total * total).cast("float64").sqrt() / count.cast("float64")


def mean_of_double(values: ir.FloatingColumn) -> ir.FloatingValue:
    """Mean of a non-negative double column, exact after rounding each value to a millionth."""
    millionths = (values * _STD_UNIT + 0.5).floor().cast("int64")
    return ratio(total(millionths), values.count() * _STD_UNIT)


def day_number(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Days since 1970-01-01 of the calendar day of a moment."""
    return moment.date().delta(ibis.date("1970-01-01"), unit="day").cast("int64")
