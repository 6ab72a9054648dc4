import { describe, expect, test } from 'vitest';
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
