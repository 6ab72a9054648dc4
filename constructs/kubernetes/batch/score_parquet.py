"""Scores the rows of a Parquet data set with an ONNX model, on Spark.

    spark-submit score_parquet.py --model /models/model.onnx --input s3a://lake/customers --output s3a://lake/scores \
        --features age,income,tenure --keep customer_id --add model_version=3

Needs Spark 3.4 or later with pyarrow, numpy, onnxruntime and (Spark itself asks for it) pandas for Python on every node, and the model at the same
path on every node. Each task loads the model once and scores its rows in batches; nothing is collected on the driver. An output that is there is not replaced unless
--replace says so; what a broken run has left unfinished is.

Exits with 2 and one line that says what to change when the data and the model do not fit each other.
"""

import argparse
import json
import re
import sys

# What ONNX calls a tensor's numbers: the columns that are read as such, and what they become in Parquet.
ARROW_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool_",
    "tensor(string)": "string",
}
FRACTIONS = ("tensor(float)", "tensor(double)")
SPARK_TYPES = {
    "tensor(float)": "FloatType",
    "tensor(double)": "DoubleType",
    "tensor(int64)": "LongType",
    "tensor(int32)": "IntegerType",
    "tensor(bool)": "BooleanType",
    "tensor(string)": "StringType",
}


class DoesNotFit(Exception):
    """The data and the model do not fit each other; the message says what to change."""


def main(arguments=None):
    options = parse(arguments)
    from pyspark.errors import PythonException
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("sluice-score-parquet").getOrCreate()
    try:
        report = score_all(spark, options)
    except DoesNotFit as problem:
        print(f"score_parquet: {problem}", file=sys.stderr)
        return 2
    except PythonException as problem:
        # What a task found out comes back as text, with the task's whole stack.
        told = re.search(r"DoesNotFit: (.*)", str(problem))
        if told is None:
            raise
        print(f"score_parquet: {told[1]}", file=sys.stderr)
        return 2
    finally:
        spark.stop()
    print(json.dumps(report))
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="score_parquet.py", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="the ONNX file, at the same path on every node")
    parser.add_argument("--input", required=True, help="Parquet: a file or a folder, on anything Spark reads")
    parser.add_argument("--output", required=True, help="a folder that is made")
    parser.add_argument("--features", type=names, default=[], help="the columns of a model with one input, in its order")
    parser.add_argument("--outputs", type=names, default=[], help="the model's outputs to write; all of them unless given")
    parser.add_argument("--keep", type=names, default=[], help="columns of the input to write beside them")
    parser.add_argument("--add", type=assignment, action="append", default=[], help="name=text: a column that is the same in every row")
    parser.add_argument("--batch-rows", type=positive, default=4096, help="rows that run together")
    parser.add_argument("--threads", type=positive, default=1, help="threads of the model in each task")
    parser.add_argument("--replace", action="store_true", help="replace an output that is there")
    return parser.parse_args(arguments)


def names(text):
    return [name for name in text.split(",") if name]


def assignment(text):
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not name=text")
    return name, value


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return number


def score_all(spark, options):
    """Scores everything; returns what was done, for the log."""
    from pyspark.sql import functions, types

    session = open_model(options.model, options.threads)
    refuse_finished(spark, options.output, options.replace)
    rows = spark.read.parquet(options.input)
    plan = plan_of(session, rows.columns, options)
    wanted = list(dict.fromkeys(column for _, columns, _ in plan["inputs"] for column in columns))
    kept = [column for column in options.keep if column not in wanted]
    read = rows.select([functions.col(quoted(column)) for column in wanted + kept])
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(options.batch_rows))
    fields = [rows.schema[column] for column in options.keep]
    for name, kind, wide in plan["outputs"]:
        element = getattr(types, SPARK_TYPES[kind])()
        fields.append(types.StructField(name, types.ArrayType(element) if wide else element))
    scored = read.mapInArrow(scorer(options.model, options.threads, plan, options.keep), types.StructType(fields))
    for name, value in options.add:
        scored = scored.withColumn(name, functions.lit(value))
    scored.write.mode("overwrite").parquet(options.output)
    before, after = rows.count(), spark.read.parquet(options.output).count()
    if before != after:
        raise DoesNotFit(f"{options.input} has {before} rows and {options.output} {after}; was one of them written meanwhile? Score it again.")
    return {"rows": after, "output": options.output, "columns": scored.columns}


def quoted(column):
    return "`" + column.replace("`", "``") + "`"


def refuse_finished(spark, output, replace):
    """An output with anything in it that a broken run would not have left is somebody's."""
    path = spark._jvm.org.apache.hadoop.fs.Path(output)
    files = path.getFileSystem(spark._jsc.hadoopConfiguration())
    if replace or not files.exists(path):
        return
    found = sorted(each.getPath().getName() for each in files.listStatus(path))
    others = [name for name in found if not name.startswith(("_temporary", "."))]
    if others:
        raise DoesNotFit(f"{output} is there already, with {others[0]}. Choose another output, or say --replace.")


