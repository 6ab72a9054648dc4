import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { gallery } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { scoringProgram } from './scoring-program.ts';
import { SparkBatchInference, type SparkBatchInferenceProps } from './spark-batch-inference.ts';

const drawn = (): readonly Manifest[] => manifestsOf(gallery['spark-batch-inference'] ?? (() => undefined));
const digest = 'a'.repeat(64);
const base: SparkBatchInferenceProps = {
  image: `spark-onnx:4.0.1@sha256:${digest}`,
  sparkVersion: '4.0.1',
  model: { name: 'churn', version: '3' },
  file: { uri: 's3://models/churn/3/model.onnx', sha256: digest },
  input: 's3a://lake/customers',
  output: 's3a://lake/scores',
  executor: { cores: 4, memory: '8Gi' },
  fetchImages: { verify: `busybox@sha256:${digest}` },
};
const scoring =
  (change: Partial<SparkBatchInferenceProps>) =>
  (chart: Chart): SparkBatchInference =>
    new SparkBatchInference(chart, 'scores', { ...base, ...change });
const specOf = (change: Partial<SparkBatchInferenceProps>): Manifest['spec'] =>
  one(manifestsOf(scoring(change)), 'SparkApplication')['spec'];

describe('batch inference on Spark', () => {
  test('runs the program of the package, from the driver', () => {
    const manifests = drawn();
    const program = one(manifests, 'ConfigMap');
    const { mainApplicationFile, driver, executor } = one(manifests, 'SparkApplication')['spec'];
    expect(program['data']['score_parquet.py']).toBe(scoringProgram());
    expect(mainApplicationFile).toBe('local:///opt/sluice/score_parquet.py');
    const mounted = (pod: Manifest['spec']): readonly string[] =>
      pod.template.spec.containers[0].volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(driver.template.spec.volumes).toContainEqual({
      name: 'program',
      configMap: { name: program.metadata.name },
    });
    expect([mounted(driver).includes('/opt/sluice'), mounted(executor).includes('/opt/sluice')]).toEqual([true, false]);
  });

  test('says every option of the program as the program reads it', () => {
    const source = scoringProgram();
    const options = specOf({
      features: ['a', 'b'],
      outputs: ['score'],
      keep: ['id'],
      batchRows: 100,
      replace: true,
    }).arguments.map((argument: string) => argument.split('=')[0]);
    expect(options.length).toBeGreaterThan(7);
    expect(options.filter((option: string) => !source.includes(`"${option}"`))).toEqual([]);
  });

  test('verifies the model in every pod before Spark starts', () => {
    const { driver, executor } = one(drawn(), 'SparkApplication')['spec'];
    for (const { template } of [driver, executor]) {
      const names = template.spec.initContainers.map(({ name }: { name: string }) => name);
      expect(names).toEqual(['fetch-model', 'verify-model']);
    }
  });

  test('lets only the driver speak to the API server', () => {
    const manifests = drawn();
    const { driver, executor } = one(manifests, 'SparkApplication')['spec'];
    expect(driver.template.spec.automountServiceAccountToken).toBe(true);
    expect(executor.template.spec.automountServiceAccountToken).toBe(false);
    expect(one(manifests, 'RoleBinding')['subjects']).toEqual([
      { kind: 'ServiceAccount', name: driver.serviceAccount },
    ]);
    expect(executor.serviceAccount).not.toBe(driver.serviceAccount);
  });

  test('lets driver and executors reach each other, and nobody else reach them', () => {
    const { podSelector, ...rules } = one(drawn(), 'NetworkPolicy')['spec'];
    expect(rules).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: [{ from: [{ podSelector }] }], egress: [{}] });
    const { driver, executor } = one(drawn(), 'SparkApplication')['spec'];
    for (const { template } of [driver, executor]) {
      expect(template.metadata.labels).toMatchObject(podSelector.matchLabels);
    }
    expect(manifestsOf(scoring({ networkPolicy: false })).map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });

  test('gives the JVM two fifths of the pod and the rest to Python and the model', () => {
    expect(specOf({}).executor).toMatchObject({ memory: '3276m', memoryOverhead: '4916m', coreLimit: '4' });
  });

  test('takes values for values, whatever is in them', () => {
    const { arguments: words } = specOf({ keep: ['--replace', '$(HOME)'] });
    expect(words).toContain('--keep=--replace,$$(HOME)');
    expect(words).not.toContain('--replace');
  });

  test('lets Spark choose executors only within bounds', () => {
    expect(one(drawn(), 'SparkApplication')['spec'].dynamicAllocation).toMatchObject({
      minExecutors: 1,
      maxExecutors: 10,
      shuffleTrackingEnabled: true,
    });
    expect(specOf({ executors: 3 }).executor.instances).toBe(3);
    expect(specOf({ executors: 3 })).not.toHaveProperty('dynamicAllocation');
  });

  test.each<[string, Partial<SparkBatchInferenceProps>, string]>([
    [
      'scores beside what is scored',
      { output: 's3a://lake/customers/scores' },
      'output is the input or inside of it, so the next run would score scores: found s3a://lake/customers/scores. Write elsewhere.',
    ],
    [
      'credentials in a place',
      { input: 's3a://key:secret@lake/customers' },
      'input is no place that every pod of Spark finds: found s3a://...@lake/customers, expected such as s3a://bucket/folder, without spaces or credentials. Write it as Spark reads it; give credentials through serviceAccountAnnotations or sparkConf.',
    ],
    [
      'tasks that never start',
      { taskCores: 8 },
      'taskCores 8 is no whole number up to executor.cores 4, so no task would ever start. Set taskCores to at most 4.',
    ],
    [
      'a JVM without a heap',
      { executor: { cores: 4, memory: '1Gi' } },
      'executor.memory 1Gi leaves the JVM less than the 450 MiB that Spark demands; it gets two fifths. Raise it to at least 1280Mi.',
    ],
    [
      'an old Spark',
      { sparkVersion: '3.3.2' },
      "sparkVersion is none that the program runs on: found 3.3.2, expected 3.4 or later, such as 4.0.1. Write the version of the image's Spark, or use a newer image.",
    ],
    [
      'columns that become two',
      { features: ['a,b'] },
      'features has a column twice, or one with a comma or without a name: found a,b. Correct it; rename such a column before it is written.',
    ],
    [
      'bounds the wrong way round',
      { executors: { min: 4, max: 2 } },
      'executors are no whole numbers from 1, or min is more than max: found 4 to 2. Set executors to a whole number, or to { min, max }.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(scoring(change))).toBe(`SparkBatchInference "shop/scores": ${text}`);
  });

  test('tells everything that is wrong at once', () => {
    const file = { uri: 'model.onnx', sha256: 'none' };
    const problems = problemsOf(scoring({ image: 'spark', file, retries: -1, executors: 0 }));
    expect(problems.map(({ code }) => code).toSorted()).toEqual([
      'bad-count',
      'bad-model-uri',
      'bad-replicas',
      'bad-sha256',
      'mutable-image',
    ]);
  });
});

test('the program is in the package that is published', () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
  };
  expect(files).toContain('constructs/kubernetes/batch/score_parquet.py');
});
