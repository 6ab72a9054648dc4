/** Models that are artifacts of a real registry, by the real oras in the rendered init container. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../serving/peer.ts';
import { account, artifactRegistry } from './artifact-registry.ts';
import { type BreakingProxy, breakingProxy } from './breaking-proxy.ts';
import type { Ended } from './container.ts';
import { content, type FetchingPods, fetchingPods, onnxPod, served, servedFiles, sha256 } from './fetching-pod.ts';
import { orasProgram } from './tool-images.ts';

const run = promisify(execFile);

const model = content(3_000_000);
const digest = sha256(model);
const weights = content(30_000_000);

let pods: FetchingPods;
let registry: Peer;
let line: BreakingProxy;
let folder: string;
/** The digest of the artifact's manifest. */
let manifest: string;

/** What `oras` prints. */
async function oras(...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const { stdout } = await run(await orasProgram(), [...args], { cwd: folder, env });
  return stdout;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-oci-'));
  [pods, registry] = await Promise.all([fetchingPods('oci'), artifactRegistry()]);
  line = await breakingProxy(Number(new URL(registry.url).port));
  const host = `localhost:${new URL(registry.url).port}`;
  await oras('login', host, '--username', account.user, '--password', account.password);
  writeFileSync(join(folder, 'model.onnx'), model);
  writeFileSync(join(folder, 'weights.bin'), weights);
  mkdirSync(join(folder, 'exported/nested'), { recursive: true });
  writeFileSync(join(folder, 'exported/nested/model.onnx'), model);
  const reference = `${host}/models/churn:3`;
  const pushed = await oras('push', reference, 'weights.bin', 'model.onnx', '--format', 'go-template={{.digest}}');
  manifest = pushed.trim();
  await oras('push', `${host}/models/churn:folder`, 'exported');
}, 600_000);

afterAll(async () => {
  await line?.[Symbol.asyncDispose]();
  await registry?.stop();
  pods?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function fetched(
  artifact: string,
  expected: string,
  { password = account.password, anonymous = false } = {},
): Promise<Ended & { readonly files: Readonly<Record<string, string>> }> {
  const host = `localhost:${line.port}`;
  const auth = Buffer.from(`${account.user}:${password}`).toString('base64');
  using pod = await pods.start(
    onnxPod({
      uri: `oci://${host}/${artifact}`,
      sha256: expected,
      ...(anonymous ? {} : { registrySecret: 'registry' }),
    }),
    {
      secrets: { registry: { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { auth } } }) } },
      env: { TRIES: '3' },
    },
  );
  return { ...(await pod.runAll()), files: servedFiles(pod) };
}

describe('a model that is an artifact', () => {
  test('is served when it is the one that was released, by tag, by digest and by both', async () => {
    for (const reference of [':3', `@${manifest}`, `:3@${manifest}`]) {
      const { code, message, files } = await fetched(`models/churn${reference}#model.onnx`, digest);
      expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: digest } });
    }
  });

  test('is fetched without the other files of the artifact', async () => {
    const before = line.bytes();
    await fetched('models/churn:3#model.onnx', digest);
    expect(line.bytes() - before).toBeLessThan(model.length + 100_000);
  });

  test('is found in a folder that was pushed as one', async () => {
    const { code, message, files } = await fetched('models/churn:folder#exported/nested/model.onnx', digest);
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: digest } });
  });

  test('is fetched whole when the line breaks', async () => {
    const before = line.broken();
    line.breakNext(1, 1_000_000);
    const { code, message, files } = await fetched('models/churn:3#weights.bin', sha256(weights));
    expect(line.broken() - before).toBe(1);
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: sha256(weights) } });
  });

  test('is not served when the file is another', async () => {
    const { code, message, files } = await fetched('models/churn:3#weights.bin', digest);
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message).toContain(`its SHA-256 is ${sha256(weights)}, expected ${digest}.`);
  });

  test.each([
    ['the tag is missing', 'models/churn:4#model.onnx', {}, 'its manifest cannot be read.'],
    ['the artifact is missing', `models/churn@sha256:${'0'.repeat(64)}#model.onnx`, {}, 'its manifest cannot be read.'],
    ['the repository is missing', 'models/nothing:1#model.onnx', {}, 'its manifest cannot be read.'],
    ['the file is not in the artifact', 'models/churn:3#other.onnx', {}, 'the artifact has no file other.onnx.'],
    [
      'the file is not in the folder',
      'models/churn:folder#exported/other.onnx',
      {},
      'the artifact has no file exported/other.onnx.',
    ],
    ['nobody may read it', 'models/churn:3#model.onnx', { anonymous: true }, 'its manifest cannot be read.'],
    ['the password is wrong', 'models/churn:3#model.onnx', { password: 'wrong' }, 'its manifest cannot be read.'],
  ])('is not served when %s, and the last line says so', async (_, artifact, login, said) => {
    const { code, message, files } = await fetched(artifact, digest, login);
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message.split('\n').at(-1)).toBe(
      `${served} could not be fetched from oci://localhost:${line.port}/${artifact}: ${said}`,
    );
  });
});
