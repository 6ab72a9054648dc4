"""Writes api-shapes.json: of botocore's models the operations that a rollout calls, for the stand-in of the tests.

python3 rollout/aws/api-shapes.py <the folder that botocore lies in: a checkout of github.com/boto/botocore, or site-packages> > rollout/aws/api-shapes.json

botocore is Apache-2.0. Descriptions are left out.
"""

import gzip
import json
import pathlib
import sys

OPERATIONS = {
    "sagemaker": (
        "sagemaker/2017-07-24",
        ["AddTags", "DeleteTags", "DescribeEndpoint", "ListTags", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"],
    ),
    "cloudwatch": ("cloudwatch/2010-08-01", ["GetMetricData", "SetAlarmState"]),
    "athena": (
        "athena/2017-05-18",
        ["GetQueryExecution", "GetQueryResults", "StartQueryExecution", "StopQueryExecution"],
    ),
}
KEPT = ("type", "required", "min", "max", "pattern", "enum")


def reachable(model, names):
    found = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        shape = model["shapes"][name]
        kept = {key: shape[key] for key in KEPT if key in shape}
        if "members" in shape:
            kept["members"] = {member: of["shape"] for member, of in shape["members"].items()}
            wanted += kept["members"].values()
        for part in ("member", "key", "value"):
            if part in shape:
                kept[part] = shape[part]["shape"]
                wanted.append(kept[part])
        found[name] = kept
    return dict(sorted(found.items()))


def service(folder, operations):
    plain = pathlib.Path(folder, "service-2.json")
    packed = pathlib.Path(folder, "service-2.json.gz")
    model = json.loads(plain.read_text() if plain.exists() else gzip.decompress(packed.read_bytes()))
    calls = {
        name: {part: model["operations"][name][part]["shape"] for part in ("input", "output") if part in model["operations"][name]}
        for name in operations
    }
    metadata = model["metadata"]
    return {
        "target": metadata["targetPrefix"],
        "version": metadata["jsonVersion"],
        "signing": metadata.get("signingName", metadata["endpointPrefix"]),
        "operations": calls,
        "shapes": reachable(model, [shape for call in calls.values() for shape in call.values()]),
    }


data = pathlib.Path(sys.argv[1], "botocore/data")
services = {name: service(data / folder, operations) for name, (folder, operations) in OPERATIONS.items()}
json.dump(services, sys.stdout, indent=1, sort_keys=False)
print()
