import type { KubernetesTraffic } from '../../rollout/traffic/kubernetes-traffic.ts';
import type { ControlPlane } from './control-plane.ts';

const mergePatch = 'application/merge-patch+json';
let made = 0;

/** Objects of one model that is served in two versions, of which the first has all traffic, as a user would have applied them. */
export interface ModelObjects {
  readonly traffic: KubernetesTraffic;
  /** Path of the object whose traffic is moved. */
  readonly path: string;
  /** Plays the controller: writes into the status what it would. */
  follow(): Promise<void>;
}

export const kinds = [
  'istio subsets',
  'istio hosts',
  'gateway-api',
  'kserve knative',
  'kserve standard',
  'seldon deployment',
  'seldon experiment',
] as const;
export type ModelKind = (typeof kinds)[number];

/** Makes the objects of one model. */
export function newModel(cluster: ControlPlane, namespace: string, kind: ModelKind): Promise<ModelObjects> {
  const name = `churn-${++made}`;
  return makers[kind](cluster, namespace, name);
}

type Maker = (cluster: ControlPlane, namespace: string, name: string) => Promise<ModelObjects>;

const makers: Readonly<Record<ModelKind, Maker>> = {
  async 'istio subsets'(cluster, namespace, name) {
    const path = await applied(cluster, 'networking.istio.io/v1', namespace, 'VirtualService', name, {
      hosts: [name],
      gateways: ['mesh', 'shop/public'],
      http: [
        {
          name: 'health',
          match: [{ uri: { exact: '/health' } }],
          route: [{ destination: { host: name, subset: 'v1' } }],
          timeout: '1s',
        },
        {
          name: 'predict',
          match: [{ uri: { prefix: '/v2/' }, headers: { 'x-tenant': { regex: 'a.*' } } }, { uri: { prefix: '/v3/' } }],
          rewrite: { uri: '/' },
          retries: { attempts: 2, perTryTimeout: '250ms', retryOn: '5xx' },
          timeout: '0.5s',
          route: [{ destination: { host: name, subset: 'v1', port: { number: 8000 } } }],
          corsPolicy: { allowOrigins: [{ exact: 'https://example.com' }], maxAge: '24h' },
        },
        { name: 'rest', route: [{ destination: { host: 'fallback' } }] },
      ],
    });
    await applied(cluster, 'networking.istio.io/v1', namespace, 'DestinationRule', name, {
      host: name,
      subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
    });
    await newService(cluster, namespace, name);
    await readyPod(cluster, namespace, `${name}-v2`, { app: name, version: 'v2' });
    return {
      traffic: {
        provider: 'istio',
        namespace,
        virtualService: name,
        route: 'predict',
        baseline: 'v1',
        canary: 'v2',
        destinationRule: name,
      },
      path,
      follow: async () => {},
    };
  },
  async 'istio hosts'(cluster, namespace, name) {
    const host = (version: string): string => `${name}-${version}.${namespace}.svc.cluster.local`;
    const path = await applied(cluster, 'networking.istio.io/v1', namespace, 'VirtualService', name, {
      hosts: [name],
      http: [
        {
          route: [
            { destination: { host: host('v1') }, weight: 100, headers: { response: { add: { 'x-arm': 'baseline' } } } },
            { destination: { host: host('v2') }, weight: 0, headers: { response: { add: { 'x-arm': 'canary' } } } },
          ],
        },
      ],
    });
    await readyEndpoint(cluster, namespace, `${name}-v2`);
    return {
      traffic: {
        provider: 'istio',
        namespace,
        virtualService: name,
        baseline: `${name}-v1`,
        canary: `${name}-v2`,
      },
      path,
      follow: async () => {},
    };
  },
  async 'gateway-api'(cluster, namespace, name) {
    const path = await applied(cluster, 'gateway.networking.k8s.io/v1', namespace, 'HTTPRoute', name, {
      parentRefs: [{ name: 'public', namespace: 'gateways' }],
      hostnames: ['churn.example.com'],
      rules: [
        {
          name: 'predict',
          matches: [{ path: { type: 'PathPrefix', value: '/v2' }, headers: [{ name: 'x-tenant', value: 'a' }] }],
          filters: [
            { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-from', value: 'gw' }] } },
          ],
          backendRefs: [{ name: `${name}-v1`, port: 8000 }],
          timeouts: { request: '2s' },
        },
        { backendRefs: [{ name: 'website', port: 80 }] },
      ],
    });
    await readyEndpoint(cluster, namespace, `${name}-v2`);
    return {
      traffic: {
        provider: 'gateway-api',
        namespace,
        httpRoute: name,
        rule: 'predict',
        baseline: `${name}-v1`,
        canary: `${name}-v2`,
      },
      path,
      async follow() {
        const { metadata } = await objectAt(cluster, path);
        await status(cluster, path, {
          parents: [
            {
              parentRef: { name: 'public', namespace: 'gateways' },
              controllerName: 'testbed.sluice.dev/gateway',
              conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({
                type,
                status: 'True',
                reason: type,
                message: '',
                lastTransitionTime: new Date().toISOString(),
                observedGeneration: metadata.generation,
              })),
            },
          ],
        });
      },
    };
  },
  async 'kserve knative'(cluster, namespace, name) {
    const path = await applied(cluster, 'serving.kserve.io/v1beta1', namespace, 'InferenceService', name, {
      predictor: {
        canaryTrafficPercent: 0,
        minReplicas: 1,
        model: { modelFormat: { name: 'onnx' }, storageUri: 's3://models/churn/v2' },
      },
    });
    const revisions = { baseline: `${name}-predictor-00001`, canary: `${name}-predictor-00002` };
    // What KServe 0.20's ksvc_reconciler and PropagateStatus come to, in one step.
    const follow = async (): Promise<void> => {
      const { spec } = await objectAt(cluster, path);
      const predictor = spec['predictor'] as { readonly canaryTrafficPercent?: number };
      const percent = predictor.canaryTrafficPercent ?? 100;
      await status(cluster, path, {
        deploymentMode: 'Knative',
        components: {
          predictor: {
            latestCreatedRevision: revisions.canary,
            latestReadyRevision: revisions.canary,
            latestRolledoutRevision: percent === 100 ? revisions.canary : revisions.baseline,
            traffic: [
              { latestRevision: true, revisionName: revisions.canary, percent },
              ...(percent === 100
                ? []
                : [{ latestRevision: false, revisionName: revisions.baseline, percent: 100 - percent, tag: 'prev' }]),
            ],
          },
        },
      });
    };
    await follow();
    return { traffic: { provider: 'kserve', namespace, inferenceService: name, mode: 'knative' }, path, follow };
  },
  async 'kserve standard'(cluster, namespace, name) {
    const model = (version: string) => ({
      name: 'churn',
      modelFormat: { name: 'onnx' },
      storageUri: `s3://models/churn/${version}`,
    });
    const path = await applied(
      cluster,
      'serving.kserve.io/v1beta1',
      namespace,
      'InferenceService',
      name,
      {
        predictor: {
          minReplicas: 2,
          maxReplicas: 8,
          scaleTarget: 70,
          model: { ...model('v1'), resources: { limits: { cpu: '2' } } },
        },
        canary: [{ trafficPercent: 0, predictor: { name: 'v2', minReplicas: 1, model: model('v2') } }],
      },
      { 'serving.kserve.io/deploymentMode': 'Standard' },
    );
    const follow = async (): Promise<void> => {
      const { spec } = await objectAt(cluster, path);
      const entries = (spec['canary'] ?? []) as readonly {
        readonly trafficPercent: number;
        readonly predictor: { readonly name: string };
      }[];
      await status(cluster, path, {
        deploymentMode: 'Standard',
        canaryStatuses: entries.map(({ trafficPercent, predictor }) => ({
          name: predictor.name,
          ready: true,
          trafficPercent,
        })),
      });
    };
    await follow();
    return {
      traffic: { provider: 'kserve', namespace, inferenceService: name, mode: 'standard', canary: 'v2' },
      path,
      follow,
    };
  },
  async 'seldon deployment'(cluster, namespace, name) {
    const predictor = (version: string, traffic: number) => ({
      name: version,
      traffic,
      replicas: 1,
      graph: { name: 'churn', implementation: 'TRITON_SERVER', modelUri: `s3://models/churn/${version}` },
      componentSpecs: [{ spec: { containers: [{ name: 'churn', resources: { limits: { cpu: '1' } } }] } }],
    });
    const path = await applied(cluster, 'machinelearning.seldon.io/v1', namespace, 'SeldonDeployment', name, {
      predictors: [predictor('v1', 100), predictor('v2', 0)],
    });
    await status(cluster, path, { state: 'Available' });
    return {
      traffic: { provider: 'seldon', kind: 'SeldonDeployment', namespace, name, baseline: 'v1', canary: 'v2' },
      path,
      follow: async () => {},
    };
  },
  async 'seldon experiment'(cluster, namespace, name) {
    const path = await applied(cluster, 'mlops.seldon.io/v1alpha1', namespace, 'Experiment', name, {
      default: 'churn-a',
      candidates: [{ name: 'churn-a', weight: 100 }],
    });
    await status(cluster, path, { conditions: [{ type: 'Ready', status: 'True' }] });
    return {
      traffic: { provider: 'seldon', kind: 'Experiment', namespace, name, baseline: 'churn-a', canary: 'churn-b' },
      path,
      follow: async () => {},
    };
  },
};

