"""What the simulator is told about real shopping: counts and shares, no rows.

Measured on the 5,000-customer cut of dunnhumby's "Let's Get Sort-of-Real" (113 weeks, 2006-04-10 to 2008-07-06;
4,965 customers, 473,028 baskets, 3,034,288 line items). Shifts, loadings and decays stand for what no table shows; they
were set so that the simulation shows the statistics of `portrait`. Shifts and loadings are in standard deviations of
the hidden normal variable they act on.
"""

from datetime import date
from typing import NamedTuple

import numpy as np

FIRST_DAY = date(2006, 4, 10)
"""A Monday: weeks run from Monday to Sunday."""
MEASURED_WEEKS = 113
MEAN_VISITS = 75.7
SPAN_WEEKS = 117
CHRISTMAS_FACTOR = 0.70
NEW_YEAR_FACTOR = 0.88

# Customers

LIFESTAGE_CODES = ("YA", "OA", "YF", "OF", "PE", "OT", None)
"""The rows of the tables by lifestage; null = no lifestage."""
LIFESTAGE_COUNTS = np.array([624.0, 503, 551, 164, 344, 2261, 518])
SENSITIVITY_CODES = ("LA", "MM", "UM", "XX")
SENSITIVITY_COUNTS = np.array(
    [
        [124.0, 260, 209],
        [111, 193, 172],
        [174, 235, 121],
        [72, 64, 23],
        [87, 132, 101],
        [464, 774, 545],
        [146, 212, 123],
    ]
)
"""Lifestage x LA, MM, UM."""
UNDEFINED_PIVOT = 1.7
UNDEFINED_STEEPNESS, UNDEFINED_BY_SIZE = 2.5, 0.8
"""Who has bought next to nothing has no price sensitivity (XX): half of those with so many baskets of middle size."""

VISIT_LEVELS = np.array([0, 0.05, 0.10, 0.25, 0.40, 0.50, 0.60, 0.75, 0.90, 0.95, 0.99, 1])
VISIT_QUANTILES = np.array(
    [
        [1, 3, 6, 21, 50.4, 72.3, 96.3, 126.25, 192.1, 248.8, 438.4, 650],
        [1, 3, 6.2, 24, 50.4, 77.3, 105.5, 144, 220.2, 289.4, 511.6, 740],
        [1, 3, 8, 31, 67.2, 90.7, 123.2, 166, 251.2, 301.2, 552.4, 760],
        [1, 3.15, 10.3, 22, 58.5, 84, 111.1, 153.25, 256.1, 351.5, 603.7, 716],
        [1, 2.15, 5, 15.75, 40.3, 65.5, 92.9, 125.25, 193.1, 264.6, 394.8, 600],
        [1, 1, 1, 2, 5.6, 13.5, 26.9, 66, 144.5, 200.8, 360.6, 600],
        [1, 2, 4, 15, 41.5, 60.5, 87.8, 124.75, 206.9, 281.3, 478.6, 602],
    ]
)
"""Baskets of a customer in the measured weeks, by lifestage, at `VISIT_LEVELS`; from 40 to 60 % raised by 12 % and
from 90 % lowered by 3 %, because customers who join or leave meanwhile come less than the others. The last column is
set below the largest number seen (900): straight lines up to that would make too many heavy shoppers."""
REGULARITY = 0.42
"""The part of a customer's trips that comes every week in the same number; the rest is Poisson."""
JOINING_SHARE, LEAVING_SHARE = 0.10, 0.065
JOINING_WEEKS = 100
LOYALTY = (2.6, 0.8)
"""Beta distribution of the share of trips to the customer's main store."""
OTHER_STORES_DECAY = 1.6
"""Of a customer's other trips, the k-th other store or a later one has k ** -decay."""

# Hidden traits of a customer and what they do

FRESH_BY_SENSITIVITY = np.array([-0.45, 0.0, 0.35, -0.1, 0.0])
"""Shift of the taste for fresh food: LA, MM, UM, XX, no card."""
FRESH_BY_LEAN = 0.15
SIZE_LOADING = 0.54
CLOCK_LOADING = 0.5
PRICE_LOADING = 0.26
RARE_SIZE, REGULAR_VISITS = 0.25, 40.0
"""Who comes less often than that in the measured weeks buys more at a time: the trait rises by so much per log."""
VARIETY_SPREAD, SCHEDULE_SPREAD = 0.22, 0.18
"""How much customers differ in the spread of their basket sizes and of their hours (log of the standard deviation)."""
MULTIPLES_LOADING = 0.6
LEAN_LOADING = 0.58

# When, where, how much

