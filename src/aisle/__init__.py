"""Aisle: experiment-tracked grocery customer segmentation."""

__version__ = "0.1.0"
