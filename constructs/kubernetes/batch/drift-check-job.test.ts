import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, gallery, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { DriftCheckJob, type DriftCheckJobProps } from './drift-check-job.ts';

const base: DriftCheckJobProps = {
  image: `sluice:1.4.0@sha256:${digest}`,
  model: { name: 'churn', version: '3' },
  policy: 'version: 1\ndrift: {}\n',
  reference: { uri: 's3://models/churn/train.parquet', sha256: digest },
  current: { uri: 'https://lake.example.com/latest.csv?day=today' },
  fetchImages: pinnedFetchImages,
};
const checking =
  (change: Partial<DriftCheckJobProps> = {}) =>
  (chart: Chart): DriftCheckJob =>
    new DriftCheckJob(chart, 'churn-drift', { ...base, ...change });
const specOf = (manifests: readonly Manifest[]): Manifest['spec'] => one(manifests, 'CronJob')['spec'];
const podOf = (manifests: readonly Manifest[]): Manifest['spec'] => specOf(manifests).jobTemplate.spec.template.spec;
const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));

describe('a drift check by schedule', () => {
  test('runs the command on the mounted policy, the verified reference and what is there today', () => {
    const manifests = manifestsOf(checking());
    const { containers, initContainers, volumes } = podOf(manifests);
    expect(containers[0].args).toEqual([
      'detect-drift',
      '--policy=/policy/sluice.yaml',
      '--reference=/models/reference.parquet',
      '--current=/current/current.csv',
    ]);
    expect(initContainers.map(({ name }: { readonly name: string }) => name)).toEqual([
      'fetch-model',
      'verify-model',
      'fetch-current',
    ]);
    const map = one(manifests, 'ConfigMap');
    expect(map['data']).toEqual({ 'sluice.yaml': base.policy });
    expect(volumes).toContainEqual({ name: 'policy', configMap: { name: map.metadata.name } });
    const mounts: readonly { readonly name: string }[] = containers[0].volumeMounts;
    const known = volumes.map(({ name }: { readonly name: string }) => name);
    expect(mounts.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    expect(new Set(known).size).toBe(known.length);
  });

  test('runs alone, a bounded time, in its time zone; drift is an answer and is not tried again', () => {
    const spec = specOf(drawn('drift-check-job'));
    expect(spec).toMatchObject({
      schedule: '30 6 * * *',
      timeZone: 'Asia/Seoul',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          activeDeadlineSeconds: 1800,
          podFailurePolicy: {
            rules: [{ action: 'FailJob', onExitCodes: { containerName: 'check', operator: 'In', values: [100] } }],
          },
        },
      },
    });
    expect([spec.successfulJobsHistoryLimit, spec.failedJobsHistoryLimit]).toEqual([3, 3]);
  });

  test('has no rights in the cluster and writes nowhere but in /tmp', () => {
    const { automountServiceAccountToken, containers, initContainers, securityContext } = podOf(
      drawn('drift-check-job'),
    );
    expect([automountServiceAccountToken, securityContext.runAsNonRoot]).toEqual([false, true]);
    for (const container of [...containers, ...initContainers]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    const writable = containers[0].volumeMounts.filter(
      ({ readOnly }: { readonly readOnly?: boolean }) => readOnly !== true,
    );
    expect(writable).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
  });

  test('reaches the bucket and the Pushgateway, by name, and nothing where its data is on a claim', () => {
    const ports = (manifests: readonly Manifest[]) =>
      one(manifests, 'NetworkPolicy')['spec'].egress.flatMap((rule: Manifest['spec']) =>
        rule.ports.map(({ port }: { readonly port: number }) => port),
      );
    expect(ports(drawn('drift-check-job'))).toEqual([53, 53, 443, 9091, 80]);
    expect(ports(drawn('drift-check-job-claim'))).toEqual([]);
    expect(one(drawn('drift-check-job-claim'), 'NetworkPolicy')['spec'].ingress).toEqual([]);
  });

  test('pushes under the name and the version of the model', () => {
    const { args } = podOf(drawn('drift-check-job')).containers[0];
    expect(args.slice(4)).toEqual([
      '--push-metrics=http://pushgateway.monitoring:9091',
      '--model=churn',
      '--model-version=3',
    ]);
  });

  test('reads a claim in place, once although the reference is on it too', () => {
    const { containers, initContainers, volumes } = podOf(drawn('drift-check-job-claim'));
    expect(containers[0].args).toContain('--current=/current/churn/latest.parquet');
    expect(containers[0].volumeMounts).toContainEqual({ name: 'claim-lake', mountPath: '/current', readOnly: true });
    expect(volumes.filter(({ name }: { readonly name: string }) => name === 'claim-lake')).toHaveLength(1);
    expect(initContainers).toHaveLength(2);
  });

  test('takes values for values, whatever is in them', () => {
    const { initContainers } = podOf(
      manifestsOf(
        checking({ current: { uri: 'https://lake.example.com/$(HOME)/";rm.csv', token: { name: 't', key: 'k' } } }),
      ),
    );
    const { command, env } = initContainers.at(-1);
    expect(command[2]).not.toContain('rm.csv');
    expect(env).toContainEqual({ name: 'SOURCE', value: 'https://lake.example.com/$$(HOME)/";rm.csv' });
    expect(env).toContainEqual({ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 't', key: 'k' } } });
  });

  test.each<[string, Partial<DriftCheckJobProps>, string]>([
    [
      'a policy that sluice would refuse',
      { policy: 'version: 1\ndrift:\n  psi: { fial: 0.2 }\n' },
      'policy, line 3: unknown key "fial". Did you mean "fail"?',
    ],
    [
      'a policy without drift',
      { policy: 'version: 1\ndata: [{ source: a.csv, checks: [{ row_count: { min: 1 } }] }]\n' },
      'policy says nothing of drift. Add "drift: {}", or bounds under it such as "psi: { fail: 0.2 }".',
    ],
    [
      'data in a format that cannot be read',
      { current: { uri: 's3://lake/latest.json' } },
      'current.uri does not end as data does that can be compared: found s3://lake/latest.json, expected .parquet, .pq, .csv or .tsv. Name one file in one of these formats.',
    ],
    [
      'a time zone that is none',
      { timeZone: 'Mars/Olympus' },
      'timeZone is no name of the tz database: found Mars/Olympus, expected such as Etc/UTC or Asia/Seoul. Correct it, or leave it out.',
    ],
    [
      'less memory than DuckDB takes',
      { memory: '1Gi' },
      'memory 1Gi is less than what DuckDB takes before it goes to disk (2 GB) and the rest needs. Raise it to at least 3Gi.',
    ],
    [
      'a token in clear text',
      { current: { uri: 'http://lake/latest.csv', token: { name: 't', key: 'k' } } },
      'current.token would be sent where nobody asks for it, or in clear text: found http://, expected https://. Use an https:// address, or leave the token out.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(checking(change))).toBe(`DriftCheckJob "shop/churn-drift": ${text}`);
  });

  test('tells everything that is wrong at once', () => {
    const problems = problemsOf(
      checking({
        image: 'sluice',
        reference: { uri: 'train.csv', sha256: 'none' },
        current: { uri: 'oci://a/b:1#c.csv' },
        schedule: 'daily',
        scratch: 'much' as never,
        cpu: 0,
        pushgateway: 'http://user:secret@pushgateway',
      }),
    );
    expect(problems.map(({ code }) => code).toSorted()).toEqual([
      'bad-address',
      'bad-data-uri',
      'bad-model-uri',
      'bad-quantity',
      'bad-quantity',
      'bad-schedule',
      'bad-sha256',
      'mutable-image',
    ]);
    expect(problems.map(({ found }) => found).join()).not.toContain('secret');
  });
});
