/**
 * `sluice canary` as a process over the endpoint that the gallery's template makes on the emulator, by the weights of its variants, judged by
 * CloudWatch of the same emulator. Of AWS's, moto lacks here:
 *
 * - requests: what an endpoint would have answered is counted by this test, by the weights that it has (`Users`);
 * - trimmed counts (`TC(:x)`): it answers null for them where there is any latency, so none is told and only errors are judged;
 * - a clock that can be hurried, and tags that are replaced: hurried-aws.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsEmulator, startAwsEmulator } from './aws-emulator.ts';
import { deploy } from './deployment.ts';
import { asEmulated } from './emulated-template.ts';
import { HurriedAws } from './hurried-aws.ts';
import { galleryTemplates } from './templates.ts';

const root = join(import.meta.dirname, '..', '..');
const [baseline, canary] = ['blue', 'green'] as const;

let aws: AwsEmulator;
let hurried: HurriedAws;
let directory: string;
beforeAll(async () => {
  aws = await startAwsEmulator();
  hurried = await HurriedAws.start(aws.endpoint);
  directory = await mkdtemp(join(tmpdir(), 'sluice-endpoint-'));
});
afterAll(async () => {
  await hurried?.[Symbol.asyncDispose]();
  await aws?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The endpoint's name is the emulator's choice. */
let endpoint = '';
beforeEach(async () => {
  await aws.reset();
  const [file] = galleryTemplates().filter(({ from }) => from === 'model-endpoint-ab-and-candidate');
  if (file === undefined) throw new Error('the gallery has no endpoint with two variants');
  const ids = await deploy(aws, file.from, asEmulated(file.template));
  const [id = ''] = [...ids].flatMap(([logicalId, arn]) => (/^Weights[0-9A-F]{8}$/.test(logicalId) ? arn : []));
  endpoint = id.split('/').at(-1) ?? '';
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify(policy(endpoint)));
});

/** By the hurried clock, as all times but `look_every`. */
const lease = '6h';

const policy = (name: string) => ({
  version: 1,
  name: 'churn',
  canary: {
    traffic: {
      provider: 'sagemaker',
      mode: 'variant-weights',
      region: 'us-east-1',
      endpoint: name,
      baseline,
      canary,
    },
    metrics: { source: 'cloudwatch' },
    strategy: { kind: 'steps', weights: [20, 50], min_step: '1m' },
    analysis: { look_every: '1s', warm_up: '1m', min_requests: 50, errors: { detect_increase: 0.05 } },
    lease,
    resume_within: '12h',
    ready_deadline: '12h',
    deadline: '24h',
  },
});

interface Variant {
  readonly VariantName: string;
  readonly CurrentWeight?: number;
}

async function weights(): Promise<Readonly<Record<string, number>>> {
  const { ProductionVariants } = await aws.call('sagemaker', 'describe_endpoint', { EndpointName: endpoint });
  return Object.fromEntries(
    (ProductionVariants as readonly Variant[]).map((one) => [one.VariantName, one.CurrentWeight ?? 0]),
  );
}

/** Requests to the endpoint, shared out by its weights, as SageMaker counts them. */
class Users implements AsyncDisposable {
  readonly #failing: Readonly<Record<string, number>>;
  readonly #over = new AbortController();
  readonly #done: Promise<void>;
  /** Of the canary, of a hundred, in the order they were seen. */
  readonly shares: number[] = [];

  /** @param failing how many of a thousand requests fail, by variant */
  constructor(failing: Readonly<Record<string, number>>) {
    this.#failing = failing;
    this.#done = this.#ask();
  }