HOUR_COUNTS = np.array(
    [28252.0, 19396, 26083, 33270, 38389, 42447, 43009, 41962, 40004, 36491, 32846, 27736, 22608, 40534]
)
FIRST_HOUR = 8
HOUR_BY_LIFESTAGE = np.array([0.12, -0.14, 0.02, 0.09, -0.32, 0.03, 0.04])
SIZE_BY_HOUR = np.array(
    [-0.35, -0.18, -0.125, -0.04, 0.005, 0.05, 0.057, 0.047, 0.044, 0.047, 0.038, 0.048, 0.061, 0.091]
)
SIZE_BY_LIFESTAGE = np.array([-0.18, -0.10, 0.23, 0.05, -0.06, 0.03, 0.0])
SIZE_BY_FORMAT = np.array([0.12, -0.155, -0.38, 0.125])
LINES_PER_BASKET = np.array(
    [1928.2, 1571.7, 1168.4, 849.3, 660.3, 519.3, 425.2, 350.7, 299.1, 257.0, 232.8, 204.6, 182.1, 162.2, 150.0, 130.6]
    + [117.3, 105.1, 94.4, 83.1, 72.1, 64.0, 56.1, 47.8, 41.6, 36.3, 31.1, 27.8, 23.4, 18.5, 15.1, 13.6, 11.3, 9.0, 7.7]
    + [6.7, 5.1, 4.5, 3.7]
    + [3.7 * 0.75**step for step in range(1, 40)]
)
"""Baskets with 1, 2, 3, ... line items, per 10,000; from 40 on falling by a quarter each."""

STORE_COUNT = 761
STORES_PER_CUSTOMER = STORE_COUNT / 5000
REGION_CODES = ("E01", "E02", "E03", "N01", "N02", "N03", "S01", "S02", "S03", "W01", "W02", "W03")
STORE_COUNTS = np.array(
    [
        [29.0, 16, 24, 32, 31, 30, 27, 36, 26, 27, 32, 20],
        [18, 25, 17, 17, 15, 28, 15, 23, 15, 15, 27, 21],
        [13, 17, 13, 9, 11, 16, 17, 15, 11, 20, 13, 12],
        [0, 3, 3, 5, 2, 2, 3, 3, 3, 2, 1, 1],
    ]
)
"""Format (LS, MS, SS, XLS) x region."""
FORMAT_CODES = ("LS", "MS", "SS", "XLS")
FORMAT_SHARES = np.array([57.96, 25.13, 9.78, 7.13])
STORE_SIZE_SPREAD = 0.17
"""Shift of the basket size from store to store within a format."""
FORMAT_SPREAD = np.array([0.31, 0.43, 0.51, 0.22])
"""Standard deviation of a store's log number of customers, by format."""

# What is in a basket

SIZE_CLASS_LIMITS = np.array([2, 4, 10, 20])
"""Baskets of 1, 2-3, 4-9, 10-19 and 20 or more line items differ in what they contain."""


class Group(NamedTuple):
    """A product group. Prices are logarithms of major units, popularity is a product's share of the group's lines."""

    division: int
    departments: int
    classes: int
    products: int
    line_shares: tuple[float, float, float, float, float]
    """Per cent of the lines of a basket, by size class."""
    taste_spread: float
    """Standard deviation over customers of the log share."""
    popularity_spread: float
    price_median: float
    price_spread: float
    price_by_popularity: float
    multiple_share: float
    """Share of the lines with more than one item, products sold by weight left out."""
    multiple_spread: float
    weighed_products: int


