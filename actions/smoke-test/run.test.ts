import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { silentHost } from '../../core/host/index.ts';
import { classifierModel, type Model, openModel } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import type { Report } from '../../core/report/index.ts';
import { run, type SmokeInputs } from './run.ts';
import { type Faults, startStandIn } from './server-stand-in.ts';

// A deployment of the Open Inference Protocol on loopback, right or with one fault: exactly the check for it must turn red.

let directory: string;
let model: Model;
let other: Model;

const weights = [
  [0.5, -0.25, 0.1],
  [-0.3, 0.8, 0.2],
];
const flipped = [
  // One bit of one weight: the lowest of its exponent (0.5 -> 1).
  [1, -0.25, 0.1],
  [-0.3, 0.8, 0.2],
];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-smoke-'));
  await writeFile(join(directory, 'm.onnx'), classifierModel(weights, [0.1, 0, -0.1]));
  await writeFile(join(directory, 'flipped.onnx'), classifierModel(flipped, [0.1, 0, -0.1]));
  await writeFile(join(directory, 'sluice.yaml'), policy());
  model = await openModel(join(directory, 'm.onnx'));
  other = await openModel(join(directory, 'flipped.onnx'));
});
afterAll(async () => {
  await model.close();
  await other.close();
  await rm(directory, { recursive: true, force: true });
});

const policy = (more = '') => `version: 1
name: fault
model: { path: m.onnx }
smoke:
  protocol: v2
  version: "1"
  digest: true
  ready: { deadline: 1s }
  warm_up: 2
  golden: { rows: 8 }
  guardrails: [{ output: probabilities, min: -0.5, max: 1.5, finite: true }]
  latency: { p50_ms: 200, concurrency: 2, duration: 150ms }
${more}`;

const smoke = async (faults: Faults, more: Partial<SmokeInputs> = {}): Promise<Report> => {
  await using server = await startStandIn(model, faults);
  const inputs: SmokeInputs = {
    directory,
    url: server.url.href,
    headers: [],
    comment: 'never',
    checkRun: false,
    today: '2026-01-01',
    ...more,
  };
  return await run(inputs, silentHost);
};

const statuses = ({ checks }: Report) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));
const red = ({ checks }: Report) =>
  checks.filter(({ status }) => status === 'fail' || status === 'error').map(({ id }) => id);

test('a deployment that is right passes every check', async () => {
  // Time for enough answers, also on a machine that is busy.
  await writeFile(join(directory, 'patient.yaml'), policy().replace('duration: 150ms', 'duration: 2s'));
  const report = await smoke({}, { policyFile: 'patient.yaml' });
  expect(statuses(report)).toEqual({
    'smoke/ready': 'pass',
    'smoke/signature/X': 'pass',
    'smoke/signature/label': 'pass',
    'smoke/signature/probabilities': 'pass',
    'smoke/answers': 'pass',
    'smoke/golden/label': 'pass',
    'smoke/golden/probabilities': 'pass',
    'smoke/guardrail/probabilities/min': 'pass',
    'smoke/guardrail/probabilities/max': 'pass',
    'smoke/guardrail/probabilities/finite': 'pass',
    'smoke/version': 'pass',
    'smoke/digest': 'pass',
    'smoke/malformed/broken-json': 'pass',
    'smoke/malformed/a-request-without-inputs': 'pass',
    'smoke/malformed/an-unknown-datatype': 'pass',
    'smoke/malformed/an-unknown-input': 'pass',
    'smoke/malformed/an-unknown-model': 'pass',
    'smoke/malformed/afterwards': 'pass',
    'smoke/latency/errors': 'pass',
    'smoke/latency/p50_ms': 'pass',
  });
  expect(report.verdict).toBe('passed');
});

describe('one fault turns exactly its check red:', () => {
  const anotherShape: Faults['metadata'] = (told) => ({
    ...told,
    inputs: told.inputs.map((input) => ({ ...input, shape: [-1, 3] })),
  });
  const anotherType: Faults['metadata'] = (told) => ({
    ...told,
    outputs: told.outputs.map((output) => (output.name === 'label' ? { ...output, datatype: 'INT32' } : output)),
  });
  const anotherName: Faults['metadata'] = (told) => ({
    ...told,
    inputs: told.inputs.map((input) => ({ ...input, name: 'features' })),
  });
  const anotherFile: Faults['metadata'] = (told) => ({ ...told, parameters: { sha256: 'ab'.repeat(32) } });

  test.each<[string, Faults, readonly string[]]>([
    ['not ready', { readyStatus: 503 }, ['smoke/ready']],
    ['a wrong shape', { metadata: anotherShape }, ['smoke/signature/X']],
    ['a wrong type', { metadata: anotherType }, ['smoke/signature/label']],
    ['a wrong name', { metadata: anotherName }, ['smoke/signature/X', 'smoke/signature/features']],
    ['a wrong version', { version: '2' }, ['smoke/version']],
    ['another file', { metadata: anotherFile }, ['smoke/digest']],
    ['numbers that are off', { shift: 1e-3 }, ['smoke/golden/probabilities']],
    [
      'too much off to be a probability',
      { shift: 2 },
      ['smoke/golden/probabilities', 'smoke/guardrail/probabilities/max'],
    ],
    ['5xx for what is malformed', { malformedStatus: 500 }, malformed()],
    ['200 for what is malformed', { malformedStatus: 200 }, malformed()],
    ['a server that dies of malformed requests', { dies: true }, ['smoke/malformed/afterwards']],
    ['too slow', { delay: 260 }, ['smoke/latency/p50_ms']],
  ])('%s', async (_what, faults, ids) => {
    const report = await smoke(faults, faults.delay === undefined ? {} : { policyFile: await slowPolicy() });
    expect(red(report)).toEqual(ids);
    expect(report.verdict).toBe('failed');
  });

  test('a bit that flipped in the weights: the answers, and the digest that the server tells', async () => {
    expect(red(await smoke({ answersOf: other }))).toEqual([
      'smoke/digest',
      'smoke/golden/label',
      'smoke/golden/probabilities',
    ]);
  });

  test('500s: no golden input is answered, and none under load', async () => {
    const report = await smoke({ inferStatus: 500 });
    expect(red(report)).toEqual(['smoke/answers', 'smoke/latency/errors']);
    expect(statuses(report)).toMatchObject({ 'smoke/golden/label': 'skipped', 'smoke/latency/p50_ms': 'inconclusive' });
  });

  /** Enough answers for a median although each takes long. */
  async function slowPolicy(): Promise<string> {
    await writeFile(
      join(directory, 'slow.yaml'),
      policy().replace('concurrency: 2, duration: 150ms', 'concurrency: 16, duration: 1s'),
    );
    return 'slow.yaml';
  }

  function malformed(): readonly string[] {
    const kinds = ['broken-json', 'a-request-without-inputs', 'an-unknown-datatype', 'an-unknown-input'];
    return kinds.map((kind) => `smoke/malformed/${kind}`);
  }
});

