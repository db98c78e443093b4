"""From a minimum spanning tree to the clusters that last longest, for any smallest size of a cluster.

Campello, Moulavi & Sander 2013. Mutual reachability distances tie: a row's core distance is its distance to many. Such
components meet at once in the tree of level sets, so what decides whether they are clusters is only what they were at
smaller distances; a row that joins where clusters meet goes with the one it is nearer to. So neither the order of rows
nor an arbitrary order of equal distances decides anything, and rows that are alike are treated alike.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from aisle.kernels.compiled import compiled

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DensityTree:
    """Single linkage over the edges of a spanning tree.

    Node n + i joins ``children[i]`` (rows are the nodes 0..n-1) at ``heights[i]``, and holds ``sizes[i]`` rows.
    """

    children: Integers
    heights: Floats
    sizes: Integers

    @classmethod
    def of(cls, edges: Integers, weights: Floats) -> "DensityTree":
        """The tree of ``edges`` (n - 1, 2) in the order they join; their ``weights`` ascend."""
        children, sizes = _joined(edges, weights.size)
        return cls(children, weights, sizes)

    def labels(self, min_cluster_size: int) -> Integers:
        """The cluster of each row by excess of mass, (n,), -1 for noise; clusters are numbered from 0.

        A cluster holds at least ``min_cluster_size`` rows, which is at least 2. All rows together are never one.
        """
        return cast("Integers", _labels(self.children, self.heights, self.sizes, min_cluster_size))


@compiled(nogil=True)
def _joined(edges: Integers, joints: int) -> tuple[Any, Any]:
    n = joints + 1
    children = np.empty((joints, 2), dtype=np.int64)
    sizes = np.empty(joints, dtype=np.int64)
    above = np.arange(n + joints)
    for joint in range(joints):
        size = 0
        for side in range(2):
            node = edges[joint, side]
            while above[node] != node:
                above[node] = above[above[node]]
                node = above[node]
            children[joint, side] = node
            size += 1 if node < n else sizes[node - n]
        above[children[joint, 0]] = above[children[joint, 1]] = n + joint
        sizes[joint] = size
    return children, sizes


@compiled(nogil=True, error_model="numpy")
def _labels(children: Integers, heights: Floats, sizes: Integers, smallest: int) -> Any:
    joints = heights.size
    n = joints + 1
    # From the rows up: is a child a component that was large enough below this height?
    lives = np.zeros((joints, 2), dtype=np.bool_)
    for joint in range(joints):
        for side in range(2):
            inner = children[joint, side] - n
            if inner >= 0 and heights[inner] < heights[joint]:
                lives[joint, side] = sizes[inner] >= smallest
            elif inner >= 0:
                lives[joint, side] = lives[inner, 0] or lives[inner, 1]

    # From the root down: the condensed cluster of every node; a component too small leaves it with all its rows.
    cluster = np.zeros(n + joints, dtype=np.int64)
    left = np.zeros(n + joints, dtype=np.bool_)
    parent, birth, stability = np.empty(n, np.int64), np.empty(n), np.empty(n)
    parent[0], birth[0], stability[0] = -1, 0.0, 0.0
    clusters = 1
    for joint in range(joints - 1, -1, -1):
        own = cluster[n + joint]
        density = 1.0 / heights[joint]  # infinite where rows are alike
        for side in range(2):
            node = children[joint, side]
            cluster[node], left[node] = own, left[n + joint]
            if left[node] or (lives[joint, side] and not lives[joint, 1 - side]):
                continue
            size = 1 if node < n else sizes[node - n]
            if density > birth[own]:
                stability[own] += size * (density - birth[own])
            if lives[joint, side]:
                parent[clusters], birth[clusters], stability[clusters] = own, density, 0.0
                cluster[node] = clusters
                clusters += 1
            else:
                left[node] = True

    # From the leaves up: a cluster is kept if it outweighs what is kept below it.
    below = np.zeros(clusters)
    kept = np.zeros(clusters, dtype=np.bool_)
    for own in range(clusters - 1, 0, -1):
        kept[own] = below[own] <= stability[own]
        below[parent[own]] += stability[own] if kept[own] else below[own]

    number = np.full(clusters, -1, dtype=np.int64)
    count = 0
    for own in range(1, clusters):
        number[own] = number[parent[own]]
        if number[own] < 0 and kept[own]:
            number[own] = count
            count += 1
    return number[cluster[:n]]
