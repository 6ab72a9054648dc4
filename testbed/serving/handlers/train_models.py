"""Trains the models servers are measured with: python train_models.py FOLDER. Writes NAME.onnx and NAME.joblib."""

import sys
from pathlib import Path

import joblib
import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
data, target = load_breast_cancer(return_X_y=True)
train_x, test_x, train_y, _ = train_test_split(data.astype(np.float32), target, test_size=0.4, random_state=0)

models = {
    # 100 trees, 53 KB, about 9 microseconds a row: the run is a small part of a request.
    "gb": GradientBoostingClassifier(random_state=0),
    # 9.6 MB, about 120 microseconds a row: the run is most of a request.
    "bigmlp": make_pipeline(StandardScaler(), MLPClassifier((1024, 1536, 512), max_iter=6, random_state=0)),
}
for name, model in models.items():
    model.fit(train_x, train_y)
    exported = to_onnx(model, train_x[:1], options={id(model): {"zipmap": False}}, target_opset=17)
    (folder / f"{name}.onnx").write_bytes(exported.SerializeToString())
    joblib.dump(model, folder / f"{name}.joblib")
(folder / "rows.f32").write_bytes(np.ascontiguousarray(test_x).tobytes())
