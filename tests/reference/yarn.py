# SPDX-License-Identifier: MIT
"""YaRN, as its paper and ggml define it. Enters: how fast each pair of a head turns. Leaves: how fast
it does with `factor` times the `original` positions, and what cosines and sines are multiplied by."""
import math

import numpy as np


def yarn(f, base, factor, original):
    d = 2 * len(f)

    def corrected(turns):
        return d * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))
    low, high = max(0, math.floor(corrected(32))), min(d - 1, math.ceil(corrected(1)))
    ramp = np.clip((np.arange(d // 2) - low) / max(0.001, high - low), 0, 1)
    return f / factor * ramp + f * (1 - ramp), 1 + 0.1 * math.log(factor)