  async #ask(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const shared = await weights();
      const all = Object.values(shared).reduce((sum, weight) => sum + weight, 0);
      const share = Math.round((100 * (shared[canary] ?? 0)) / all);
      if (this.shares.at(-1) !== share) this.shares.push(share);
      // What is counted by the minute is told of the one that is over.
      const Timestamp = Math.floor(hurried.now / 60_000) * 60 - 60;
      const MetricData = Object.entries(shared).flatMap(([VariantName, weight]) => {
        const requests = Math.round((1000 * weight) / all);
        const Dimensions = [
          { Name: 'EndpointName', Value: endpoint },
          { Name: 'VariantName', Value: VariantName },
        ];
        const errors = Math.round((requests * (this.#failing[VariantName] ?? 0)) / 1000);
        return [
          { MetricName: 'Invocations', Dimensions, Timestamp, Value: requests },
          { MetricName: 'Invocation5XXErrors', Dimensions, Timestamp, Value: errors },
        ];
      });
      await aws.call('cloudwatch', 'put_metric_data', { Namespace: 'AWS/SageMaker', MetricData });
      await sleep(300);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#done;
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

function sluice(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(root, 'cli', 'index.ts'), 'canary', ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      AWS_ENDPOINT_URL: hurried.url,
      AWS_ACCESS_KEY_ID: 'none',
      AWS_SECRET_ACCESS_KEY: 'none',
      NO_COLOR: '1',
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return {
    child,
    ended: once(child, 'close').then(([code, signal]: (number | string | null)[]) => ({
      code: code as number | null,
      signal: signal as string | null,
      said,
    })),
  };
}

const rolledOut = (...args: readonly string[]): Promise<Ended> => sluice(...args).ended;

async function tagsOfRollout(): Promise<readonly string[]> {
  const { EndpointArn } = await aws.call('sagemaker', 'describe_endpoint', { EndpointName: endpoint });
  const { Tags } = await aws.call('sagemaker', 'list_tags', { ResourceArn: EndpointArn });
  return (Tags as readonly { readonly Key: string }[]).map(({ Key }) => Key).filter((key) => key.startsWith('sluice:'));
}

describe('a canary over an endpoint of SageMaker', { timeout: 300_000 }, () => {
  test('that fails no more than what serves gets all of the traffic, step by step', async () => {
    expect(await weights()).toEqual({ [baseline]: 1, [canary]: 0 });
    await using users = new Users({ [baseline]: 10, [canary]: 10 });
    const { code, said } = await rolledOut('run', '--id', 'release-8');
    expect([code, said]).toEqual([0, expect.stringMatching(/promoted/i)]);
    expect(await weights()).toEqual({ [baseline]: 0, [canary]: 100 });
    expect(users.shares).toEqual(expect.arrayContaining([0, 20, 50]));
    expect(users.shares).toEqual(users.shares.toSorted((one, other) => one - other));
  });

  test('that fails more is taken back, and the command says so by its code', async () => {
    await using users = new Users({ [baseline]: 10, [canary]: 200 });
    const { code, said } = await rolledOut('run', '--id', 'release-8');
    expect([code, said]).toEqual([100, expect.stringMatching(/rolled back/i)]);
    expect(await weights()).toEqual({ [baseline]: 100, [canary]: 0 });
    expect(Math.max(...users.shares)).toBeLessThanOrEqual(50);
  });

  test.each([
    ['run, which goes on', ['run', '--id', 'release-8'], 0, 0, /promoted/i, { [baseline]: 0, [canary]: 100 }],
    [
      'continue once its lease ran out, which takes it back',
      ['continue'],
      12,
      100,
      /lease ran out/,
      { [baseline]: 100, [canary]: 0 },
    ],
  ] as const)(
    'whose run was killed keeps its share and its record for %s',
    async (_what, command, hoursLater, expected, words, at) => {
      // Nobody asks for anything, so that the first step stays undecided.
      const { child, ended } = sluice('run', '--id', 'release-8');
      while ((await weights())[canary] !== 20 && child.exitCode === null) await sleep(100);
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
      expect(await weights()).toEqual({ [baseline]: 80, [canary]: 20 });
      expect(await tagsOfRollout()).toContain('sluice:rollout');
      hurried.skip(hoursLater * 3_600_000);
      await using _users = new Users({ [baseline]: 10, [canary]: 10 });
      const { code, said } = await rolledOut(...command);
      expect([code, said]).toEqual([expected, expect.stringMatching(words)]);
      expect(await weights()).toEqual(at);
    },
  );

  test('of which there is none is not gone on with', async () => {
    const { code } = await rolledOut('continue');
    expect(code).toBe(0);
    expect(await weights()).toEqual({ [baseline]: 1, [canary]: 0 });
    expect(await tagsOfRollout()).toEqual([]);
  });
});