describe('what is shown of a failure', () => {
  test('the worst row, what was served and what is right', async () => {
    const { checks } = await smoke({ shift: 1e-3 });
    const check = checks.find(({ id }) => id === 'smoke/golden/probabilities');
    expect(check?.message).toMatch(
      /^8 of 8 answers are not the file's\. The worst is row \d at \[0, \d\]: \S+ was served and \S+ is right, 0\.001 apart\. /,
    );
    expect(check?.failing).toMatchObject({ total: 8, columns: ['position', 'served', 'expected', 'difference'] });
    expect(check?.observed).toBeCloseTo(1e-3, 5);
  });

  test('the same run gives the same golden inputs', async () => {
    const worst = ({ checks }: Report) => checks.find(({ id }) => id === 'smoke/golden/probabilities')?.failing;
    expect(worst(await smoke({ shift: 1e-3 }))).toEqual(worst(await smoke({ shift: 1e-3 })));
  });
});

describe('what a test cannot begin with is one error with a fix:', () => {
  test.each<[string, Partial<SmokeInputs>, string]>([
    ['an address that is none', { url: 'nowhere' }, 'bad-url'],
    ['an address without its scheme', { url: 'localhost:8080' }, 'bad-url'],
    ['a scheme of another kind', { url: 'ftp://host' }, 'bad-url'],
    ['an unknown protocol', { protocol: 'v22' }, 'unknown-protocol'],
    ['a model file that is not there', { modelFile: 'gone.onnx' }, 'missing-file'],
    ['a policy that is not there', { policyFile: 'gone.yaml' }, 'missing-file'],
    ['a header without a value', { headers: ['X-Api-Key'] }, 'bad-header'],
    ['a token variable that is not set', { tokenVariable: 'SLUICE_NO_SUCH_TOKEN' }, 'no-token'],
    ['a deadline without a unit', { deadline: '30' }, 'bad-deadline'],
    ['a certificate authority that is not there', { caFile: 'gone.pem' }, 'missing-file'],
  ])('%s', async (_what, more, code) => {
    const error = await smoke({}, more).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof SluiceError)) throw new Error(`expected a SluiceError, got ${String(error)}`);
    expect(error.problems.map((problem) => problem.code)).toEqual([code]);
    expect(error.problems[0].fix).toBeTruthy();
  });

  test('without a policy file the inputs alone decide', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'sluice-smoke-'));
    try {
      const report = await smoke({}, { directory: empty, protocol: 'v2', modelFile: join(directory, 'm.onnx') });
      expect(report.verdict).toBe('passed');
      expect(report.checks.map(({ id }) => id)).toContain('smoke/golden/probabilities');
      await expect(smoke({}, { directory: empty })).rejects.toThrow('nothing says which protocol');
      await expect(smoke({}, { directory: empty, protocol: 'v2', modelName: 'm' })).rejects.toThrow(
        'there is no ONNX file',
      );
    } finally {
      await rm(empty, { recursive: true, force: true });
    }
  });
});

test('tokens are masked before anything is sent, and stand in no report', async () => {
  vi.stubEnv('SMOKE_TEST_TOKEN', 'sesame-open-9000');
  try {
    const masked: string[] = [];
    await using server = await startStandIn(model, { readyStatus: 401 });
    const report = await run(
      {
        directory,
        url: server.url.href,
        headers: ['X-Api-Key: hunter2-hunter2'],
        tokenVariable: 'SMOKE_TEST_TOKEN',
        comment: 'never',
        checkRun: false,
      },
      { ...silentHost, secret: (value) => masked.push(value) },
    );
    expect(masked).toEqual(expect.arrayContaining(['sesame-open-9000', 'hunter2-hunter2']));
    expect(report.checks).toMatchObject([{ id: 'smoke/ready', status: 'error' }]);
    expect(report.checks[0]?.message).toContain('token-env');
    expect(report.verdict).toBe('error');
    expect(JSON.stringify(report)).not.toMatch(/sesame|hunter2/);
  } finally {
    vi.unstubAllEnvs();
  }
});
