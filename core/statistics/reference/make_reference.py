"""Writes reference.json: what SciPy, NumPy and plain definitions give for the methods of core/statistics.

Run it where scipy 1.17 and numpy are installed, then `npm run format`; the tests read only the file.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261122)


def wilson():
    cases = []
    for n in (1, 2, 10, 57, 1000, 123456):
        for successes in sorted({0, 1, n // 3, n // 2, n - 1, n}):
            for level in (0.8, 0.9, 0.975):
                # SciPy's interval is two-sided: one-sided bounds at `level` are the two-sided ones at 2·level − 1.
                interval = stats.binomtest(int(successes), n).proportion_ci(2 * level - 1, method="wilson")
                cases.append([int(successes), n, level, interval.low, interval.high])
    return cases


def delong():
    """DeLong 1988 by its definition: the kernel over every pair."""
    cases = []
    for positives, negatives, ties in ((5, 5, False), (12, 40, True), (60, 25, True), (30, 30, False)):
        actual = np.r_[np.ones(positives, int), np.zeros(negatives, int)]
        one = rng.normal(size=actual.size) + actual
        two = rng.normal(size=actual.size) + 0.7 * actual + 0.5 * one
        if ties:
            one, two = np.round(one, 1), np.round(two)
        parts = []
        for scores in (one, two):
            x, y = scores[actual == 1], scores[actual == 0]
            kernel = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
            parts.append((kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)))
        v10 = np.cov(np.array([parts[0][1], parts[1][1]]))
        v01 = np.cov(np.array([parts[0][2], parts[1][2]]))
        covariance = v10 / positives + v01 / negatives
        difference = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        z = (parts[0][0] - parts[1][0]) / np.sqrt(difference)
        cases.append(
            {
                "actual": actual.tolist(),
                "one": one.tolist(),
                "two": two.tolist(),
                "areas": [parts[0][0], parts[1][0]],
                "variances": [covariance[0, 0], covariance[1, 1]],
                "differenceVariance": difference,
                "p": 2 * stats.norm.sf(abs(z)),
            }
        )
    return cases


def order_statistics():
    cases = []
    for n in (11, 64, 200, 662, 5000):
        for p in (0.5, 0.9, 0.95, 0.99):
            for level in (0.9, 0.95):
                # P(X >= l) >= level: the largest such l; P(X <= u - 1) >= level: the smallest such u.
                lower = max([0] + [l for l in range(1, n + 1) if stats.binom.sf(l - 1, n, p) >= level])
                upper = int(stats.binom.ppf(level, n, p)) + 1
                cases.append([n, p, level, lower, upper])
    return cases


def minimum_samples():
    """MLPerf's early-stopping rule: the fewest samples, one of them above the percentile's estimate (t = 1), 99 % confidence."""
    found = {}
    for p in (0.5, 0.9, 0.95, 0.99):
        below = 1
        while stats.beta.cdf(p, below, 2) > 0.01:
            below += 1
        found[str(p)] = below + 1
    return found


def bootstrap():
    values = np.round(rng.gamma(2, 3, 150), 3)
    result = stats.bootstrap((values,), np.mean, n_resamples=200000, confidence_level=0.8, method="percentile", rng=1)
    other = np.round(values * 0.9 + rng.normal(0.3, 0.5, values.size), 3)
    paired = stats.bootstrap(
        (values, other),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        paired=True,
        n_resamples=200000,
        confidence_level=0.8,
        method="percentile",
        rng=1,
    )
    return {
        "values": values.tolist(),
        "other": other.tolist(),
        "level": 0.9,
        "mean": [result.confidence_interval.low, result.confidence_interval.high],
        "paired": [paired.confidence_interval.low, paired.confidence_interval.high],
        "basic": list(
            stats.bootstrap((values,), np.mean, n_resamples=200000, confidence_level=0.8, method="basic", rng=1).confidence_interval
        ),
    }


def xoshiro128(state, count):
    """Blackman and Vigna's xoshiro128**, word for word."""
    mask = 0xFFFFFFFF
    rotate = lambda word, by: ((word << by) | (word >> (32 - by))) & mask
    s = list(state)
    words = []
    for _ in range(count):
        words.append((rotate((s[1] * 5) & mask, 7) * 9) & mask)
        shifted = (s[1] << 9) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotate(s[3], 11)
    return words


p_values = [np.round(rng.beta(0.5, 2, size), 6).tolist() for size in (1, 4, 25)] + [[0.01, 0.01, 0.04, 0.04, 1.0, 0.0]]
quantiles = np.round(rng.normal(size=37), 4)
reference = {
    "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
    "wilson": wilson(),
    "delong": delong(),
    "orderStatistics": order_statistics(),
    "minimumSamples": minimum_samples(),
    "bootstrap": bootstrap(),
    "benjaminiHochberg": [{"p": p, "q": stats.false_discovery_control(p).tolist()} for p in p_values],
    "normal": [[p, stats.norm.ppf(p)] for p in (0.5, 0.8, 0.9, 0.95, 0.975, 0.983, 0.999)],
    "quantile": {"values": quantiles.tolist(), "at": [[q, float(np.quantile(quantiles, q))] for q in (0, 0.1, 0.5, 0.905, 1)]},
    "xoshiro128": {"state": [1, 2, 3, 4], "words": xoshiro128([1, 2, 3, 4], 12)},
    "binomial": [
        {"n": n, "p": p, "pmf": stats.binom.pmf(np.arange(n + 1), n, p).tolist()}
        for n, p in ((1, 0.5), (7, 0.3), (30, 0.02), (60, 0.45), (90, 0.8))
    ],
}
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
print(target.name, target.stat().st_size, "bytes")
