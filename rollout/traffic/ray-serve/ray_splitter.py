"""A Ray Serve application that shares requests out between two others, by weights in its user_config.

Ray Serve has no weights of its own. Deploy this beside the applications with the old and the new version, give users its route, and let
Sluice (`provider: ray-serve`) change its user_config: Serve hands a new one to the running replicas without restarting them. README.md
has the whole configuration.

    applications:
      - name: churn
        route_prefix: /churn
        import_path: ray_splitter:build
        args: {proxy: "http://127.0.0.1:8000"}     # Serve's own HTTP proxy on the node
        deployments:
          - name: SluiceSplitter
            user_config: {baseline: {application: churn-v1, path: /churn-v1}}

Needs nothing but what ray[serve] brings.
"""

import asyncio
import random
import time

import aiohttp
from ray import serve
from starlette.responses import Response, StreamingResponse

# They speak of one connection (RFC 9110, 7.6.1). aiohttp frames bodies anew, and hands answers on as they came.
OF_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
}


def onward(headers):
    named = {
        name.strip().lower()
        for key, value in headers
        if key.lower() == "connection"
        for name in value.split(",")
    }
    return [
        (key, value)
        for key, value in headers
        if key.lower() not in OF_CONNECTION and key.lower() not in named
    ]


class Split:
    """What the user_config says; who gets a request."""

    def __init__(self, config):
        self.baseline = config["baseline"]["path"].rstrip("/")
        canary = config.get("canary")
        self.canary = None if canary is None else canary["path"].rstrip("/")
        self.weight = int(config.get("weight", 0))
        self.mirror = int(config.get("mirror", 0))
        self.header = config.get("header")
        self.lease = config.get("lease")

    def open(self):
        """Nobody renewed the lease: everything goes to the baseline."""
        if self.canary is None:
            return False
        return self.lease is None or time.time() <= self.lease

    def arms(self, headers):
        """The path of who answers, and of who gets a copy."""
        if not self.open():
            return self.baseline, None
        header = self.header
        if header is not None and headers.get(header["name"]) == header["value"]:
            return self.canary, None
        if random.random() * 100 < self.weight:
            return self.canary, None
        copied = random.random() * 100 < self.mirror
        return self.baseline, self.canary if copied else None


@serve.deployment(max_ongoing_requests=1000)
class SluiceSplitter:
    def __init__(self, proxy):
        self.proxy = proxy.rstrip("/")
        self.session = None
        self.split = None
        self.copies = set()

    def reconfigure(self, config):
        # Read whole before it counts: a mistake in it leaves what was there.
        self.split = Split(config)

    async def __call__(self, request):
        if self.split is None:
            return Response("the splitter has no user_config", status_code=503)
        if self.session is None:
            # Bodies are handed on as they are, packed or not.
            self.session = aiohttp.ClientSession(
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            )
        arm, copy = self.split.arms(request.headers)
        # Whole, since it may be sent twice, and to a kept connection that has just died.
        body = await request.body()
        rest = request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
        if request.url.query:
            rest += "?" + request.url.query
        headers = onward(request.headers.items())
        if copy is not None and len(self.copies) < 64:
            task = asyncio.ensure_future(self.mirror(request.method, copy + rest, headers, body))
            self.copies.add(task)
            task.add_done_callback(self.copies.discard)
        try:
            answer = await self.session.request(
                request.method, self.proxy + arm + rest, headers=headers, data=body, allow_redirects=False
            )
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            return Response(f"the application did not answer: {type(error).__name__}", status_code=502)
        response = StreamingResponse(self.parts(answer), status_code=answer.status)
        for key, value in onward(answer.headers.items()):
            response.headers.append(key, value)
        return response

    async def parts(self, answer):
        try:
            async for part in answer.content.iter_chunked(1 << 16):
                yield part
        finally:
            answer.release()

    async def mirror(self, method, path, headers, body):
        """Nobody waits for it, and nothing it does reaches a user."""
        try:
            copied = [*headers, ("x-sluice-mirrored", "true")]
            answer = await self.session.request(method, self.proxy + path, headers=copied, data=body)
            await answer.read()
        except Exception:
            pass


def build(args):
    return SluiceSplitter.bind(args.get("proxy", "http://127.0.0.1:8000"))
