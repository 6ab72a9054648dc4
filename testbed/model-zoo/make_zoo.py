"""Trains scikit-learn models, exports them with skl2onnx, and says what Python makes of them: python make_zoo.py FOLDER.

Writes NAME.onnx, the rows of each data set as CSV, and expected.json: what ONNX Runtime in Python predicts, and what scikit-learn and Fairlearn
make of those predictions. The rows of evaluation are none that a model was trained on.
"""

import json
import sys
import warnings
from pathlib import Path

import fairlearn.metrics as fair
import numpy as np
import onnxruntime
import pandas as pd
import sklearn.metrics as skm
from skl2onnx import convert_sklearn
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
rng = np.random.default_rng(7122026)
opset = {"": 17, "ai.onnx.ml": 3}


add_node = ModelComponentContainer.add_node


def add_whole_numbers(self, *args, **attributes):
    """skl2onnx 1.20 gives the feature numbers of histogram trees as numbers of numpy, which ONNX refuses."""
    plain = {
        name: [int(each) if isinstance(each, (np.integer, np.bool_, bool)) else each for each in value] if isinstance(value, list) else value
        for name, value in attributes.items()
    }
    return add_node(self, *args, **plain)


ModelComponentContainer.add_node = add_whole_numbers


def table_of(values, label, names=None):
    frame = pd.DataFrame(np.asarray(values, dtype=np.float32), columns=names or [f"x{at}" for at in range(values.shape[1])])
    return frame.assign(label=np.asarray(label))


def mixed(rows, kind):
    """People with text and numbers, some of them missing."""
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows).astype(np.float32),
            "income": np.round(rng.lognormal(10, 0.6, rows)).astype(np.float32),
            "country": rng.choice(["KR", "US", "JP", "UK", "Côte d'Ivoire"], rows),
            "plan": rng.choice(["free", "basic", "pro, yearly"], rows, p=[0.5, 0.3, 0.2]),
            "visits": rng.integers(0, 40, rows),
        }
    )
    pull = 0.04 * (frame.age - 50) + (frame.country == "KR") * 1.2 - (frame.plan == "free") * 0.9 + 0.05 * frame.visits - 0.5
    noisy = pull + rng.logistic(size=rows)
    label = {
        "binary": lambda: np.where(noisy > 0, "leaves", "stays"),
        "three": lambda: np.select([noisy < -1, noisy < 1], ["low", "mid"], "high"),
        "number": lambda: np.round(40 + 6 * noisy, 3),
    }[kind]()
    return frame.assign(label=label)


bunch = datasets.load_breast_cancer()
sets = {
    "cancer": table_of(bunch.data, bunch.target),
    "wine": table_of(*datasets.load_wine(return_X_y=True)),
    "digits": table_of(*datasets.load_digits(return_X_y=True)),
    "iris": table_of(datasets.load_iris().data, datasets.load_iris().target_names[datasets.load_iris().target]),
    "rare": table_of(*datasets.make_classification(1600, 12, n_informative=5, weights=[0.93], class_sep=0.8, random_state=3)),
    "moons": table_of(*datasets.make_moons(900, noise=0.35, random_state=4)),
    "five": table_of(*datasets.make_classification(1500, 15, n_informative=9, n_classes=5, random_state=5)),
    "diabetes": table_of(*datasets.load_diabetes(return_X_y=True)),
    "friedman": table_of(*datasets.make_friedman1(1200, 8, noise=1.0, random_state=6)),
    "people": mixed(1400, "binary"),
    "bands": mixed(1400, "three"),
    "spend": mixed(1400, "number"),
}


def prepared(categories, numbers=StandardScaler()):
    return ColumnTransformer(
        [("numbers", numbers, ["age", "income", "visits"]), ("categories", categories, ["country", "plan"])]
    )


def one_hot():
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def ordinal():
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def imputed():
    return make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler())


