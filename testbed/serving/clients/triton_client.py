"""NVIDIA's tritonclient against a server of the Open Inference Protocol: `triton_client.py http|grpc HOST:PORT`."""

import sys

import numpy
from outcome import finish, note, samples, shown

transport, address = sys.argv[1:]
over_http = transport == "http"
if over_http:
    import tritonclient.http as client_module
else:
    import tritonclient.grpc as client_module
from tritonclient.utils import InferenceServerException

client = client_module.InferenceServerClient(address)


def attempt(case, work):
    try:
        note(case, work())
    except InferenceServerException as error:
        note(case, {"status": str(error.status()), "message": error.message()})


def tensor(name, array, datatype, binary=True):
    made = client_module.InferInput(name, list(array.shape), datatype)
    if over_http:
        made.set_data_from_numpy(array, binary_data=binary)
    else:
        made.set_data_from_numpy(array)
    return made


def wanted(name, binary=True):
    return client_module.InferRequestedOutput(name, binary_data=binary) if over_http else client_module.InferRequestedOutput(name)


def identity(datatype, array, binary_in, binary_out):
    answer = client.infer(
        f"identity-{datatype.lower()}",
        [tensor("X", array, datatype, binary_in)],
        outputs=[wanted("Y", binary_out)],
    )
    return shown(answer.as_numpy("Y"))


for datatype, array in samples.items():
    ways = [(True, True), (True, False), (False, True), (False, False)] if over_http else [(True, True)]
    for binary_in, binary_out in ways:
        # Triton has no FP16 in JSON.
        if datatype == "FP16" and not (binary_in and binary_out):
            continue
        case = f"{datatype} {'binary' if binary_in else 'JSON'} in, {'binary' if binary_out else 'JSON'} out" if over_http else datatype
        attempt(case, lambda: identity(datatype, array, binary_in, binary_out))


def several(outputs):
    answer = client.infer(
        "several",
        [
            tensor("A", numpy.array([[1.5, 2.5]], dtype=numpy.float32), "FP32"),
            tensor("B", numpy.array([[10, 20]], dtype=numpy.int64), "INT64", binary=False),
        ],
        model_version="1",
        request_id="request 7",
        outputs=outputs,
    )
    response = answer.get_response()
    described = response if over_http else {"id": response.id, "model_version": response.model_version}
    return {
        "id": described["id"],
        "version": described["model_version"],
        "outputs": {
            name: shown(answer.as_numpy(name)) for name in ("sum", "B again") if answer.as_numpy(name) is not None
        },
    }


attempt("several inputs, all outputs", lambda: several(None))
attempt("several inputs, one output", lambda: several([wanted("sum")]))

floats = numpy.zeros((1, 2), dtype=numpy.float32)
wide = numpy.zeros((1, 3), dtype=numpy.float32)


def infer(model, inputs, **options):
    client.infer(model, inputs, **options)
    return "answered"


attempt("wrong shape", lambda: infer("identity-fp32", [tensor("X", wide, "FP32")]))
attempt("wrong datatype", lambda: infer("identity-fp32", [tensor("X", numpy.zeros((1, 2), dtype=numpy.int64), "INT64")]))
attempt("unknown input", lambda: infer("identity-fp32", [tensor("Z", floats, "FP32")]))
attempt("missing input", lambda: infer("several", [tensor("A", floats, "FP32")]))
attempt("unknown output", lambda: infer("identity-fp32", [tensor("X", floats, "FP32")], outputs=[wanted("Z")]))
attempt("unknown model", lambda: infer("no-such-model", [tensor("X", floats, "FP32")]))
attempt("unknown version", lambda: infer("identity-fp32", [tensor("X", floats, "FP32")], model_version="7"))
attempt("an empty batch", lambda: identity("FP32", numpy.zeros((0, 2), dtype=numpy.float32), True, True))

if over_http:
    for algorithm in ("gzip", "deflate"):
        attempt(
            f"{algorithm}",
            lambda: shown(
                client.infer(
                    "identity-fp32",
                    [tensor("X", samples["FP32"], "FP32")],
                    request_compression_algorithm=algorithm,
                    response_compression_algorithm=algorithm,
                ).as_numpy("Y")
            ),
        )
    unusual = numpy.array([[numpy.nan, numpy.inf], [-numpy.inf, 1]], dtype=numpy.float32)
    attempt("NaN and infinities binary", lambda: identity("FP32", unusual, True, True))
    attempt("NaN and infinities JSON", lambda: identity("FP32", unusual, False, False))

attempt("live", client.is_server_live)
attempt("ready", client.is_server_ready)
attempt("model ready", lambda: client.is_model_ready("several"))
attempt("unknown model ready", lambda: client.is_model_ready("no-such-model"))


def as_json(**options):
    return {} if over_http else {"as_json": True}


attempt("server metadata", lambda: client.get_server_metadata(**as_json()))
attempt("model metadata", lambda: client.get_model_metadata("several", **as_json()))
attempt("repository index", lambda: client.get_model_repository_index(**as_json()))
attempt("unload", lambda: client.unload_model("several"))
attempt("unloaded", lambda: client.is_model_ready("several"))
attempt("load", lambda: client.load_model("several"))
attempt("loaded", lambda: client.is_model_ready("several"))
attempt("load of an unknown model", lambda: client.load_model("no-such-model"))

finish()
