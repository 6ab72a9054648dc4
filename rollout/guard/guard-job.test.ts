import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiServerStandIn } from '../kubernetes/api-server-stand-in.ts';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import { guardJob, guardJobName, jobGuard } from './guard-job.ts';
import { parseGuardOrder } from './guard-order.ts';

const traffic: KubernetesTraffic = {
  provider: 'istio',
  namespace: 'shop',
  virtualService: 'churn',
  baseline: 'v1',
  canary: 'v2',
};
const options = { image: 'ghcr.io/sluice-ml/sluice@sha256:0', serviceAccount: 'sluice-guard', startWithinMs: 1_000 };
const name = guardJobName(traffic);
const path = `/apis/batch/v1/namespaces/shop/jobs/${name.name}`;
const hour = 3_600_000;
const lease = () => ({ expires: new Date(Date.now() + hour), rolloutId: 'r1' });

let server: ApiServerStandIn;

beforeEach(async () => {
  server = await ApiServerStandIn.start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Plays the Job controller: a pod is ready as soon as the Job is asked for again. */
function podsStart(): void {
  server.instead = ({ method }) => {
    if (method === 'GET' && server.has(path)) server.change(path, () => ({ status: { ready: 1 } }));
    return undefined;
  };
}

describe('the name of a guard’s Job', () => {
  test('is a label of DNS and differs for two objects, however long their names are', () => {
    const names = ['a', 'a'.repeat(253), `${'a'.repeat(252)}b`, 'a.b', 'a-b', `${'a'.repeat(39)}.b`].map(
      (virtualService) => guardJobName({ ...traffic, virtualService }).name,
    );
    expect(new Set(names).size).toBe(names.length);
    for (const each of names) expect(each).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    const gateway: KubernetesTraffic = {
      provider: 'gateway-api',
      namespace: 'shop',
      httpRoute: 'churn',
      baseline: 'a',
      canary: 'b',
    };
    expect(guardJobName(gateway).name).not.toBe(name.name);
  });
});

describe('a guard’s Job', () => {
  test('is restricted, keeps coming back, and is told what to guard', () => {
    const job = guardJob(traffic, { rolloutId: 'r1', leaseMs: hour }, { ...options, imagePullSecrets: ['pull'] });
    expect(job).toMatchObject({
      metadata: { name: name.name, namespace: 'shop', annotations: { 'sluice.dev/rollout-id': 'r1' } },
      spec: {
        backoffLimit: 1000,
        template: {
          metadata: { labels: { 'sidecar.istio.io/inject': 'false' } },
          spec: {
            serviceAccountName: 'sluice-guard',
            restartPolicy: 'OnFailure',
            imagePullSecrets: [{ name: 'pull' }],
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                image: options.image,
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    });
    const { containers } = (
      job['spec'] as {
        readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
      }
    ).template.spec;
    expect(parseGuardOrder(containers[0]?.args[3] ?? '')).toEqual({ rolloutId: 'r1', traffic, leaseMs: hour });
  });

  test('is made once, and left as it is while it runs', async () => {
    podsStart();
    await using client = server.client();
    const guard = jobGuard(client, traffic, options);
    expect(guard.title).toBe(`Job shop/${name.name}`);
    await guard.install(lease());
    const { uid } = server.at(path).metadata;
    await guard.install(lease());
    expect(server.at(path).metadata['uid']).toBe(uid);
    await guard.remove();
    await guard.remove();
    expect(server.has(path)).toBe(false);
  });

  test('of an earlier rollout, or one that has ended, is made anew', async () => {
    podsStart();
    await using client = server.client();
    const guard = jobGuard(client, traffic, options);
    await guard.install({ ...lease(), rolloutId: 'earlier' });
    await guard.install(lease());
    expect(server.at(path).metadata.annotations).toEqual({ 'sluice.dev/rollout-id': 'r1' });
    const { uid } = server.at(path).metadata;
    let asked = 0;
    server.instead = ({ method }) => {
      if (method !== 'GET' || !server.has(path)) return undefined;
      const conditions = ++asked === 1 ? [{ type: 'Complete', status: 'True' }] : [];
      server.change(path, () => ({ status: { ready: asked === 1 ? 0 : 1, conditions } }));
      return undefined;
    };
    await guard.install(lease());
    expect(server.at(path).metadata['uid']).not.toBe(uid);
  });

  test('whose pod does not start keeps the rollout from starting, before the lease is over', async () => {
    await using client = server.client();
    const guard = jobGuard(client, traffic, { ...options, startWithinMs: hour });
    await expect(guard.install({ expires: new Date(Date.now() + 1_500), rolloutId: 'r1' })).rejects.toMatchObject({
      problems: [{ code: 'guard-not-running', fix: expect.stringContaining('describe pods') }],
    });
  });

  test('that failed says why', async () => {
    server.instead = ({ method }) => {
      if (method === 'GET' && server.has(path)) {
        const conditions = [{ type: 'Failed', status: 'True', message: 'Back-off\n::error:: pulling image' }];
        server.change(path, () => ({ status: { conditions } }));
      }
      return undefined;
    };
    await using client = server.client();
    await expect(jobGuard(client, traffic, options).install(lease())).rejects.toMatchObject({
      problems: [{ code: 'guard-not-running', found: expect.stringMatching(/^Back-off.*pulling image$/) }],
    });
  });

  test('that may not be made says which right is missing', async () => {
    const message = 'jobs.batch is forbidden: User "bot" cannot create resource "jobs" in API group "batch"';
    const body = JSON.stringify({ kind: 'Status', message });
    server.instead = ({ method }) => (method === 'POST' ? { status: 403, body } : undefined);
    await using client = server.client();
    await expect(jobGuard(client, traffic, options).install(lease())).rejects.toMatchObject({
      problems: [{ code: 'forbidden', fix: expect.stringContaining('verbs: [create]') }],
    });
  });

  test('that a finalizer holds is told of', async () => {
    podsStart();
    await using client = server.client();
    const guard = jobGuard(client, traffic, { ...options, startWithinMs: 200 });
    await guard.install(lease());
    server.instead = ({ method }) => (method === 'DELETE' ? { status: 200, body: '{}' } : undefined);
    await expect(guard.remove()).rejects.toMatchObject({ problems: [{ code: 'guard-stays' }] });
  });
});
