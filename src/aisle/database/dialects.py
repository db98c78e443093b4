"""Ibis expressions as SQL of an engine, where what Ibis writes by itself would fail, or mean something else."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow
import sqlglot
from sqlglot import exp

from aisle.database.session import Dialect

HEX_DIGITS = 15
"""So many digits of an MD5 are a number that every engine's signed 64-bit integer holds."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def hex_number(digits: str) -> int:  # type: ignore[empty-body]
    """The number that `HEX_DIGITS` hexadecimal digits are; no engine has it under this name."""


def compiled(query: ir.Table, dialect: Dialect) -> str:
    """The query in an engine's language, which gives the same rows on each of them."""
    operation = query.op().replace(_countable) if dialect == "postgres" else query.op()
    sql = str(ibis.to_sql(operation.to_expr(), dialect=dialect, pretty=False))
    if dialect != "mysql" and hex_number.__name__ not in sql.lower():
        return sql  # there is nothing to put right, and parsing takes as long as writing did
    tree = sqlglot.parse_one(sql, dialect=dialect)
    rules = {"duckdb": (_number,), "postgres": (_number,), "mysql": (_number, _text_as_it_is, _frameless)}
    for rule in rules[dialect]:
        tree = tree.transform(rule, dialect) if rule is _number else tree.transform(rule)
    return tree.sql(dialect=dialect)


def arrow_schema(query: ir.Table) -> pyarrow.Schema:
    """The columns of a query's rows; whole numbers are 64 bits wide and moments count microseconds, on every engine."""
    return pyarrow.schema([(name, _arrow_type(kind)) for name, kind in query.schema().items()])


def _arrow_type(kind: dt.DataType) -> pyarrow.DataType:
    if kind.is_decimal():
        return pyarrow.decimal128(kind.precision or 38, kind.scale or 0)
    for is_so, arrow in (
        (kind.is_string(), pyarrow.string()),
        (kind.is_integer(), pyarrow.int64()),
        (kind.is_floating(), pyarrow.float64()),
        (kind.is_boolean(), pyarrow.bool_()),
        (kind.is_timestamp(), pyarrow.timestamp("us")),
        (kind.is_date(), pyarrow.date32()),
    ):
        if is_so:
            return arrow
    raise TypeError(f"A query must give text, numbers, truth values, moments or days; got {kind}.")


def _countable(node: ops.Node, kwargs: dict[str, Any] | None) -> ops.Node:
    """PostgreSQL turns a truth value into a 32-bit number only."""
    made: ops.Node = node.__recreate__(kwargs) if kwargs else node
    if isinstance(made, ops.Cast) and made.arg.dtype.is_boolean() and made.to.is_int64():
        return ops.Cast(ops.Cast(made.arg, dt.int32), made.to)
    return made


def _number(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Hexadecimal digits as a number, which each engine reads in its own way."""
    if not (isinstance(node, exp.Anonymous) and node.name.lower() == "hex_number"):
        return node
    digits = node.expressions[0].sql(dialect=dialect)
    text = {
        "duckdb": f"CAST(CONCAT('0x', {digits}) AS BIGINT)",
        "postgres": f"CAST(CAST('x' || {digits} AS BIT({4 * HEX_DIGITS})) AS BIGINT)",
        "mysql": f"CAST(CONV({digits}, 16, 10) AS SIGNED)",
    }[dialect]
    return sqlglot.parse_one(text, dialect=dialect)


def _text_as_it_is(node: exp.Expr) -> exp.Expr:
    """Ibis compares text as bytes by a cast, which hides it from MySQL's indices; here columns collate by bytes."""
    if isinstance(node, exp.Cast) and node.to.this in (exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY):
        text: exp.Expr = node.this
        return text
    return node


def _frameless(node: exp.Expr) -> exp.Expr:
    """MariaDB allows LAG and LEAD no frame of rows; they have no use for one."""
    if isinstance(node, exp.Window) and isinstance(node.this, (exp.Lag, exp.Lead)):
        node.set("spec", None)
    return node
