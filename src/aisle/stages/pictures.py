"""The pictures of a lifestage's chosen segments: silhouettes, planes, the tree they are a cut of, who moved."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from aisle.candidate import reference_space
from aisle.clusterers import AgglomerativePath
from aisle.features import FeatureTable
from aisle.figures import cut_dendrogram, migration_flow, segment_planes, silhouette_plot
from aisle.kernels.linkage import linkage_tree
from aisle.kernels.silhouette import silhouette_samples
from aisle.planes import main_plane, own_plane
from aisle.selection import Choice
from aisle.stages.candidate import embedding_of
from aisle.stages.chosen import ChosenCandidate
from aisle.storage import CandidateStore


def segment_pictures(
    *,
    lifestage: str,
    choice: Choice,
    chosen: ChosenCandidate,
    features: FeatureTable,
    segments: "pd.Series[int]",
    names: Mapping[int, str],
    migration: pd.DataFrame | None,
    store: CandidateStore,
) -> Iterator[tuple[str, Figure]]:
    """Name and figure, one after the other; all are of the customers of ``features``.

    ``segments`` by customer are the chosen partition under the ids and ``names`` by which people know it. The tree is
    drawn of an agglomerative clustering only, ``migration`` where there is an earlier segmentation.
    """
    space = reference_space(features)
    embedding = embedding_of(store, features, chosen.scaler, chosen.reducer, chosen.seed).values
    own = segments.loc[space.index]
    (samples,) = silhouette_samples(space.to_numpy(), own.to_numpy(dtype=np.int64)[np.newaxis], metric="euclidean")
    told = {"lifestage": lifestage, "recipe": str(choice)}
    yield "silhouettes", silhouette_plot(pd.Series(samples, index=space.index), own, names, **told)
    planes = [plane for plane in (main_plane(space), own_plane(embedding, choice.reducer)) if plane]
    yield "planes", segment_planes(planes, own, names, **told)
    clusterer = chosen.clusterer
    if isinstance(clusterer, AgglomerativePath):
        tree = linkage_tree(embedding.to_numpy(), linkage=clusterer.linkage, metric=clusterer.metric)
        height = f"height of the merge ({clusterer.linkage} linkage, {clusterer.metric})"
        rows = np.asarray(segments.loc[embedding.index], dtype=np.int64)
        yield "tree", cut_dendrogram(tree, rows, names, **told, height=height)
    if migration is not None:
        yield "migration", migration_flow(migration, names, lifestage=lifestage)
