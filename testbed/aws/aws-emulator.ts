import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../free-ports.ts';
import { peerFolder, startPeer } from '../serving/peer.ts';
import { awsPython } from './python.ts';

/** What AWS, or the emulator for it, said instead of doing it. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  /** `NoSuchBucket`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each operation answers by a model of its own, and tests look anywhere in it.
type Answer = any;

/** AWS's own client for Python, which knows every operation of every service by AWS's models. */
export interface AwsClient {
  /**
   * Calls an operation as boto3 names it: `call('s3', 'get_bucket_versioning', { Bucket })`. One after another.
   * @throws AwsError
   */
  call(service: string, operation: string, parameters?: object): Promise<Answer>;
  /**
   * What AWS's model of a service refuses in the parameters of an operation (`CreateTrainingJob`), a line each; empty for nothing. Values of
   * `unknownValue` fit everywhere.
   */
  refusals(service: string, operation: string, parameters: object): Promise<string>;
  stop(): Promise<void>;
}

/** In parameters: what only a later time knows. */
export const unknownValue = { unknown: true } as const;

/** An account of nobody's, empty at first: https://docs.getmoto.org, asked through AWS's own client. */
export interface AwsEmulator extends AwsClient {
  readonly endpoint: string;
  /** Empties the account. */
  reset(): Promise<void>;
}

/** Starts it: some seconds. */
export async function startAwsEmulator(): Promise<AwsEmulator> {
  const { bin, python } = await awsPython();
  const [port = 0] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startPeer({
    name: 'moto 5.2.5',
    command: python,
    args: [join(bin, 'moto_server'), '-H', '127.0.0.1', '-p', String(port)],
    env: {},
    folder: peerFolder('moto'),
    addresses: { url: endpoint },
    ready: async () => (await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined))?.ok === true,
  });
  const client = await startAwsClient(endpoint);
  return {
    endpoint,
    ...client,
    reset: async () => {
      const { ok, status } = await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' });
      if (!ok) throw new Error(`the emulator did not empty its account: ${status}`);
    },
    stop: async () => {
      await client.stop();
      await server.stop();
    },
  };
}

/** Starts it alone: to ask for `refusals` needs nothing at the endpoint. */
export async function startAwsClient(endpoint: string): Promise<AwsClient> {
  const { python } = await awsPython();
  const client = spawn(python, [join(import.meta.dirname, 'call_aws.py'), endpoint], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ask = lineByLine(client);
  return {
    call: (service, operation, parameters = {}) => ask({ service, operation, parameters }),
    refusals: (service, operation, parameters) => ask({ service, operation, parameters, validate: true }),
    stop: async () => void client.stdin.end(),
  };
}

/** A question a line, answered by a line, in turn. */
function lineByLine(client: ChildProcess): (question: object) => Promise<Answer> {
  const { stdin, stdout } = client;
  if (stdin === null || stdout === null) throw new Error('the client has no pipes');
  const waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  createInterface({ input: stdout }).on('line', (line) => {
    const { answer, code, message } = JSON.parse(line);
    const asked = waiting.shift();
    if (code === undefined) asked?.resolve(answer);
    else asked?.reject(new AwsError(code, message));
  });
  client.once('exit', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('the client for AWS ended'));
  });
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      stdin.write(`${JSON.stringify(question)}\n`);
    });
}
