import * as z from 'zod';
import { InputError } from '../problem/index.ts';
import { statuses } from './check.ts';
import { headlineOf } from './headline.ts';
import { reportLimits } from './limits.ts';
import type { Report } from './report.ts';
import { verdictOf } from './verdict.ts';

/**
 * Reads a report that someone else wrote: the JSON text, its bytes, or the parsed value. Trusts nothing in it: unknown keys,
 * sizes beyond `reportLimits`, two checks of one id, or a verdict that does not follow from the checks are an `InputError`; the
 * headline is written anew from the checks. Numbers keep their claim: only the run itself can vouch for them.
 */
export function parseReport(json: unknown): Report {
  const value = typeof json === 'string' || json instanceof Uint8Array ? parseText(json) : json;
  const result = reportSchema().safeParse(value);
  if (!result.success) {
    const [first, ...rest] = result.error.issues.slice(0, 10).map((issue) => ({
      code: 'not-a-report',
      message: `the report is not what Sluice writes: ${issue.message}`,
      place: { key: issue.path.map(String).join('.') },
      fix: 'Use the report.json of the same major version of Sluice, unchanged.',
    }));
    if (first === undefined) throw new RangeError('a failed parse without an issue');
    throw new InputError([first, ...rest]);
  }
  const report = result.data;
  requireUnique(report.checks, 'checks');
  requireUnique(report.figures, 'figures');
  const verdict = verdictOf(report.checks, report.policy);
  if (verdict !== report.verdict) {
    throw new InputError({
      code: 'verdict-without-checks',
      message: 'the verdict of the report does not follow from its checks',
      place: { key: 'verdict' },
      found: report.verdict,
      expected: verdict,
      fix: 'Run Sluice again; do not edit report.json.',
    });
  }
  return { ...report, headline: headlineOf(report.checks, report.policy) };
}

function parseText(json: string | Uint8Array): unknown {
  const bytes = typeof json === 'string' ? Buffer.byteLength(json) : json.byteLength;
  if (bytes > reportLimits.bytes) {
    throw new InputError({
      code: 'report-too-large',
      message: 'the report is too large to read',
      found: `${bytes} bytes`,
      expected: `at most ${reportLimits.bytes} bytes`,
    });
  }
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw new InputError({ code: 'not-json', message: 'the report is not JSON in UTF-8' }, { cause });
  }
}

function requireUnique(items: readonly { readonly id: string }[], key: string): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) {
      throw new InputError({
        code: 'repeated-id',
        message: `two ${key} have one id`,
        place: { key },
        found: id.slice(0, 200),
      });
    }
    seen.add(id);
  }
}

// Built when first needed: the runs that only write reports never pay for it.
let built: z.ZodType<Report> | undefined;
function reportSchema(): z.ZodType<Report> {
  built ??= buildSchema();
  return built;
}

