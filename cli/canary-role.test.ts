import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { record } from './recorded-streams.ts';

const istio = 'traffic: { provider: istio, namespace: shop, virtual_service: churn, baseline: v1, canary: v2 }';
const local = 'traffic: { provider: local, state: state }';
const guard = 'guard: { image: ghcr.io/acme/sluice, service_account: sluice-guard }';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-role-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function role(policy: readonly string[] | undefined, ...argv: readonly string[]) {
  const canary = [
    ...(policy ?? []),
    'strategy: { kind: steps, weights: [5, 50] }',
    'metrics: { source: prometheus, server: triton, model: churn }',
  ];
  const text =
    policy === undefined
      ? 'version: 1\ndata: [{ source: d.csv, checks: [{ row_count: { min: 1 } }] }]\n'
      : `version: 1\ncanary:\n${canary.map((line) => `  ${line}\n`).join('')}`;
  writeFileSync(join(directory, 'sluice.yaml'), text);
  return record(directory, ['canary', 'role', ...argv]);
}

describe('sluice canary role', () => {
  test('prints what kubectl applies for a rollout and its guard', async () => {
    const { exitCode, stdout, stderr } = await role([istio, guard]);
    expect([exitCode, stderr]).toEqual([0, '']);
    const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as { readonly kind: string });
    expect(manifests.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'Role',
      'RoleBinding',
      'ServiceAccount',
      'Role',
      'RoleBinding',
    ]);
    expect(stdout).toContain('name: sluice-guard\n');
    expect(stdout).not.toContain('*');
  });

  test('binds it to a user or a group as the cluster calls them', async () => {
    const { stdout } = await role([istio], '--user', 'arn:aws:iam::1:role/ci', '--json');
    const { kind, items } = JSON.parse(stdout) as { readonly kind: string; readonly items: readonly unknown[] };
    expect(kind).toBe('List');
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({ subjects: [{ kind: 'User', name: 'arn:aws:iam::1:role/ci' }] });
    expect((await role([istio], '--group', 'ci')).stdout).toContain('kind: Group');
    expect((await role([istio], '--group', 'ci', '--user', 'a')).exitCode).toBe(1);
  });

  test.each([
    ['without the key "canary"', undefined, 'the policy has no key "canary"'],
    ['whose traffic is no cluster’s', [local], 'local moves traffic outside of Kubernetes'],
  ])('refuses a policy %s', async (_, policy, message) => {
    const { exitCode, stdout, stderr } = await role(policy);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });
});
