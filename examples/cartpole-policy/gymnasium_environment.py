"""Any Gymnasium environment over Sluice's environment protocol: python gymnasium_environment.py CartPole-v1

In sluice.yaml: episodes: { command: [python, gymnasium_environment.py, CartPole-v1], files: [gymnasium_environment.py] }
Box observations of numbers and single discrete numbers; Discrete and Box actions.
"""

import json
import sys

import gymnasium
import numpy as np

made: dict[int | None, gymnasium.Env] = {}


def facts(space: gymnasium.Space) -> dict:
    if isinstance(space, gymnasium.spaces.Discrete):
        return {"type": "discrete", "n": int(space.n), "start": int(space.start)}
    finite = np.isfinite(space.low).all() and np.isfinite(space.high).all()
    limits = {"low": space.low.ravel().tolist(), "high": space.high.ravel().tolist()} if finite else {}
    return {"type": "continuous", "shape": list(space.shape), **limits}


def answer(message: dict) -> dict:
    slot = message.get("slot")
    if message["command"] == "open":
        environment = gymnasium.make(sys.argv[1])
        return {"protocol": 1, "name": sys.argv[1], "action": facts(environment.action_space), "slots": 16}
    if message["command"] == "reset":
        environment = made.setdefault(slot, None) or gymnasium.make(sys.argv[1])
        made[slot] = environment
        observation, _ = environment.reset(seed=message["seed"])
        return {"observation": np.asarray(observation).tolist()}
    environment = made[slot]
    action = message["action"]
    if not isinstance(environment.action_space, gymnasium.spaces.Discrete):
        action = np.asarray(action, dtype=environment.action_space.dtype)
    observation, reward, terminated, truncated, _ = environment.step(action)
    return {
        "observation": np.asarray(observation).tolist(),
        "reward": float(reward),
        "terminated": bool(terminated),
        "truncated": bool(truncated),
    }


for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "close":
        break
    print(json.dumps(answer(message)), flush=True)
