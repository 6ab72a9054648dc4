/**
 * Linters that others wrote, over every manifest of every construct and example, and over every dashboard. What a manifest does not keep on
 * purpose is in linters/exemptions.ts, with its reason.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintExclusions } from '../constructs/dashboards/dashboard-lint.ts';
import { servingDashboard } from '../constructs/dashboards/index.ts';
import { gallery } from '../constructs/kubernetes/fixtures/gallery.ts';
import { type Manifest, manifestsOf } from '../constructs/kubernetes/fixtures/test-chart.ts';
import { type ServingProfileName, servingProfiles } from '../core/telemetry/index.ts';
import { checkov } from './linters/checkov.ts';
import { dashboardLinter } from './linters/dashboard-linter.ts';
import { type Exemption, judge } from './linters/exemption.ts';
import { exemptions } from './linters/exemptions.ts';
import type { Finding } from './linters/finding.ts';
import { kubeScore } from './linters/kube-score.ts';
import { kubeconform } from './linters/kubeconform.ts';
import { type ManifestFile, writeManifestFile, writeManifestFiles } from './linters/manifest-files.ts';
import { writeManifestSchemas } from './linters/manifest-schemas.ts';
import { renderedDashboards } from './linters/rendered-dashboards.ts';

let folder = '';
let files: readonly ManifestFile[] = [];
const inFolder = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-linters-'));
  files = await writeManifestFiles(inFolder('manifests'));
  await writeManifestSchemas(
    inFolder('schemas'),
    files.flatMap(({ manifests }) => manifests),
  );
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('manifests', () => {
  let findings: readonly Finding[] = [];
  beforeAll(async () => {
    const found = [kubeconform(files, inFolder('schemas')), kubeScore(files), checkov(files)];
    findings = (await Promise.all(found)).flat();
  }, 900_000);

  test('of every construct and example break no rule of kubeconform, kube-score and Checkov that no exemption explains', () => {
    expect(files.length).toBeGreaterThan(Object.keys(gallery).length);
    expect(judge(findings, exemptions).errors).toEqual([]);
  });

  test('break every rule that an exemption is for, or it has to go', () => {
    expect(judge(findings, exemptions).stale).toEqual([]);
  });
});

describe('a manifest with a root user, an image "latest", no limits and a field that is none', () => {
  let spoiled: readonly ManifestFile[] = [];
  beforeAll(() => {
    const manifests = manifestsOf(gallery['onnx-deployment'] ?? (() => undefined)).map(spoil);
    spoiled = [writeManifestFile(inFolder('spoiled'), { from: 'spoiled', manifests })];
  });

  test('is refused by kubeconform', async () => {
    expect(await kubeconform(spoiled, inFolder('schemas'))).toEqual([
      {
        rule: 'kubeconform schema',
        object: 'Deployment churn',
        from: 'spoiled',
        message: "/spec/template/spec/containers/0/securityContext additional properties 'runAsRoot' not allowed",
      },
    ]);
  });

  test('is refused by kubeconform in a custom resource, too', async () => {
    const manifests = manifestsOf(gallery['keda-autoscaler'] ?? (() => undefined)).map((manifest) =>
      manifest.kind === 'ScaledObject' ? { ...manifest, spec: { ...manifest['spec'], minReplica: '1' } } : manifest,
    );
    const file = writeManifestFile(inFolder('misspelled'), { from: 'misspelled', manifests });
    const found = await kubeconform([file], inFolder('schemas'));
    expect(found.map(({ object, message }) => `${object}: ${message}`)).toEqual([
      "ScaledObject churn-scaling: /spec additional properties 'minReplica' not allowed",
    ]);
  });

  test('is refused by kube-score', async () => {
    const rules = (await kubeScore(spoiled))
      .filter(({ object }) => object === 'Deployment churn, container server')
      .map(({ rule }) => rule);
    expect(rules).toEqual(
      expect.arrayContaining([
        'kube-score container-image-tag',
        'kube-score container-resources',
        'kube-score container-security-context-user-group-id',
      ]),
    );
  });

  test('is refused by Checkov', async () => {
    const rules = (await checkov(spoiled)).map(({ rule }) => rule.replace('checkov ', ''));
    // Memory and processor limits, "latest", root.
    expect(rules).toEqual(expect.arrayContaining(['CKV_K8S_11', 'CKV_K8S_13', 'CKV_K8S_14', 'CKV_K8S_40']));
  });
});

function spoil(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Deployment') return manifest;
  const { template } = manifest['spec'];
  const [{ resources: _resources, ...server }] = template.spec.containers;
  const spoiled = {
    ...server,
    image: 'registry.example.com/sluice-serve:latest',
    securityContext: { runAsUser: 0, runAsRoot: true },
  };
  const spec = { ...template.spec, containers: [spoiled] };
  return { ...manifest, spec: { ...manifest['spec'], template: { ...template, spec } } };
}

describe('dashboards', () => {
  const profiles = Object.keys(servingProfiles) as readonly ServingProfileName[];
  // Built the first time.
  beforeAll(() => dashboardLinter([], inFolder('dashboards')), 900_000);

  test.each(profiles)(
    'of %s are clean by dashboard-linter but for panels of series that are not of the server',
    async (profile) => {
      const { content, json } = servingDashboard({ profile, reward: true });
      const found = await dashboardLinter([{ from: profile, json }], inFolder('dashboards'));
      const excluded = exclusionsOf(content.title, [lintExclusions(content)]);
      expect(judge(found, excluded)).toEqual({ errors: [], stale: [] });
    },
  );

  test('in manifests are, too', async () => {
    const dashboards = renderedDashboards(files);
    expect(dashboards.length).toBeGreaterThan(1);
    const all = profiles.map((profile) => lintExclusions(servingDashboard({ profile, reward: true }).content));
    for (const dashboard of dashboards) {
      const found = await dashboardLinter([dashboard], inFolder('dashboards'));
      expect(judge(found, exclusionsOf(dashboard.json['title'], all)).errors).toEqual([]);
    }
  });

  test('of another label, unit and range, with a panel without description, are refused', async () => {
    const { json } = servingDashboard({ profile: 'triton' });
    const text = JSON.stringify(json)
      .replace('"label":"Data source"', '"label":"Source"')
      .replace('"unit":"reqps"', '"unit":"requests"')
      .replace('$__rate_interval', '5m')
      .replace(/"description":"[^"]*","datasource"/, '"description":"","datasource"')
      .replace('"editable":false', '"editable":true');
    const found = await dashboardLinter([{ from: 'spoiled', json: JSON.parse(text) }], inFolder('dashboards'));
    expect(new Set(found.map(({ rule }) => rule.replace('dashboard-linter ', '')))).toEqual(
      new Set([
        'panel-title-description-rule',
        'panel-units-rule',
        'target-instance-rule',
        'target-job-rule',
        'target-rate-interval-rule',
        'template-datasource-rule',
        'uneditable-dashboard',
      ]),
    );
  });
});

/** What the `.lint` files of dashboards leave out. */
function exclusionsOf(title: unknown, lists: readonly ReturnType<typeof lintExclusions>[]): readonly Exemption[] {
  return lists
    .flatMap(({ exclusions }) => Object.entries(exclusions))
    .flatMap(([rule, { reason, entries }]) =>
      entries.map(({ panel }) => ({
        rules: [`dashboard-linter ${rule}`] as const,
        objects: [`dashboard ${title}, panel ${panel}`] as const,
        reason,
      })),
    );
}

describe('an exemption', () => {
  const finding: Finding = { rule: 'kube-score pod-probes', object: 'Pod a, container b', from: 'c', message: 'none' };
  const exemption: Exemption = { rules: ['kube-score pod-probes'], objects: ['Pod a*'], reason: 'tried' };

  test('covers its rule on its objects, where it says they are', () => {
    expect(judge([finding], [exemption])).toEqual({ errors: [], stale: [] });
    expect(judge([finding], []).errors).toEqual(['kube-score pod-probes: Pod a, container b of c: none']);
    const elsewhere = judge([finding], [{ ...exemption, from: ['d'] }]);
    expect(elsewhere.errors).toHaveLength(1);
    expect(elsewhere.stale).toContain('kube-score pod-probes: d');
  });

  test('is told when a rule or an object of it covers nothing', () => {
    const wide: Exemption = {
      ...exemption,
      rules: ['kube-score pod-probes', 'checkov CKV_K8S_8'],
      objects: ['Pod a*', 'Pod b'],
    };
    expect(judge([finding], [wide])).toEqual({
      errors: [],
      stale: ['checkov CKV_K8S_8', 'kube-score pod-probes: Pod b'],
    });
  });
});
