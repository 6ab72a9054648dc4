"""KServe's Python clients against a server of the Open Inference Protocol: `kserve_client.py http|grpc ADDRESS`."""

import asyncio
import sys

import grpc
import httpx
import numpy
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from outcome import finish, note, samples, shown

transport, address = sys.argv[1:]
over_http = transport == "http"


async def attempt(case, work):
    try:
        note(case, await work())
    except httpx.HTTPStatusError as error:
        note(case, {"status": str(error.response.status_code), "message": error.response.text})
    except grpc.RpcError as error:
        note(case, {"status": str(error.code()), "message": error.details()})


def tensor(name, array, datatype, binary):
    made = InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


async def main():
    client = (
        InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
        if over_http
        else InferenceGRPCClient(address, retries=0)
    )

    async def infer(model, inputs, outputs=None, request_id=None):
        request = InferRequest(
            model_name=model, infer_inputs=inputs, request_outputs=outputs or [], request_id=request_id
        )
        if over_http:
            return await client.infer(address, request, model_name=model)
        return await client.infer(request)

    async def identity(datatype, array, binary):
        outputs = [RequestedOutput("Y", parameters={"binary_data": binary})] if over_http else None
        answer = await infer(f"identity-{datatype.lower()}", [tensor("X", array, datatype, binary)], outputs)
        return shown(answer.outputs[0].as_numpy())

    for datatype, array in samples.items():
        for binary in (True, False):
            # KServe has no FP16 in JSON and no typed contents for it.
            if datatype == "FP16" and not binary:
                continue
            way = ("binary" if binary else "JSON") if over_http else ("raw" if binary else "typed")
            await attempt(f"{datatype} {way}", lambda: identity(datatype, array, binary))

    async def several():
        answer = await infer(
            "several",
            [
                tensor("A", numpy.array([[1.5, 2.5]], dtype=numpy.float32), "FP32", over_http),
                tensor("B", numpy.array([[10, 20]], dtype=numpy.int64), "INT64", False),
            ],
            request_id="request 7",
        )
        return {
            "id": answer.id,
            "version": answer.model_version,
            "outputs": {output.name: shown(output.as_numpy()) for output in answer.outputs},
        }

    await attempt("several inputs, all outputs", several)
    wide = numpy.zeros((1, 3), dtype=numpy.float32)
    await attempt("wrong shape", lambda: infer("identity-fp32", [tensor("X", wide, "FP32", False)]))
    await attempt("unknown model", lambda: infer("no-such-model", [tensor("X", wide, "FP32", False)]))
    if over_http:
        unusual = numpy.array([[numpy.nan, 1], [2, 3]], dtype=numpy.float32)
        await attempt("NaN binary", lambda: identity("FP32", unusual, True))
        await attempt("NaN JSON", lambda: identity("FP32", unusual, False))
        await attempt("live", lambda: client.is_server_live(address))
        await attempt("ready", lambda: client.is_server_ready(address))
        await attempt("model ready", lambda: client.is_model_ready(address, "several"))
    else:
        await attempt("live", client.is_server_live)
        await attempt("ready", client.is_server_ready)
        await attempt("model ready", lambda: client.is_model_ready("several"))


asyncio.run(main())
finish()
