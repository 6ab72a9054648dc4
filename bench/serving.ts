import { encodeInferRequest } from '../core/inference/index.ts';
import { loadHttp } from '../smoke/load/index.ts';
import { startKserve } from '../testbed/serving/kserve.ts';
import { startMlflow } from '../testbed/serving/mlflow.ts';
import { startMlserver } from '../testbed/serving/mlserver.ts';
import type { Peer, PeerModel } from '../testbed/serving/peer.ts';
import { startSluice } from '../testbed/serving/sluice.ts';
import { trainedModels } from '../testbed/serving/trained-models.ts';
import { startTriton } from '../testbed/serving/triton.ts';
import { type CheckedAnswers, checkAnswers } from './answer-check.ts';
import { openInProcess } from './in-process.ts';
import type { Bound, Measurement, Table } from './measurement.ts';
import { median, quantile } from './quantile.ts';
import { type Load, loadWith, type Shot, wrkVersion } from './wrk.ts';

const rounds = 5;
const warmUpSeconds = 1;
const seconds = 3;
const connections = [1, 8, 32] as const;
type Connections = (typeof connections)[number];

/** Columns of a row of the models. */
const width = 30;
/** Rows of one request where a client batches itself. */
const clientBatches = [32, 1024] as const;

/** What our requests a second are held to, as a multiple of another server's. */
const wanted = {
  vsMlserver: { 1: 2.5, 8: 10, 32: 10 },
  vsKserve: { 1: 2.5, 8: 10, 32: 10 },
  vsMlflow: { 1: 2.5, 8: 10, 32: 10 },
  vsTriton: { 1: 2, 8: 2, 32: 2 },
} as const;
type Rivalry = keyof typeof wanted;
const rivalries = ['vsMlserver', 'vsKserve', 'vsTriton', 'vsMlflow'] as const satisfies readonly Rivalry[];
/** The least share of the rows a second without a server that are left with one, where the client batches. */
const wantedShare = 0.8;

interface Contender {
  readonly peer: Peer;
  /** Against whom we are then measured; our own server has none. */
  readonly rivalry?: Rivalry;
  readonly shot: Shot;
  readonly loads: Readonly<Record<Connections, Load[]>>;
  /**
   * 99th percentiles at one connection, in milliseconds, of the requests that were sent. wrk's own adds those that a stall kept from being
   * sent, so the same stall of the machine is six requests of a server that answers six times as fast.
   */
  readonly sentTails: number[];
}

/**
 * Our server beside MLServer, KServe, Triton and MLflow: the same gradient boosting model, machine, load generator and row. All
 * servers run all the time; wrk turns to one after the other, in the other order every other round, so that a busy machine slows all.
 */
export async function serving(): Promise<Measurement> {
  const wrk = wrkVersion();
  const { gb, rows } = await trainedModels();
  const model: PeerModel = { name: 'gb', file: gb.onnx };
  const contenders: Contender[] = [];
  try {
    contenders.push(contender(await startSluice([model]), inferShot('gb', rows.slice(0, width))));
    contenders.push(contender(await startMlserver([model]), inferShot('gb', rows.slice(0, width)), 'vsMlserver'));
    contenders.push(contender(await startKserve([model]), inferShot('gb', rows.slice(0, width)), 'vsKserve'));
    contenders.push(contender(await startTriton([model]), inferShot('gb', rows.slice(0, width)), 'vsTriton'));
    contenders.push(contender(await startMlflow([model]), invocation(rows.slice(0, width)), 'vsMlflow'));
    for (let round = 0; round < rounds; round++) {
      for (const count of connections) {
        for (const { peer, shot, loads, sentTails } of round % 2 === 0 ? contenders : contenders.toReversed()) {
          await loadWith(shot, count, warmUpSeconds);
          loads[count].push(await loadWith(shot, count, seconds));
          if (count === 1) sentTails.push(await tailOfSent(shot));
          tell(
            `round ${round + 1} of ${rounds}, ${peer.name} at ${count}: ${loads[count].at(-1)?.requestsPerSecond.toFixed(0)}/s`,
          );
        }
      }
    }
    const [ours] = contenders;
    if (ours === undefined) throw new Error('There is no server.');
    tell('answers under load');
    const answers = await checkAnswers(ours.shot.url, gb.onnx, rows, width, loadWith(ours.shot, 32, 2 * seconds));
    tell('rows a second in batches');
    const batched = await batches(ours.peer, gb.onnx, rows);
    return measurement(wrk, contenders, ours, answers, batched);
  } finally {
    await Promise.all(contenders.map(({ peer }) => peer.stop()));
  }
}