logistic = {"max_iter": 2000}
models = {
    "logistic-cancer": ("cancer", make_pipeline(StandardScaler(), LogisticRegression(**logistic))),
    "logistic-wine": ("wine", make_pipeline(StandardScaler(), LogisticRegression(**logistic))),
    "logistic-cv-five": ("five", LogisticRegressionCV(cv=3, **logistic)),
    "polynomial-moons": ("moons", make_pipeline(PolynomialFeatures(3), LogisticRegression(**logistic))),
    "forest-digits": ("digits", RandomForestClassifier(40, random_state=1)),
    "forest-rare": ("rare", RandomForestClassifier(60, max_depth=7, random_state=1)),
    "extra-trees-five": ("five", ExtraTreesClassifier(40, random_state=1)),
    "tree-iris": ("iris", DecisionTreeClassifier(max_depth=3, random_state=1)),
    "boosting-cancer": ("cancer", GradientBoostingClassifier(n_estimators=40, random_state=1)),
    "boosting-wine": ("wine", GradientBoostingClassifier(n_estimators=20, random_state=1)),
    "hist-boosting-moons": ("moons", HistGradientBoostingClassifier(max_iter=40, random_state=1)),
    "hist-boosting-five": ("five", HistGradientBoostingClassifier(max_iter=25, random_state=1)),
    "ada-boost-moons": ("moons", AdaBoostClassifier(n_estimators=30, random_state=1)),
    "bagging-iris": ("iris", BaggingClassifier(n_estimators=8, random_state=1)),
    "voting-moons": ("moons", VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", flatten_transform=False)),
    "mlp-digits": ("digits", make_pipeline(MinMaxScaler(), MLPClassifier((40,), max_iter=80, random_state=1))),
    "mlp-moons": ("moons", make_pipeline(StandardScaler(), MLPClassifier((16, 8), max_iter=300, random_state=1))),
    "svm-cancer": ("cancer", make_pipeline(StandardScaler(), SVC(probability=True, random_state=1))),
    "svm-iris": ("iris", make_pipeline(StandardScaler(), SVC(probability=True, random_state=1))),
    "knn-wine": ("wine", make_pipeline(StandardScaler(), KNeighborsClassifier(7))),
    "knn-moons": ("moons", KNeighborsClassifier(15)),
    "bayes-iris": ("iris", GaussianNB()),
    "bayes-rare": ("rare", GaussianNB()),
    "bernoulli-digits": ("digits", BernoulliNB(binarize=7.0)),
    "sgd-rare": ("rare", make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1))),
    "people-logistic": ("people", make_pipeline(prepared(one_hot()), LogisticRegression(**logistic))),
    "people-boosting": ("people", make_pipeline(prepared(ordinal(), imputed()), GradientBoostingClassifier(n_estimators=30, random_state=1))),
    "people-forest": ("people", make_pipeline(prepared(one_hot(), "passthrough"), RandomForestClassifier(40, random_state=1))),
    "bands-logistic": ("bands", make_pipeline(prepared(one_hot(), imputed()), LogisticRegression(**logistic))),
    "bands-hist-boosting": ("bands", make_pipeline(prepared(ordinal(), "passthrough"), HistGradientBoostingClassifier(max_iter=20, random_state=1))),
    "bands-mlp": ("bands", make_pipeline(prepared(one_hot()), MLPClassifier((20,), max_iter=120, random_state=1))),
    "linear-diabetes": ("diabetes", LinearRegression()),
    "ridge-friedman": ("friedman", make_pipeline(PolynomialFeatures(2), Ridge(0.5))),
    "elastic-diabetes": ("diabetes", ElasticNet(0.01)),
    "tree-friedman": ("friedman", DecisionTreeRegressor(max_depth=6, random_state=1)),
    "forest-friedman": ("friedman", RandomForestRegressor(40, random_state=1)),
    "boosting-diabetes": ("diabetes", GradientBoostingRegressor(n_estimators=40, random_state=1)),
    "hist-boosting-friedman": ("friedman", HistGradientBoostingRegressor(max_iter=40, random_state=1)),
    "svr-diabetes": ("diabetes", make_pipeline(StandardScaler(), SVR(C=50))),
    "knn-friedman": ("friedman", KNeighborsRegressor(6)),
    "mlp-friedman": ("friedman", make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(30,), max_iter=300, random_state=1))),
    "spend-ridge": ("spend", make_pipeline(prepared(one_hot()), Ridge())),
    "spend-boosting": ("spend", make_pipeline(prepared(ordinal(), imputed()), GradientBoostingRegressor(n_estimators=30, random_state=1))),
}
regression = {"diabetes", "friedman", "spend"}
groups = np.array(["a", "b", "c"])


