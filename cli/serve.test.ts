import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { linearModel } from '../core/onnx/index.ts';
import { record } from './recorded-streams.ts';

const root = join(import.meta.dirname, '..');
let directory: string;
let model: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-serve-'));
  model = join(directory, 'double.onnx');
  await writeFile(model, linearModel([[1], [2]], [0.5]));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The real process. `ready` resolves with the port it tells, or rejects with all it wrote. */
function serve(...argv: string[]) {
  const child = spawn(process.execPath, ['cli/index.ts', 'serve', ...argv], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined },
  });
  children.push(child);
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...text }));
  });
  const ready = new Promise<number>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text.stderr += chunk;
      const port = /Ready in .* on http:\/\/[^:]+:(\d+)/.exec(text.stderr)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.on('close', () => reject(new Error(text.stderr)));
  });
  ready.catch(() => {});
  return { child, ready, ended };
}

/** Asks for `a + 2 b + 0.5`, without a second try. */
function ask(
  agent: Agent,
  port: number,
  a: number,
  b: number,
): Promise<{ status: number; last: boolean; body: string }> {
  const body = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 2], data: [a, b] }] });
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        path: '/v2/models/double/infer',
        method: 'POST',
        agent,
        headers: { 'content-length': body.length },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            last: response.headers.connection === 'close',
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('sluice serve', () => {
  test('says what it serves and where, answers, and ends by SIGTERM with exit code 0', async () => {
    const { child, ready, ended } = serve(model, '--port', '0', '--drain-delay', '0');
    const port = await ready;
    const agent = new Agent({ keepAlive: true });
    expect((await ask(agent, port, 3, 4)).body).toContain('"data":[11.5]');
    agent.destroy();
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('double version 1: ready, X float32 [batch, 2] -> Y');
    expect(stderr).toContain('SIGTERM: finishing');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(['ready', 'request', 'draining', 'stopped']);
  });

  test('a second signal ends it at once', async () => {
    const { child, ready, ended } = serve(model, '--port', '0', '--log', 'off', '--drain-delay', '60s');
    await ready;
    child.stderr?.on('data', (chunk: string) => {
      if (chunk.includes('finishing')) child.kill('SIGINT');
    });
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '' });
  });

  test('a restart under load loses no request', async () => {
    const first = serve(model, '--port', '0', '--log', 'off', '--reuse-port');
    const port = await first.ready;
    const second = serve(model, '--port', String(port), '--log', 'off', '--reuse-port');
    const tally = { sent: 0, answered: 0, moved: 0 };
    let stop = false;
    const client = async (number: number): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let turn = 0; !stop; turn++) {
        tally.sent++;
        const { status, last, body } = await ask(agent, port, number, turn);
        // Every request sent has its right answer; a connection that is ended says so with an answer before.
        expect(status).toBe(200);
        expect(body).toContain(`"data":[${number + 2 * turn + 0.5}]`);
        tally.answered++;
        if (last) tally.moved++;
      }
      agent.destroy();
    };
    const clients = Array.from({ length: 8 }, (_, number) => client(number));
    await second.ready;
    const before = tally.answered;
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
    const at = tally.answered;
    while (tally.answered < at + 200) await new Promise((resolve) => setTimeout(resolve, 10));
    stop = true;
    await Promise.all(clients);
    expect(before).toBeGreaterThan(0);
    expect(tally.moved).toBeGreaterThan(0);
    expect(tally.answered).toBe(tally.sent);
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
  });
});

describe('what sluice serve refuses', () => {
  const refused = async (...argv: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await record(directory, ['serve', ...argv]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).not.toMatch(/^ {4}at /m);
    return stderr;
  };

  test('a model that is not there', async () => {
    expect(await refused('nowhere.onnx')).toMatch(/^error nowhere\.onnx\n.*no such file.*\n {2}fix: /m);
  });

  test('a file that is no model', async () => {
    await writeFile(join(directory, 'text.onnx'), 'no model');
    expect(await refused('text.onnx', '--port', '0', '--log', 'off')).toMatch(
      /^error .*text.*cannot be served.*\n {2}fix: /m,
    );
  });

  test('a repository with a model that is broken, by name', async () => {
    await mkdir(join(directory, 'repository/good/1'), { recursive: true });
    await mkdir(join(directory, 'repository/bad/1'), { recursive: true });
    await copyFile(model, join(directory, 'repository/good/1/model.onnx'));
    await writeFile(join(directory, 'repository/bad/1/model.onnx'), 'no model');
    expect(await refused('repository', '--port', '0', '--log', 'off')).toMatch(
      /^error the model bad version 1 cannot be served/m,
    );
  });

  test('a port that is taken', async () => {
    const other: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    expect(await refused('double.onnx', '--port', port, '--log', 'off')).toMatch(
      /^error another program already listens.*\n {2}fix: .*--port/m,
    );
    other.close();
  });

  test('a token variable that holds nothing: a server that was to have a token is never open', async () => {
    expect(await refused('double.onnx', '--token-env', 'NO_SUCH_TOKEN')).toMatch(
      /^error .*NO_SUCH_TOKEN.*\n {2}fix: /m,
    );
    const { exitCode, stderr } = await record(directory, ['serve', 'double.onnx'], { SLUICE_SERVE_TOKEN: '' });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('SLUICE_SERVE_TOKEN')]);
  });

  test.each([
    ['--port', '70000'],
    ['--port', 'http'],
    ['--timeout', '5'],
    ['--max-body', '64'],
    ['--workers', '0'],
    ['--accuracy', 'churn=1.5'],
    ['--log', 'xml'],
  ])('%s %s', async (flag, value) => {
    expect(await refused('double.onnx', flag, value)).toContain(flag);
  });
});
