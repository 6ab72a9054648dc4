"""Two versions of an application, for tests of ray_splitter.py: each says which it is, how often it was asked, and gives back what came.

`args: {version: v1}`.
"""

from ray import serve
from starlette.responses import JSONResponse


@serve.deployment(ray_actor_options={"num_cpus": 0.1}, health_check_timeout_s=3600)
class Version:
    def __init__(self, version):
        self.version = version
        self.mirrored = 0
        self.asked = 0

    async def __call__(self, request):
        if request.url.path.endswith("/counts"):
            return {"asked": self.asked, "mirrored": self.mirrored}
        if request.headers.get("x-sluice-mirrored") == "true":
            self.mirrored += 1
        else:
            self.asked += 1
        if request.url.path.endswith("/teapot"):
            return JSONResponse({}, status_code=418, headers={"x-version": self.version})
        body = await request.body()
        return {
            "version": self.version,
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "bytes": len(body),
            "hop": request.headers.get("x-hop"),
            "own": request.headers.get("x-own"),
        }


def build(args):
    return Version.bind(args["version"])
