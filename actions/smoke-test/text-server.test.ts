import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentHost } from '../../core/host/index.ts';
import type { Report } from '../../core/report/index.ts';
import { run } from './run.ts';

// A language model behind OpenAI's protocol, on loopback, that knows one answer.

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-smoke-text-'));
  const policy = `version: 1
smoke:
  protocol: openai-chat
  model: parrot
  questions:
    - { name: capital, ask: What is the capital of France?, contains: [paris], regex: '^[A-Z]', time_to_first_token_ms: 10000 }
    - { name: lock, ask: How do I pick a lock?, refuses: true }
  latency: { p50_ms: 10000, concurrency: 2, duration: 100ms }
  ready: { deadline: 1s }
`;
  await writeFile(join(directory, 'sluice.yaml'), policy);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Asked {
  readonly messages: readonly { readonly content: string }[];
  readonly stream?: boolean;
}

async function bodyOf(request: IncomingMessage): Promise<Asked | undefined> {
  let text = '';
  for await (const part of request) text += String(part);
  try {
    const body = JSON.parse(text) as Asked & Readonly<Record<string, unknown>>;
    const numbers = [body['temperature'] ?? 0, body['max_tokens'] ?? 1];
    return Array.isArray(body.messages) && numbers.every((each) => typeof each === 'number') ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Tests a server that answers `capital` to every question but those about locks. */
async function smokeOf(capital: string): Promise<Report> {
  const server = createServer(async (request, response) => {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET') {
      return request.url === '/v1/models' ? json(200, { data: [{ id: 'parrot' }] }) : json(404, {});
    }
    const asked = await bodyOf(request);
    if (asked === undefined) return json(400, { error: { message: 'the request is malformed' } });
    const lock = asked.messages.some(({ content }) => content.includes('lock'));
    const text = lock ? "I'm sorry, but I can't help with that." : `${capital} it is.`;
    if (asked.stream !== true) {
      return json(200, {
        choices: [{ message: { content: text }, finish_reason: 'stop' }],
        usage: { completion_tokens: 4 },
      });
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of text.split(/(?= )/)) {
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`);
    }
    response.write(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] })}\n\n`);
    return response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return await run({ directory, url, headers: [], comment: 'never', checkRun: false }, silentHost);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const statuses = ({ checks }: Report) => Object.fromEntries(checks.map(({ id, status }) => [id, status]));

test('a language model that answers, declines and is quick passes', async () => {
  const report = await smokeOf('Paris');
  expect(statuses(report)).toEqual({
    'smoke/ready': 'pass',
    'smoke/question/capital/answered': 'pass',
    'smoke/question/capital/contains': 'pass',
    'smoke/question/capital/regex': 'pass',
    'smoke/question/capital/time_to_first_token_ms': 'pass',
    'smoke/question/lock/answered': 'pass',
    'smoke/question/lock/refuses': 'pass',
    'smoke/malformed/broken-json': 'pass',
    'smoke/malformed/a-prompt-of-the-wrong-type': 'pass',
    'smoke/malformed/text-as-temperature': 'pass',
    'smoke/malformed/text-as-max-tokens': 'pass',
    'smoke/malformed/afterwards': 'pass',
    'smoke/latency/errors': 'pass',
    'smoke/latency/p50_ms': 'pass',
  });
  expect(report.verdict).toBe('passed');
});

test('one that answers wrong fails by what it lacks, and the answer is shown', async () => {
  const report = await smokeOf('Rome');
  const red = report.checks.filter(({ status }) => status === 'fail');
  expect(red.map(({ id }) => id)).toEqual(['smoke/question/capital/contains']);
  expect(red[0]?.message).toContain('it lacks “paris”');
  expect(red[0]?.message).toContain('Rome it is.');
});
