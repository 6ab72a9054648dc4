"""Saves an ONNX file as an MLflow model: python mlflow_model.py FILE FOLDER [FAULT]. With a fault it is a Python function."""

import os
import sys

import mlflow
from mlflow.models import set_model


class FaultyModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from onnx_model import OnnxModel

        self.model = OnnxModel(context.artifacts["model"], context.model_config["fault"])

    def predict(self, context, model_input, params=None):
        rows = next(iter(model_input.values())) if isinstance(model_input, dict) else model_input
        return self.model.run_rows(rows)


set_model(FaultyModel())

if __name__ == "__main__":
    file, folder, fault = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
    if fault is None:
        import onnx

        mlflow.onnx.save_model(onnx.load(file), folder, onnx_execution_providers=["CPUExecutionProvider"])
    else:
        mlflow.pyfunc.save_model(
            folder,
            python_model=os.path.abspath(__file__),
            artifacts={"model": file},
            model_config={"fault": fault},
            pip_requirements=["mlflow"],
        )
