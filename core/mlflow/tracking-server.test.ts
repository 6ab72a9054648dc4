import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InputError } from '../problem/index.ts';
import { trackingServerOf } from './tracking-server.ts';

const place = { file: 'sluice.yaml', line: 3 };
const uri = 'https://mlflow.example.com/team';

describe('credentials', () => {
  test('are a user and a password, before a token, as in MLflow', async () => {
    const token = { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: 'tok' };
    expect((await trackingServerOf(undefined, token, place)).headers).toEqual({ authorization: 'Bearer tok' });
    const both = { ...token, MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'p:w' };
    const basic = `Basic ${Buffer.from('ann:p:w').toString('base64')}`;
    expect((await trackingServerOf(undefined, both, place)).headers).toEqual({ authorization: basic });
    const inUri = { MLFLOW_TRACKING_URI: 'https://ann:p%3Aw@mlflow.example.com' };
    expect((await trackingServerOf(undefined, inUri, place)).headers).toEqual({ authorization: basic });
  });

  test('go only to the server that the environment names, whatever a policy says', async () => {
    const environment = { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: 'tok' };
    const same = await trackingServerOf('https://mlflow.example.com/other', environment, place);
    expect(same.headers).toEqual({ authorization: 'Bearer tok' });
    for (const elsewhere of [
      'https://evil.example.com',
      'http://mlflow.example.com/team',
      'https://mlflow.example.com:8443',
    ]) {
      expect((await trackingServerOf(elsewhere, environment, place)).headers, elsewhere).toEqual({});
    }
    const { MLFLOW_TRACKING_URI: _, ...tokenAlone } = environment;
    expect((await trackingServerOf(uri, tokenAlone, place)).headers).toEqual({});
  });

  test('come with the authority that signed the server', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-ca-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'ca.pem');
    await writeFile(file, 'PEM');
    const environment = { MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_SERVER_CERT_PATH: file };
    expect((await trackingServerOf(undefined, environment, place)).ca).toBe('PEM');
    await rm(file);
    await expect(trackingServerOf(undefined, environment, place)).rejects.toThrow(/CERT_PATH/);
  });
});

test.each([
  [undefined, undefined, 'no-tracking-uri'],
  [undefined, 'databricks', 'tracking-uri'],
  [undefined, 'sqlite:///mlflow.db', 'tracking-uri'],
  ['file:///mlruns', undefined, 'tracking-uri'],
  ['https://ann:hunter2@mlflow.example.com', undefined, 'tracking-uri'],
])('the address %s in the policy and %s in the environment is %s', async (named, environment, code) => {
  const error: unknown = await trackingServerOf(
    named,
    environment === undefined ? {} : { MLFLOW_TRACKING_URI: environment },
    place,
  ).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).problems[0]).toMatchObject({ code, fix: expect.any(String) });
  expect((error as InputError).message).not.toContain('hunter2');
});
