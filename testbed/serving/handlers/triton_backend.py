"""Triton's "onnxruntime" backend, written for its Python backend: the wheel that brings Triton has no other."""

import json
import os

import numpy as np
import triton_python_backend_utils as pb
from onnx_model import BadInput, OnnxModel

class TritonPythonModel:
    def initialize(self, args):
        path = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        parameters = json.loads(args["model_config"])["parameters"]
        self.model = OnnxModel(path, parameters.get("fault", {}).get("string_value"))

    def execute(self, requests):
        names = [value.name for value in self.model.inputs]
        feeds = [{name: pb.get_input_tensor_by_name(request, name).as_numpy() for name in names} for request in requests]
        counts = [len(feed[names[0]]) for feed in feeds]
        try:
            answers = self.model.run({name: np.concatenate([feed[name] for feed in feeds]) for name in names})
        except Exception as error:
            code = pb.TritonError.INVALID_ARG if isinstance(error, (BadInput, ValueError)) else pb.TritonError.INTERNAL
            failed = pb.TritonError(str(error), code)
            return [pb.InferenceResponse(output_tensors=[], error=failed) for _ in requests]
        responses, start = [], 0
        for count in counts:
            rows = slice(start, start + count)
            tensors = [pb.Tensor(name, np.ascontiguousarray(value[rows])) for name, value in answers.items()]
            responses.append(pb.InferenceResponse(output_tensors=tensors))
            start += count
        return responses
