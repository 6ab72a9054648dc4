"""Writes expected.json: scikit-learn's metrics of each model's own answers on data/test.csv: python expected.py

The example's test holds Sluice to these numbers, to 1e-9.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas
import sklearn
from sklearn import metrics

here = Path(__file__).parent
test = pandas.read_csv(here / "data" / "test.csv")
actual = test["diagnosis"]
features = test.drop(columns="diagnosis").to_numpy(np.float32)
positive = "malignant"


def expected(model: Path) -> dict[str, float]:
    session = onnxruntime.InferenceSession(model)
    predicted, probabilities = session.run(["label", "probabilities"], {"features": features})
    score = probabilities[:, 1]  # classes are in alphabetical order: benign, malignant
    return {
        "accuracy": metrics.accuracy_score(actual, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
        "precision": metrics.precision_score(actual, predicted, pos_label=positive),
        "recall": metrics.recall_score(actual, predicted, pos_label=positive),
        "f1": metrics.f1_score(actual, predicted, pos_label=positive),
        "roc_auc": metrics.roc_auc_score(actual == positive, score),
        "average_precision": metrics.average_precision_score(actual == positive, score),
        "log_loss": metrics.log_loss(actual, probabilities),
        "brier": metrics.brier_score_loss(actual == positive, score),
        "matthews_corrcoef": metrics.matthews_corrcoef(actual, predicted),
    }


document = {
    "made_by": f"expected.py, scikit-learn {sklearn.__version__}, onnxruntime {onnxruntime.__version__}",
    "rows": len(test),
    "models": {model.stem: expected(model) for model in sorted((here / "models").glob("*.onnx"))},
}
(here / "expected.json").write_text(json.dumps(document, indent=2) + "\n")
