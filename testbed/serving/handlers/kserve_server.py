"""KServe's model server with ONNX models: python kserve_server.py HTTP_PORT GRPC_PORT MODELS_JSON"""

import json
import sys
import threading

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput, ModelNotReady
from kserve.utils.utils import generate_uuid
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
        {
            "name": value.name,
            "datatype": DATATYPES[value.type],
            "shape": [size if isinstance(size, int) else -1 for size in value.shape],
        }
        for value in values
    ]


class OnnxServed(Model):
    def __init__(self, name, file, fault):
        super().__init__(name)
        self.file, self.fault, self.model = file, fault, None
        # To KServe "ready" means "may be registered"; with no such model it does not even start.
        self.ready = True

    def load(self):
        self.model = OnnxModel(self.file, self.fault)
        return True

    async def healthy(self):
        return self.model is not None

    async def get_input_types(self):
        return described(self.model.inputs)

    async def get_output_types(self):
        return described(self.model.outputs)

    def predict(self, payload, headers=None, response_headers=None):
        if self.model is None:
            raise ModelNotReady(self.name)
        try:
            return self.answer(payload)
        except (BadInput, ValueError) as error:
            raise InvalidInput(str(error)) from error

    def answer(self, payload):
        if not isinstance(payload, InferRequest):
            if "instances" not in payload:
                raise BadInput('the body has to have "instances"')
            answers = self.model.run_rows(payload["instances"])
            lists = {name: value.tolist() for name, value in answers.items()}
            return {"predictions": [dict(zip(lists, row)) for row in zip(*lists.values())]}
        answers = self.model.run({value.name: value.as_numpy() for value in payload.inputs})
        types = {value.name: DATATYPES[value.type] for value in self.model.outputs}
        outputs = []
        for name, value in answers.items():
            output = InferOutput(name=name, shape=list(value.shape), datatype=types[name])
            output.set_data_from_numpy(value, binary_data=False)
            outputs.append(output)
        return InferResponse(response_id=payload.id or generate_uuid(), model_name=self.name, infer_outputs=outputs)


if __name__ == "__main__":
    http_port, grpc_port, models = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    served = [OnnxServed(model["name"], model["file"], model.get("fault")) for model in models]
    for model in served:
        # In a thread: the server has to listen meanwhile.
        if model.fault == "never-ready":
            threading.Thread(target=model.load, daemon=True).start()
        else:
            model.load()
    ModelServer(http_port=http_port, grpc_port=grpc_port, workers=1, enable_latency_logging=False).start(served)
