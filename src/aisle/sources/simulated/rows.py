"""The simulation as rows of the canonical tables."""

from datetime import datetime

import numpy as np
import pyarrow

from aisle.sources.basket_codes import BasketCodes, Codes
from aisle.sources.money import to_decimals
from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.assortment import DIVISION_OF_GROUP, Assortment
from aisle.sources.simulated.baskets import Lines
from aisle.sources.simulated.codes import numbered
from aisle.sources.simulated.population import Population
from aisle.sources.simulated.shops import Shops
from aisle.sources.simulated.visits import NOBODY, Visits, monday
from aisle.tables import COUNT, MONEY

FIRST_BASKET_WEEK = 9941001
"""The first seven digits of the basket ids of the first week."""
LAST_WEEK = 9999999 - FIRST_BASKET_WEEK + 1
"""Weeks for which there are basket ids of 15 digits."""


def customer_ids(count: int) -> Codes:
    """CUST and ten digits, in the order of the customers' numbers."""
    return numbered("CUST", np.arange(1, count + 1), 10)


def store_ids(count: int) -> Codes:
    """STORE and five digits."""
    return numbered("STORE", np.arange(1, count + 1), 5)


def product_ids(count: int) -> Codes:
    """PRD09 and five digits."""
    return numbered("PRD09", np.arange(1, count + 1), 5)


def basket_ids(week: int, count: int) -> Codes:
    """15 digits that grow with the week."""
    return numbered(str(FIRST_BASKET_WEEK + week), np.arange(1, count + 1), 8)


def customer_rows(population: Population) -> pyarrow.Table:
    """The customers, by id."""
    lifestages = pyarrow.array(real.LIFESTAGE_CODES, pyarrow.string())
    sensitivities = pyarrow.array(real.SENSITIVITY_CODES)
    return pyarrow.table(
        {
            "customer_id": customer_ids(len(population.lifestage)),
            "lifestage": lifestages.take(pyarrow.array(population.lifestage)),
            "price_sensitivity": sensitivities.take(pyarrow.array(population.price_sensitivity)),
        }
    )


def store_rows(shops: Shops) -> pyarrow.Table:
    """The stores, by id."""
    return pyarrow.table(
        {
            "store_id": store_ids(len(shops.format)),
            "store_format": np.array(real.FORMAT_CODES)[shops.format],
            "store_region": np.array(real.REGION_CODES)[shops.region],
        }
    )


def product_rows(assortment: Assortment) -> pyarrow.Table:
    """The products, by id."""
    return pyarrow.table(
        {
            "product_id": product_ids(len(assortment.group)),
            "product_class": numbered("CL", assortment.product_class + 1, 5),
            "department": numbered("DEP", assortment.department + 1, 5),
            "product_group": numbered("G", assortment.group + 1, 5),
            "division": numbered("D", DIVISION_OF_GROUP[assortment.group], 5),
        }
    )


def basket_rows(
    week: int,
    visits: Visits,
    codes: BasketCodes,
    price_sensitivities: Codes,
    customers: pyarrow.Array,
    stores: pyarrow.Array,
) -> pyarrow.Table:
    """The baskets of a week; ``customers`` and ``stores`` are all the ids."""
    count = len(visits.day)
    start = np.datetime64(datetime.combine(monday(week), datetime.min.time()), "us")
    hours = (visits.day * 24 + visits.hour).astype("timedelta64[h]")
    return pyarrow.table(
        {
            "basket_id": basket_ids(week, count),
            "customer_id": customers.take(pyarrow.array(visits.customer, mask=visits.customer == NOBODY)),
            "store_id": stores.take(pyarrow.array(visits.store)),
            "shopped_at": start + hours,
            "basket_size": codes.sizes,
            "basket_type": codes.types,
            "dominant_mission": codes.missions,
            "price_sensitivity": price_sensitivities,
            "status": pyarrow.nulls(count, pyarrow.string()),
            "paid": pyarrow.nulls(count, MONEY),
            "payment_count": pyarrow.nulls(count, COUNT),
        }
    )


def line_rows(week: int, lines: Lines, basket_count: int, products: pyarrow.Array) -> pyarrow.Table:
    """The line items of a week; ``products`` is all the ids."""
    return pyarrow.table(
        {
            "basket_id": pyarrow.array(basket_ids(week, basket_count)).take(pyarrow.array(lines.basket)),
            "product_id": products.take(pyarrow.array(lines.product)),
            "quantity": lines.quantity,
            "spend": to_decimals(lines.cents),
        }
    )
