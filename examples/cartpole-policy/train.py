"""Trains the example's policies with the cross-entropy method and exports them to ONNX: python train.py

NumPy and onnx are all it takes: CartPole's physics is below, for a thousand carts at a time. With the versions in requirements.txt a second run on the
same machine gives the same bytes.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = Path(__file__).parent
hidden = 8


def push(state: np.ndarray, action: np.ndarray) -> np.ndarray:
    """One step of Gymnasium's CartPole-v1 for many carts; the same as push() of cartpole.mjs."""
    x, x_dot, theta, theta_dot = state
    force = np.where(action == 1, 10.0, -10.0)
    cos, sin = np.cos(theta), np.sin(theta)
    temp = (force + 0.05 * theta_dot**2 * sin) / 1.1
    theta_acc = (9.8 * sin - cos * temp) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
    x_acc = temp - 0.05 * theta_acc * cos / 1.1
    return np.array([x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * theta_acc])


def split(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat weights of many policies as those of two layers without a bias on the second: [4, hidden], [hidden], [hidden, 2]."""
    one, bias, two = np.split(weights, [4 * hidden, 5 * hidden], axis=-1)
    return one.reshape(-1, 4, hidden), bias.reshape(-1, 1, hidden), two.reshape(-1, hidden, 2)


def returns(weights: np.ndarray, starts: np.ndarray, steps: int) -> np.ndarray:
    """The mean return of each policy over the starts; 1 a step until the pole falls. A cart far from the middle earns less."""
    one, bias, two = split(weights)
    policies, episodes = len(weights), starts.shape[1]
    state = np.repeat(starts[:, None, :], policies, axis=1)
    alive = np.ones((policies, episodes), dtype=bool)
    total = np.zeros((policies, episodes))
    for _ in range(steps):
        seen = np.moveaxis(state, 0, -1)
        action = (np.tanh(seen @ one + bias) @ two).argmax(axis=-1)
        state = push(state, action)
        total += alive * (1.0 - 0.2 * np.abs(state[0]))
        alive &= (np.abs(state[0]) <= 2.4) & (np.abs(state[2]) <= 12 * 2 * np.pi / 360)
        if not alive.any():
            break
        state = np.where(alive, state, 0.0)
    return total.mean(axis=1)


def train(rounds: int, steps: int, seed: int) -> np.ndarray:
    """The cross-entropy method: draws policies, keeps the best tenth, draws around them. (R. Rubinstein, 1999; I. Szita and A. Lorincz, 2006.)"""
    random = np.random.default_rng(seed)
    size = 7 * hidden
    mean, spread = np.zeros(size), np.ones(size)
    for _ in range(rounds):
        starts = random.uniform(-0.05, 0.05, size=(4, 8))
        drawn = mean + spread * random.standard_normal((100, size))
        best = drawn[np.argsort(returns(drawn, starts, steps))[-10:]]
        mean, spread = best.mean(axis=0), best.std(axis=0) + 0.02
    return mean


def export(weights: np.ndarray, path: Path) -> None:
    """Observation [batch, 4] to a score for each action [batch, 2]."""
    one, bias, two = (part[0] for part in split(weights[None]))
    named = {"weights": one, "bias": bias[0], "scores": two}
    graph = helper.make_graph(
        nodes=[
            helper.make_node("MatMul", ["observation", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "scores"], ["action_scores"]),
        ],
        name="cartpole",
        inputs=[helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", 4])],
        outputs=[helper.make_tensor_value_info("action_scores", TensorProto.FLOAT, ["batch", 2])],
        initializer=[numpy_helper.from_array(value.astype(np.float32), name) for name, value in named.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="train.py")
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


policies = {
    # What acts today: few rounds, short episodes; it drifts off the track.
    "baseline": train(rounds=3, steps=120, seed=1),
    # The pull request's candidate.
    "good": train(rounds=40, steps=500, seed=0),
    # Stopped after two rounds.
    "worse": train(rounds=2, steps=100, seed=2),
}
for name, weights in policies.items():
    export(weights, here / "models" / f"{name}.onnx")
    starts = np.random.default_rng(99).uniform(-0.05, 0.05, size=(4, 200))
    print(name, returns(weights[None], starts, 500).round(1))
