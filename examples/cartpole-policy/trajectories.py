"""Writes trajectories.json, what Gymnasium's own CartPole-v1 does: python trajectories.py (needs gymnasium, see requirements.txt)."""

import json
from pathlib import Path

import gymnasium
import numpy as np

trajectories = []
for seed in range(6):
    environment = gymnasium.make("CartPole-v1")
    random = np.random.default_rng(seed)
    environment.reset(seed=seed)
    cart = environment.unwrapped
    first = [float(value) for value in cart.state]
    actions, states, over = [], [], False
    while not over and len(actions) < 520:
        x, _, theta, theta_dot = cart.state
        # Three at random, which fall soon; three that hold the pole and let the cart drift or stay.
        action = int(random.integers(2)) if seed < 3 else int(theta + 0.3 * theta_dot + 0.02 * (seed - 3) * x > 0)
        _, reward, terminated, truncated, _ = environment.step(action)
        actions.append(action)
        states.append([float(value) for value in cart.state])
        assert reward == 1.0
        over = terminated or truncated
    # Every state of the short ones, every twentieth of the long ones; the last always.
    kept = [index for index in range(len(states)) if len(states) < 60 or index % 20 == 19 or index == len(states) - 1]
    trajectories.append(
        {
            "first": first,
            "actions": "".join(map(str, actions)),
            "states": {str(index + 1): states[index] for index in kept},
            "terminated": bool(terminated),
            "truncated": bool(truncated),
        }
    )

document = {"gymnasium": gymnasium.__version__, "environment": "CartPole-v1", "trajectories": trajectories}
Path(__file__).with_name("trajectories.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
