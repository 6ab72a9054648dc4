"""Calls AWS's own client by its models: a JSON object with service, operation and parameters a line, answered by one. Argument: the endpoint."""

import base64
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

session = boto3.session.Session(
    aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
)
config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=60)
clients = {}


def client_of(service):
    if service not in clients:
        clients[service] = session.client(service, endpoint_url=sys.argv[1], config=config)
    return clients[service]


def plain(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.read().decode() if hasattr(value, "read") else str(value)


UNKNOWN = {"unknown": True}


def filled(value, shape):
    """The value with something that fits its shape where only a later time knows what it is."""
    if value == UNKNOWN:
        return fitting(shape)
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        return {key: filled(each, shape.members.get(key)) for key, each in value.items()}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: filled(each, shape.value) for key, each in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [filled(each, shape.member) for each in value]
    return value


def fitting(shape):
    least = shape.metadata.get("min", 1) if shape is not None else 1
    kind = "string" if shape is None else shape.type_name
    if kind == "structure":
        return {name: fitting(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [fitting(shape.member)] * max(least, 1)
    if kind in ("integer", "long", "float", "double"):
        return max(least, 1)
    return {"map": {}, "boolean": True, "blob": b"", "timestamp": 0}.get(kind, "x" * max(least, 1))


def answer(service, operation, parameters, validate=False):
    client = client_of(service)
    if validate:
        shape = client.meta.service_model.operation_model(operation).input_shape
        return ParamValidator().validate(filled(parameters, shape), shape).generate_report()
    result = getattr(client, operation)(**parameters)
    result.pop("ResponseMetadata", None)
    return result


for line in sys.stdin:
    try:
        said = {"answer": answer(**json.loads(line))}
    except ClientError as error:
        said = {"code": error.response["Error"].get("Code", ""), "message": str(error)}
    except ParamValidationError as error:
        said = {"code": "ParamValidation", "message": str(error)}
    except Exception as error:  # Whatever it is, the caller is told.
        said = {"code": type(error).__name__, "message": str(error)}
    print(json.dumps(said, default=plain), flush=True)
