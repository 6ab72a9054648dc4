"""Trains the example's models and exports them to ONNX: python train.py

Writes data/{train,test}.csv and models/*.onnx. With the versions in requirements.txt every file comes out byte for byte
the same; other versions may round the last digits of the weights differently.
"""

from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

here = Path(__file__).parent

dataset = load_breast_cancer(as_frame=True)
rows = dataset.data.assign(diagnosis=np.where(dataset.target == 0, "malignant", "benign"))
train, test = train_test_split(rows, test_size=0.4, random_state=0, stratify=rows["diagnosis"])
for name, part in {"train": train, "test": test}.items():
    (here / "data").mkdir(exist_ok=True)
    part.to_csv(here / "data" / f"{name}.csv", index=False, lineterminator="\n")

features = list(dataset.data.columns)


def classifier(columns: list[str], strength: float = 1.0) -> Pipeline:
    """Logistic regression on some of the measurements. The model takes float32, as most do, and computes in float64, so
    that its answers do not hang on a processor's vector width or on how many rows a call has."""
    kept = [features.index(column) for column in columns]
    return Pipeline(
        [
            ("float64", ColumnTransformer([("kept", CastTransformer(dtype=np.float64), kept)])),
            ("scaled", StandardScaler()),
            ("classifier", LogisticRegression(C=strength, max_iter=1000)),
        ]
    )


models = {
    # What is in production: four measurements of the cell nuclei.
    "baseline": classifier(["mean radius", "mean texture", "mean smoothness", "mean concavity"]),
    # The pull request's candidate: all thirty, more regularised.
    "good": classifier(features, strength=0.1),
    # Two measurements: so near the bound that 228 rows cannot tell on which side it is.
    "uncertain": classifier(["mean radius", "mean texture"]),
    # The size of the nuclei left out by mistake.
    "worse": classifier(["mean texture"]),
}

for name, model in models.items():
    model.fit(train[features].to_numpy(np.float32), train["diagnosis"])
    exported = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(features)]))],
        options={"zipmap": False},
        target_opset=18,
        name="breast-cancer",
    )
    (here / "models").mkdir(exist_ok=True)
    (here / "models" / f"{name}.onnx").write_bytes(exported.SerializeToString(deterministic=True))
