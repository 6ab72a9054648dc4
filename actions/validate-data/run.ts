/**
 * Data checks of a policy on CSV and Parquet files.
 * @module
 */
import { type DigestedTable, type Engine, openEngine, type Table } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import {
  type DataSource,
  defaultsOf,
  type EffectivePolicy,
  type SourceOfRows,
  sourceName,
} from '../../core/policy/index.ts';
import { DataError, PeerError, PolicyError, type Problem } from '../../core/problem/index.ts';
import { type Check, distinctIds, type Report } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  type GateInputs,
  gateReport,
  loadEffectivePolicy,
  publishReport,
  repositoryRoot,
  todayOf,
} from '../../github/index.ts';
import { conclude } from './conclude.ts';
import { sampleFailing } from './failing-rows.ts';
import type { AskedSource } from './gx/render-gx.ts';
import { writeGx } from './gx/write-gx.ts';
import { type OpenRows, openRows } from './open-rows.ts';
import { refuseBadPatterns } from './patterns.ts';
import { otherRows, planSource, type SourceSubject, textColumns } from './plan.ts';
import type { Asked } from './planned-check.ts';
import { profileColumns } from './profile-columns.ts';
import { Selecting } from './selections.ts';
import { withoutSensitive } from './sensitive.ts';
import type { skewsOf as measureSkews } from './skews.ts';
import { TableEngines } from './table-engines.ts';
import { takeMeasures } from './take-measures.ts';
import { counted } from './wording.ts';

export { orderExpectations, rangeExpectations, setExpectations } from './gx/expectation-names.ts';
export { expectationOf } from './gx/expectation-of.ts';

export interface ValidateDataInputs extends GateInputs {
  /** Where the results go as JSON of Great Expectations, relative to `directory`. */
  readonly gxFile?: string;
}

/** Data validation alone: reads the policy, checks its data, reports and publishes. */
export async function run(inputs: ValidateDataInputs, host: Host): Promise<Report> {
  const reading = host.group('Read the policy', () => loadEffectivePolicy(inputs, host));
  // DuckDB starts on threads of its own while the policy is read.
  const opening = openEngine({ host, directories: reading.then(({ directory }) => [repositoryRoot(directory)]) });
  // What is wrong with the policy is told once, below.
  opening.catch(() => undefined);
  const gate = await reading;
  const { policy, directory, event } = gate;
  await using engine = await opening;
  if (policy.policy.data === undefined) {
    throw new PolicyError({
      code: 'nothing-to-validate',
      message: 'the policy has no data checks',
      place: { file: policy.file },
      fix: 'Add "data:" with a source and its checks, or remove this step.',
    });
  }
  const found = await host.group('Validate the data', () =>
    validateData({ policy, directory, engine, host, today: todayOf(inputs) }),
  );
  const report = gateReport(gate, found, inputs);
  await publishReport(report, { ...inputs, part: 'data', event }, host);
  if (inputs.gxFile !== undefined)
    await writeGx(report, found.asked, { file: inputs.gxFile, directory: inputs.directory });
  return report;
}

export interface DataToValidate {
  readonly policy: EffectivePolicy;
  /** What the policy's paths are relative to. Files outside the repository it is in are refused. */
  readonly directory: string;
  readonly engine: Engine;
  readonly host: Host;
  /** `YYYY-MM-DD` in UTC: what ages are held against. @default today */
  readonly today?: string;
}

/**
 * Every data check of the policy. A check that breaks its bound is a result; so is one that cannot be judged (`error`: a column that
 * is not there, a file without rows). What cannot even be asked is thrown, all problems at once: a `PolicyError` for patterns that
 * are no regular expressions, a `DataError` for files that cannot be read.
 */
