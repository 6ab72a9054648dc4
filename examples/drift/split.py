"""Splits scikit-learn's breast cancer data into a reference and two weeks: python split.py

Writes data/*.csv: 320 patients at random as the reference; 130 of the others at random as a week like any; and of those left the ones with the
larger tumours, as when a clinic begins to send its advanced cases, read by a scanner whose texture is 15 % too high. Then expected.json: SciPy's numbers for
each column.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.datasets import load_breast_cancer

here = Path(__file__).parent
dataset = load_breast_cancer(as_frame=True)
kept = [name for name in dataset.data.columns if name.startswith("mean ")]
rows = dataset.data[kept].assign(diagnosis=np.where(dataset.target == 0, "malignant", "benign"))
rows.insert(0, "patient", [f"p{number:04d}" for number in range(len(rows))])

order = np.random.default_rng(7).permutation(len(rows))
reference, rest = rows.iloc[order[:320]], rows.iloc[order[320:]]
usual, left = rest.iloc[:130], rest.iloc[130:]
shifted = left[left["mean radius"] > left["mean radius"].quantile(0.3)].copy()
shifted["mean texture"] = (shifted["mean texture"] * 1.15).round(4)

(here / "data").mkdir(exist_ok=True)
weeks = {"usual-week": usual, "shifted-week": shifted}
for name, part in {"reference": reference, **weeks}.items():
    part.to_csv(here / "data" / f"{name}.csv", index=False, lineterminator="\n")


def population_stability(one, other, bins=10):
    """Bins at the reference's quantiles, open at both ends; shares of at least 0.0001."""
    edges = np.unique(np.quantile(one, np.arange(1, bins) / bins))
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) / len(values), 1e-4)
        for values in (one, other)
    ]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def distances(one, other):
    # No bin for fewer than twenty rows of the smaller side.
    bins = max(2, min(10, min(len(one), len(other)) // 20))
    return {
        "psi": population_stability(one, other, bins),
        "ks": float(stats.ks_2samp(one, other).statistic),
        "wasserstein": float(stats.wasserstein_distance(one, other) / np.std(one)),
    }


expected = {
    week: {name: distances(reference[name].to_numpy(), part[name].to_numpy()) for name in kept}
    for week, part in weeks.items()
}
(here / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
print({name: len(part) for name, part in {"reference": reference, **weeks}.items()})
