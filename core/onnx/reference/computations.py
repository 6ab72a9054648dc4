"""Writes computations.json and the graphs beside it: what public tools say that models compute.

    uv run --with onnx==1.23.0 --with onnx-tool==1.0.1 --with onnxruntime==1.31.1 --with numpy==2.4.6 \
        --with scikit-learn==1.9.1 --with skl2onnx==1.20.0 --with setuptools computations.py

Deep models: multiply-accumulates from the shapes of onnx.shape_inference (and, where onnx-tool profiles the graph, its count of the layers
that multiply). Classical ones: from the fitted scikit-learn estimators. Weights are taken out of the graphs (they become claims on a file
that is not there): only their shapes matter.
"""

import json
import pathlib
import tempfile

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(0)


class Graph:
    def __init__(self, inputs):
        self.nodes, self.weights, self.count = [], [], 0
        self.inputs = [h.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]

    def weight(self, *shape, values=None):
        self.count += 1
        name = f"w{self.count}"
        data = rng.standard_normal(shape).astype(np.float32) if values is None else np.asarray(values, dtype=np.int64)
        self.weights.append(onnx.numpy_helper.from_array(data, name))
        return name

    def add(self, operator, *inputs, outputs=1, domain="", **attributes):
        self.count += 1
        names = [f"v{self.count}_{at}" for at in range(outputs)]
        self.nodes.append(h.make_node(operator, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def model(self, output, opset=17):
        graph = h.make_graph(
            self.nodes, "g", self.inputs, [h.make_tensor_value_info(output, T.FLOAT, None)], self.weights
        )
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)])
        model.ir_version = 8
        model.graph.output[0].type.tensor_type.ClearField("shape")
        return model


def conv(g, x, cin, cout, k, stride=1, group=1, pad=None, dilation=1, bias=False):
    pad = (k - 1) // 2 * dilation if pad is None else pad
    w = g.weight(cout, cin // group, k, k)
    extra = [g.weight(cout)] if bias else []
    return g.add("Conv", x, w, *extra, kernel_shape=[k, k], strides=[stride, stride], group=group,
                 pads=[pad] * 4, dilations=[dilation, dilation])


def norm(g, x, c):
    return g.add("BatchNormalization", x, *[g.weight(c) for _ in range(4)])


def resnet18():
    g = Graph([("x", T.FLOAT, ["batch", 3, 224, 224])])
    x = g.add("Relu", norm(g, conv(g, "x", 3, 64, 7, 2), 64))
    x = g.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    cin = 64
    for cout, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first, 1):
            y = g.add("Relu", norm(g, conv(g, x, cin, cout, 3, stride), cout))
            y = norm(g, conv(g, y, cout, cout, 3), cout)
            short = x if stride == 1 and cin == cout else norm(g, conv(g, x, cin, cout, 1, stride, pad=0), cout)
            x = g.add("Relu", g.add("Add", y, short))
            cin = cout
    x = g.add("Flatten", g.add("GlobalAveragePool", x))
    return g.model(g.add("Gemm", x, g.weight(1000, 512), g.weight(1000), transB=1))


def mobile():
    g = Graph([("x", T.FLOAT, ["N", 3, 96, 96])])
    x, cin = conv(g, "x", 3, 32, 3, 2), 32
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)):
        for at in range(n):
            inner = cin * t
            y = x if t == 1 else g.add("Clip", conv(g, x, cin, inner, 1, pad=0))
            y = conv(g, y, inner, inner, 3, s if at == 0 else 1, group=inner)
            y = conv(g, y, inner, c, 1, pad=0)
            x, cin = (g.add("Add", x, y) if cin == c and at > 0 else y), c
    x = g.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    return g.model(g.add("MatMul", x, g.weight(cin, 10)))