type Relative = Omit<Shot, 'url'> & { readonly path: string };

function contender(peer: Peer, { path, ...shot }: Relative, rivalry?: Rivalry): Contender {
  const loads = { 1: [], 8: [], 32: [] };
  return {
    peer,
    shot: { ...shot, url: `${peer.url}${path}` },
    loads,
    sentTails: [],
    ...(rivalry === undefined ? {} : { rivalry }),
  };
}

async function tailOfSent({ url, headers, body }: Shot): Promise<number> {
  const { origin, pathname } = new URL(url);
  const { latenciesMs, failures } = await loadHttp(
    { url: new URL(origin), headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1e6 },
    [{ method: 'POST', path: pathname, headers, body: Buffer.from(body) }],
    { mode: 'closed', concurrency: 1, durationMs: seconds * 1000 },
  );
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return quantile(latenciesMs, 0.99);
}

/** A request of the Open Inference Protocol with these rows. */
function inferShot(model: string, data: Float32Array, binary = false): Relative {
  const dims = [data.length / width, width];
  return {
    path: `/v2/models/${model}/infer`,
    ...encodeInferRequest({ feeds: { X: { type: 'float32', dims, data } }, binary }),
  };
}

/** A request of MLflow's scoring protocol with these rows. */
function invocation(data: Float32Array): Relative {
  const rows = Array.from({ length: data.length / width }, (_, row) =>
    Array.from(data.slice(row * width, (row + 1) * width)),
  );
  return {
    path: '/invocations',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: { X: rows } }),
  };
}

interface Batched {
  readonly rows: number;
  readonly inProcess: number;
  readonly served: number;
}

/** Rows a second through one request with many rows (binary tensors), and through one call of ONNX Runtime with as many. */
async function batches({ url }: Peer, file: string, data: Float32Array): Promise<readonly Batched[]> {
  const inProcess = await openInProcess(file, data, width);
  try {
    const found: Batched[] = [{ rows: 1, inProcess: await inProcess.rowsPerSecond(1), served: Number.NaN }];
    for (const rows of clientBatches) {
      const values = Float32Array.from({ length: rows * width }, (_, index) => data[index % data.length] ?? 0);
      const { path, ...shot } = inferShot('gb', values, true);
      const [alone, served]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        alone.push(await inProcess.rowsPerSecond(rows));
        served.push(rows * (await loadWith({ ...shot, url: `${url}${path}` }, 8, seconds)).requestsPerSecond);
      }
      found.push({ rows, inProcess: median(alone), served: median(served) });
    }
    return found;
  } finally {
    await inProcess.close();
  }
}