export async function validateData({
  policy,
  directory,
  engine,
  host,
  today = todayOf({}),
}: DataToValidate): Promise<{ checks: Check[]; sources: Report['sources']; asked: readonly AskedSource[] }> {
  const sources = policy.policy.data ?? [];
  const within = repositoryRoot(directory);
  await refuseBadPatterns(policy, engine);
  await using engines = new TableEngines(policy.policy.engines, host);
  const rooms = { engine, engines, directory, within };
  await using selecting = new Selecting(engine, host);

  const checks: Check[] = [];
  const asked: { source: DataSource; rows: number; checks: readonly Asked[] }[] = [];
  const tables: Report['sources'][number][] = [];
  const problems: Problem[] = [];
  const progress = host.progress('Checking the data');
  try {
    for (const [index, source] of sources.entries()) {
      progress.update(index, sources.length);
      try {
        const rows = await openRows(source.source, rooms, {
          place: policy.placeOf(['data', index, 'source']),
          text: textColumns(source),
        });
        const { table, sha256 } = rows;
        const others = new Map<string, DigestedTable>();
        const open = async (other: SourceOfRows, text: Iterable<string>) => {
          const place = policy.placeOf(['data', index, 'checks']);
          const opened = await openRows(other, rooms, { place, text: [...text] });
          return { ...opened.table, sha256: (await opened.sha256) ?? '' };
        };
        for (const [name, { source: other, text }] of otherRows(source, table))
          others.set(name, await open(other, text));
        const selections = await selecting.of(source, table, (file) => open(file, []));
        const other = (file: string) => {
          const found = others.get(file);
          if (found === undefined) throw new RangeError('a file that no check names');
          return found;
        };
        const skews = await skewsOf(source, rows, other, { engine, level: defaultsOf(policy.policy).evidence });
        const subject: SourceSubject = {
          table,
          today,
          selected: (check) => selections.get(check) ?? { refused: 'it was not run' },
          isSensitive: ({ name }) => source.sensitive?.includes(name) ?? false,
          skewed: (check) => skews.get(check) ?? [],
          other,
        };
        const found = await checkSource(source, index, rows, subject, policy);
        host.info(
          `${excerpt(sourceName(source.source))}: ${counted(table.rows, 'row')}, ${counted(table.columns.length, 'column')}, ${counted(found.length, 'check')}`,
        );
        tables.push({
          path: sourceName(source.source),
          rows: table.rows,
          ...(sha256 === undefined ? {} : { sha256: await sha256 }),
          ...formOf(table),
          ...(source.profile === true && table.ordered !== false
            ? { profile: await profileColumns(engine, table, subject.isSensitive) }
            : {}),
        });
        checks.push(...found.map(({ check }) => check));
        asked.push({ source, rows: table.rows, checks: found.map((one) => one.asked) });
      } catch (error) {
        if (!(error instanceof DataError || error instanceof PeerError)) throw error;
        problems.push(...error.problems);
      }
    }
  } finally {
    progress.end();
  }
  const [first, ...others] = problems;
  if (first !== undefined) throw new DataError([first, ...others]);

  const ids = distinctIds(checks.map((check) => check.id));
  const identified = checks.map((check, index) => ({ ...check, id: ids[index] ?? check.id }));
  let at = 0;
  return {
    checks: identified,
    sources: tables,
    asked: asked.map((source) => ({
      ...source,
      checks: source.checks.map((one) => ({ ...one, id: identified[at++]?.id ?? '' })),
    })),
  };
}

/** What the `skew` checks of a source found. The statistics of drift are loaded where one is asked for. */
async function skewsOf(...[source, ...others]: Parameters<typeof measureSkews>): ReturnType<typeof measureSkews> {
  if (!source.checks.some(({ skew }) => skew !== undefined)) return new Map();
  return (await import('./skews.ts')).skewsOf(source, ...others);
}

/** How a source is stored, for a reader of the report. */
function formOf({ format, dialect, files }: Table): { readonly form?: string } {
  if (format === undefined) return {};
  const words = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' }[format];
  const parts = [
    words,
    ...(dialect === undefined ? [] : [dialect]),
    ...(files === undefined ? [] : [counted(files.length, 'file')]),
  ];
  return { form: parts.join(', ') };
}

/** Plans the checks of a source, counts what they need, judges, and fetches rows of those that fail. */
async function checkSource(
  source: DataSource,
  index: number,
  { table, engine, dialect }: OpenRows,
  subject: SourceSubject,
  policy: EffectivePolicy,
): Promise<readonly { readonly check: Check; readonly asked: Asked }[]> {
  const planned = planSource(source, index, subject, policy.placeOf);
  const needs = planned.flatMap((check) => check.needs);
  const measurements = withoutSensitive(await takeMeasures(engine, table, needs, dialect), subject);
  const judged = planned.map((check) => ({ check, judgement: check.judge(measurements) }));
  const shown = judged.flatMap(({ judgement }) =>
    judgement.outcome === 'holds' || judgement.failing === undefined ? [] : [judgement.failing],
  );
  const rows = await sampleFailing(engine, subject, shown, measurements, dialect);
  const samples = new Map(shown.map((failing, at) => [failing, rows[at]]));
  return judged.map(({ check, judgement }) => {
    const sample = judgement.failing === undefined ? undefined : samples.get(judgement.failing);
    return { check: conclude(check, judgement, sample), asked: check.asked };
  });
}
