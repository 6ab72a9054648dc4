"""What a client got, as JSON that the test reads: numbers exactly, texts as texts, errors with their status."""

import json
import sys

import numpy

outcomes = {}


def shown(array):
    """One output: NumPy's type, the shape, and the values; integers as text, which keeps 64 bits."""
    flat = array.flatten().tolist()
    values = [
        value.decode("utf-8") if isinstance(value, bytes)
        else str(value) if isinstance(value, int) and not isinstance(value, bool)
        else repr(value) if isinstance(value, float) and not numpy.isfinite(value)
        else value
        for value in flat
    ]
    return {"type": str(array.dtype), "shape": list(array.shape), "values": values}


def note(case, outcome):
    outcomes[case] = outcome


def finish():
    json.dump(outcomes, sys.stdout)


# What is sent to the identity model of each datatype: [2, 2], with the values that go wrong when they are carried as something else.
samples = {
    "FP32": numpy.array([[0.1, -2.5], [3.4e38, 1e-45]], dtype=numpy.float32),
    "FP64": numpy.array([[0.1, -2.5], [1.7976931348623157e308, 5e-324]], dtype=numpy.float64),
    "FP16": numpy.array([[0.1, -2.5], [65504, 6e-8]], dtype=numpy.float16),
    "INT64": numpy.array([[9007199254740993, -9223372036854775808], [9223372036854775807, 0]], dtype=numpy.int64),
    "UINT64": numpy.array([[9007199254740993, 18446744073709551615], [1, 0]], dtype=numpy.uint64),
    "INT32": numpy.array([[-2147483648, 2147483647], [1, 0]], dtype=numpy.int32),
    "UINT8": numpy.array([[0, 255], [1, 7]], dtype=numpy.uint8),
    "BOOL": numpy.array([[True, False], [False, True]], dtype=numpy.bool_),
    "BYTES": numpy.array([["one", ""], ["zwölf 十二 🙂", 'a"b\\c\n']], dtype=numpy.object_),
}
