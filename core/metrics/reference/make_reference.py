"""Writes reference.json: a few hundred random cases with the values that scikit-learn and Fairlearn give.

Run it where scikit-learn 1.9 and fairlearn 0.15 are installed, then `npm run format`; the tests read only the file. Cases hold ties, single classes,
imbalance, up to six classes, string labels, and (for the metrics that take it) whole-number sample weights.
"""

import json
import pathlib
import warnings

import fairlearn
import fairlearn.metrics as fair
import numpy as np
import sklearn
import sklearn.metrics as skm
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20261121)


def number(value):
    value = float(value)
    return None if np.isnan(value) else value


def ece(actual, probabilities, weights, bins=15):
    """Guo et al. 2017, written out with explicit bin edges."""
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == actual).astype(float)
    edges = np.linspace(0, 1, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        weight = weights[inside].sum()
        if weight > 0:
            gap = np.average(right[inside], weights=weights[inside]) - np.average(confidence[inside], weights=weights[inside])
            total += weight / weights.sum() * abs(gap)
    return total


def calibration_slope(is_positive, score, weights):
    """Slope of the unpenalised logistic regression on the log-odds; none where these part the classes."""
    clipped = np.clip(score, 2.0**-52, 1 - 2.0**-52)
    odds = np.log(clipped / (1 - clipped))
    of, others = odds[is_positive], odds[~is_positive]
    if not len(of) or not len(others) or of.max() <= others.min() or others.max() <= of.min():
        return float("nan")
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    return model.fit(odds[:, None], is_positive, sample_weight=weights).coef_[0, 0]


def label_case(kind):
    classes = int(rng.choice([2, 2, 2, 3, 4, 6]))
    rows = int(rng.choice([2, 5, 12, 40, 120]))
    if kind == "overlap":
        classes, rows = 2, int(rng.choice([20, 40, 70]))
    names = sorted(rng.choice(["cat", "dog", "eel", "fox", "gnu", "hen", "ibis"], classes, replace=False).tolist())
    share = rng.dirichlet(np.ones(classes) * (0.3 if kind == "imbalanced" else 3))
    actual = rng.choice(classes, rows, p=share)
    if kind == "single":
        actual[:] = classes - 1
    logits = rng.normal(size=(rows, classes)) * 1.5
    logits[np.arange(rows), actual] += rng.uniform(0, 3)
    if kind == "ties":
        logits = np.round(logits)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if kind == "ties":
        probabilities = np.round(probabilities, 1)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    probabilities = np.round(probabilities, 6)
    if kind == "certain":
        probabilities = np.eye(classes)[probabilities.argmax(axis=1)]
    predicted = probabilities.argmax(axis=1)
    if kind == "unseen":
        predicted[:] = 0
    positive = classes - 1 if rng.random() < 0.7 else 0
    weights = rng.integers(1, 5, rows) if rng.random() < 0.5 else np.ones(rows, int)

    text_actual = np.array(names)[actual]
    text_predicted = np.array(names)[predicted]
    values = {}
    common = {"sample_weight": weights}
    values["accuracy"] = skm.accuracy_score(text_actual, text_predicted, **common)
    values["balanced_accuracy"] = skm.balanced_accuracy_score(text_actual, text_predicted, **common)
    values["matthews_corrcoef"] = skm.matthews_corrcoef(text_actual, text_predicted, **common)
    for name, function in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score), ("jaccard", skm.jaccard_score)):
        for average in ("macro", "micro", "weighted"):
            values[f"{name}/{average}"] = function(text_actual, text_predicted, average=average, zero_division=0, **common)
        if classes == 2:
            values[f"{name}/binary"] = function(
                actual == positive, predicted == positive, average="binary", pos_label=True, zero_division=0, **common
            )
        for index, value in enumerate(
            function(text_actual, text_predicted, labels=names, average=None, zero_division=0, **common)
        ):
            values[f"{name}/ofClass={index}"] = value
    values["cohen_kappa"] = skm.cohen_kappa_score(actual, predicted, labels=range(classes), **common)
    for kind_of_weights in ("linear", "quadratic"):
        values[f"cohen_kappa/weights={kind_of_weights}"] = skm.cohen_kappa_score(
            actual, predicted, labels=range(classes), weights=kind_of_weights, **common
        )
    for k in (1, 2, 3):
        if k <= classes:
            given = probabilities[:, 1] if classes == 2 else probabilities
            values[f"top_k_accuracy/k={k}"] = skm.top_k_accuracy_score(
                actual, given, k=k, labels=range(classes), **common
            )
    values["log_loss"] = skm.log_loss(text_actual, probabilities, labels=names, **common)
    values["ece"] = ece(actual, probabilities, weights)
    everyone = len(set(actual.tolist())) == classes
    if classes == 2:
        score = probabilities[:, positive]
        values["brier"] = skm.brier_score_loss(actual == positive, score, pos_label=True, **common)
        values["calibration_slope"] = calibration_slope(actual == positive, score, weights)
        values["roc_auc"] = skm.roc_auc_score(actual == positive, score, **common) if everyone else float("nan")
        if everyone:
            values["average_precision"] = skm.average_precision_score(actual == positive, score, **common)
    else:
        values["brier"] = skm.brier_score_loss(text_actual, probabilities, labels=names, **common)
        if everyone:
            values["roc_auc"] = skm.roc_auc_score(
                text_actual, probabilities, labels=names, multi_class="ovr", average="macro", **common
            )
            values["roc_auc/average=weighted"] = skm.roc_auc_score(
                text_actual, probabilities, labels=names, multi_class="ovr", average="weighted", **common
            )
            # scikit-learn takes no weights for ovo: rows written out.
            repeated = np.repeat(np.arange(rows), weights)
            for average in ("macro", "weighted"):
                values[f"roc_auc/multiClass=ovo,average={average}"] = skm.roc_auc_score(
                    text_actual[repeated], probabilities[repeated], labels=names, multi_class="ovo", average=average
                )
            values["average_precision"] = skm.average_precision_score(
                np.eye(classes, dtype=int)[actual], probabilities, average="macro", **common
            )
    return {
        "kind": kind,
        "classes": names,
        "positive": positive,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "weights": weights.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


def multi_label_case(kind):
    labels = int(rng.choice([2, 3, 5, 9]))
    rows = int(rng.choice([1, 4, 15, 60]))
    actual = (rng.random((rows, labels)) < rng.uniform(0.1, 0.7, labels)).astype(int)
    scores = 1 / (1 + np.exp(-(rng.normal(size=(rows, labels)) + 2 * actual - 1)))
    scores = np.round(scores, 1 if kind == "ties" else 6)
    if kind == "none":
        actual[rng.random(rows) < 0.4] = 0
    if kind == "all":
        actual[rng.random(rows) < 0.4] = 1
    if kind == "unseen":
        actual[:, 0] = 0
    if kind == "single":
        actual[:, 1:] = 0
        actual[:, 0] = 1
    predicted = (scores > 0.5).astype(int)
    weights = rng.integers(1, 5, rows) if rng.random() < 0.5 else np.ones(rows, int)
    common = {"sample_weight": weights}
    values = {
        "accuracy": skm.accuracy_score(actual, predicted, **common),
        "hamming_loss": skm.hamming_loss(actual, predicted, **common),
        "label_ranking_average_precision": skm.label_ranking_average_precision_score(actual, scores, **common),
        "coverage_error": skm.coverage_error(actual, scores, **common),
        "label_ranking_loss": skm.label_ranking_loss(actual, scores, **common),
    }
    for name, function in (
        ("precision", skm.precision_score),
        ("recall", skm.recall_score),
        ("f1", skm.f1_score),
        ("jaccard", skm.jaccard_score),
    ):
        for average in ("micro", "macro", "weighted", "samples"):
            values[f"{name}/{average}"] = function(actual, predicted, average=average, zero_division=0, **common)
        for index, value in enumerate(function(actual, predicted, average=None, zero_division=0, **common)):
            values[f"{name}/ofClass={index}"] = value
    return {
        "kind": kind,
        "labels": labels,
        "actual": actual.ravel().tolist(),
        "predicted": predicted.ravel().tolist(),
        "scores": scores.ravel().tolist(),
        "weights": weights.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


def recall_at(relevant, score, k):
    """The expected share of the relevant among the best k, documents tied at the border in any order."""
    border = np.sort(score)[::-1][min(k, len(score)) - 1]
    above, tied = score > border, score == border
    places = min(k, len(score)) - above.sum()
    found = relevant[above].sum() + relevant[tied].mean() * places
    return found / relevant.sum() if relevant.any() else 0.0


def ranking_case(kind):
    queries = int(rng.choice([1, 3, 12]))
    sizes = rng.integers(2, 15, queries)
    documents = [rng.choice([0, 0, 0, 1, 2, 3], size).astype(float) for size in sizes]
    scores = [np.round(rng.normal(size=size) + of, 0 if kind == "ties" else 4) for size, of in zip(sizes, documents)]
    if kind == "binary":
        documents = [(of > 1).astype(float) for of in documents]
    if kind == "none":
        documents[0][:] = 0
    if kind == "one":
        for of in documents:
            of[:] = 0
            of[rng.integers(len(of))] = 1
    if kind == "constant":
        scores = [np.zeros(size) for size in sizes]
    weights = rng.integers(1, 4, queries) if rng.random() < 0.5 else np.ones(queries, int)

    def mean(term):
        return np.average([term(of, score) for of, score in zip(documents, scores)], weights=weights)

    def first(of, score):
        if not (of > 0).any():
            return 0.0
        best = score[of > 0].max()
        return 1 / (score >= best).sum()

    values = {
        "ndcg": mean(lambda of, score: skm.ndcg_score([of], [score])),
        "map": mean(lambda of, score: skm.average_precision_score(of > 0, score) if (of > 0).any() else 0.0),
        "mrr": mean(first),
    }
    if kind == "one":
        assert abs(
            values["mrr"]
            - mean(lambda of, score: skm.label_ranking_average_precision_score([of.astype(int)], [score]))
        ) < 1e-12
    for k in (1, 3, 10):
        values[f"ndcg/k={k}"] = mean(lambda of, score: skm.ndcg_score([of], [score], k=k))
        values[f"recall_at_k/k={k}"] = mean(lambda of, score: recall_at(of > 0, score, k))
    return {
        "kind": kind,
        "starts": [0, *np.cumsum(sizes).tolist()],
        "relevance": np.concatenate(documents).tolist(),
        "scores": np.concatenate(scores).tolist(),
        "weights": weights.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


def value_case(kind):
    rows = int(rng.choice([1, 2, 7, 30, 101]))
    actual = np.round(rng.normal(50, 20, rows), 4)
    if kind == "constant":
        actual[:] = 0.5  # exact in binary: of 0.1 scikit-learn's mean is a hair off, and its R² some 1e34
    if kind == "zeros":
        actual[rng.random(rows) < 0.3] = 0
    if kind == "large":
        actual += 1e6
    predicted = actual.copy() if kind == "exact" else np.round(actual + rng.normal(0, 8, rows), 4)
    if kind == "ties":
        actual, predicted = np.round(actual, -1), np.round(predicted, -1)
    if kind == "constant" and rng.random() < 0.5:
        predicted = actual.copy()
    weights = rng.integers(1, 5, rows) if rng.random() < 0.5 else np.ones(rows, int)
    common = {"sample_weight": weights}
    repeated = np.repeat(np.arange(rows), weights)
    values = {
        "mae": skm.mean_absolute_error(actual, predicted, **common),
        "mse": skm.mean_squared_error(actual, predicted, **common),
        "rmse": skm.root_mean_squared_error(actual, predicted, **common),
        "mape": skm.mean_absolute_percentage_error(actual, predicted, **common),
        # Rows written out: scikit-learn's weighted median takes the lower of the middle two.
        "median_absolute_error": skm.median_absolute_error(actual[repeated], predicted[repeated]),
        "max_error": skm.max_error(actual, predicted),
        "r2": skm.r2_score(actual, predicted, **common) if rows >= 2 else float("nan"),
    }
    return {
        "kind": kind,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "weights": weights.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


def fairness_case():
    rows = int(rng.choice([60, 150]))
    count = int(rng.choice([2, 3, 5]))
    groups = rng.integers(0, count, rows)
    actual = rng.integers(0, 2, rows)
    predicted = np.where(rng.random(rows) < 0.7 + 0.05 * groups, actual, 1 - actual)
    # Fairlearn counts a rate over no rows as 0, Sluice leaves the group out: only cases where every rate is defined.
    if any(len(set(actual[groups == group])) < 2 for group in range(count)):
        return fairness_case()
    known = {"sensitive_features": groups}
    frame = fair.MetricFrame(
        metrics={
            "accuracy": skm.accuracy_score,
            "precision": lambda a, p: skm.precision_score(a, p, zero_division=0),
            "recall": lambda a, p: skm.recall_score(a, p, zero_division=0),
            "f1": lambda a, p: skm.f1_score(a, p, zero_division=0),
            "selection_rate": fair.selection_rate,
        },
        y_true=actual,
        y_pred=predicted,
        **known,
    )
    values = {
        f"{name}_{compare}": getattr(fair, f"{name}_{compare}")(actual, predicted, **known)
        for name in ("demographic_parity", "equalized_odds", "equal_opportunity")
        for compare in ("difference", "ratio")
    }
    values |= {f"{name}_difference": value for name, value in frame.difference().items()}
    values["accuracy_ratio"] = frame.ratio()["accuracy"]
    return {
        "task": "classification",
        "groups": groups.tolist(),
        "count": count,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


def fairness_values_case():
    rows, count = 80, int(rng.choice([2, 4]))
    groups = np.arange(rows) % count
    actual = rng.normal(150, 40, rows)
    predicted = actual + rng.normal(5, 30, rows) + 4 * groups
    frame = fair.MetricFrame(
        metrics={
            "mae": skm.mean_absolute_error,
            "rmse": skm.root_mean_squared_error,
            "mean_prediction": fair.mean_prediction,
            "mean_residual": lambda a, p: float(np.mean(a - p)),
        },
        y_true=actual,
        y_pred=predicted,
        sensitive_features=groups,
    )
    values = {f"{name}_difference": value for name, value in frame.difference().items()}
    values |= {f"{name}_ratio": frame.ratio()[name] for name in ("mae", "rmse")}
    return {
        "task": "regression",
        "groups": groups.tolist(),
        "count": count,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "values": {name: number(value) for name, value in values.items()},
    }


kinds = ["plain", "imbalanced", "ties", "single", "certain", "unseen"]
reference = {
    "versions": {"scikit-learn": sklearn.__version__, "fairlearn": fairlearn.__version__},
    "classification": [label_case(kind) for _ in range(30) for kind in kinds],
    "regression": [value_case(kind) for _ in range(15) for kind in ("plain", "constant", "zeros", "large", "exact", "ties")],
    "fairness": [fairness_case() for _ in range(25)] + [fairness_values_case() for _ in range(10)],
    "multilabel": [
        multi_label_case(kind) for _ in range(20) for kind in ("plain", "ties", "none", "all", "unseen", "single")
    ],
    "ranking": [ranking_case(kind) for _ in range(25) for kind in ("plain", "ties", "binary", "none", "one", "constant")],
}
# Two classes whose scores overlap: the slope of others is mostly infinite.
reference["classification"] += [label_case("overlap") for _ in range(100)]
target = pathlib.Path(__file__).with_name("reference.json")
target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
print(target.name, target.stat().st_size, "bytes")
