import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DriftJudgement } from '../../core/drift/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type MetricDefinition, qualityMetrics } from '../../core/telemetry/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** Where a drift check's numbers go beside the report, and whose they are. The alert rules of `constructs/dashboards` read them. */
export interface MetricsGoal {
  /** A file for node_exporter's textfile collector, relative to the working directory. */
  readonly file?: string | undefined;
  /** A Pushgateway: `http://pushgateway:9091`. */
  readonly pushTo?: string | undefined;
  readonly model: string;
  readonly modelVersion: string;
}

/** What Prometheus stores of one column. */
export interface ColumnDistance {
  readonly column: string;
  readonly measure: string;
  readonly observed: number;
}

export function distancesOf(judgements: readonly DriftJudgement[]): readonly ColumnDistance[] {
  return judgements.map(({ of: { column, measure, measured } }) => ({
    column: column.name,
    measure,
    observed: measured.observed,
  }));
}

/** The numbers in Prometheus' text format. `seconds`: when the check ended, of the epoch. */
export function metricsText(
  distances: readonly ColumnDistance[],
  { model, modelVersion }: Pick<MetricsGoal, 'model' | 'modelVersion'>,
  seconds: number,
): string {
  const whose = { model_name: model, model_version: modelVersion };
  const ofMeasure = (measure: string) =>
    distances
      .filter((one) => one.measure === measure)
      .map(({ column, observed }) => ({ labels: { ...whose, feature: column }, value: observed }));
  return [
    familyText(qualityMetrics.featurePsi, ofMeasure('psi')),
    familyText(qualityMetrics.featureKl, ofMeasure('kl')),
    familyText(qualityMetrics.driftChecked, [{ labels: whose, value: seconds }]),
  ].join('');
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function familyText({ name, kind, help }: MetricDefinition, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('\n')}\n`;
}

/** How long a Pushgateway may take, in milliseconds. */
const patience = 30_000;

/**
 * Writes the numbers, pushes them, or both. Throws an `InputError` where the file cannot be written or the address is none, and a `PeerError`
 * where the Pushgateway does not take them.
 */
export async function tellMetrics(text: string, goal: MetricsGoal, directory: string): Promise<void> {
  const { file, pushTo } = goal;
  if (file !== undefined) {
    await writeFile(resolve(directory, file), text).catch((cause: unknown) => {
      const message = `cannot write the metrics (${cause instanceof Error && 'code' in cause ? cause.code : 'unknown'})`;
      const fix = 'Name a file in a folder that exists and can be written.';
      throw new InputError({ code: 'unwritable-file', message, place: { file }, fix }, { cause });
    });
  }
  if (pushTo !== undefined) await push(text, groupUrl(pushTo, goal));
}

/** The group of this model's numbers, which a push replaces as a whole: a column that is gone leaves nothing behind. */
function groupUrl(pushTo: string, { model, modelVersion }: MetricsGoal): URL {
  // Base64 takes any character, also a slash; an empty value is `=`.
  const encoded = (text: string) => Buffer.from(text).toString('base64url') || '=';
  if (!URL.canParse(pushTo) || !/^https?:$/.test(new URL(pushTo).protocol)) {
    throw new InputError({
      code: 'bad-address',
      message: 'the Pushgateway is at no address',
      found: excerpt(pushTo),
      expected: 'such as http://pushgateway:9091',
      fix: 'Correct it.',
    });
  }
  const path = `/metrics/job/sluice_drift/model_name@base64/${encoded(model)}/model_version@base64/${encoded(modelVersion)}`;
  return new URL(`${pushTo.replace(/\/+$/, '')}${path}`);
}

async function push(text: string, url: URL): Promise<void> {
  const refused = (found: string, cause?: unknown) =>
    new PeerError(
      {
        code: 'push-refused',
        message: `the Pushgateway at ${excerpt(url.host)} did not take the metrics`,
        found,
        fix: 'Check its address, and that this job may reach it.',
      },
      cause === undefined ? undefined : { cause },
    );
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain; version=0.0.4' },
    body: text,
    signal: AbortSignal.timeout(patience),
  }).catch((cause: unknown) => {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw refused(excerpt(reason, 120), cause);
  });
  if (answer.ok) return;
  throw refused(`${answer.status}: ${excerpt((await answer.text()).slice(0, 500), 120)}`);
}
