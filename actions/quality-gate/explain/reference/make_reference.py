"""Writes reference.json: scikit-learn's permutation importance with the permutations it drew, and thresholds found by brute force.

python make_reference.py, with scikit-learn 1.9.1. Features and weights are multiples of 1/8, so that single and double precision agree.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, mean_absolute_error, r2_score

rows, repeats = 96, 5
random = np.random.default_rng(5)
columns = np.stack([random.permutation(rows) / 8 - 6 for _ in range(4)], axis=1)


class Linear(BaseEstimator):
    """A model that was fitted somewhere else."""

    def __init__(self, weights=None):
        self.weights = weights

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        scores = X @ np.asarray(self.weights)
        return scores[:, 0] if scores.shape[1] == 1 else scores.argmax(axis=1)


def case(name, weights, y, metrics):
    model = Linear(weights)
    found = {"name": name, "weights": weights, "y": y.tolist(), "metrics": {}}
    for metric, (score, sign) in metrics.items():
        seen = []

        def scorer(estimator, X, y):
            seen.append(np.array(X))
            return sign * score(y, estimator.predict(X))

        result = permutation_importance(model, columns, y, scoring=scorer, n_repeats=repeats, random_state=3)
        # The first call is of the rows as they are, then all repeats of one column after the other.
        orders = [
            [[int(np.flatnonzero(columns[:, column] == value)[0]) for value in seen[1 + column * repeats + repeat][:, column]]
             for repeat in range(repeats)]
            for column in range(columns.shape[1])
        ]
        found["orders"] = orders
        found["metrics"][metric] = result.importances_mean.tolist()
    return found


noise = random.normal(size=rows)
target = columns @ np.array([1.0, -0.5, 0.25, 0.0]) + noise
scores = columns @ np.array([[1.0, -1.0, 0.0], [0.25, 0.5, -0.75], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
labels = (scores + random.normal(scale=3, size=scores.shape)).argmax(axis=1)

cases = [
    case("regression", [[1.0], [-0.5], [0.25], [0.0]], target, {"r2": (r2_score, 1), "mae": (mean_absolute_error, -1)}),
    case(
        "classification",
        [[1.0, -1.0, 0.0], [0.25, 0.5, -0.75], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]],
        labels,
        {"accuracy": (accuracy_score, 1), "balanced_accuracy": (balanced_accuracy_score, 1)},
    ),
]

thresholds = []
for seed in range(6):
    random = np.random.default_rng(100 + seed)
    truth = (random.random(80) < 0.3).astype(int)
    probability = np.round(1 / (1 + np.exp(-(random.normal(size=80) + 1.5 * truth - 1))), 2 if seed % 2 else 6)
    edges = np.unique(probability)
    tried = (edges[:-1] + edges[1:]) / 2
    found = {"truth": truth.tolist(), "probability": probability.tolist(), "best": {}}
    for name, score in {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score, "accuracy": accuracy_score}.items():
        found["best"][name] = float(max(score(truth, probability > threshold) for threshold in tried))
    costs = [np.mean(np.where(truth == 1, 5 * (probability <= t), 1 * (probability > t))) for t in tried]
    found["best"]["cost"] = -float(min(costs))
    thresholds.append(found)

document = {
    "scikit-learn": sklearn.__version__,
    "columns": columns.T.tolist(),
    "cases": cases,
    "thresholds": thresholds,
}
Path(__file__).with_name("reference.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
