"""Rolling sums and deviations of numbers near 1e12 by the engine's own primitives."""

LAYER = None
STUDY = {
    "features": {
        "extra": {
            "far_sd": "std(close + 1e9, 24)",
            "far_mean": "(close + 1e12) / mean(close + 1e12, 24) - 1",
            "far_ema": "(close + 1e12) - ema(close + 1e12, 24)",
        }
    }
}