GROUPS = (
    Group(1, 2, 6, 138, (4.559, 5.666, 4.934, 4.006, 3.618), 0.59, 1.02, -0.09, 0.47, 0.02, 0.186, 0.124, 0),
    Group(1, 1, 6, 113, (1.162, 1.447, 1.572, 1.480, 1.581), 0.85, 0.74, 0.15, 0.81, -0.27, 0.198, 0.192, 0),
    Group(1, 4, 10, 128, (4.960, 5.059, 3.784, 2.405, 1.913), 0.80, 0.81, -0.11, 0.86, -0.11, 0.444, 0.207, 88),
    Group(2, 5, 27, 385, (9.601, 14.711, 20.027, 21.867, 19.687), 0.41, 1.19, 0.13, 0.59, -0.09, 0.113, 0.137, 35),
    Group(2, 3, 8, 84, (0.648, 0.877, 1.134, 1.365, 1.496), 0.79, 0.75, 1.39, 0.74, -0.26, 0.226, 0.132, 44),
    Group(2, 3, 5, 75, (0.613, 0.879, 1.140, 1.325, 1.438), 0.76, 0.78, 1.06, 0.56, 0.54, 0.316, 0.248, 26),
    Group(2, 6, 24, 938, (20.735, 23.172, 23.278, 22.116, 21.026), 0.28, 0.84, 0.39, 0.71, -0.23, 0.211, 0.165, 94),
    Group(2, 7, 12, 256, (1.771, 2.204, 3.073, 3.950, 4.699), 0.65, 0.74, 0.30, 0.70, 0.01, 0.159, 0.147, 0),
    Group(2, 2, 2, 50, (1.773, 0.808, 0.533, 0.443, 0.326), 1.11, 0.75, 1.02, 0.60, -0.08, 0.180, 0.141, 0),
    Group(3, 6, 12, 281, (1.668, 2.611, 4.128, 5.352, 6.307), 0.56, 0.74, -0.46, 0.72, -0.09, 0.331, 0.176, 0),
    Group(3, 3, 5, 89, (0.473, 0.749, 1.156, 1.324, 1.307), 1.04, 0.67, -0.60, 0.64, -0.07, 0.394, 0.192, 0),
    Group(3, 3, 8, 56, (0.719, 0.698, 0.768, 0.711, 0.639), 1.37, 0.41, 0.21, 1.08, -0.23, 0.224, 0.233, 0),
    Group(3, 3, 14, 386, (2.199, 3.045, 4.164, 5.240, 6.128), 0.48, 0.69, -0.13, 0.63, -0.03, 0.098, 0.107, 0),
    Group(3, 2, 4, 168, (1.154, 1.616, 2.211, 2.833, 3.043), 0.66, 0.66, 0.27, 0.59, 0.10, 0.089, 0.075, 0),
    Group(3, 2, 11, 280, (8.981, 7.200, 5.903, 5.588, 5.752), 0.58, 0.81, 0.16, 0.92, -0.22, 0.283, 0.161, 0),
    Group(3, 3, 14, 521, (11.638, 10.645, 8.443, 7.690, 8.643), 0.54, 0.79, -0.05, 0.80, -0.30, 0.192, 0.141, 0),
    Group(4, 5, 9, 52, (0.864, 0.449, 0.265, 0.190, 0.185), 0.92, 0.43, -0.05, 1.16, 0.26, 0.158, 0.113, 0),
    Group(4, 3, 13, 73, (2.269, 0.650, 0.451, 0.317, 0.274), 0.94, 0.51, 0.45, 1.33, 0.51, 0.137, 0.152, 0),
    Group(4, 2, 2, 3, (0.021, 0.016, 0.014, 0.012, 0.007), 1.44, 0.27, 1.06, 0.35, 0.00, 0.105, 0.069, 0),
    Group(4, 1, 2, 3, (0.047, 0.021, 0.017, 0.012, 0.010), 1.36, 0.58, -0.19, 1.15, 0.00, 0.155, 0.073, 0),
    Group(5, 1, 8, 299, (2.748, 3.270, 4.195, 5.275, 5.913), 0.52, 0.82, 0.38, 0.79, -0.17, 0.078, 0.078, 0),
    Group(5, 4, 14, 350, (3.163, 2.742, 2.635, 2.857, 3.420), 0.62, 0.51, 0.30, 0.97, -0.49, 0.187, 0.146, 0),
    Group(5, 5, 8, 79, (8.935, 6.584, 3.949, 2.184, 1.278), 0.97, 0.97, -0.43, 1.00, -0.06, 0.037, 0.098, 0),
    Group(6, 2, 2, 3, (1.726, 0.348, 0.058, 0.005, 0.001), 2.03, 0.79, 1.55, 0.17, 0.00, 0.216, 0.032, 0),
    Group(6, 1, 1, 3, (0.386, 0.194, 0.061, 0.042, 0.022), 2.00, 0.59, -0.04, 0.32, 0.00, 0.053, 0.023, 0),
    Group(7, 1, 1, 1, (0.148, 0.017, 0.006, 0.002, 0.002), 2.15, 0.00, 2.24, 0.00, 0.00, 0.046, 0.000, 0),
    Group(8, 2, 4, 47, (1.807, 0.950, 0.572, 0.371, 0.331), 1.19, 0.58, 1.29, 0.88, 0.56, 0.338, 0.193, 0),
    Group(8, 5, 10, 99, (2.391, 1.417, 0.970, 0.766, 0.697), 1.14, 0.60, 1.52, 0.50, -0.26, 0.283, 0.078, 0),
    Group(8, 1, 4, 16, (0.640, 0.424, 0.255, 0.143, 0.079), 1.60, 0.59, 2.50, 0.45, 0.00, 0.090, 0.074, 0),
    Group(9, 1, 3, 16, (2.182, 1.519, 0.268, 0.005, 0.003), 1.83, 0.76, -0.96, 1.28, 0.00, 0.496, 0.252, 0),
    Group(9, 1, 1, 5, (0.020, 0.012, 0.033, 0.124, 0.172), 1.71, 1.01, 1.56, 0.18, 0.00, 0.000, 0.000, 0),
)
"""G00001 to G00031 in order; divisions are D00001 to D00009."""

