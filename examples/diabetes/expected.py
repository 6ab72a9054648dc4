"""Writes expected.json: scikit-learn's and Fairlearn's numbers of each model's own answers on data/test.parquet.

python expected.py. The example's test holds Sluice to these numbers, to 1e-9.
"""

import json
from pathlib import Path

import fairlearn
import numpy as np
import onnxruntime
import pandas
import sklearn
from fairlearn.metrics import MetricFrame, mean_prediction
from sklearn import metrics

here = Path(__file__).parent
test = pandas.read_parquet(here / "data" / "test.parquet")
actual = test["progression"].to_numpy()


def mean_residual(actual, predicted):
    return np.mean(actual - predicted)


def expected(model: Path) -> dict:
    session = onnxruntime.InferenceSession(model)
    feeds = {
        tensor.name: test[[tensor.name]].to_numpy(np.int64 if tensor.type == "tensor(int64)" else np.float32)
        for tensor in session.get_inputs()
    }
    predicted = session.run(None, feeds)[0].ravel()
    by_sex = MetricFrame(
        metrics={
            "mae": metrics.mean_absolute_error,
            "rmse": metrics.root_mean_squared_error,
            "mean_prediction": mean_prediction,
            "mean_residual": mean_residual,
        },
        y_true=actual,
        y_pred=predicted,
        sensitive_features=test["sex"],
    )
    difference, ratio = by_sex.difference(), by_sex.ratio()
    return {
        "mae": metrics.mean_absolute_error(actual, predicted),
        "mse": metrics.mean_squared_error(actual, predicted),
        "rmse": metrics.root_mean_squared_error(actual, predicted),
        "mape": metrics.mean_absolute_percentage_error(actual, predicted),
        "median_absolute_error": metrics.median_absolute_error(actual, predicted),
        "max_error": metrics.max_error(actual, predicted),
        "r2": metrics.r2_score(actual, predicted),
        "fairness": {
            "mae_difference": difference["mae"],
            "mae_ratio": ratio["mae"],
            "rmse_difference": difference["rmse"],
            "rmse_ratio": ratio["rmse"],
            "mean_prediction_difference": difference["mean_prediction"],
            "mean_residual_difference": difference["mean_residual"],
        },
        "by_sex": {str(sex): row.to_dict() for sex, row in by_sex.by_group.iterrows()},
    }


document = {
    "made_by": f"expected.py, scikit-learn {sklearn.__version__}, Fairlearn {fairlearn.__version__}, "
    f"onnxruntime {onnxruntime.__version__}",
    "rows": len(test),
    "models": {model.stem: expected(model) for model in sorted((here / "models").glob("*.onnx"))},
}
(here / "expected.json").write_text(json.dumps(document, indent=2) + "\n")
