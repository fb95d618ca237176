"""The same market with other columns, or with other bars from a moment on."""

from dataclasses import replace

import numpy as np

from touchstone.pipelines.prepare import features_key, labels_key


def rewritten(prepared, config, cache, columns):
    """What `prepare` gave, with other (features, labels), in the cache for whoever fits."""
    features, labels = columns
    other = prepared._replace(features=features, labels=labels, source="rewritten", key="rewritten")
    place = features_key(other.plan, other.data, other.source)
    cache.save("features", place, {"features": features})
    place = labels_key(config.label, other.data, other.source)
    cache.save("labels", place, labels._asdict())
    return other


def upside_down(panel, moment):
    """The bars known after a moment are others: prices turned upside down, volumes backwards."""
    late = np.flatnonzero(panel.available_at > moment)
    new = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for k in range(panel.n_instruments):
        mine = late[panel.asset_id[late] == k]
        level = panel.close[mine[0]] ** 2
        for name, was in (("open", "open"), ("close", "close"), ("high", "low"), ("low", "high")):
            new[name][mine] = level / getattr(panel, was)[mine]
        new["volume"][mine] = panel.volume[mine][::-1]
    return replace(panel, **new)