/** An object as a test reads it. */
export interface StoredObject {
  readonly metadata: {
    readonly generation: number;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

export async function objectAt(cluster: ControlPlane, path: string): Promise<StoredObject> {
  return (await cluster.must('GET', path)) as StoredObject;
}

/** Writes an object's status, as its controller does. */
export async function status(cluster: ControlPlane, path: string, value: unknown): Promise<void> {
  await cluster.must('PATCH', `${path}/status`, { status: value }, mergePatch);
}

async function applied(
  cluster: ControlPlane,
  apiVersion: string,
  namespace: string,
  kind: string,
  name: string,
  spec: unknown,
  annotations: Readonly<Record<string, string>> = {},
): Promise<string> {
  const list = `/apis/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s`;
  await cluster.must('POST', `${list}?fieldValidation=Strict`, {
    apiVersion,
    kind,
    metadata: { name, annotations: { 'example.com/owner': 'team "a" \\ ü', ...annotations } },
    spec,
  });
  return `${list}/${name}`;
}

async function newService(cluster: ControlPlane, namespace: string, name: string): Promise<void> {
  await cluster.must('POST', `/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 8000 }] },
  });
}

async function readyPod(
  cluster: ControlPlane,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  await cluster.must('POST', pods, {
    metadata: { name, labels },
    spec: { containers: [{ name: 'server', image: 'example.com/server' }] },
  });
  await status(cluster, `${pods}/${name}`, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
}

async function readyEndpoint(cluster: ControlPlane, namespace: string, service: string): Promise<void> {
  await cluster.must('POST', `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    metadata: { name: service, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ port: 8000 }],
    endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
  });
}
