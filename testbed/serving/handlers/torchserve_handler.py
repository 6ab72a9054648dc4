"""TorchServe handler for an ONNX file: rows of numbers in, the model's outputs by name out."""

import json
import os

from onnx_model import BadInput, OnnxModel
from ts.utils.util import PredictionException

model = None


def initialize(context):
    global model
    folder = context.system_properties["model_dir"]
    with open(os.path.join(folder, "settings.json")) as file:
        fault = json.load(file).get("fault")
    model = OnnxModel(os.path.join(folder, "model.onnx"), fault)


def rows_of(request):
    """The body as TorchServe gives it: parsed if it came as JSON, else bytes."""
    body = request.get("body", request.get("data"))
    if isinstance(body, (bytes, bytearray)):
        body = json.loads(body)
    return body["instances"] if isinstance(body, dict) else body


def handle(requests, context):
    if model is None:
        initialize(context)
    try:
        answers = [model.run_rows(rows_of(request)) for request in requests or []]
    except (BadInput, ValueError, KeyError) as error:
        raise PredictionException(str(error), 400) from error
    return [{name: value.tolist() for name, value in answer.items()} for answer in answers]
