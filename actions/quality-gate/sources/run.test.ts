import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentHost } from '../../../core/host/index.ts';
import { type Problem, SluiceError } from '../../../core/problem/index.ts';
import { checkOf, judge, type Scene } from '../scene.ts';

const ids = { candidate: 'c'.repeat(32), champion: 'd'.repeat(32), latest: 'e'.repeat(32) } as const;
type Metrics = Readonly<Record<string, number | string>>;
interface Logged {
  readonly metrics: Metrics;
  readonly status?: string;
}

interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}
type Answer = { readonly status?: number; readonly body: unknown } | undefined;

/** An MLflow with these runs by their ids; the latest of experiment "churn" is `ids.latest`. `instead` answers first. */
async function mlflow(
  runs: Readonly<Record<string, Logged>>,
  instead: (asked: Asked) => Answer = () => undefined,
): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://mlflow');
    let body = '';
    for await (const part of request) body += part;
    const question = { path: path.replace('/api/2.0/mlflow/', ''), query, body };
    asked.push(question);
    const answer = instead(question) ?? answerOf(question, runs);
    response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const nothing = (message: string) => ({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message } });

function answerOf({ path, query }: Asked, runs: Readonly<Record<string, Logged>>): NonNullable<Answer> {
  const written = (id: string) => {
    const { metrics = {}, status = 'FINISHED' } = runs[id] ?? {};
    const info = { run_id: id, run_name: `owl-${id[0]}`, status, start_time: 1 };
    return { info, data: { metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })) } };
  };
  if (path === 'runs/get') {
    const id = query.get('run_id') ?? '';
    return runs[id] === undefined ? nothing(`Run '${id}' not found`) : { body: { run: written(id) } };
  }
  if (path === 'experiments/get-by-name') {
    return query.get('experiment_name') === 'churn'
      ? { body: { experiment: { experiment_id: '1' } } }
      : nothing('Could not find experiment');
  }
  if (path === 'runs/search') return { body: runs[ids.latest] === undefined ? {} : { runs: [written(ids.latest)] } };
  if (path === 'registered-models/get') {
    return { body: { registered_model: { name: 'churn', aliases: [{ alias: 'champion', version: '7' }] } } };
  }
  if (path === 'registered-models/alias') {
    return query.get('alias') === 'champion'
      ? { body: { model_version: { name: 'churn', version: '7', run_id: ids.champion } } }
      : {
          status: 400,
          body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Registered model alias oops not found.' },
        };
  }
  return { status: 404, body: {} };
}

const scene = (
  run: string,
  url: string | undefined,
  {
    gates = 'accuracy: { min: 0.9 }, log_loss: { max: 2 }',
    baseline = 'none',
    ...more
  }: {
    readonly gates?: string;
    readonly baseline?: string;
  } & Partial<Scene> = {},
): Scene => ({
  files: {},
  environment: url === undefined ? {} : { MLFLOW_TRACKING_URI: url },
  ...more,
  policy: ['version: 1', `model: { run: { ${run} }, baseline: ${baseline} }`, `gates: { ${gates} }`, ''].join('\n'),
});
const byId = `id: ${ids.candidate}`;
const champion = '{ champion: { mlflow: churn, alias: champion } }';

async function refused(of: Scene): Promise<Problem> {
  const error: unknown = await judge(of).catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error.problems[0];
  throw new Error(`expected a SluiceError, not ${String(error)}`);
}

