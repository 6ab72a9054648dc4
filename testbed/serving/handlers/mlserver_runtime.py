"""MLServer runtime for ONNX files: `"implementation": "mlserver_runtime.OnnxRuntime"`."""

import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse, MetadataTensor
from onnx_model import BadInput, OnnxModel

DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
    "tensor(bool)": "BOOL",
    "tensor(string)": "BYTES",
}


def described(values):
    return [
        MetadataTensor(
            name=value.name,
            datatype=DATATYPES[value.type],
            # Its codecs answer a vector as a column.
            shape=[size if isinstance(size, int) else -1 for size in value.shape] + [1] * (len(value.shape) == 1),
        )
        for value in values
    ]


class OnnxRuntime(MLModel):
    async def load(self):
        fault = (self.settings.parameters.extra or {}).get("fault")
        if fault == "never-ready":
            await asyncio.sleep(3600)
        self.model = OnnxModel(self.settings.parameters.uri, fault)
        self.inputs = described(self.model.inputs)
        self.outputs = described(self.model.outputs)
        return True

    async def predict(self, payload):
        try:
            answers = self.model.run({value.name: NumpyCodec.decode_input(value) for value in payload.inputs})
        except (BadInput, ValueError) as error:
            raise InferenceError(str(error)) from error
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[self.encoded(name, value) for name, value in answers.items()],
        )

    @staticmethod
    def encoded(name, value):
        if value.dtype == object:
            return StringCodec.encode_output(name, value.tolist())
        return NumpyCodec.encode_output(name, value)
