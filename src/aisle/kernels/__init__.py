"""Compiled loops: linkage trees, silhouettes, density trees, k-means. Arrays in, arrays out; no pandas, no files."""
