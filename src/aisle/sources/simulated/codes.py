"""The codes of the simulated baskets: size, type and mission by the rules of `basket_codes`; price sensitivity by chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aisle.sources.basket_codes import KINDS, NEUTRAL, BasketCodes, code_baskets, dunnhumby_kinds
from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.assortment import DIVISION_OF_GROUP, Assortment
from aisle.sources.simulated.baskets import Lines
from aisle.sources.simulated.draws import Integers
from aisle.sources.simulated.visits import Visits
from aisle.tables import MISSIONS, UNDEFINED


@dataclass(frozen=True, eq=False)
class Shelf:
    """What a product means for a basket's codes, one element per product."""

    group: Integers
    kind: Integers
    silent: npt.NDArray[np.bool_]


def label(assortment: Assortment) -> Shelf:
    """The kind of each product, and whether it is silent about price sensitivity."""
    classes = np.strings.add("CL", np.strings.zfill((assortment.product_class + 1).astype(str), 5))
    groups = np.strings.add("G", np.strings.zfill((assortment.group + 1).astype(str), 5))
    names = dunnhumby_kinds(classes, groups)
    kinds = np.array([*KINDS, NEUTRAL])
    kind = np.argmax(names[:, None] == kinds, axis=1)
    division = DIVISION_OF_GROUP[assortment.group]
    silent = np.isin(division, real.SILENT_DIVISIONS) | (assortment.product_class == real.BAG_CLASS - 1)
    return Shelf(assortment.group, kind, silent)
