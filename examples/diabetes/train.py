"""Trains the example's models and exports them to ONNX: python train.py

Writes data/{train,test}.parquet and models/*.onnx. With the versions in requirements.txt every file comes out byte for
byte the same; other versions may round the last digits of the weights differently.
"""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

here = Path(__file__).parent

dataset = load_diabetes(as_frame=True, scaled=False)
rows = dataset.data.astype({"age": np.int64, "sex": np.int64}).assign(progression=dataset.target)
train, test = train_test_split(rows, test_size=0.4, random_state=0)
for name, part in {"train": train, "test": test}.items():
    (here / "data").mkdir(exist_ok=True)
    table = pyarrow.Table.from_pandas(part, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(table, here / "data" / f"{name}.parquet")

features = list(dataset.data.columns)


def regressor(columns: list[str], model) -> tuple[Pipeline, list[str]]:
    """A linear model with one input a column. It computes in float64, so that its answers do not hang on a processor's
    vector width or on how many rows a call has."""
    pipeline = Pipeline(
        [
            ("float64", ColumnTransformer([(column, CastTransformer(dtype=np.float64), [column]) for column in columns])),
            ("scaled", StandardScaler()),
            ("model", model),
        ]
    )
    return pipeline, columns


models = {
    # What is in production: body mass index and blood pressure.
    "baseline": regressor(["bmi", "bp"], LinearRegression()),
    # The pull request's candidate: everything that was measured.
    "good": regressor(features, Ridge(10)),
    # "Fairness through unawareness": the same without the column sex. Its errors then lean one way for each sex.
    "unfair": regressor([column for column in features if column != "sex"], Ridge(10)),
    # Age alone.
    "worse": regressor(["age"], LinearRegression()),
}

for name, (model, columns) in models.items():
    frame = train[columns]
    whole = {column: frame[column].dtype == np.int64 for column in columns}
    model.fit(frame.astype({column: np.int64 if whole[column] else np.float32 for column in columns}), train["progression"])
    exported = to_onnx(
        model,
        initial_types=[
            (column, Int64TensorType([None, 1]) if whole[column] else FloatTensorType([None, 1])) for column in columns
        ],
        target_opset=18,
        name="diabetes",
    )
    (here / "models").mkdir(exist_ok=True)
    (here / "models" / f"{name}.onnx").write_bytes(exported.SerializeToString(deterministic=True))
