"""Writes reference.json: what SciPy, NumPy and the papers' own definitions give for the tests that are valid at every look.

Run it where scipy 1.17 and numpy are installed; the tests read only the file.
"""

import json
import pathlib

import numpy as np
from scipy import optimize, special, stats

rng = np.random.default_rng(20261123)


def conditional_binomial():
    """The mixture of likelihood ratios of canary errors given all errors, window by window (canary.md, section 3)."""
    grid = [(1.25, 0.2), (2.0, 0.5), (5.0, 0.3)]
    cases = []
    for ratio in (1.0, 1.5):
        windows, logs = [], np.zeros(len(grid))
        path = []
        for _ in range(12):
            nc, nb = int(rng.integers(5, 60)), int(rng.integers(300, 700))
            ec, eb = int(rng.binomial(nc, 0.03)), int(rng.binomial(nb, 0.01))
            windows.append([nc, ec, nb, eb])
            null = ratio * nc / (ratio * nc + nb)
            for k, (theta, _) in enumerate(grid):
                share = theta * ratio * nc / (theta * ratio * nc + nb)
                logs[k] += stats.binom.logpmf(ec, ec + eb, share) - stats.binom.logpmf(ec, ec + eb, null)
            path.append(float(special.logsumexp(logs, b=[w for _, w in grid])))
        cases.append({"ratio": ratio, "grid": grid, "windows": windows, "logE": path})
    return cases


def turner():
    """Turner, Ly and Gruenwald: Bernoulli likelihood over that at the pooled rate, for one point alternative."""
    cases = []
    for rate, odds in ((0.2, 2.0), (0.4, 1.5), (0.6, 3.0)):
        nc, nb = 40, 360
        canary = rate * odds / (1 - rate + rate * odds)
        pooled = (nc * canary + nb * rate) / (nc + nb)
        for ec, eb in ((8, 70), (20, 140), (30, 220), (0, 0)):
            log = (
                stats.binom.logpmf(ec, nc, canary)
                + stats.binom.logpmf(eb, nb, rate)
                - stats.binom.logpmf(ec, nc, pooled)
                - stats.binom.logpmf(eb, nb, pooled)
            )
            cases.append({"rate": rate, "odds": odds, "window": [nc, ec, nb, eb], "log": float(log)})
    return cases


def gamma_nodes():
    """Gauss quadrature of a gamma variable of mean 1, to average over noisy rates exactly."""
    cases = []
    for variance in (0.2, 0.5):
        shape = 1 / variance
        nodes, weights = special.roots_genlaguerre(24, shape - 1)
        cases.append(
            {
                "variance": variance,
                "nodes": (nodes / shape).tolist(),
                "weights": (weights / special.gamma(shape)).tolist(),
            }
        )
    return cases


def dispersion():
    """Pearson's dispersion and the lag-1 correlation over batches, straight from the definitions."""
    cases = []
    for noise in (0.0, 0.5):
        requests = rng.integers(300, 600, size=64)
        factor = rng.gamma(1 / noise, noise, 64) if noise else np.ones(64)
        errors = rng.binomial(requests, np.minimum(1, 0.02 * factor))
        batches = []
        for size in (1, 2, 4):
            n = requests.reshape(-1, size).sum(axis=1)
            e = errors.reshape(-1, size).sum(axis=1)
            p = e.sum() / n.sum()
            z = (e - n * p) / np.sqrt(n * p * (1 - p))
            batches.append(
                {
                    "windows": size,
                    "inflation": float((z**2).sum() / (len(n) - 1)),
                    "correlation": float((z[:-1] * z[1:]).sum() / (z**2).sum()),
                }
            )
        cases.append({"requests": requests.tolist(), "errors": errors.tolist(), "batches": batches})
    return cases


def share():
    cases = []
    for total, trials in ((0, 10), (3, 10), (50, 1000), (985, 1000), (1000, 1000), (12.5, 40), (99000, 100000)):
        for alpha in (0.05, 0.01):
            mixture = special.betaln(total + 0.5, trials - total + 0.5) - special.betaln(0.5, 0.5)

            def excess(p):
                return mixture - special.xlogy(total, p) - special.xlog1py(trials - total, -p) + np.log(alpha)

            estimate = total / trials
            lower = 0.0 if total == 0 else optimize.brentq(excess, 1e-300, estimate - 1e-12, xtol=1e-14)
            upper = 1.0 if total == trials else optimize.brentq(excess, estimate + 1e-12, 1 - 1e-15, xtol=1e-14)
            cases.append([total, trials, alpha, float(lower), float(upper)])
    return cases


reference = {
    "conditionalBinomial": conditional_binomial(),
    "turner": turner(),
    "gammaNodes": gamma_nodes(),
    "dispersion": dispersion(),
    "share": share(),
    "logGamma": [[x, float(special.gammaln(x))] for x in (0.5, 1.0, 1.5, 2.0, 3.25, 9.9, 10.0, 57.5, 1e4, 1e7)],
    "chiSquare": [
        [df, p, float(stats.chi2.ppf(p, df))] for df in (1, 2, 7, 14, 29, 100, 719) for p in (0.01, 0.05, 0.5, 0.95)
    ],
}
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(reference))
