"""Writes reference.json: what SciPy gives for BCa, McNemar's exact test and, by numerical likelihood, for Tango's score interval.

Run it where scipy 1.17 and numpy are installed, then `npm run format`; the tests read only the file.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import optimize, stats

rng = np.random.default_rng(20261123)


def mcnemar():
    cases = []
    for won, lost in ((0, 0), (0, 1), (1, 0), (3, 9), (9, 3), (20, 20), (7, 17), (420, 515), (3000, 3400), (0, 40)):
        flips = won + lost
        cases.append(
            {
                "won": won,
                "lost": lost,
                "worse": stats.binom.cdf(won, flips, 0.5),
                "better": stats.binom.cdf(lost, flips, 0.5),
                "different": stats.binomtest(won, flips).pvalue if flips else 1.0,
            }
        )
    return cases


def score(won, lost, rows, difference):
    """Tango's statistic: the likeliest share of lost rows is searched for, not solved for."""
    least = max(0.0, -difference)
    most = (1 - difference) / 2
    both = rows - won - lost

    def unlikely(lost_share):
        parts = ((lost, lost_share), (won, lost_share + difference), (both, 1 - 2 * lost_share - difference))
        return -sum(count * np.log(share) for count, share in parts if count > 0)

    edge = 1e-12
    found = optimize.minimize_scalar(unlikely, bounds=(least + edge, most - edge), method="bounded", options={"xatol": 1e-13})
    # An end of the range is the likeliest where a count is 0.
    lost_share = min((least + edge, most - edge, found.x), key=unlikely)
    away = won - lost - rows * difference
    corrected = np.sign(away) * max(0.0, abs(away) - 1)
    return corrected / np.sqrt(rows * (2 * lost_share + difference * (1 - difference)))


def paired_share():
    cases = []
    for won, lost, rows in ((12, 2, 50), (3, 9, 300), (12, 12, 300), (20, 60, 1000), (1, 0, 40), (5, 5, 12), (400, 520, 100000)):
        for level in (0.8, 0.9, 0.975):
            z = stats.norm.ppf(level)
            estimate = (won - lost) / rows
            upper = optimize.brentq(lambda d: score(won, lost, rows, d) + z, estimate + 1.0 / rows, 1 - 1e-9, xtol=1e-12)
            lower = optimize.brentq(lambda d: score(won, lost, rows, d) - z, -1 + 1e-9, estimate - 1.0 / rows, xtol=1e-12)
            if won == 0:
                upper = min(upper, 1 - (1 - level) ** (1 / rows))
            if lost == 0:
                lower = max(lower, -(1 - (1 - level) ** (1 / rows)))
            cases.append([won, lost, rows, level, lower, upper])
    return cases


def bca():
    """Of skewed data, where BCa differs from the percentiles."""
    values = np.round(rng.lognormal(0, 1, 60), 4)
    other = np.round(values * rng.lognormal(0, 0.4, 60), 4)
    of = lambda **rest: list(
        stats.bootstrap(n_resamples=200000, confidence_level=0.8, method="BCa", rng=1, **rest).confidence_interval
    )
    mean_of_roots = lambda a, axis: np.sqrt(np.mean(a**2, axis=axis))
    jackknife = np.array([np.delete(values, row).mean() for row in range(values.size)])
    away = jackknife.mean() - jackknife
    return {
        "values": values.tolist(),
        "other": other.tolist(),
        "level": 0.9,
        "mean": of(data=(values,), statistic=np.mean),
        "rootMeanSquare": of(data=(values,), statistic=mean_of_roots),
        "difference": of(
            data=(values, other),
            statistic=lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
            paired=True,
        ),
        "acceleration": float((away**3).sum() / (6 * (away**2).sum() ** 1.5)),
    }


reference = {
    "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
    "mcnemar": mcnemar(),
    "pairedShare": paired_share(),
    "bca": bca(),
}
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
print(target.name, target.stat().st_size, "bytes")
