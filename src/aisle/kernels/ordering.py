"""Merges in SciPy's format and order, and cuts of such trees."""

from collections.abc import Sequence

import numpy as np

from aisle.kernels.compiled import compiled
from aisle.kernels.types import Floats, Integers


@compiled()
def _root(parents: Integers, node: int) -> int:
    root = node
    while parents[root] != root:
        root = parents[root]
    while parents[node] != root:
        parents[node], node = root, parents[node]
    return root


@compiled()
def _numbered(pairs: Integers, heights: Floats, order: Integers) -> Floats:
    n = order.size + 1
    parents = np.arange(2 * n - 1)
    sizes = np.ones(2 * n - 1)
    tree = np.empty((n - 1, 4))
    for step in range(n - 1):
        merge = order[step]
        a, b = _root(parents, pairs[merge, 0]), _root(parents, pairs[merge, 1])
        parents[a] = parents[b] = n + step
        sizes[n + step] = sizes[a] + sizes[b]
        tree[step, 0], tree[step, 1] = min(a, b), max(a, b)
        tree[step, 2], tree[step, 3] = heights[merge], sizes[n + step]
    return tree


def scipy_tree(pairs: Integers, heights: Floats) -> Floats:
    """The merges by height as SciPy's ``linkage`` writes them, shape (n - 1, 4); equal heights in the order given.

    ``pairs`` (n - 1, 2) holds one row of either cluster of each merge.
    """
    tree: Floats = _numbered(pairs, heights, np.argsort(heights, kind="stable"))
    return tree


@compiled()
def _cut(tree: Floats, k: int) -> Integers:
    n = tree.shape[0] + 1
    nodes = np.full(2 * n - 1, -1)
    found = 0
    for node in range(2 * n - 2, n - 1, -1):
        made_later = node >= 2 * n - k
        if not made_later and nodes[node] < 0:
            nodes[node] = found
            found += 1
        for side in range(2):
            nodes[int(tree[node - n, side])] = nodes[node]
    for row in range(n):
        if nodes[row] < 0:
            nodes[row] = found
            found += 1
    return nodes[:n]


def cut(tree: Floats, n_clusters: Sequence[int]) -> Integers:
    """Labels of the partitions into ``n_clusters`` clusters, shape (len(n_clusters), n); O(n) time for each.

    A cut undoes the last k - 1 merges, so it has exactly k clusters also where heights are equal, and cuts are nested.

    Raises:
        ValueError: a number of clusters is below 1 or above the n rows of the tree.

    >>> cut(np.array([[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 1.0, 3.0]]), [1, 2, 3]).tolist()
    [[0, 0, 0], [0, 0, 1], [0, 1, 2]]
    """
    n = tree.shape[0] + 1
    wrong = [k for k in n_clusters if not 1 <= k <= n]
    if wrong:
        raise ValueError(f"A tree of {n} rows can be cut into 1 to {n} clusters; got {wrong}.")
    labels = np.empty((len(n_clusters), n), dtype=np.int64)
    for place, k in enumerate(n_clusters):
        labels[place] = _cut(tree, int(k))
    return labels