def exported(model, features):
    if "country" not in features:
        return convert_sklearn(model, initial_types=[("X", FloatTensorType([None, features.shape[1]]))], target_opset=opset, options=plain(model))
    kinds = {"f": FloatTensorType, "i": Int64TensorType}
    types = [(name, kinds.get(features[name].dtype.kind, StringTensorType)([None, 1])) for name in features]
    return convert_sklearn(model, initial_types=types, target_opset=opset, options=plain(model))


def plain(model):
    """Probabilities as a tensor, not as a list of dictionaries."""
    return {id(model): {"zipmap": False}} if hasattr(model, "classes_") else {}


def predicted(onnx, features):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    if "country" not in features:
        return session.run(None, {"X": features.to_numpy(np.float32)})
    feeds = {
        name: features[[name]].to_numpy(object if features[name].dtype.kind not in "fi" else features[name].dtype)
        for name in features
    }
    return session.run(None, feeds)


def ece(actual, probabilities, bins=15):
    """Guo et al. 2017, with explicit bin edges; scikit-learn has none."""
    confidence, right = probabilities.max(axis=1), (probabilities.argmax(axis=1) == actual).astype(float)
    edges = np.linspace(0, 1, bins + 1)
    inside = [(confidence > low) & (confidence <= high) for low, high in zip(edges[:-1], edges[1:])]
    return sum(abs((right[part] - confidence[part]).sum()) for part in inside) / len(actual)


def calibration_slope(is_positive, score):
    clipped = np.clip(score, 2.0**-52, 1 - 2.0**-52)
    odds = np.log(clipped / (1 - clipped))
    of, others = odds[is_positive], odds[~is_positive]
    if of.max() <= others.min() or others.max() <= of.min():
        return float("nan")
    return LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(odds[:, None], is_positive).coef_[0, 0]


def label_metrics(actual, label, probabilities, classes, average):
    """Values by metric, as the gate calls them, and the options that go with them."""
    binary = len(classes) == 2
    index = np.searchsorted(classes, actual)
    positive = classes[-1]
    options = {"average": "binary", "pos_label": positive} if binary and average is None else {"average": average or "macro"}
    values = {
        "accuracy": skm.accuracy_score(actual, label),
        "balanced_accuracy": skm.balanced_accuracy_score(actual, label),
        "matthews_corrcoef": skm.matthews_corrcoef(actual, label),
        "cohen_kappa": skm.cohen_kappa_score(actual, label),
        "log_loss": skm.log_loss(actual, probabilities, labels=classes),
        "ece": ece(index, probabilities),
    }
    for name, function in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score), ("jaccard", skm.jaccard_score)):
        values[name] = function(actual, label, zero_division=0, **options)
    if binary:
        score, truth = probabilities[:, 1], actual == positive
        values |= {
            "brier": skm.brier_score_loss(truth, score),
            "roc_auc": skm.roc_auc_score(truth, score),
            "average_precision": skm.average_precision_score(truth, score),
            "calibration_slope": calibration_slope(truth, score),
            "top_k_accuracy": skm.top_k_accuracy_score(truth, score, k=1),
        }
    else:
        values |= {
            "brier": skm.brier_score_loss(actual, probabilities, labels=classes),
            "roc_auc": skm.roc_auc_score(index, probabilities, multi_class="ovr", average="macro"),
            "average_precision": skm.average_precision_score(np.eye(len(classes), dtype=int)[index], probabilities, average="macro"),
            "top_k_accuracy": skm.top_k_accuracy_score(index, probabilities, k=2, labels=range(len(classes))),
        }
    return values


