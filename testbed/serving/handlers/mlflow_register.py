"""Logs two runs with an ONNX file each, registered, and one that failed: python mlflow_register.py CHAMPION OTHER. Prints the runs' ids as JSON."""

import json
import sys

import mlflow
import onnx

champion, other = sys.argv[1:3]
mlflow.set_experiment("churn")


def logged(name, file, metrics):
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metrics(metrics)
        mlflow.onnx.log_model(onnx.load(file), name="model", registered_model_name="churn", pip_requirements=["onnxruntime"])
    return run.info.run_id


ids = {
    "champion": logged("owl", champion, {"accuracy": 0.95, "log_loss": 0.1, "val_auc": 0.99}),
    "latest": logged("fox", other, {"accuracy": 0.91, "log_loss": float("nan"), "val_auc": 0.97}),
}
ids["failed"] = mlflow.start_run(run_name="hare").info.run_id
mlflow.log_metric("accuracy", 0.2)
mlflow.end_run("FAILED")
mlflow.MlflowClient().set_registered_model_alias("churn", "champion", "1")
print(json.dumps(ids))
