import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type CanaryMetrics, type CanaryTraffic, parsePolicy } from '../core/policy/index.ts';
import { ApiStandIn, signatureOf, standInCredentials } from './aws/api-stand-in.ts';
import { leastPermissions } from './aws/least-permissions.ts';
import { CloudWatchStandIn } from './metrics/cloudwatch-stand-in.ts';
import { openMetrics } from './open-metrics.ts';
import { EndpointStandIn } from './traffic/sagemaker/endpoint-stand-in.ts';
import { openSagemaker, type SagemakerTraffic } from './traffic/sagemaker/open-sagemaker.ts';

const credentials = async () => standInCredentials;
let undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo) await each();
  undo = [];
});

function policyOf(
  traffic: string,
  metrics: string,
): { readonly traffic: CanaryTraffic; readonly metrics: CanaryMetrics } {
  const { canary } = parsePolicy(
    `version: 1\ncanary:\n  traffic: ${traffic}\n  metrics: ${metrics}\n  strategy: { kind: steps, weights: [25] }\n  ready_deadline: 2h\n`,
    'sluice.yaml',
  ).policy;
  if (canary === undefined) throw new Error('no canary');
  return canary;
}

function setting(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  undo.push(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** All of AWS on one port, found by the variables that AWS's own tools read. */
async function aws() {
  const [endpoint, cloudwatch] = [new EndpointStandIn(), new CloudWatchStandIn()];
  for (const alarm of ['churn-5xx', 'sluice-abort']) endpoint.alarms.set(alarm, 'OK');
  const api = await ApiStandIn.start({ ...endpoint.handlers(), ...cloudwatch.handlers() });
  undo.push(() => api[Symbol.asyncDispose]());
  setting('AWS_ENDPOINT_URL', api.url.href);
  return { endpoint, cloudwatch, api };
}

const place = { account: '123456789012', region: 'eu-west-1' };
const weights =
  '{ provider: sagemaker, mode: variant-weights, region: eu-west-1, endpoint: churn, baseline: blue, canary: green }';
const guarded =
  '{ provider: sagemaker, mode: guardrails, region: eu-west-1, endpoint: churn, baseline: churn-1, canary: churn-2, deployment: { kind: canary, size: 25, bake: 10m, alarms: [churn-5xx, sluice-abort], abort_alarm: sluice-abort } }';
const fleets = '{ source: cloudwatch, baseline: { variant: AllTraffic }, canary: { variant: AllTraffic } }';

/** A whole rollout's calls, as a run makes them: up, back, finished, cleared. */
async function wholeRollout(traffic: CanaryTraffic, endpoint: EndpointStandIn): Promise<void> {
  await using provider = openSagemaker(traffic as SagemakerTraffic, credentials);
  await provider.now?.();
  await provider.read();
  const first = await provider.move({ record: 'one', after: undefined });
  const second = await provider.move({ record: 'two', traffic: { canaryWeight: 25, mirrorPercent: 0 }, after: first });
  endpoint.settle();
  await provider.read();
  const third = await provider.move({ record: 'three', traffic: { canaryWeight: 0, mirrorPercent: 0 }, after: second });
  endpoint.settle();
  await provider.finish('rolled-back');
  await provider.clear(third);
}

describe('the least permissions', () => {
  test.each([
    ['variant weights', weights, '{ source: cloudwatch }'],
    ['guardrails', guarded, fleets],
  ])('of %s are exactly the calls that are made', async (_, trafficText, metricsText) => {
    const { traffic, metrics } = policyOf(trafficText, metricsText);
    const { endpoint, api } = await aws();
    await wholeRollout(traffic, endpoint);
    await using source = openMetrics(metrics, { traffic, directory: '.', credentials });
    await source.read();
    expect(api.faults).toEqual([]);
    const allowed = leastPermissions({ traffic, metrics }, place)?.Statement.flatMap(({ Action }) => Action) ?? [];
    expect(api.operations()).toEqual(allowed.toSorted());
  });

  test.each([
    ['variant weights', weights, '{ source: cloudwatch }'],
    ['guardrails', guarded, fleets],
  ])('of %s have no pattern but where AWS knows no other', (_, trafficText, metricsText) => {
    const policy = leastPermissions(policyOf(trafficText, metricsText), place);
    for (const { Action, Resource, Condition } of policy?.Statement ?? []) {
      expect(Action.join()).not.toMatch(/[*?]/);
      const [resources] = [[Resource].flat()];
      if (Action.includes('cloudwatch:GetMetricData')) {
        expect(resources).toEqual(['*']);
        expect(Condition).toEqual({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } });
      } else
        for (const resource of resources) expect(resource).toMatch(/^arn:aws:[a-z]+:eu-west-1:123456789012:[^*?]+$/);
    }
  });

  test('of tags are for the rollout’s own, and these are all it writes', async () => {
    const { traffic } = policyOf(weights, '{ source: cloudwatch }');
    const { endpoint, api } = await aws();
    await wholeRollout(traffic, endpoint);
    const keys = api.calls.flatMap(({ input }) => [
      ...((input['Tags'] ?? []) as readonly { Key: string }[]).map(({ Key }) => Key),
      ...((input['TagKeys'] ?? []) as readonly string[]),
    ]);
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(key).toMatch(/^sluice:rollout(:|$)/);
    expect([...endpoint.tags]).toEqual([['owner', 'team-churn']]);
  });

  test('in the documentation are those of its examples', () => {
    const text = readFileSync(new URL('./traffic/sagemaker/README.md', import.meta.url), 'utf8');
    const blocks = (language: string) =>
      [...text.matchAll(new RegExp(`\\\`\\\`\\\`${language}\\n(.*?)\\\`\\\`\\\``, 'gs'))].map(
        ([, block = '']) => block,
      );
    const [first, second] = blocks('yaml').map((block) => {
      const { canary } = parsePolicy(`version: 1\n${block}`, 'README.md').policy;
      if (canary === undefined) throw new Error('no canary');
      return canary;
    });
    if (first === undefined || second === undefined) throw new Error('no examples');
    const signed =
      '{ source: prometheus, server: sluice, sigv4: { region: eu-west-1, service: aps }, canary: { version: "2" }, baseline: { version: "1" } }';
    const { metrics } = policyOf(weights, signed);
    expect(blocks('json').map((block) => JSON.parse(block))).toEqual([
      leastPermissions(first, place),
      leastPermissions({ traffic: second.traffic, metrics }, { ...place, workspace: 'ws-1234' }),
    ]);
  });

  test('of Managed Prometheus are of its workspace, and of what is not AWS’s there are none', () => {
    const signed =
      '{ source: prometheus, server: sluice, sigv4: { region: eu-central-1, service: aps }, canary: { version: "2" }, baseline: { version: "1" } }';
    const own = leastPermissions(policyOf(weights, signed), { ...place, workspace: 'ws-1' });
    expect(own?.Statement.at(-1)).toEqual({
      Sid: 'Prometheus',
      Effect: 'Allow',
      Action: ['aps:QueryMetrics'],
      Resource: 'arn:aws:aps:eu-central-1:123456789012:workspace/ws-1',
    });
    const cluster = '{ provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v2 }';
    const plain = '{ source: prometheus, server: sluice, url: "http://prometheus:9090" }';
    expect(leastPermissions(policyOf(cluster, plain), place)).toBeUndefined();
    const china = leastPermissions(policyOf(weights, '{ source: cloudwatch }'), { ...place, region: 'cn-north-1' });
    expect(china?.Statement[0]?.Resource).toBe('arn:aws-cn:sagemaker:cn-north-1:123456789012:endpoint/churn');
  });
});

describe('metrics of CloudWatch by a policy', () => {
  test('are of the variants, or of the configurations, that the traffic is between', async () => {
    const { cloudwatch } = await aws();
    for (const [trafficText, metricsText, canary, baseline] of [
      [weights, '{ source: cloudwatch }', ['green'], ['blue']],
      [guarded, fleets, ['AllTraffic', 'churn-2'], ['AllTraffic', 'churn-1']],
    ] as const) {
      const { traffic, metrics } = policyOf(trafficText, metricsText);
      cloudwatch.now = Date.now() - 60_000;
      cloudwatch.invoke(CloudWatchStandIn.of('churn', ...(canary as [string])), 3);
      cloudwatch.now = Date.now() - 60_000;
      cloudwatch.invoke(CloudWatchStandIn.of('churn', ...(baseline as [string])), 40);
      await using source = openMetrics(metrics, { traffic, directory: '.', credentials });
      await expect
        .poll(async () => {
          const reading = await source.read();
          return [reading.canary[0]?.requests, reading.baseline[0]?.requests];
        })
        .toEqual([3, 40]);
    }
  });
});

describe('Managed Prometheus', () => {
  const cluster = '{ provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v2 }';
  const own = 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1';
  const signed = (url: string) =>
    policyOf(
      cluster,
      `{ source: prometheus, server: sluice, url: "${url}", sigv4: { region: eu-west-1, service: aps } }`,
    );

  async function peer(status = 200) {
    const asked: { readonly signatures: readonly string[]; readonly headers: Readonly<Record<string, unknown>> }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        const right = signatureOf(request, body, standInCredentials.secretAccessKey);
        const told = String(request.headers.authorization).split('Signature=')[1] ?? '';
        asked.push({ signatures: [told, right], headers: request.headers });
        if (status !== 200) return void response.writeHead(status).end('{"message":"Missing Authentication Token"}');
        const time = new URLSearchParams(body).get('query') === 'time()';
        const data = time ? { resultType: 'scalar', result: [1.8e9, '1.8e9'] } : { resultType: 'vector', result: [] };
        response.end(JSON.stringify({ status: 'success', data }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/workspaces/ws-1`, asked };
  }

  test('gets every question signed for it', async () => {
    const { url, asked } = await peer();
    const { traffic, metrics } = signed(own);
    await using source = openMetrics(metrics, { traffic, directory: '.', credentials, url });
    await source.read();
    expect(asked.length).toBeGreaterThan(2);
    for (const { signatures, headers } of asked) {
      expect(signatures[0]).toBe(signatures[1]);
      expect(headers['authorization']).toMatch(/\/eu-west-1\/aps\/aws4_request, SignedHeaders=content-type;host;x-amz/);
      expect(headers['x-amz-security-token']).toBe(standInCredentials.sessionToken);
    }
  });

  test('that refuses is explained by what AWS wants', async () => {
    const { url } = await peer(403);
    const { traffic, metrics } = signed(own);
    await using source = openMetrics(metrics, { traffic, directory: '.', credentials, url });
    await expect(source.read()).rejects.toMatchObject({
      problems: [{ code: 'prometheus-closed', fix: expect.stringContaining('aps:QueryMetrics') }],
    });
  });

  test('is signed for at its own address, and elsewhere only where the caller says so', () => {
    const open = (url: string, more = {}) => {
      const { traffic, metrics } = signed(url);
      return () => openMetrics(metrics, { traffic, directory: '.', credentials, ...more });
    };
    expect(open(own)).not.toThrow();
    expect(open('https://aps-workspaces.eu-west-1.amazonaws.com.evil.example/')).toThrow(/only the policy names/);
    expect(open('https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1')).toThrow(/only the policy names/);
    expect(open(own, { token: 'abc', url: own })).toThrow(/cannot be signed and have a token/);
  });
});

describe('Datadog by a policy', () => {
  test('has its keys from the environment, and is not opened without', () => {
    const text =
      '{ source: datadog, site: us5.datadoghq.com, requests: a.hits, errors: a.errors, baseline: { tags: { version: v1 } }, canary: { tags: { version: v2 } } }';
    const { traffic, metrics } = policyOf(weights, text);
    const open = (environment: NodeJS.ProcessEnv) => openMetrics(metrics, { traffic, directory: '.', environment });
    expect(() => open({})).toThrow(/DD_API_KEY is not set.*\n?.*DD_APP_KEY/s);
    expect(open({ DD_API_KEY: 'a', DD_APP_KEY: 'b' }).title).toBe('Datadog at us5.datadoghq.com');
  });
});
