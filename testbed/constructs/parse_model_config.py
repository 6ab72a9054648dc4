"""Reads model configurations in protobuf text, one JSON string a line, with Triton's own protobuf; writes each as JSON."""

import json
import sys

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2

for line in sys.stdin:
    config = text_format.Parse(json.loads(line), model_config_pb2.ModelConfig())
    print(json.dumps(json_format.MessageToDict(config, preserving_proto_field_name=True), sort_keys=True))