function measurement(
  wrk: string,
  contenders: readonly Contender[],
  ours: Contender,
  answers: CheckedAnswers,
  batched: readonly Batched[],
): Measurement {
  const ratio = (rivalry: Rivalry, count: Connections): number => {
    const theirs = contenders.find((each) => each.rivalry === rivalry)?.loads[count] ?? [];
    // Round by round: what slowed one of a round slowed the other.
    return median(
      ours.loads[count].map((load, round) => load.requestsPerSecond / (theirs[round]?.requestsPerSecond ?? Number.NaN)),
    );
  };
  const largest = batched.at(-1);
  const share = (largest?.served ?? Number.NaN) / (largest?.inProcess ?? Number.NaN);
  const bare = batched[0]?.inProcess ?? Number.NaN;
  return {
    json: {
      ...Object.fromEntries(
        rivalries.map((rivalry) => [
          rivalry,
          Object.fromEntries(connections.map((count) => [`c${count}`, rounded(ratio(rivalry, count), 2)])),
        ]),
      ),
      vsBareRun: Object.fromEntries(connections.map((count) => [`c${count}`, rounded(rate(ours, count) / bare, 3)])),
      batchedShare: rounded(share, 3),
      checkedAnswers: answers.checked,
      wrongAnswers: answers.wrong,
    },
    tables: [httpTable(wrk, contenders), batchTable(batched)],
    bounds: [
      ...rivalries.flatMap((rivalry) => connections.map((count) => faster(rivalry, count, ratio(rivalry, count)))),
      ...contenders.slice(1).flatMap((theirs) => connections.map((count) => lowerTail(ours, theirs, count))),
      ...contenders.slice(1).map((theirs) => lowerSentTail(ours, theirs)),
      {
        text: `of ${answers.checked} answers under load at c=32 beside random rows ${answers.wrong} differ from the ONNX file's`,
        holds: answers.checked > 0 && answers.wrong === 0,
      },
      {
        text: `requests of ${largest?.rows} rows: ${percent(share)} of the rows a second without a server ≥ ${percent(wantedShare)}`,
        holds: share >= wantedShare,
      },
    ],
  };
}

function faster(rivalry: Rivalry, count: Connections, ratio: number): Bound {
  const least = wanted[rivalry][count];
  return {
    text: `${rivalry} at c=${count}: ${ratio.toFixed(1)} times the requests a second ≥ ${least}`,
    holds: ratio >= least,
  };
}

function lowerTail(ours: Contender, theirs: Contender, count: Connections): Bound {
  const [own, other] = [tail(ours, count), tail(theirs, count)];
  return {
    text: `p99 at c=${count}: ${own.toFixed(2)} ms < ${theirs.peer.name}'s ${other.toFixed(2)} ms`,
    holds: own < other,
  };
}

function lowerSentTail(ours: Contender, theirs: Contender): Bound {
  const [own, other] = [median(ours.sentTails), median(theirs.sentTails)];
  return {
    text: `p99 at c=1 of the requests sent: ${own.toFixed(2)} ms < ${theirs.peer.name}'s ${other.toFixed(2)} ms`,
    holds: own < other,
  };
}

function httpTable(wrk: string, contenders: readonly Contender[]): Table {
  return {
    title: `gradient boosting, one row a request, JSON; ${wrk}, ${rounds} rounds of ${seconds} s, medians`,
    rows: connections.flatMap((count) =>
      contenders.map((each) => ({
        connections: count,
        server: each.peer.name,
        'requests/s': Math.round(rate(each, count)),
        'p50 ms': rounded(median(each.loads[count].map(({ p50Ms }) => p50Ms)), 2),
        'p99 ms': rounded(tail(each, count), 2),
        'p99 of sent ms': count === 1 ? rounded(median(each.sentTails), 2) : '',
      })),
    ),
  };
}

function batchTable(batched: readonly Batched[]): Table {
  return {
    title: 'rows a second: one thread of ONNX Runtime in this process, and our server with binary requests at c=8',
    rows: batched.map(({ rows, inProcess, served }) => ({
      'rows a call': rows,
      'session.run': Math.round(inProcess),
      server: Number.isNaN(served) ? '' : Math.round(served),
      share: Number.isNaN(served) ? '' : percent(served / inProcess),
    })),
  };
}

function rate(contender: Contender, count: Connections): number {
  return median(contender.loads[count].map(({ requestsPerSecond }) => requestsPerSecond));
}

function tail(contender: Contender, count: Connections): number {
  return median(contender.loads[count].map(({ p99Ms }) => p99Ms));
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** Minutes pass: on the error stream, so that the last line of the other is the result. */
function tell(what: string): void {
  console.error(what);
}