def open_model(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait would take the cores of the tasks beside.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def plan_of(session, columns, options):
    """Which columns go into which input, and which outputs become which columns. Everything in it can be sent to executors."""
    inputs = session.get_inputs()
    if options.features:
        if len(inputs) != 1:
            raise DoesNotFit(f"the model has {len(inputs)} inputs ({listed(inputs)}), and --features is for one. Leave it out; columns are then found by the inputs' names.")
        assigned = [(inputs[0], options.features)]
    else:
        assigned = [(each, [each.name]) for each in inputs]
    for each, wanted in assigned:
        missing = [column for column in wanted if column not in columns]
        if missing:
            raise DoesNotFit(f"the data has no column {', '.join(missing)} for the model's input {each.name}. It has {', '.join(columns)}. Name the columns with --features.")
        if each.type not in ARROW_TYPES:
            raise DoesNotFit(f"the model's input {each.name} is {each.type}, which no column can be. Export the model with tensors of numbers or strings.")
        check_width(each, len(wanted), bool(options.features))
    missing = [column for column in options.keep if column not in columns]
    if missing:
        raise DoesNotFit(f"the data has no column {', '.join(missing)} to keep. It has {', '.join(columns)}.")
    offered = {each.name: each for each in session.get_outputs()}
    unknown = [name for name in options.outputs if name not in offered]
    if unknown:
        raise DoesNotFit(f"the model has no output {', '.join(unknown)}. It has {', '.join(offered)}.")
    outputs = []
    for name in options.outputs or offered:
        each = offered[name]
        if each.type not in SPARK_TYPES:
            raise DoesNotFit(f"the model's output {name} is {each.type}, which is no column. Export a classifier of scikit-learn with zipmap=False, or name others with --outputs.")
        # Rows of several numbers become lists; a last dimension of one is the number itself.
        wide = len(each.shape) > 1 and each.shape[-1] != 1
        outputs.append((name, each.type, wide))
    taken = [name for name, *_ in outputs] + [name for name, _ in options.add]
    twice = sorted({name for name in options.keep + taken if (options.keep + taken).count(name) > 1})
    if twice:
        raise DoesNotFit(f"the output would have {', '.join(twice)} twice. Leave it out of --keep or --add.")
    return {"inputs": [(each.name, list(wanted), each.type) for each, wanted in assigned], "outputs": outputs, "ranks": {each.name: len(each.shape) for each in inputs}}


def listed(values):
    return ", ".join(each.name for each in values)


def check_width(model_input, width, matrix):
    shape = model_input.shape
    if len(shape) > 2 or len(shape) < 1:
        raise DoesNotFit(f"the model's input {model_input.name} has {len(shape)} dimensions, and columns make one or two. Score it with a program of its own.")
    if matrix and len(shape) == 1:
        raise DoesNotFit(f"the model's input {model_input.name} takes one number a row, and --features names {width} columns for a row of them. Leave --features out.")
    if isinstance(shape[0], int):
        raise DoesNotFit(f"the model's input {model_input.name} takes exactly {shape[0]} rows. Export the model with a free first dimension.")
    expected = shape[1] if len(shape) == 2 else 1
    if isinstance(expected, int) and expected != width:
        raise DoesNotFit(f"the model's input {model_input.name} takes {expected} numbers a row and gets {width} columns. Name all of them, in the model's order, with --features.")


def scorer(model, threads, plan, keep):
    """What every task does with its batches."""

    def score(batches):
        import pyarrow

        session = open_model(model, threads)
        for batch in batches:
            if batch.num_rows == 0:
                continue
            feeds = {name: tensor(batch, columns, kind, plan["ranks"][name]) for name, columns, kind in plan["inputs"]}
            results = session.run([name for name, *_ in plan["outputs"]], feeds)
            arrays = [batch.column(batch.schema.get_field_index(column)) for column in keep]
            arrays += [column_of(result, wide, batch.num_rows, name) for result, (name, _, wide) in zip(results, plan["outputs"])]
            yield pyarrow.RecordBatch.from_arrays(arrays, names=[*keep, *(name for name, *_ in plan["outputs"])])

    return score


def tensor(batch, columns, kind, rank):
    """The columns as the model takes them. A missing number is NaN where the model takes fractions, and refused elsewhere."""
    import numpy
    import pyarrow

    arrow = getattr(pyarrow, ARROW_TYPES[kind])()
    parts = []
    for column in columns:
        values = batch.column(batch.schema.get_field_index(column))
        if values.null_count > 0 and kind not in FRACTIONS:
            raise DoesNotFit(f"column {column} has missing values, which {kind} cannot hold. Fill them before, or train with fractions.")
        try:
            # A large integer may lose its last digits as a fraction, as it did in training; it may not become another integer.
            parts.append(values.cast(arrow, safe=kind not in FRACTIONS).to_numpy(zero_copy_only=False))
        except pyarrow.ArrowException as error:
            raise DoesNotFit(f"column {column} is {values.type}, which cannot be read as {kind}: {error}. Convert it before.") from None
    if rank == 1:
        return parts[0]
    return numpy.ascontiguousarray(numpy.stack(parts, axis=1))


def column_of(result, wide, rows, name):
    import pyarrow

    if result.ndim == 0 or result.shape[0] != rows:
        raise DoesNotFit(f"the model's output {name} has the shape {list(result.shape)} for {rows} rows. Export the model with a free first dimension.")
    values = result.reshape(rows, -1)
    if wide:
        return pyarrow.array(list(values))
    if values.shape[1] != 1:
        raise DoesNotFit(f"the model's output {name} has {values.shape[1]} numbers a row where its signature promises one.")
    return pyarrow.array(values[:, 0])


if __name__ == "__main__":
    sys.exit(main())
