"""Writes reference.json: what SciPy, and Evidently's formulas written in NumPy, give for distances of two samples.

Run it where scipy 1.17 and numpy are installed, then `npm run format`; the tests read only the file.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats
from scipy.spatial import distance

rng = np.random.default_rng(20261121)
LEAST = 0.0001


def shares(counts):
    counts = np.asarray(counts, float)
    return counts / counts.sum()


def counted(reference, current):
    """Distances of counts by bin. Of Evidently (0.7, `calculations/stattests`): psi, kl_div, jensenshannon, hellinger_distance, TVD;
    an empty bin's share is 0.0001 where a logarithm is taken, smaller ones are raised to it too."""
    q, p = shares(reference), shares(current)
    q_floored, p_floored = np.maximum(q, LEAST), np.maximum(p, LEAST)
    both = np.array([reference, current], float)
    chi2 = stats.chi2_contingency(both[:, both.sum(axis=0) > 0], correction=False) if (both.sum(axis=0) > 0).sum() > 1 else None
    return {
        "reference": list(map(int, reference)),
        "current": list(map(int, current)),
        "psi": float(np.sum((q_floored - p_floored) * np.log(q_floored / p_floored))),
        "kl": float(np.sum(scipy.special.rel_entr(p_floored, q_floored))),
        "jensenShannon": float(distance.jensenshannon(q, p)),
        "hellinger": float(np.sqrt(0.5 * np.sum((np.sqrt(q) - np.sqrt(p)) ** 2))),
        "totalVariation": float(0.5 * np.sum(np.abs(q - p))),
        "chiSquare": None
        if chi2 is None
        else {
            "statistic": float(chi2.statistic),
            "degrees": int(chi2.dof),
            "p": float(chi2.pvalue),
            "cramersV": float(stats.contingency.association(both[:, both.sum(axis=0) > 0].astype(int), method="cramer")),
        },
    }


def counts():
    cases = [
        counted([25, 25, 25, 25], [25, 25, 25, 25]),
        counted([10, 0, 5], [3, 7, 0]),  # classes on one side only
        counted([1, 0], [0, 1]),
        counted([5], [9]),
        counted([100, 200, 0, 0], [0, 0, 3, 1]),  # nothing in common
        counted([50, 50, 0], [10, 10, 0]),  # unequal totals, a class of neither
        counted([99_999, 1], [500, 500]),  # a share below the floor
    ]
    for bins in (2, 3, 10, 40):
        for n, m in ((60, 45), (1000, 300), (50_000, 120_000)):
            weights = rng.dirichlet(np.full(bins, 0.7))
            shifted = shares(weights * rng.uniform(0.5, 1.5, bins))
            cases.append(counted(rng.multinomial(n, weights), rng.multinomial(m, shifted)))
    return cases


def samples():
    cases = []
    for n, m, shift, decimals in (
        (1, 1, 1, 3),
        (4, 4, 0, 3),
        (5, 9, 0.5, 3),
        (12, 12, 2, 3),
        (30, 45, 0.3, 1),
        (60, 60, 0.8, 0),
        (100, 75, 5, 3),
        (7, 200, 0.2, 3),
    ):
        reference = np.round(rng.normal(size=n), decimals)
        current = np.round(rng.normal(loc=shift, scale=1 + shift / 5, size=m), decimals)
        test = stats.ks_2samp(reference, current)
        cases.append(
            {
                "reference": reference.tolist(),
                "current": current.tolist(),
                "ks": float(test.statistic),
                "p": float(test.pvalue),
                "wasserstein": float(stats.wasserstein_distance(reference, current)),
            }
        )
    return cases


def p_values():
    """[statistic, n, m, p]: the p-value of ks_2samp for a statistic the samples can have. Above 10,000 values by `kstwo`."""
    cases = []
    for n, m in ((9, 9), (40, 25), (300, 300), (1000, 700), (2000, 2000)):
        for steps in (0.02, 0.07, 0.15, 0.4, 0.9, 1.0):
            # A step function's largest difference is a multiple of 1 / lcm.
            lcm = np.lcm(n, m)
            statistic = max(1, round(steps * lcm)) / lcm
            g = np.gcd(n, m)
            _, _, p = stats._stats_py._attempt_exact_2kssamp(n, m, g, statistic, "two-sided")
            cases.append([float(statistic), n, m, float(p)])
    return cases


def tails():
    cases = []
    for n in (1, 2, 5, 20, 60, 140, 141, 500, 5000, 60_000, 500_000, 5_000_000):
        for z in (0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 1.9, 2.5, 4):
            x = z / np.sqrt(n)
            if x < 1:
                cases.append([n, float(x), float(stats.kstwo.sf(x, n))])
    cases += [[n, float(x), float(stats.kstwo.sf(x, n))] for n in (1, 3, 12) for x in (0.3, 0.5, 0.7, 0.95)]
    return cases


reference = {
    "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
    "counts": counts(),
    "samples": samples(),
    "pValues": p_values(),
    "tails": tails(),
    "chiSquareTail": [
        [df, x, float(stats.chi2.sf(x, df))] for df in (1, 2, 5, 19, 99, 1000) for x in (0.01, 0.5, 3, 15, 60, 110, 900, 1200)
    ],
}
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
print(target.name, target.stat().st_size, "bytes")