FRESH_BY_DIVISION = np.array([0.1, 0.2, -0.25, 0.0, 0.0, 0.0, 0.0, -0.2, -0.2])
HOUSEHOLD_BY_DIVISION = np.array([-0.05, -0.05, 0.0, 0.35, 0.35, 0.35, 0.35, 0.0, 0.0])
TASTE_PART = 0.85
"""Of the measured spread of tastes; the rest comes about by favourites."""
SAME_GROUP, SAME_GROUP_DECAY = 0.53, 0.62
"""Of a basket's n lines, a share of the first number over n to the power of the second comes from one product group."""
FAVOURITE_DECAY = 0.48
"""The k-th favourite of a customer in a group, or a later one, makes up k ** -decay of the purchases there."""

SHAPE_LEVELS = np.array([0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999, 1])
POPULARITY_SHAPE = np.array([-2.57, -1.80, -1.39, -1.18, -0.72, -0.13, 0.61, 1.37, 1.78, 2.70, 4.33, 5.58])
PRICE_SHAPE = np.array([-6.00, -3.08, -1.77, -1.30, -0.62, 0.00, 0.59, 1.06, 1.37, 2.03, 2.60, 3.00])
"""Quantiles within a group, standardised, of a product's log popularity and of its log price, at `SHAPE_LEVELS`."""
CLASS_SPREAD = 0.9
"""Standard deviation of the log number of products in a class, and of classes in a department."""
MULTIPLES_BY_PRICE = -0.24
"""Correlation between a product's price and its share of purchases of more than one item."""
WEIGHT_SPREAD = 0.39
"""Standard deviation of the log weight of one piece of a product sold by weight."""

BAG_GROUP, BAG_CLASS = 23, 222
NEUTRAL_CLASS_PRODUCTS = 9
BAG_CENTS, BAG_SHARE, BAG_MULTIPLES = 1, 0.48, 0.78
"""The carrier bag: its price, its share of the lines of its group (measured 0.51 over all baskets, 0.39 in those of one
line), its share of lines with more than one item."""
QUANTITY_SHARES = np.array([0.7938, 0.1039, 0.0215, 0.0373, 0.0133, 0.0094, 0.0073, 0.0017, 0.0023, 0.0017, 0.0078])
BAG_QUANTITY_SHARES = np.array([0.276, 0.1391, 0.0618, 0.101, 0.0738, 0.064, 0.0537, 0.0256, 0.0395, 0.0276, 0.1379])
"""Shares of the quantities 3, 4, ..., 12 and of 13 and more (2 does not occur), of other products and of the bag."""
QUANTITY_TAIL = 3.2
"""Quantities above 12: the share of those above q falls as q to the power of minus this."""
LARGEST_QUANTITY = 1685

# A basket's price sensitivity

MISSION_CODES = ("Fresh", "Grocery", "Mixed", "Nonfood")
SILENT_DIVISIONS = (4, 6, 7)
"""Baskets of nothing but these and the bag's class have no price sensitivity (XX)."""
LESS_AFFLUENT_SHARES = np.array(
    [
        [0.137, 0.152, 0.130, 0.128],
        [0.252, 0.298, 0.302, 0.235],
        [0.222, 0.362, 0.296, 0.274],
        [0.163, 0.359, 0.257, 0.167],
        [0.158, 0.334, 0.267, 0.167],
    ]
)
UP_MARKET_SHARES = np.array(
    [
        [0.190, 0.081, 0.090, 0.093],
        [0.311, 0.161, 0.225, 0.206],
        [0.367, 0.193, 0.252, 0.294],
        [0.320, 0.118, 0.197, 0.244],
        [0.254, 0.100, 0.131, 0.244],
    ]
)
"""Size class x mission."""
LESS_AFFLUENT_BY_SENSITIVITY = np.array([0.77, -0.51, -1.18, -0.35, -0.10])
UP_MARKET_BY_SENSITIVITY = np.array([-1.10, -0.28, 0.75, -0.27, -0.37])
"""Log odds against MM of a customer who is LA, MM, UM, XX, or has no card."""
