"""Where every random number comes from: one stream for each purpose, model and term (methods.md D9).

What belongs here: the purposes and how a stream is seeded. What does not: what is drawn. There is no other source of
randomness in the statistics, so a result depends on the seed of the settings and on nothing like the order of execution.
"""

from __future__ import annotations

import numpy as np

NULL_CALIBRATION = 1
VARIANCE_RATIO = 2
WILD = 3
REGION_WILD = 4
FREEDMAN_LANE = 5
SPECIFICATION_CURVE = 6
MORAN = 7

WITH_REGION_EFFECTS = 100  # added to the number of a model


def stream(seed: int, purpose: int, model_index: int = 0, term_index: int = 0) -> np.random.Generator:
    """A fresh generator. Zeros where there is no model or term; windows and outcomes share streams.

    `model_index` is the number in the model's id, plus `WITH_REGION_EFFECTS` where it has them; `term_index` the term's
    column in the design (`Design.column`), the constant being 0.
    """
    return np.random.default_rng([seed, purpose, model_index, term_index])