function buildSchema(): z.ZodType<Report> {
  const text = z.string().max(reportLimits.text);
  const value = z.string().max(reportLimits.value);
  const count = z.int().min(0);
  const hash = z.string().regex(/^[0-9a-f]{64}$/);
  const commit = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
  const number = z.number();
  // JSON has no infinity: renderJson writes its name.
  const infinite = z.enum(['Infinity', '-Infinity', 'NaN']).transform(Number);
  const anyNumber = z.union([number, infinite]);
  const share = z.number().min(0).max(1);
  const unit = z.enum(['share', 'rows', 'ms', 'MB', 'ratio', 'count', 'none']);
  const place = z.strictObject({
    file: text.exactOptional(),
    line: z.int().min(1).exactOptional(),
    column: z.int().min(1).exactOptional(),
    key: text.exactOptional(),
  });
  const evidence = z.strictObject({
    estimate: anyNumber,
    lower: anyNumber,
    upper: anyNumber,
    level: share,
    method: text,
    n: count,
    against: z.strictObject({ kind: z.enum(['min', 'max']), value: number }).exactOptional(),
    unit: unit.exactOptional(),
  });
  const failing = z.strictObject({
    total: count,
    columns: z.array(value).max(reportLimits.failingColumns),
    rows: z
      .array(
        z.strictObject({
          row: z.int().min(1).exactOptional(),
          file: value.exactOptional(),
          values: z.array(value.nullable()).max(reportLimits.failingColumns),
        }),
      )
      .max(reportLimits.failingRows),
  });
  const columnProfile = z.strictObject({
    name: value,
    type: text,
    missing: count,
    different: count,
    min: value.exactOptional(),
    max: value.exactOptional(),
    mean: number.exactOptional(),
    std: number.exactOptional(),
    top: z
      .array(z.strictObject({ value, rows: count }))
      .max(20)
      .exactOptional(),
    bars: z.array(count).max(100).exactOptional(),
  });
  const check = z.strictObject({
    id: text,
    title: text,
    section: z.enum(['data', 'gate', 'drift', 'smoke', 'rollout']),
    status: z.enum(statuses),
    message: text,
    observed: z.union([number, text]).exactOptional(),
    bound: z
      .strictObject({
        kind: z.enum(['min', 'max', 'equal', 'max_regression', 'min_improvement', 'must_hold']),
        value: z.union([number, text]),
        relative: z.boolean().exactOptional(),
      })
      .exactOptional(),
    unit: unit.exactOptional(),
    baseline: anyNumber.exactOptional(),
    evidence: evidence.exactOptional(),
    rowsToSettle: count.exactOptional(),
    failing: failing.exactOptional(),
    waiver: z.strictObject({ reason: text, expires: text }).exactOptional(),
    place: place.exactOptional(),
  });
  const head = { id: text, title: text };
  const points = z.array(number).max(reportLimits.points);
  const model = z.enum(['candidate', 'baseline']);
  const curves = z.array(z.strictObject({ name: model, x: points, y: points, summary: number })).max(10);
  const few = <Item extends z.ZodType>(item: Item) => z.array(item).max(reportLimits.points);
  const figure = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('roc'), ...head, curves }),
    z.strictObject({ kind: z.literal('precision_recall'), ...head, curves }),
    z.strictObject({ kind: z.literal('calibration'), ...head, curves }),
    z.strictObject({
      kind: z.literal('confusion'),
      ...head,
      labels: z.array(text).max(200),
      counts: z.array(z.array(count).max(200)).max(200),
    }),
    z.strictObject({
      kind: z.literal('intervals'),
      ...head,
      metric: text,
      bound: number.exactOptional(),
      table: z.literal(true).exactOptional(),
      rows: few(z.strictObject({ name: text, n: count, estimate: number, lower: number, upper: number })),
    }),
    z.strictObject({
      kind: z.literal('latency'),
      ...head,
      series: z.array(z.strictObject({ name: model, ms: points })).max(10),
    }),
    z.strictObject({
      kind: z.literal('residuals'),
      ...head,
      series: z.array(z.strictObject({ name: model, actual: points, predicted: points })).max(10),
    }),
    z.strictObject({
      kind: z.literal('histogram'),
      ...head,
      labels: few(text).exactOptional(),
      series: z.array(z.strictObject({ name: text, edges: points, counts: few(number) })).max(20),
    }),
    z.strictObject({
      kind: z.literal('rollout'),
      ...head,
      seconds: points,
      weight: points,
      evidence: z.array(z.strictObject({ name: text, share: points })).max(50),
      events: few(z.strictObject({ seconds: number, text })),
    }),
    z.strictObject({
      kind: z.literal('table'),
      ...head,
      columns: z.array(text).max(50),
      rows: few(z.array(text).max(50)),
    }),
  ]);
  const summary = z.strictObject({
    path: text,
    sha256: hash,
    bytes: count,
    parameters: count.exactOptional(),
    opset: count.exactOptional(),
    operators: count.exactOptional(),
    operations: count.exactOptional(),
    weights: z
      .array(z.strictObject({ type: text, bytes: count }))
      .max(100)
      .exactOptional(),
    producer: text.exactOptional(),
  });
  return z.strictObject({
    schema: z.literal(1),
    tool: z.strictObject({ name: z.literal('sluice'), version: z.string().max(100) }),
    name: text,
    verdict: z.enum(['passed', 'failed', 'error']),
    headline: text,
    checks: z.array(check).max(reportLimits.checks),
    figures: z.array(figure).max(reportLimits.figures),
    notices: z
      .array(z.strictObject({ level: z.enum(['notice', 'warning']), message: text, place: place.exactOptional() }))
      .max(reportLimits.notices),
    policy: z.strictObject({
      file: text,
      origin: z.enum(['base-and-head', 'head-only']),
      evidence: z.union([z.literal('off'), share]),
      onInconclusive: z.enum(['warn', 'error', 'pass']),
      differences: z
        .array(
          z.strictObject({
            key: text,
            base: text.exactOptional(),
            head: text.exactOptional(),
            effective: z.enum(['base', 'head', 'both']),
            place: place.exactOptional(),
          }),
        )
        .max(reportLimits.differences),
    }),
    candidate: summary.exactOptional(),
    baseline: summary.exactOptional(),
    sources: z
      .array(
        z.strictObject({
          path: text,
          sha256: hash.exactOptional(),
          rows: count,
          form: text.exactOptional(),
          profile: z.array(columnProfile).max(reportLimits.points).exactOptional(),
        }),
      )
      .max(reportLimits.sources),
    commit: z.strictObject({ head: commit, base: commit.exactOptional() }).exactOptional(),
    environment: z.strictObject({
      platform: text,
      cpu: text,
      cpuFlags: z.array(text).max(100).exactOptional(),
      node: text,
      onnxruntime: text.exactOptional(),
      duckdb: text.exactOptional(),
    }),
  });
}
