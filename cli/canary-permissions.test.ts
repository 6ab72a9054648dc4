import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

const weights =
  'traffic: { provider: sagemaker, mode: variant-weights, region: eu-west-1, endpoint: churn, baseline: blue, canary: green }';
const istio = 'traffic: { provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v2 }';
const cloudwatch = 'metrics: { source: cloudwatch }';
const signed = 'metrics: { source: prometheus, server: sluice, sigv4: { region: eu-west-1, service: aps } }';
const plain = 'metrics: { source: prometheus, server: sluice }';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-permissions-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function permissions(canary: readonly string[], ...argv: readonly string[]) {
  const lines = ['strategy: { kind: steps, weights: [5, 50] }', ...canary];
  writeFileSync(join(directory, 'sluice.yaml'), `version: 1\ncanary:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  return record(directory, ['canary', 'permissions', ...argv]);
}

describe('sluice canary permissions', () => {
  test('prints the policy that IAM takes', async () => {
    const { exitCode, stdout, stderr } = await permissions([weights, cloudwatch], '--account', '111122223333');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      Version: '2012-10-17',
      Statement: expect.arrayContaining([
        {
          Sid: 'Weights',
          Effect: 'Allow',
          Action: ['sagemaker:UpdateEndpointWeightsAndCapacities'],
          Resource: 'arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn',
        },
      ]),
    });
  });

  test('names the workspace of Managed Prometheus, and the region that is given', async () => {
    const argv = ['--account', '111122223333', '--workspace', 'ws-1', '--region', 'eu-north-1'];
    const { stdout } = await permissions([weights, signed], ...argv);
    expect(stdout).toContain('"arn:aws:aps:eu-west-1:111122223333:workspace/ws-1"');
    expect(stdout).toContain('"arn:aws:sagemaker:eu-north-1:111122223333:endpoint/churn"');
  });

  test.each([
    ['an account that is none', [weights, cloudwatch], ['--account', '1111-2222'], 'twelve digits'],
    ['a workspace that is not named', [weights, signed], ['--account', '111122223333'], '--workspace'],
    ['a rollout that asks nothing of AWS', [istio, plain], ['--account', '111122223333'], 'asks nothing of AWS'],
    ['no account', [weights, cloudwatch], [], '--account'],
  ])('refuses %s, and says what to do', async (_, canary, argv, words) => {
    const { exitCode, stdout, stderr } = await permissions(canary, ...argv);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
  });
});
