/**
 * `npm run demo:canary`: two releases of a model on this machine, no cluster. Users ask a proxy all the while. The good release is given
 * more and more of their requests and takes over; the bad one is taken back as soon as its harm is shown.
 */
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pc from 'picocolors';
import { encodeInferRequest } from '../../core/inference/index.ts';
import { printable } from '../../core/text/index.ts';
import {
  analysisSettings,
  lookLine,
  openAnalysis,
  openLocalTraffic,
  openProxyMetrics,
  type RolloutResult,
  type RolloutSettings,
  runLine,
  runRollout,
} from '../../rollout/index.ts';
import { loadHttp, type WireRequest } from '../../smoke/index.ts';
import { LiveLine } from './live-line.ts';
import { OwnProcess } from './own-process.ts';

const example = join(import.meta.dirname, '..', 'breast-cancer');
const requestsPerSecond = 200;

/** Short for a demonstration: a policy would take its time. */
const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [10, 50] },
  lookEvery: 1000,
  warmUp: 2000,
  minStage: 3000,
  deadline: 60_000,
  readyDeadline: 10_000,
  lease: 15_000,
  resumeWithin: 60_000,
  approval: false,
};

/** What would have to show up before the canary gets more: 3 percentage points of errors, 10 of answers slower than 150 ms. */
const analysis = analysisSettings({
  errors: { detectIncrease: 0.03 },
  latency: { sloMs: 150, maxShareIncrease: 0.02, detectShareIncrease: 0.1 },
  minRequests: 100,
  warmUp: 2000,
});

/** Requests of users, and those without a good answer. */
interface Asked {
  readonly sent: number;
  readonly failed: number;
}

/** Users who ask the proxy, patient after patient, until they are told to stop. */
class Users {
  #sent = 0;
  #failed = 0;
  #asking = true;
  readonly #done: Promise<void>;

  constructor(url: string) {
    this.#done = this.#ask(new URL(url));
  }

  get asked(): Asked {
    return { sent: this.#sent, failed: this.#failed };
  }

  async stop(): Promise<void> {
    this.#asking = false;
    await this.#done;
  }

  async #ask(url: URL): Promise<void> {
    const requests = patients().map(requestOf);
    const target = { url, headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1_000_000 };
    for (let round = 0; this.#asking; round++) {
      const shape = { mode: 'open', rate: requestsPerSecond, durationMs: 1000, arrivals: 'poisson' } as const;
      const { sent, answered } = await loadHttp(target, requests, shape, { warmUpMs: 0, seed: `users ${round}` });
      this.#sent += sent;
      this.#failed += sent - answered;
    }
  }
}

/** The thirty measurements of each patient of the example's test data. */
function patients(): readonly Float32Array[] {
  const [, ...rows] = readFileSync(join(example, 'data', 'test.csv'), 'utf8')
    .trim()
    .split('\n');
  return rows.map((row) => Float32Array.from(row.split(',').slice(0, 30), Number));
}

function requestOf(measurements: Float32Array): WireRequest {
  const { body, headers } = encodeInferRequest({
    feeds: { features: { type: 'float32', data: measurements, dims: [1, measurements.length] } },
  });
  return { method: 'POST', path: '/v2/models/tumour/infer', headers, body };
}

async function release(
  name: string,
  canary: string,
  state: string,
  reports: string,
  line: LiveLine,
): Promise<{ readonly result: RolloutResult; readonly seconds: number; readonly looks: string }> {
  const looks = join(reports, `${name}.looks.jsonl`);
  const file = createWriteStream(looks);
  file.write(`${runLine(analysis)}\n`);
  await using provider = openLocalTraffic({ state, canary });
  await using source = openProxyMetrics({ state });
  const began = performance.now();
  const result = await runRollout({
    id: name,
    holder: `demo ${process.pid}`,
    provider,
    source,
    analyst: openAnalysis(analysis),
    settings,
    warn: (message) => line.say(pc.yellow(printable(message))),
    onTurn: (turn) => {
      line.show(turn);
      if (turn.look !== undefined && turn.analysed !== undefined) {
        file.write(`${lookLine(turn.look, turn.analysed)}\n`);
      }
    },
  });
  await new Promise<void>((written) => file.end(written));
  return { result, seconds: (performance.now() - began) / 1000, looks };
}

function tell(line: LiveLine, users: Users, before: Asked, outcome: Awaited<ReturnType<typeof release>>): void {
  const { result, seconds, looks } = outcome;
  const { sent, failed } = users.asked;
  const shown = relative(process.cwd(), looks);
  const promoted = result.outcome === 'promoted';
  const mark = promoted ? pc.green('✓ promoted') : pc.red('✗ rolled back');
  line.say(`  ${mark} after ${seconds.toFixed(0)} s${promoted ? '' : `: ${printable(result.record.reason ?? '')}`}`);
  line.say(
    pc.dim(
      `  users sent ${sent - before.sent} requests meanwhile, ${failed - before.failed} of them met an error; every look is in ${shown}`,
    ),
  );
}

const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
const began = performance.now();
try {
  const line = new LiveLine(process.stdout);
  const reports = join(process.cwd(), 'sluice-report', 'canary');
  mkdirSync(reports, { recursive: true });
  const state = join(directory, 'proxy');

  const serve = async (model: string): Promise<OwnProcess> => {
    const file = join(directory, model, 'tumour.onnx');
    mkdirSync(join(directory, model));
    await copyFile(join(example, 'models', `${model}.onnx`), file);
    return await OwnProcess.start('cli/index.ts', 'serve', file, '--port', '0', '--log', 'off');
  };
  line.say('Starting three versions of a model, and a proxy in front of them ...');
  const [one, two, three] = await Promise.all([serve('baseline'), serve('good'), serve('uncertain')]);
  await using _one = one;
  await using _two = two;
  await using _three = three;
  await using faulty = await OwnProcess.start('examples/canary/faulty-front.ts', three.url, '0.05', '0.1');
  await using proxy = await OwnProcess.start(
    'cli/index.ts',
    ...['proxy', '--state', state, '--baseline', one.url, '--port', '0'],
  );
  const users = new Users(proxy.url);
  line.say(`${requestsPerSecond} users a second ask ${proxy.url}; version 1 answers them.\n`);

  line.say(pc.bold('Release of version 2: a better model'));
  const good = await release('version-2', two.url, state, reports, line);
  tell(line, users, { sent: 0, failed: 0 }, good);

  const before = users.asked;
  line.say(pc.bold('\nRelease of version 3: 5 % of its answers are errors, 10 % come late'));
  const bad = await release('version-3', faulty.url, state, reports, line);
  tell(line, users, before, bad);

  await users.stop();
  const { sent, failed } = users.asked;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  line.say(`\nIn ${seconds} s users sent ${sent} requests; ${failed} of them met an error.`);
  line.say(pc.dim(`Decide again from what was seen: npx sluice canary replay ${relative(process.cwd(), bad.looks)}`));
  // Whoever takes this for a test.
  if (good.result.outcome !== 'promoted' || bad.result.outcome !== 'rolled-back') process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
