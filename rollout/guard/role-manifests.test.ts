import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import { roleManifests } from './role-manifests.ts';
import { guardRole, type PolicyRule, rolloutRole } from './rollout-roles.ts';

const istio: KubernetesTraffic = {
  provider: 'istio',
  namespace: 'shop',
  virtualService: 'churn',
  baseline: 'v1',
  canary: 'v2',
  destinationRule: 'churn-subsets',
};
const all: readonly KubernetesTraffic[] = [
  istio,
  { provider: 'gateway-api', namespace: 'shop', httpRoute: 'churn', baseline: 'a', canary: 'b' },
  { provider: 'kserve', namespace: 'shop', inferenceService: 'churn', mode: 'knative' },
  { provider: 'kserve', namespace: 'shop', inferenceService: 'churn', mode: 'standard' },
  { provider: 'seldon', namespace: 'shop', kind: 'SeldonDeployment', name: 'churn', baseline: 'a', canary: 'b' },
  { provider: 'seldon', namespace: 'shop', kind: 'Experiment', name: 'churn', baseline: 'a', canary: 'b' },
];

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');

const changes = ({ verbs }: PolicyRule): boolean => verbs.some((verb) => !['get', 'list'].includes(verb));

describe('the minimal role', () => {
  test.each(all)('for $provider changes one object by name, and with a guard its one Job', (traffic) => {
    const alone = rolloutRole(traffic, { guard: false }).filter(changes);
    expect(alone).toEqual([expect.objectContaining({ verbs: ['get', 'patch'], resourceNames: ['churn'] })]);
    const guarded = rolloutRole(traffic, { guard: true }).filter(changes);
    expect(guarded.slice(1)).toEqual([
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create'] },
      {
        apiGroups: ['batch'],
        resources: ['jobs'],
        verbs: ['get', 'delete'],
        resourceNames: [expect.stringMatching(/^sluice-guard-churn-/)],
      },
    ]);
    expect(guardRole(traffic)).toEqual(alone);
    for (const { verbs, resources, apiGroups } of rolloutRole(traffic, { guard: true })) {
      expect([...verbs, ...resources, ...apiGroups]).not.toContain('*');
      expect(resources).not.toContain('secrets');
    }
  });

  test.each(all)('for $provider is in the README as it is', (traffic) => {
    const named = traffic.provider === 'istio' ? { ...traffic, destinationRule: 'churn' } : traffic;
    const lines = rolloutRole(named, { guard: true }).map(
      (rule) => `- ${stringify(rule, { lineWidth: 0, collectionStyle: 'flow' }).trim()}`,
    );
    expect(lines.length).toBeGreaterThan(2);
    expect(readme).toContain(`\n${lines.join('\n')}\n`);
  });

  test('for Istio reads pods only where a destination rule names them', () => {
    const { destinationRule: _, ...hosts } = istio;
    const read = (traffic: KubernetesTraffic): readonly string[] =>
      rolloutRole(traffic, { guard: false }).flatMap(({ resources }) => resources);
    expect(read(istio)).toContain('pods');
    expect(read(hosts)).not.toContain('pods');
  });
});

describe('the manifests', () => {
  test('bind one role to who runs rollouts, and another to the guard', () => {
    const manifests = roleManifests(istio, {
      subject: { kind: 'ServiceAccount', name: 'ci' },
      guardAccount: 'sluice-guard',
    });
    expect(manifests.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'Role',
      'RoleBinding',
      'ServiceAccount',
      'Role',
      'RoleBinding',
    ]);
    for (const { metadata } of manifests) expect(metadata).toMatchObject({ namespace: 'shop' });
    const [, role, binding, , guard, guardBinding] = manifests;
    expect(role?.['rules']).toEqual(rolloutRole(istio, { guard: true }));
    expect(guard?.['rules']).toEqual(guardRole(istio));
    expect(binding).toMatchObject({
      roleRef: { kind: 'Role', name: expect.stringMatching(/^sluice-rollout-churn-/) },
      subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'shop' }],
    });
    expect(guardBinding).toMatchObject({ subjects: [{ name: 'sluice-guard', namespace: 'shop' }] });
  });

  test('without a guard let nobody make Jobs, and make no account for a user', () => {
    const manifests = roleManifests(istio, { subject: { kind: 'User', name: 'arn:aws:iam::1:role/ci' } });
    expect(manifests.map(({ kind }) => kind)).toEqual(['Role', 'RoleBinding']);
    expect(JSON.stringify(manifests)).not.toContain('jobs');
    expect(manifests[1]?.['subjects']).toEqual([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'arn:aws:iam::1:role/ci' },
    ]);
  });
});