def value_metrics(actual, value):
    return {
        "mae": skm.mean_absolute_error(actual, value),
        "mse": skm.mean_squared_error(actual, value),
        "rmse": skm.root_mean_squared_error(actual, value),
        "mape": skm.mean_absolute_percentage_error(actual, value),
        "median_absolute_error": skm.median_absolute_error(actual, value),
        "max_error": skm.max_error(actual, value),
        "r2": skm.r2_score(actual, value),
    }


def label_fairness(actual, label, group, binary):
    functions = {"accuracy": skm.accuracy_score}
    values = {}
    if binary:
        for name in ("precision", "recall", "f1"):
            function = getattr(skm, f"{name}_score")
            functions[name] = lambda a, p, function=function: function(a, p, zero_division=0)
        functions["selection_rate"] = fair.selection_rate
        for name in ("demographic_parity", "equalized_odds", "equal_opportunity"):
            for compare in ("difference", "ratio"):
                values[f"{name}_{compare}"] = getattr(fair, f"{name}_{compare}")(actual, label, sensitive_features=group)
    frame = fair.MetricFrame(metrics=functions, y_true=actual, y_pred=label, sensitive_features=group)
    values |= {f"{name}_difference": value for name, value in frame.difference().items()}
    values["accuracy_ratio"] = frame.ratio()["accuracy"]
    return values


def value_fairness(actual, value, group):
    functions = {
        "mae": skm.mean_absolute_error,
        "rmse": skm.root_mean_squared_error,
        "mean_prediction": fair.mean_prediction,
        "mean_residual": lambda a, p: float(np.mean(a - p)),
    }
    frame = fair.MetricFrame(metrics=functions, y_true=actual, y_pred=value, sensitive_features=group)
    values = {f"{name}_difference": each for name, each in frame.difference().items()}
    return values | {f"{name}_ratio": frame.ratio()[name] for name in ("mae", "rmse")}


def number(value):
    return None if np.isnan(value) else float(value)


expected = {}
evaluation = {}
for name, table in sets.items():
    shuffled = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    half = len(shuffled) // 2
    test = shuffled.iloc[half:].reset_index(drop=True)
    test["team"] = groups[rng.integers(0, 3, len(test))]
    test.to_csv(folder / f"{name}.csv", index=False)
    evaluation[name] = (shuffled.iloc[:half], test)

averages = [None, "micro", "weighted", "macro"]
for at, (name, (data, model)) in enumerate(models.items()):
    train, test = evaluation[data]
    features = train.drop(columns="label")
    model.fit(features if "country" in features else features.to_numpy(), train.label)
    onnx = exported(model, features).SerializeToString()
    (folder / f"{name}.onnx").write_bytes(onnx)
    outputs = predicted(onnx, test.drop(columns=["label", "team"]))
    actual, group = test.label.to_numpy(), test.team.to_numpy()
    if data in regression:
        value = outputs[0].ravel().astype(np.float64)
        said = {"values": value.tolist()}
        metrics = value_metrics(actual.astype(np.float64), value)
        fairness = value_fairness(actual.astype(np.float64), value, group)
        average = None
    else:
        classes = np.unique(actual)
        label, probabilities = outputs[0], outputs[1].astype(np.float64)
        average = averages[at % 4] if len(classes) > 2 else [None, "macro"][at % 2]
        said = {"labels": label.tolist(), "scores": probabilities.ravel().tolist()}
        metrics = label_metrics(actual, label, probabilities, classes, average)
        binary = len(classes) == 2
        truth, decision = ((actual == classes[-1]).astype(int), (label == classes[-1]).astype(int)) if binary else (actual, label)
        fairness = label_fairness(truth, decision, group, binary)
    expected[name] = {
        "data": data,
        "task": "regression" if data in regression else "classification",
        "average": average,
        "predictions": said,
        "metrics": {key: number(each) for key, each in metrics.items()},
        "fairness": {key: number(each) for key, each in fairness.items()},
    }
(folder / "expected.json").write_text(json.dumps({"runtime": onnxruntime.__version__, "models": expected}))
