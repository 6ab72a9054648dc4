import { type DataCheckName, type DataSource, sourceName } from '../../../core/policy/index.ts';
import type { Check, FailingRows, Report } from '../../../core/report/index.ts';
import type { Asked } from '../planned-check.ts';
import { expectationOf } from './expectation-of.ts';

/** A source of a policy, and what each check of its part of a report demanded. */
export interface AskedSource {
  readonly source: DataSource;
  readonly rows: number;
  readonly checks: readonly (Asked & { readonly id: string })[];
}

/** Checks that count rows with a value, as Great Expectations' column maps do; `not_null` counts all rows. */
const ofValues: ReadonlySet<DataCheckName> = new Set<DataCheckName>([
  'not_null',
  'between',
  'accepted_values',
  'not_accepted_values',
  'regex',
  'length',
  'unique',
  'monotonic',
  'relationships',
  'new_categories',
]);
/** Checks whose number is the share of the rows that break them. */
const ofShares: ReadonlySet<DataCheckName> = new Set<DataCheckName>([
  'duplicate_rows',
  'train_test_overlap',
  'label_conflicts',
]);

/**
 * The report's data checks as JSON of Great Expectations 1: a list with one `ExpectationSuiteValidationResult` for each source, in the policy's
 * order. A check is a success when it passed, and nothing else is; what could not be judged has `raised_exception`. A pure function; `sources` say
 * what each check demanded, since a report tells that in words. Values are those of the report: cut, and masked where they are sensitive.
 */
export function renderGx(report: Report, sources: readonly AskedSource[]): string {
  const found = new Map(report.checks.map((check) => [check.id, check]));
  const results = sources.map((asked) => suiteResult(report, asked, found));
  // JSON has no infinity: its name is written, as in report.json.
  const finite = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(results, finite, 2)}\n`;
}

function suiteResult(report: Report, asked: AskedSource, found: ReadonlyMap<string, Check>) {
  const name = sourceName(asked.source.source);
  const results = asked.checks.map((one) => {
    const check = found.get(one.id);
    if (check === undefined) throw new RangeError('a check that the report does not have');
    return resultOf(check, one, asked);
  });
  const successful = results.filter(({ success }) => success).length;
  return {
    success: successful === results.length,
    results,
    suite_name: name,
    suite_parameters: {},
    statistics: {
      evaluated_expectations: results.length,
      successful_expectations: successful,
      unsuccessful_expectations: results.length - successful,
      success_percent: results.length === 0 ? null : (successful / results.length) * 100,
    },
    meta: {
      run_id: { run_name: report.commit?.head ?? report.name },
      active_batch_definition: {
        datasource_name: 'sluice',
        data_connector_name: 'sluice',
        data_asset_name: name,
        batch_identifiers: {},
      },
      sluice: { version: report.tool.version, policy: report.policy.file, verdict: report.verdict },
    },
  };
}

function resultOf(check: Check, asked: Asked, { source, rows }: AskedSource) {
  const { type, kwargs, own } = expectationOf(asked, source.sensitive ?? []);
  const raised = check.status === 'error';
  return {
    success: check.status === 'pass',
    expectation_config: {
      type,
      kwargs,
      meta: { sluice: { check: asked.kind, title: check.title, ...(own === undefined ? {} : { options: own }) } },
      // In place of a query that nobody should have to read.
      ...(own === undefined ? {} : { description: check.title }),
      severity: severityOf(check, asked),
    },
    result: raised ? {} : { ...figuresOf(check, asked, own !== undefined, rows) },
    meta: {
      sluice: {
        id: check.id,
        status: check.status,
        ...(check.waiver === undefined ? {} : { waiver: check.waiver }),
        ...(check.place === undefined ? {} : { place: check.place }),
      },
    },
    exception_info: {
      raised_exception: raised,
      // Great Expectations' pages fail on an exception without one.
      exception_traceback: raised ? check.message : null,
      exception_message: raised ? check.message : null,
    },
  };
}

/** What fails the gate is critical; what a waiver covers is for the record. */
function severityOf(check: Check, { kind, check: asked }: Asked): 'critical' | 'warning' | 'info' {
  if (check.status === 'error') return 'critical';
  if (check.status === 'waived') return 'info';
  return asked[kind]?.severity === 'warn' ? 'warning' : 'critical';
}

function figuresOf(
  check: Check,
  asked: Asked,
  withoutCounterpart: boolean,
  rows: number,
): Readonly<Record<string, unknown>> {
  const { kind } = asked;
  const details = { message: check.message, ...rowNumbers(check.failing) };
  const judged = check.evidence?.n;
  const observed = check.observed;
  if (judged !== undefined && typeof observed === 'number' && (ofValues.has(kind) || ofShares.has(kind))) {
    const share = ofShares.has(kind) ? observed : 1 - observed;
    const unexpected = check.failing?.total ?? Math.round(share * judged);
    const chosen = whereOf(asked) !== undefined;
    const all = chosen ? judged : rows;
    const percent = (of: number) => (of === 0 ? null : (unexpected / of) * 100);
    return {
      element_count: all,
      unexpected_count: unexpected,
      unexpected_percent: percent(judged),
      ...(kind === 'not_null' || ofShares.has(kind)
        ? {}
        : {
            missing_count: all - judged,
            missing_percent: all === 0 ? null : ((all - judged) / all) * 100,
            unexpected_percent_total: percent(all),
            unexpected_percent_nonmissing: percent(judged),
          }),
      partial_unexpected_list: unexpectedOf(check.failing, ownColumns(asked)),
      details,
    };
  }
  if (kind === 'sql' && judged !== undefined && typeof observed === 'number') {
    return {
      observed_value: check.failing?.total ?? Math.round((1 - observed) * judged),
      details: { ...details, unexpected_rows: unexpectedOf(check.failing, undefined) },
    };
  }
  if (kind === 'quantile' && !withoutCounterpart) {
    const share = asked.check.quantile?.share;
    return { observed_value: { quantiles: [share], values: [observed ?? null] }, details };
  }
  return { observed_value: observed ?? null, details };
}

function whereOf({ kind, check }: Asked): unknown {
  const options = check[kind];
  return options !== undefined && 'where' in options ? options.where : undefined;
}

/** How many of the columns shown of a failing row are the check's own, which come first; all where that is not told. */
function ownColumns({ kind, check }: Asked): number | undefined {
  const columns = check.unique?.columns ?? check.relationships?.columns;
  if (columns !== undefined) return new Set(columns).size;
  return ofValues.has(kind) ? 1 : undefined;
}

function unexpectedOf(failing: FailingRows | undefined, own: number | undefined): readonly unknown[] {
  if (failing === undefined) return [];
  const columns = failing.columns.slice(0, own);
  return failing.rows.map(({ values }) =>
    own === 1 ? (values[0] ?? null) : Object.fromEntries(columns.map((name, at) => [name, values[at] ?? null])),
  );
}

/** Row numbers as the report has them: 1 is the first row of data. */
function rowNumbers(failing: FailingRows | undefined): { readonly rows?: readonly unknown[] } {
  const numbered = failing?.rows.filter(({ row }) => row !== undefined) ?? [];
  if (numbered.length === 0) return {};
  return { rows: numbered.map(({ row, file }) => (file === undefined ? row : { file, row })) };
}
