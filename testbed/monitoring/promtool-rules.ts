import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RuleGroup } from '../../constructs/dashboards/index.ts';
import { promtoolBinary } from '../prometheus/prometheus-binary.ts';

const run = promisify(execFile);

/** One series and its values from time 0 on, in promtool's notation: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/. */
export type InputSeries = readonly [series: string, values: string];

/** A question and the answer it must have: labels as `{a="b"}`, and the value. */
export interface Expectation {
  readonly expr: string;
  readonly at: string;
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

/** What `promtool check rules` says; empty when all is well. */
export function checkRules(groups: readonly RuleGroup[]): Promise<string> {
  return withFolder((folder) =>
    promtool('check', ['--lint=all', '--lint-fatal', write(folder, 'rules.yml', { groups })]),
  );
}

/** Between two values of the series, and between two evaluations of the rules. */
export interface Steps {
  readonly interval: string;
  readonly evaluation: string;
}

/** What `promtool test rules` says of rules and what they were fed; empty when all is well. */
export function testRules(
  groups: readonly RuleGroup[],
  { interval, evaluation }: Steps,
  series: readonly InputSeries[],
  expectations: readonly Expectation[],
): Promise<string> {
  return withFolder((folder) => {
    write(folder, 'rules.yml', { groups: groups.map((group) => ({ ...group, interval: evaluation })) });
    return promtool('test', [
      write(folder, 'test.yml', {
        rule_files: ['rules.yml'],
        evaluation_interval: evaluation,
        fuzzy_compare: true,
        tests: [
          {
            interval,
            input_series: series.map(([name, values]) => ({ series: name, values })),
            promql_expr_test: expectations.map(({ expr, at, samples }) => ({
              expr,
              eval_time: at,
              exp_samples: samples,
            })),
          },
        ],
      }),
    ]);
  });
}

async function withFolder(work: (folder: string) => Promise<string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rules-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** JSON is YAML. */
function write(folder: string, name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

async function promtool(what: 'check' | 'test', args: readonly string[]): Promise<string> {
  try {
    await run(await promtoolBinary(), [what, 'rules', ...args], { maxBuffer: 16 * 2 ** 20 });
    return '';
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || message;
  }
}
