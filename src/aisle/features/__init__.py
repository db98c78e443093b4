"""Feature blocks of customers, and the feature table they are assembled into."""

from aisle.features.baskets import Baskets
from aisle.features.block import FeatureBlock, assemble
from aisle.features.mix import Mix
from aisle.features.rfm import Rfm
from aisle.features.table import EVERYBODY, FeatureTable
from aisle.features.value_frequency import ValueFrequency

__all__ = ["EVERYBODY", "Baskets", "FeatureBlock", "FeatureTable", "Mix", "Rfm", "ValueFrequency", "assemble"]
