"""Compiled loops: linkage trees, silhouettes. No pandas, no input or output."""