def transformer():
    """Reshapes computed from the input's own shape, as PyTorch exports them."""
    g = Graph([("tokens", T.INT64, ["batch", 64])])
    width, heads = 128, 4
    x = g.add("Gather", g.weight(1000, width), "tokens")
    for _ in range(2):
        shape = g.add("Shape", x)
        batch = g.add("Unsqueeze", g.add("Gather", shape, g.weight(values=np.array(0)), axis=0), g.weight(values=[0]))
        length = g.add("Slice", shape, g.weight(values=[1]), g.weight(values=[2]))
        split = g.add("Concat", batch, length, g.weight(values=[heads]), g.weight(values=[width // heads]), axis=0)
        q, k, v = (g.add("Transpose", g.add("Reshape", g.add("MatMul", x, g.weight(width, width)), split),
                         perm=[0, 2, 1, 3]) for _ in range(3))
        scores = g.add("MatMul", q, g.add("Transpose", k, perm=[0, 1, 3, 2]))
        y = g.add("MatMul", g.add("Softmax", scores, axis=-1), v)
        joined = g.add("Concat", batch, length, g.weight(values=[-1]), axis=0)
        y = g.add("Reshape", g.add("Transpose", y, perm=[0, 2, 1, 3]), joined)
        x = g.add("Add", x, g.add("MatMul", y, g.weight(width, width)))
        y = g.add("Relu", g.add("MatMul", x, g.weight(width, 4 * width)))
        x = g.add("LayerNormalization", g.add("Add", x, g.add("MatMul", y, g.weight(4 * width, width))),
                  g.weight(width), g.weight(width))
    pooled = g.add("ReduceMean", x, axes=[1], keepdims=0)
    return g.model(g.add("Gemm", pooled, g.weight(2, width), g.weight(2), transB=1))


def autoencoder():
    g = Graph([("x", T.FLOAT, [1, 4, 50, 38])])
    a = g.add("Relu", conv(g, "x", 4, 16, 3, 2))
    b = g.add("Relu", conv(g, a, 16, 32, 5, 2, dilation=2))
    up = g.add("ConvTranspose", b, g.weight(32, 8, 4, 4), kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1],
               group=2, output_padding=[1, 0])
    both = g.add("Concat", up, g.add("Resize", b, "", "", g.add("Concat", g.add("Slice", g.add("Shape", b), g.weight(values=[0]), g.weight(values=[2])),
                 g.add("Slice", g.add("Shape", up), g.weight(values=[2]), g.weight(values=[4])), axis=0), mode="nearest"), axis=1)
    parts = g.add("Split", both, g.weight(values=[16, 32]), outputs=2, axis=1)
    return g.model(conv(g, g.add("Pad", parts[1], g.weight(values=[0, 0, 1, 2, 0, 0, 3, 4])), 32, 3, 3, pad=0, bias=True))


def sequence():
    g = Graph([("x", T.FLOAT, [20, "batch", 12])])
    y = g.add("LSTM", "x", g.weight(2, 4 * 16, 12), g.weight(2, 4 * 16, 16), outputs=3, direction="bidirectional", hidden_size=16)[0]
    y = g.add("Reshape", g.add("Transpose", y, perm=[0, 2, 1, 3]), g.weight(values=[20, -1, 32]))
    y = g.add("GRU", y, g.weight(1, 3 * 8, 32), g.weight(1, 3 * 8, 8), outputs=2, hidden_size=8)[1]
    return g.model(g.add("Einsum", g.add("Squeeze", y, g.weight(values=[0])), g.weight(8, 3), equation="bi,io->bo"))


def elements(shape):
    return int(np.prod(shape, dtype=np.int64))


def count(model):
    """From onnx.shape_inference's shapes, the batch set to 1; None for what it does not infer."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = 1
    graph = onnx.shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True).graph
    shapes = {w.name: list(w.dims) for w in graph.initializer}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        dims = value.type.tensor_type.shape.dim
        shapes[value.name] = [d.dim_value if d.HasField("dim_value") else None for d in dims]
    total = {}
    for node in graph.node:
        of = [shapes.get(name) for name in node.input]
        out = shapes.get(node.output[0])
        op = node.op_type
        if op == "Conv":
            cost = elements(out) * elements(of[1][1:])
        elif op == "ConvTranspose":
            cost = elements(of[0]) * elements(of[1][1:])
        elif op == "MatMul":
            cost = elements(out) * of[0][-1]
        elif op == "Gemm":
            cost = elements(out) * of[0][1]
        elif op in ("LSTM", "GRU"):
            cost = of[0][0] * of[0][1] * (elements(of[1]) + elements(of[2]))
        elif op == "Einsum":
            cost = of[0][0] * of[0][1] * of[1][1]
        else:
            continue
        total[op] = total.get(op, 0) + cost
    return total


def by_onnx_tool(model, path):
    """Its MACs of the layers that multiply; None where it cannot read the graph."""
    import onnx_tool

    try:
        profile = onnx_tool.Model(str(path), {"verbose": False})
        graph = profile.graph
        name = model.graph.input[0].name
        dims = [d.dim_value or 1 for d in model.graph.input[0].type.tensor_type.shape.dim]
        kind = np.int64 if model.graph.input[0].type.tensor_type.elem_type == T.INT64 else np.float32
        graph.shape_infer({name: np.zeros(dims, dtype=kind)})
        graph.profile()
        total = {}
        for node in graph.nodemap.values():
            if node.op_type in ("Conv", "ConvTranspose", "MatMul", "Gemm"):
                total[node.op_type] = total.get(node.op_type, 0) + int(node.macs[0])
        return total
    except Exception as error:
        print("onnx-tool:", repr(error)[:200])
        return None


def without_weights(model):
    for tensor in model.graph.initializer:
        if tensor.data_type == T.INT64:
            continue
        bytes_ = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = T.EXTERNAL
        for key, value in (("location", "absent.bin"), ("offset", "0"), ("length", str(bytes_))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    return model


def classical():
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    x = rng.standard_normal((200, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int) + (x[:, 3] > 1)
    ml = lambda name: f"ai.onnx.ml.{name}"
    for name, estimator in (
        ("tree", DecisionTreeClassifier(max_depth=5, random_state=0)),
        ("forest", RandomForestClassifier(n_estimators=7, max_depth=4, random_state=0)),
        ("boosting", GradientBoostingRegressor(n_estimators=9, max_depth=3, random_state=0)),
        ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
        ("support-vectors", SVC(probability=False, random_state=0)),
        ("mlp", make_pipeline(StandardScaler(), MLPClassifier((16, 8), random_state=0, max_iter=50))),
    ):
        estimator.fit(x, y)
        model = to_onnx(estimator, x[:1], target_opset={"": 17, "ai.onnx.ml": 3}, options={"zipmap": False} if name != "boosting" else None)
        if name == "tree":
            expected = {ml("TreeEnsembleClassifier"): int(estimator.get_depth())}
        elif name == "forest":
            expected = {ml("TreeEnsembleClassifier"): sum(int(t.get_depth()) for t in estimator.estimators_)}
        elif name == "boosting":
            expected = {ml("TreeEnsembleRegressor"): sum(int(t.get_depth()) for t in estimator.estimators_.ravel())}
        elif name == "logistic":
            expected = {ml("LinearClassifier"): int(estimator[-1].coef_.size)}
        elif name == "support-vectors":
            expected = {ml("SVMClassifier"): int(estimator.support_vectors_.size + estimator.dual_coef_.size)}
        else:
            expected = {"MatMul": sum(int(w.size) for w in estimator[-1].coefs_)}
        yield name, model, expected


cases = []
for name, make in (("resnet18", resnet18), ("mobile", mobile), ("transformer", transformer), ("autoencoder", autoencoder), ("sequence", sequence)):
    model = make()
    path = pathlib.Path(tempfile.gettempdir()) / f"{name}.onnx"
    onnx.save(model, path)
    tool = by_onnx_tool(model, path)
    path.unlink()
    expected = count(model)
    print(name, expected, tool)
    (HERE / f"{name}.onnx").write_bytes(without_weights(model).SerializeToString())
    cases.append({"name": name, "byOperator": expected, **({"onnxTool": tool} if tool else {})})
for name, model, expected in classical():
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    cases.append({"name": name, "byOperator": expected})
(HERE / "computations.json").write_text(json.dumps(cases, indent=2) + "\n")
