"""Turns rows to Parquet and back: `write out.parquet` reads a JSON list of rows, `read folder` prints one."""

import json
import sys

import pyarrow
import pyarrow.parquet

order, path = sys.argv[1:]
if order == "write":
    # Many small row groups, so that Spark has several batches to score.
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(json.load(sys.stdin)), path, row_group_size=50)
else:
    print(json.dumps(pyarrow.parquet.read_table(path).to_pylist()))
