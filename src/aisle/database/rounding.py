"""Money in foreign tables as whole cents, exactly as the sources round it."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir


def rounded_cents(amount: ir.NumericColumn) -> ir.IntegerColumn:
    """The nearest whole cents of a double, half a cent to the even one, as `aisle.sources.money.to_cents` does."""
    hundredths = amount.cast("float64") * 100
    below = hundredths.floor().cast("int64")
    beyond = hundredths - below
    up = (beyond > 0.5) | ((beyond == 0.5) & (below % 2 == 1))
    return below + up.ifelse(1, 0)


def whole_cents(cents: ir.IntegerColumn) -> ir.DecimalColumn:
    """Whole cents as a decimal amount of major units."""
    hundredth = ibis.literal(Decimal("0.01"), "decimal(16, 2)")
    return (cents.cast("decimal(16, 2)") * hundredth).cast("decimal(12, 2)")
