"""The model inside every server of the testbed: an ONNX file in ONNX Runtime and, when it is asked for, one fault."""

import time

import numpy as np
import onnxruntime as ort

NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class BadInput(Exception):
    """What the caller sent does not fit the model."""


class OnnxModel:
    def __init__(self, path, fault=None):
        self.fault = fault
        if fault == "never-ready":
            time.sleep(3600)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = self.session.get_inputs()
        self.outputs = self.session.get_outputs()

    def run(self, feeds):
        """Arrays by input name to arrays by output name."""
        if self.fault == "slow":
            time.sleep(0.3)
        if self.fault == "raises":
            raise RuntimeError("the model raises on purpose")
        values = self.session.run(None, {feed.name: self.checked(feed, feeds) for feed in self.inputs})
        answers = {output.name: np.asarray(value) for output, value in zip(self.outputs, values)}
        if self.fault == "narrow":
            last = self.outputs[-1].name
            answers[last] = np.ascontiguousarray(answers[last][..., :-1])
        return answers

    def run_rows(self, rows):
        """Lists of numbers, for models with one input: what protocols without types send."""
        return self.run({self.inputs[0].name: rows})

    @staticmethod
    def checked(feed, feeds):
        try:
            value = np.asarray(feeds[feed.name], dtype=NUMPY_TYPES[feed.type])
        except (KeyError, ValueError, TypeError) as error:
            raise BadInput(f'input "{feed.name}" has to be {feed.type}') from error
        wanted = feed.shape
        if value.ndim != len(wanted) or any(isinstance(w, int) and w != size for w, size in zip(wanted, value.shape)):
            raise BadInput(f'input "{feed.name}" has the shape {list(value.shape)}, and has to have {wanted}')
        return value
