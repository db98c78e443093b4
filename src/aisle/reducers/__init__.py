"""Reducers of our own: where a library's would compute again what candidates could share."""

from aisle.reducers.neighbours import NeighbourReducer, Neighbours
from aisle.reducers.umap import NeighbourUMAP

__all__ = ["NeighbourReducer", "NeighbourUMAP", "Neighbours"]
