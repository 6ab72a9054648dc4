import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Host, silentHost } from '../../core/host/index.ts';
import type { GitHubEvent } from '../../github/index.ts';
import { parseRecord, type RolloutRecord, type Turn } from '../../rollout/index.ts';
import { RolloutNews } from './rollout-news.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}

let server: Server;
let origin: string;
let received: Received[];
let status: number;
beforeEach(async () => {
  received = [];
  status = 200;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    received.push({
      method: request.method ?? '',
      url: request.url ?? '',
      body: text === '' ? undefined : JSON.parse(text),
    });
    const body = request.method === 'GET' ? '[]' : '{"id":42}';
    response.writeHead(status, { 'content-type': 'application/json' }).end(status < 400 ? body : '{"message":"no"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const eventOf = (): GitHubEvent => ({
  name: 'push',
  repository: 'acme/churn',
  headSha: 'ab'.repeat(20),
  fork: false,
  workflow: 'canary',
  job: 'canary',
  runUrl: 'https://github.com/acme/churn/actions/runs/17',
  serverUrl: origin,
  apiUrl: origin,
});

const record: RolloutRecord = parseRecord(
  JSON.stringify({
    v: 1,
    id: 'v2',
    holder: 'h',
    leaseUntil: 1,
    phase: 'step',
    traffic: { canaryWeight: 5, mirrorPercent: 0 },
    stage: 0,
    passed: 0,
    startedAt: 0,
    stageAt: 0,
    plan: 'p',
    looks: 0,
    drifts: 0,
  }),
);

function turn(phase: RolloutRecord['phase'], ...texts: readonly string[]): Turn {
  return {
    at: 1_700_000_000_000,
    before: record,
    record: { ...record, phase },
    messages: texts.map((text) => ({ text, warn: phase === 'rolled-back' })),
  };
}

function listening(): Host & { readonly warnings: string[]; readonly secrets: string[] } {
  const [warnings, secrets]: [string[], string[]] = [[], []];
  return {
    ...silentHost,
    warnings,
    secrets,
    warning: (text) => warnings.push(text),
    secret: (text) => secrets.push(text),
  };
}

function open(inputs: Parameters<typeof RolloutNews.open>[0], host: Host): RolloutNews {
  return RolloutNews.open(
    inputs,
    { event: eventOf() },
    { id: 'v2', title: 'VirtualService shop/churn', name: 'churn', host },
    { GRAFANA: 'grafana-secret' },
  );
}

describe('news of a rollout', () => {
  test('go to the webhook, Grafana and the deployment; secrets are masked first', async () => {
    const host = listening();
    const news = open(
      {
        webhook: `${origin}/hook/very-secret`,
        grafanaUrl: `${origin}/grafana`,
        grafanaTokenVariable: 'GRAFANA',
        deployment: 'production',
        token: 'github-secret',
      },
      host,
    );
    expect(host.secrets).toEqual(
      expect.arrayContaining([`${origin}/hook/very-secret`, 'grafana-secret', 'github-secret']),
    );
    news.tell(turn('step', 'The canary gets 5 % of the requests.'));
    news.tell(turn('step'));
    news.tell(turn('rolled-back', 'Rolled back.'));
    await news.close(60_000);

    const to = (path: string) => received.filter(({ method, url }) => method === 'POST' && url.startsWith(path));
    expect(to('/hook').map(({ body }) => body)).toEqual([
      { text: expect.stringContaining('*churn: canary v2 on VirtualService shop/churn* The canary gets 5 %') },
      {
        text: expect.stringMatching(
          /^:warning: .*Rolled back\. \(<https:\/\/github.com\/acme\/churn\/actions\/runs\/17\|run>\)$/,
        ),
      },
    ]);
    expect(to('/grafana/api/annotations')).toHaveLength(2);
    expect(to('/repos/acme/churn/deployments/42/statuses').map(({ body }) => body)).toMatchObject([
      { state: 'in_progress', description: 'The canary gets 5 % of the requests.' },
      { state: 'failure', description: 'Rolled back.' },
    ]);
    expect(host.warnings).toEqual([]);
  });

  test('that nobody takes are told of once each, without a secret, and hold nothing up', async () => {
    status = 403;
    const host = listening();
    const news = open(
      { webhook: `${origin}/hook/very-secret`, deployment: 'production', token: 'github-secret' },
      host,
    );
    for (const phase of ['step', 'step', 'promoted'] as const) news.tell(turn(phase, 'x'));
    await news.close(60_000);
    expect(host.warnings.toSorted()).toEqual([
      expect.stringMatching(/^GitHub's deployment could not be told, and the rollout goes on: .*deployments: write/),
      'The webhook could not be told, and the rollout goes on: it answered HTTP 403.',
    ]);
    expect(host.warnings.join()).not.toMatch(/secret/);
  });

  test('tell an end that another run brought about, and no end twice', async () => {
    const news = open({ webhook: `${origin}/hook`, deployment: 'production', token: 't' }, listening());
    const aborted = { ...record, phase: 'rolling-back', reason: 'aborted by ada' } as const;
    news.tell(turn('step', 'The canary gets 5 % of the requests.'));
    news.conclude({ outcome: 'rolled-back', record: aborted, before: false });
    await news.close(60_000);
    const bodies = received.map(({ body }) => body);
    expect(bodies).toContainEqual(
      expect.objectContaining({ state: 'failure', description: 'Rolled back: aborted by ada.' }),
    );
    expect(bodies).toContainEqual({ text: expect.stringContaining('Rolled back: aborted by ada.') });

    const other = open({ webhook: `${origin}/hook` }, listening());
    other.tell(turn('promoted', 'Promoted.'));
    const { length } = received;
    other.conclude({ outcome: 'promoted', record, before: false });
    other.conclude({ outcome: 'holding', record, before: false });
    open({ webhook: `${origin}/hook` }, listening()).conclude({ outcome: 'promoted', record, before: true });
    await other.close(60_000);
    expect(received).toHaveLength(length + 1);
  });

  test('of a run that broke say so', async () => {
    const news = open({ webhook: `${origin}/hook`, deployment: 'production', token: 't' }, listening());
    news.broke('the API server is away');
    await news.close(60_000);
    expect(received.map(({ body }) => body)).toEqual(
      expect.arrayContaining([
        { text: expect.stringContaining('The run broke: the API server is away') },
        expect.objectContaining({ state: 'error', description: 'the API server is away' }),
      ]),
    );
  });

  test('need no receiver at all, and a deployment needs a token', async () => {
    const host = listening();
    const news = open({ deployment: 'production' }, host);
    news.tell(turn('promoted', 'Promoted.'));
    await news.close(60_000);
    expect(received).toEqual([]);
    expect(host.warnings).toEqual(['No deployment on GitHub: the input "token" is empty.']);
  });

  test.each([
    [{ webhook: 'http://example.com/very-secret' }, /address of the webhook/],
    [{ grafanaUrl: 'grafana', grafanaTokenVariable: 'GRAFANA' }, /address of Grafana/],
    [{ grafanaTokenVariable: 'NONE' }, /NONE/],
  ])('are refused before anything moves where %j is wrong', (inputs, expected) => {
    expect(() => open(inputs, listening())).toThrow(expected);
    expect(() => open(inputs, listening())).not.toThrow('very-secret');
  });
});
