import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Served } from '../../conformance.ts';
import { type SplitterConfig, splitterConfig, splitterDeployment } from './splitter-config.ts';

// For unit tests: Ray Serve's REST API as Ray 2.60 has it, and what ray_splitter.py makes of its user_config. The real ones are in
// `testbed/ray-serve.test.ts`.

interface Application {
  status: string;
  message: string;
  route_prefix: string | null;
  deployed_app_config: AppConfig | null;
  deployments: Record<string, { status: string; deployment_config: { user_config?: unknown } }>;
}
interface AppConfig {
  readonly name: string;
  readonly route_prefix?: string;
  readonly deployments?: readonly {
    readonly name: string;
    readonly user_config?: unknown;
    readonly num_replicas?: number;
  }[];
}

export class RayStandIn implements AsyncDisposable {
  readonly applications: Record<string, Application> = {};
  readonly documents: { readonly applications: readonly AppConfig[] }[] = [];
  url = '';
  /** Replicas learn of a new user_config only when `settle` is called. */
  slow = false;
  refuses: number | undefined;
  readonly #server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    if (this.refuses !== undefined) response.writeHead(this.refuses).end('no');
    else if (request.url !== '/api/serve/applications/') response.writeHead(404).end();
    else if (request.method === 'PUT') {
      this.deploy(JSON.parse(body));
      response.end();
    } else response.end(JSON.stringify(this.#details()));
  });

  static async start(): Promise<RayStandIn> {
    const ray = new RayStandIn();
    await new Promise<void>((resolve) => ray.#server.listen(0, '127.0.0.1', resolve));
    ray.url = `http://127.0.0.1:${(ray.#server.address() as AddressInfo).port}`;
    const user_config = { baseline: { application: 'churn-v1', path: '/churn-v1' } };
    ray.deploy({
      applications: [
        ...['churn-v1', 'churn-v2', 'other'].map((name) => ({ name, route_prefix: `/${name}`, import_path: 'm:app' })),
        {
          name: 'churn',
          route_prefix: '/churn',
          runtime_env: { env_vars: { A: 'b' } },
          deployments: [{ name: splitterDeployment, num_replicas: 2, user_config }],
        } as AppConfig,
      ],
    });
    ray.settle();
    return ray;
  }

  deploy(document: { readonly applications: readonly AppConfig[] }): void {
    this.documents.push(document);
    const named = new Set(document.applications.map(({ name }) => name));
    for (const name of Object.keys(this.applications)) {
      if (!named.has(name) && this.applications[name]?.deployed_app_config !== null) delete this.applications[name];
    }
    for (const config of document.applications) {
      const { name, route_prefix = '/', deployments = [] } = config;
      const before = this.applications[name];
      if (JSON.stringify(before?.deployed_app_config) === JSON.stringify(config)) continue;
      this.applications[name] = {
        status: 'DEPLOYING',
        message: '',
        route_prefix,
        deployed_app_config: config,
        deployments: Object.fromEntries(
          deployments.map(({ name: deployment, user_config }) => [
            deployment,
            { status: 'UPDATING', deployment_config: { user_config } },
          ]),
        ),
      };
    }
    if (!this.slow) this.settle();
  }

  settle(): void {
    for (const application of Object.values(this.applications)) {
      if (application.status === 'DEPLOYING') application.status = 'RUNNING';
      for (const deployment of Object.values(application.deployments)) deployment.status = 'HEALTHY';
    }
  }

  get userConfig(): SplitterConfig {
    return splitterConfig.parse(
      this.applications['churn']?.deployments[splitterDeployment]?.deployment_config.user_config,
    );
  }

  /** The requests as the splitter would share them out; exact instead of by chance. */
  serve(requests: number, headers: Readonly<Record<string, string>> = {}): Served {
    const { baseline, canary, weight = 0, mirror = 0, header, lease } = this.userConfig;
    const open = canary != null && (lease == null || Date.now() / 1000 <= lease);
    const marked = open && header != null && headers[header.name] === header.value;
    const toCanary = !open ? 0 : marked ? requests : Math.round((requests * weight) / 100);
    const isNew = baseline.application === 'churn-v2';
    const rest = requests - toCanary;
    return {
      baseline: isNew ? 0 : rest,
      canary: toCanary + (isNew ? rest : 0),
      mirrored: open ? Math.round((rest * mirror) / 100) : 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #details(): unknown {
    return {
      controller_info: {},
      proxy_location: 'EveryNode',
      http_options: { host: '0.0.0.0', port: 8000 },
      grpc_options: { port: 9000 },
      proxies: {},
      target_capacity: null,
      applications: this.applications,
    };
  }
}
