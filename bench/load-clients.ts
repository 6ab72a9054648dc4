/**
 * What `smoke/load` adds to the latency it measures: the same trivial server, asked by wrk, by `smoke/load` and by what else could have
 * carried it. Each client runs in a process of its own, since they would share one compiler and one garbage collector otherwise.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, type Dispatcher, Pool } from 'undici';
import { loadHttp } from '../smoke/load/index.ts';
import type { Measurement } from './measurement.ts';
import { loadWith, wrkVersion } from './wrk.ts';

const seconds = 1;
const rounds = 5;
const concurrencies = [1, 8, 32] as const;
const body = Buffer.from('{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}');
const headers = { 'content-type': 'application/json' };
const answer = '{"outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[0.5]}]}';

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
}

type Send = () => Promise<void>;

/** Each gives one caller's way to send a request and wait for its answer. */
const clients: Readonly<Record<string, (url: URL, callers: number) => () => Send>> = {
  'undici Client.dispatch': (url) => () => {
    const client = new Client(url.origin);
    return () => dispatched(client);
  },
  'undici Pool.dispatch': (url, callers) => {
    const pool = new Pool(url.origin, { connections: callers });
    return () => () => dispatched(pool);
  },
  'node:http': (url, callers) => {
    const agent = new Agent({ keepAlive: true, maxSockets: callers });
    return () => () =>
      new Promise((done, fail) => {
        request(url, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } }, (response) =>
          response.resume().once('end', done),
        )
          .once('error', fail)
          .end(body);
      });
  },
  fetch: (url) => () => async () => void (await (await fetch(url, { method: 'POST', headers, body })).arrayBuffer()),
};

function dispatched(dispatcher: Dispatcher): Promise<void> {
  return new Promise((onComplete, onError) => {
    dispatcher.dispatch(
      { method: 'POST', path: '/', headers, body },
      {
        onConnect: () => {},
        onHeaders: () => true,
        onData: () => true,
        onComplete: () => onComplete(),
        onError,
      },
    );
  });
}

/** A closed loop as `smoke/load` runs it: a tenth of the time warms up. */
async function looped(open: () => Send, callers: number): Promise<Figures> {
  const latencies: number[] = [];
  const from = process.hrtime.bigint() + BigInt(seconds * 1e8);
  const to = from + BigInt(seconds * 1e9);
  const call = async (): Promise<void> => {
    const send = open();
    for (let began = process.hrtime.bigint(); began < to; began = process.hrtime.bigint()) {
      await send();
      if (began >= from) latencies.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return figures(latencies);
}

function figures(latencies: readonly number[]): Figures {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), rate: sorted.length / seconds };
}

async function measured(client: string, url: URL, callers: number): Promise<Figures> {
  if (client === 'smoke/load') {
    const target = { url, headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1e6 };
    const shape = { mode: 'closed', concurrency: callers, durationMs: seconds * 1000 } as const;
    const result = await loadHttp(target, [{ method: 'POST', path: '/', headers, body }], shape);
    if (result.failures.length > 0) throw new Error(JSON.stringify(result.failures));
    return figures(result.latenciesMs);
  }
  const open = clients[client];
  if (open === undefined) throw new Error(`no client is called ${client}`);
  return await looped(open(url, callers), callers);
}

/** Answers whatever arrives, without looking at it: the requests are small and come whole. */
function serve(): void {
  const bytes = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {}).on('data', () => socket.write(bytes));
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

const itself = fileURLToPath(import.meta.url);

async function inItsOwnProcess(client: string, url: URL, callers: number): Promise<Figures> {
  if (client === 'wrk') {
    const { p50Ms, p99Ms, requestsPerSecond } = await loadWith({ url: url.href, headers, body }, callers, seconds);
    return { p50: p50Ms, p99: p99Ms, rate: requestsPerSecond };
  }
  const { stdout } = await promisify(execFile)(process.execPath, [itself, 'client', client, url.href, String(callers)]);
  return JSON.parse(stdout) as Figures;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

export async function loadClients(): Promise<Measurement> {
  wrkVersion();
  const server = fork(itself, ['server']);
  try {
    const [{ port }] = (await once(server, 'message')) as [{ readonly port: number }];
    const url = new URL(`http://127.0.0.1:${port}/`);
    const names = ['wrk', 'smoke/load', ...Object.keys(clients)];
    const found = new Map<string, Figures[]>();
    for (let round = 0; round < rounds; round++) {
      for (const callers of concurrencies) {
        for (const name of names) {
          const key = `${name} ${callers}`;
          found.set(key, [...(found.get(key) ?? []), await inItsOwnProcess(name, url, callers)]);
        }
      }
    }
    const of = (name: string, callers: number, what: keyof Figures): number =>
      median((found.get(`${name} ${callers}`) ?? []).map((each) => each[what]));
    const rows = names.map((client) => ({
      client,
      ...Object.fromEntries(
        concurrencies.flatMap((callers) => [
          [`c=${callers} p50 ms`, of(client, callers, 'p50').toFixed(3)],
          [`c=${callers} p99 ms`, of(client, callers, 'p99').toFixed(3)],
          [`c=${callers} req/s`, Math.round(of(client, callers, 'rate'))],
        ]),
      ),
    }));
    const p99OverWrk = Object.fromEntries(
      names
        .slice(1)
        .map((name) => [
          name,
          Object.fromEntries(
            concurrencies.map((callers) => [`c${callers}`, of(name, callers, 'p99') / of('wrk', callers, 'p99')]),
          ),
        ]),
    );
    const best = concurrencies.every((callers) =>
      Object.keys(clients).every((name) => of('smoke/load', callers, 'p99') <= of(name, callers, 'p99')),
    );
    return {
      json: { p99OverWrk },
      tables: [{ title: 'Latency of a trivial server, as each client sees it (medians over rounds)', rows }],
      bounds: [{ text: "smoke/load's 99th percentile is the lowest of the clients in Node", holds: best }],
    };
  } finally {
    server.kill();
  }
}

const [, main, role, client = '', url = '', callers = ''] = process.argv;
if (main === itself) {
  if (role === 'server') serve();
  else if (role === 'client') {
    console.log(JSON.stringify(await measured(client, new URL(url), Number(callers))));
    process.exit(0);
  } else console.log(JSON.stringify(await loadClients(), undefined, 1));
}
