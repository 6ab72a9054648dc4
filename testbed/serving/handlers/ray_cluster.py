"""A Ray node with its REST API and no applications yet: python ray_cluster.py HTTP_PORT DASHBOARD_PORT FOLDER."""

import signal
import sys
import threading

import ray
from ray import serve

if __name__ == "__main__":
    http, dashboard, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    ray.init(
        num_cpus=2,
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        dashboard_port=dashboard,
        object_store_memory=80 * 1024 * 1024,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": http})
    stopped.wait()
    ray.shutdown()