describe('the metrics of a run', () => {
  it('hold or break their bounds as points, which is said', async () => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { accuracy: 0.93, log_loss: 2.5 } } });
    const judgement = await judge(scene(byId, url));
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({
      status: 'pass',
      observed: 0.93,
      evidence: { method: 'point', lower: 0.93, upper: 0.93 },
    });
    expect(checkOf(judgement, 'gate/log_loss/max')).toMatchObject({
      status: 'fail',
      observed: 2.5,
      message: 'log_loss is 2.5 in the run owl-c; the bound is broken.',
    });
    expect(judgement.notices[0]?.message).toBe(
      `The numbers are those that the run owl-c (${ids.candidate}) logged in ${url}; without its rows they have no intervals, so points are compared.`,
    );
  });

  it('are those of the latest run of an experiment that finished', async () => {
    const { url, asked } = await mlflow({
      [ids.latest]: { metrics: { val_acc: 0.95 } },
      [ids.candidate]: { metrics: { val_acc: 0.1 } },
    });
    const judgement = await judge(
      scene('experiment: churn, metrics: { accuracy: val_acc }', url, { gates: 'accuracy: { min: 0.9 }' }),
    );
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({ status: 'pass', observed: 0.95 });
    const search = asked.find(({ path }) => path === 'runs/search');
    expect(JSON.parse(search?.body ?? '')).toMatchObject({
      experiment_ids: ['1'],
      filter: "attributes.status = 'FINISHED'",
      order_by: ['attributes.start_time DESC'],
    });
  });

  it('have an interval for accuracy where the policy says of how many rows', async () => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { accuracy: 0.9123, log_loss: 1 } } });
    const judgement = await judge(scene(`${byId}, rows: 100`, url));
    const accuracy = checkOf(judgement, 'gate/accuracy/min');
    expect(accuracy).toMatchObject({
      status: 'inconclusive',
      observed: 0.9123,
      evidence: { method: 'Wilson', n: 100 },
    });
    expect(accuracy.message).toMatch(/would settle it/);
    expect(accuracy.rowsToSettle).toBeGreaterThan(0);
    expect(checkOf(judgement, 'gate/log_loss/max')).toMatchObject({ status: 'pass', evidence: { method: 'point' } });
  });

  it.each([
    ['missing', { acuracy: 0.99 }, /logged no metric "accuracy" \(did it mean "acuracy"\?/],
    ['missing and like no other', {}, /logged no metric "accuracy" \(it logged log_loss;/],
    ['NaN', { accuracy: 'NaN' }, /logged NaN as "accuracy"/],
    ['infinite', { accuracy: 'Infinity' }, /logged Infinity as "accuracy"/],
    ['no number', { accuracy: 'high' }, /logged NaN as "accuracy"/],
    ['written in percent', { accuracy: 93 }, /logged 93 as "accuracy", and accuracy is 1 at most; log the share/],
  ])('are an error of their own where one is %s, and the others are judged', async (_what, metrics, message) => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { ...metrics, log_loss: 1 } as Metrics } });
    const judgement = await judge(scene(byId, url));
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(message),
    });
    expect(checkOf(judgement, 'gate/log_loss/max').status).toBe('pass');
  });

  it('are an error where an error has its sign turned, as scores of scikit-learn have', async () => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { log_loss: -25 } } });
    expect(
      checkOf(await judge(scene(byId, url, { gates: 'log_loss: { max: 2 }' })), 'gate/log_loss/max'),
    ).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/logged -25 as "log_loss", and log_loss is 0 at least/),
    });
  });

  it.each(['RUNNING', 'FAILED', 'KILLED'])('of a run that is %s are judged under a warning', async (status) => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { accuracy: 0.95, log_loss: 1 }, status } });
    const { notices } = await judge(scene(byId, url));
    expect(notices).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        message: expect.stringMatching(new RegExp(`has not finished: MLflow says ${status}`)),
      }),
    );
  });
});

