"""Ray Serve with ONNX models: python ray_app.py PORT MODELS_JSON FOLDER METRICS_PORT.

POST /NAME {"rows": [[...]]} answers the outputs by name, GET /NAME/ready an empty object.
"""

import json
import signal
import sys
import threading

import ray
from onnx_model import BadInput, OnnxModel
from ray import serve
from starlette.responses import JSONResponse


@serve.deployment(ray_actor_options={"num_cpus": 0.1}, health_check_timeout_s=3600)
class OnnxServed:
    def __init__(self, file, fault):
        self.model = OnnxModel(file, fault)

    async def __call__(self, request):
        if request.method == "GET":
            return {}
        try:
            rows = (await request.json())["rows"]
            answers = self.model.run_rows(rows)
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": 'the body has to be {"rows": [[...], ...]}'}, status_code=400)
        except BadInput as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return {name: value.tolist() for name, value in answers.items()}


if __name__ == "__main__":
    port, models = int(sys.argv[1]), json.loads(sys.argv[2])
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=80 * 1024 * 1024,
        _node_ip_address="127.0.0.1",
        _temp_dir=sys.argv[3],
        _metrics_export_port=int(sys.argv[4]),
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    for model in models:
        app = OnnxServed.bind(model["file"], model.get("fault"))
        target = serve.RunTarget(target=app, name=model["name"], route_prefix="/" + model["name"])
        serve.run_many([target], wait_for_applications_running=model.get("fault") != "never-ready")
    stopped.wait()
    ray.shutdown()
