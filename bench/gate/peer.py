"""Python's side of `npm run bench -- gate`: makes the models and the rows, and evaluates them with ONNX Runtime and scikit-learn.

`make FOLDER ROWS` writes rows.parquet, candidate.onnx and baseline.onnx. `evaluate FOLDER MODEL THREADS` reads the rows, runs the model on
them and computes the point metrics; prints seconds and numbers as JSON.
"""

import json
import sys
import time
import warnings

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import metrics

# Sums of single-precision probabilities are 1 to seven digits only, which scikit-learn says of doubles.
warnings.filterwarnings("ignore")
features = 30
batch = 4096
chunk = 1_000_000


def make(folder, rows):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(7)
    direction = None
    writer = None
    # A million at a time: ten millions need not fit into memory to be written.
    for start in range(0, rows, chunk):
        values = rng.normal(size=(min(chunk, rows - start), features)).astype(np.float32)
        direction = rng.normal(size=features) if direction is None else direction
        signal = values @ direction / np.linalg.norm(direction) + 0.5 * values[:, 0] * values[:, 1]
        label = (signal + rng.logistic(size=len(values)) > 0.4).astype(np.int64)
        table = pa.table({**{f"x{index}": values[:, index] for index in range(features)}, "label": label})
        if writer is None:
            first = (values[:20000], label[:20000])
            writer = pq.ParquetWriter(f"{folder}/rows.parquet", table.schema)
        writer.write_table(table)
    writer.close()
    candidate = MLPClassifier((32,), max_iter=15, random_state=1).fit(*first)
    baseline = LogisticRegression().fit(*first)
    for name, model in (("candidate", candidate), ("baseline", baseline)):
        exported = to_onnx(model, first[0][:1], options={id(model): {"zipmap": False}}, target_opset=17)
        with open(f"{folder}/{name}.onnx", "wb") as file:
            file.write(exported.SerializeToString())


def evaluate(folder, model, threads):
    began = time.perf_counter()
    table = pq.read_table(f"{folder}/rows.parquet", use_threads=threads != 1)
    values = np.column_stack([table.column(f"x{index}").to_numpy() for index in range(features)])
    label = table.column("label").to_numpy()
    read = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(f"{folder}/{model}.onnx", options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: values[at : at + batch]}) for at in range(0, len(values), batch)]
    predicted = np.concatenate([part[0] for part in parts])
    probabilities = np.concatenate([part[1] for part in parts])
    ran = time.perf_counter()
    score = probabilities[:, 1].astype(np.float64)
    both = probabilities.astype(np.float64)
    found = {
        "accuracy": metrics.accuracy_score(label, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, predicted),
        "precision": metrics.precision_score(label, predicted),
        "recall": metrics.recall_score(label, predicted),
        "f1": metrics.f1_score(label, predicted),
        "matthews_corrcoef": metrics.matthews_corrcoef(label, predicted),
        "roc_auc": metrics.roc_auc_score(label, score),
        "average_precision": metrics.average_precision_score(label, score),
        "log_loss": metrics.log_loss(label, both),
        "brier": metrics.brier_score_loss(label, score),
    }
    done = time.perf_counter()
    seconds = {"read": read - began, "run": ran - read, "measure": done - ran, "all": done - began}
    print(json.dumps({"seconds": seconds, "metrics": found}))


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    evaluate(sys.argv[2], sys.argv[3], int(sys.argv[4]))
