import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from '../cache.ts';

/** What a model does wrong on purpose; `handlers/onnx_model.py` does it. */
export type Fault =
  /** Takes 300 ms for every request. */
  | 'slow'
  /** Raises an exception for every request. */
  | 'raises'
  /** Answers one column less than it says. */
  | 'narrow'
  /** Loads for an hour. */
  | 'never-ready';

/** A model for a peer to serve. */
export interface PeerModel {
  readonly name: string;
  /** Path of an ONNX file; for MLServer also of a scikit-learn estimator, `.joblib`. */
  readonly file: string;
  readonly fault?: Fault;
  /** For Triton: its config.pbtxt, instead of one made here. */
  readonly config?: string;
}

/** A real model server that runs on loopback. */
export interface Peer {
  /** With its version: `mlserver 1.7.1`. */
  readonly name: string;
  /** Where it takes requests, without a slash at the end. */
  readonly url: string;
  /** Host and port of its gRPC service. */
  readonly grpc?: string;
  /** Where it shows its Prometheus metrics. */
  readonly metrics?: string;
  /** TorchServe's management API. */
  readonly management?: string;
  /** Its process; the processes it starts are its group. */
  readonly pid: number;
  /** Ends it and all it started, and removes its files. */
  stop(): Promise<void>;
}

/** How one kind of server is started. */
export interface PeerPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its working folder, made for it by `peerFolder`: removed when it stops. */
  readonly folder: string;
  /** How the names of its shared memory begin, if it leaves that behind. */
  readonly sharedMemory?: string;
  readonly addresses: Omit<Peer, 'name' | 'pid' | 'stop'>;
  /** Whether it serves now; asked again and again. */
  ready(): Promise<boolean>;
}

/** Milliseconds a server may take until it is ready: twenty times the slowest on two idle cores, since others run beside it. */
const startLimit = 300_000;
/** Milliseconds a server has to end by itself. */
const stopLimit = 5_000;

/** Milliseconds the log of a server is kept. */
const logsKept = 24 * 3600 * 1000;
let logsMade = 0;

/** A folder for a peer's models and settings. */
export function peerFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `sluice-${name}-`));
}

/**
 * Starts a server and waits until it serves. What it writes is kept a day in the cache's `logs`.
 * @throws when it ends or does not get ready, with the end of what it wrote
 */
export async function startPeer(plan: PeerPlan): Promise<Peer> {
  // Ray's processes leave the group; what carries this mark is ended too.
  const mark = `SLUICE_TESTBED_PEER=${randomUUID()}`;
  const [key = '', value = ''] = mark.split('=');
  const logFile = newLog(plan.name.split(' ')[0] ?? plan.name);
  const log = openSync(logFile, 'w');
  const child = spawn(plan.command, plan.args, {
    cwd: plan.folder,
    env: { ...environmentFromHere(), ...plan.env, [key]: value },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  const end = () => {
    if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
    for (const pid of processesMarked(mark)) signal(pid, 'SIGKILL');
    rmSync(plan.folder, { recursive: true, force: true, maxRetries: 5 });
    if (plan.sharedMemory !== undefined) removeSharedMemory(plan.sharedMemory);
  };
  endAtExit(end);
  const stop = async () => {
    // To the server only: it ends its own workers.
    if (child.pid !== undefined) signal(child.pid, 'SIGTERM');
    const limit = performance.now() + stopLimit;
    while (ended === undefined && performance.now() < limit) await sleep(20);
    end();
    running.delete(end);
  };
  const limit = performance.now() + startLimit;
  while (!(await plan.ready())) {
    if (ended === undefined && performance.now() < limit) {
      await sleep(50);
      continue;
    }
    const reason = ended ?? `it was not ready after ${startLimit / 1000} s`;
    await stop();
    throw new Error(`${plan.name} did not start: ${reason}. The end of ${logFile}:\n${endOf(logFile)}`);
  }
  return { name: plan.name, ...plan.addresses, pid: child.pid ?? 0, stop };
}

const running = new Set<() => void>();

/** Servers do not outlive this process, if it ends in an order that lets it say so. */
function endAtExit(end: () => void): void {
  if (running.size === 0) {
    const endAll = () => {
      for (const each of running) each();
      running.clear();
    };
    process.once('exit', endAll);
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        endAll();
        process.kill(process.pid, name);
      });
    }
  }
  running.add(end);
}

/** A file for what a server writes, and those of the last days removed. */
function newLog(name: string): string {
  const logs = cacheDirectory('logs');
  for (const entry of readdirSync(logs)) {
    const path = join(logs, entry);
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > logsKept)
      rmSync(path, { force: true });
  }
  return join(logs, `${name}-${process.pid}-${++logsMade}.log`);
}

/** This process's environment without what would reach into the servers: proxies, and settings of other Pythons. */
function environmentFromHere(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(https?_proxy|all_proxy|PYTHON.*|VIRTUAL_ENV|NODE_OPTIONS)$/i.test(name),
    ),
  );
}

/** Whether all answer 200. */
export async function allAnswer(...urls: readonly string[]): Promise<boolean> {
  return (await Promise.all(urls.map(textOf))).every((text) => text !== undefined);
}

/** The body of an answer with 200, else `undefined`. */
export async function textOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const text = await response.text();
    return response.status === 200 ? text : undefined;
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Processes of this user with the mark in their environment (Linux; elsewhere none). */
function processesMarked(mark: string): readonly number[] {
  const pids = safely(() => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) ?? [];
  return pids
    .filter((pid) =>
      safely(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))
        ?.split('\0')
        .includes(mark),
    )
    .map(Number);
}

function removeSharedMemory(prefix: string): void {
  const regions = safely(() => readdirSync('/dev/shm')) ?? [];
  for (const region of regions.filter((each) => each.startsWith(prefix)))
    rmSync(join('/dev/shm', region), { force: true });
}

function safely<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function endOf(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-40).join('\n');
}