describe('the baseline of a run', () => {
  const gates = 'accuracy: { max_regression: 0.01 }, log_loss: { max_regression: 5% }';

  it('is the run of the champion', async () => {
    const { url } = await mlflow({
      [ids.candidate]: { metrics: { accuracy: 0.9, log_loss: 1.04 } },
      [ids.champion]: { metrics: { accuracy: 0.95, log_loss: 1 } },
    });
    const judgement = await judge(scene(byId, url, { gates, baseline: champion }));
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'fail',
      observed: 0.9,
      baseline: 0.95,
      message: "accuracy is 0.9, the baseline's 0.95 where it was logged: 0.05 worse; the bound is broken.",
    });
    expect(checkOf(judgement, 'gate/log_loss/max_regression')).toMatchObject({ status: 'pass', baseline: 1 });
    expect(judgement.notices).toContainEqual(
      expect.objectContaining({ level: 'notice', message: `The baseline is the run owl-d (${ids.champion}).` }),
    );
  });

  it('is the run that the policy of the base names by its id, and no other is', async () => {
    const { url } = await mlflow({
      [ids.candidate]: { metrics: { accuracy: 0.945, log_loss: 1 } },
      [ids.champion]: { metrics: { accuracy: 0.95, log_loss: 1 } },
      [ids.latest]: { metrics: { accuracy: 0.5, log_loss: 1 } },
    });
    const against = (basePolicy: Scene) =>
      judge(scene(byId, url, { gates, baseline: 'base', basePolicy: basePolicy.policy }));
    const regression = 'gate/accuracy/max_regression';
    const named = await against(scene(`id: ${ids.champion}`, url, { gates, baseline: 'base' }));
    expect(checkOf(named, regression)).toMatchObject({ status: 'pass', baseline: 0.95, observed: 0.945 });
    const same = await against(scene(byId, url, { gates, baseline: 'base' }));
    expect(checkOf(same, regression)).toMatchObject({
      status: 'skipped',
      message: expect.stringMatching(/base's own/),
    });
  });

  it.each([
    ['lacks the metric', { log_loss: 1 }, /the run owl-d logged no metric "accuracy"/],
    ['has NaN', { accuracy: 'NaN', log_loss: 1 }, /the run owl-d logged NaN as "accuracy"/],
    ['has infinity', { accuracy: '-Infinity', log_loss: 1 }, /the run owl-d logged -Infinity as "accuracy"/],
    ['is written in percent', { accuracy: 95, log_loss: 1 }, /the run owl-d logged 95 as "accuracy"/],
  ])('that %s makes its comparison an error, and the rest is judged', async (_what, metrics, message) => {
    const { url } = await mlflow({
      [ids.candidate]: { metrics: { accuracy: 0.9, log_loss: 1 } },
      [ids.champion]: { metrics: metrics as Metrics },
    });
    const judgement = await judge(
      scene(byId, url, {
        gates: 'accuracy: { min: 0.5, max_regression: 0.01 }, log_loss: { max_regression: 5% }',
        baseline: champion,
      }),
    );
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(message),
    });
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({ status: 'pass' });
    expect(checkOf(judgement, 'gate/accuracy/min').baseline).toBeUndefined();
    expect(checkOf(judgement, 'gate/log_loss/max_regression').status).toBe('pass');
  });

  it('under an alias that is not there is an error that names those that are', async () => {
    const { url } = await mlflow({ [ids.candidate]: { metrics: { accuracy: 0.9, log_loss: 1 } } });
    const judgement = await judge(
      scene(byId, url, { gates, baseline: '{ champion: { mlflow: churn, alias: champoin } }' }),
    );
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/has no alias "champoin".*Did you mean "champion"\?/),
    });
  });
});

describe('a run that cannot be read is one problem that says what to do:', () => {
  const failing = (status: number, body: unknown) => mlflow({}, () => ({ status, body }));

  it('nobody is let in, and the token is not shown', async () => {
    const token = 'tok-8d21c6e04f';
    const { url } = await failing(401, { message: `no: ${token}` });
    const secrets: string[] = [];
    const problem = await refused(
      scene(byId, undefined, {
        environment: { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: token },
        host: { ...silentHost, secret: (value) => secrets.push(value) },
      }),
    );
    expect(problem).toMatchObject({ code: 'mlflow-unauthorized', fix: expect.stringMatching(/MLFLOW_TRACKING_TOKEN/) });
    expect(problem.place).toMatchObject({ file: 'sluice.yaml' });
    expect(JSON.stringify(problem)).not.toContain(token);
    expect(secrets).toContain(token);
  });

  it.each([
    ['another API', () => failing(404, { detail: 'Not Found' }), 'not-mlflow', /mlflow server/],
    ['a server that fails', () => failing(500, { message: 'database is locked' }), 'mlflow-refused', /log/],
    ['a run that is not there', () => mlflow({}), 'unknown-run', /32 hexadecimal digits/],
  ])('%s', async (_what, open, code, fix) => {
    const { url } = await open();
    const problem = await refused(scene(byId, url));
    expect(problem).toMatchObject({ code, fix: expect.stringMatching(fix), place: { file: 'sluice.yaml' } });
  });

  it('an experiment that is not there, and one without a run that finished', async () => {
    const { url } = await mlflow({});
    expect(await refused(scene('experiment: chrun', url))).toMatchObject({ code: 'unknown-experiment' });
    expect(await refused(scene('experiment: churn', url))).toMatchObject({ code: 'no-run' });
  });

  it('a server that is not there, and one that nobody names', async () => {
    const problem = await refused(scene(byId, 'http://127.0.0.1:1'));
    expect(problem).toMatchObject({ code: 'connection-refused', place: { file: 'sluice.yaml' } });
    expect(problem.fix).not.toBe('');
    expect(await refused(scene(byId, undefined))).toMatchObject({ code: 'no-tracking-uri' });
  });

  it('an address where clouds hand out credentials is never asked', async () => {
    expect((await refused(scene(byId, 'http://169.254.169.254'))).code).toBe('forbidden-address');
  });
});
