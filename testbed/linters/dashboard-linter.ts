import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram } from '../go-program.ts';
import type { Finding } from './finding.ts';

const version = 'v0.2.0';

/** A dashboard as Grafana imports it. */
export interface LintedDashboard {
  readonly from: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** What https://github.com/grafana/dashboard-linter finds in dashboards, warnings too. `folder`: for its files. */
export async function dashboardLinter(
  dashboards: readonly LintedDashboard[],
  folder: string,
): Promise<readonly Finding[]> {
  const program = await dashboardLinterBinary();
  const findings: Finding[] = [];
  for (const { from, json } of dashboards) {
    const path = join(folder, `${from.replaceAll(/[^\w-]/g, '.')}.dashboard.json`);
    writeFileSync(path, JSON.stringify(json));
    const { stdout } = await promisify(execFile)(program, ['lint', path], { maxBuffer: 64 * 2 ** 20 });
    findings.push(...findingsOf(stdout, from));
  }
  return findings;
}

/**
 * The linter prints what a rule is for, and below it a line for each finding of that rule, in colours. Its lines do not name the rule, so the
 * description does; https://github.com/grafana/dashboard-linter/tree/v0.2.0/lint.
 */
const rules: Readonly<Record<string, string>> = {
  'Checks that the dashboard has a templated datasource.': 'template-datasource-rule',
  'Checks that the dashboard has a templated job.': 'template-job-rule',
  'Checks that the dashboard has a templated instance.': 'template-instance-rule',
  'Checks that the dashboard templated labels have proper PromQL expressions.': 'template-label-promql-rule',
  'Checks that the dashboard template variables are configured to reload on time change.':
    'template-on-time-change-reload-rule',
  'Checks that each panel uses the templated datasource.': 'panel-datasource-rule',
  'Checks that each panel has a title and description.': 'panel-title-description-rule',
  'Checks that each panel uses has valid units defined.': 'panel-units-rule',
  'Checks that each panel has at least one target.': 'panel-no-targets-rule',
  'Checks that each target uses a valid PromQL query.': 'target-promql-rule',
  'Checks that each target uses $__rate_interval.': 'target-rate-interval-rule',
  'Checks that every PromQL query has a job matcher.': 'target-job-rule',
  'Checks that every PromQL query has a instance matcher.': 'target-instance-rule',
  'Checks that any counter metric (ending in _total) is aggregated with rate, irate, or increase.':
    'target-counter-agg-rule',
  'Checks that the dashboard is not editable.': 'uneditable-dashboard',
};

function findingsOf(output: string, from: string): readonly Finding[] {
  const seen = new Set<string>();
  let rule = '';
  const findings = output.split('\n').flatMap((line): readonly Finding[] => {
    const named = rules[line];
    if (named !== undefined) {
      rule = named;
      seen.add(line);
      return [];
    }
    const [, message] = /^\[.*?\] (.*)$/.exec(line) ?? [];
    if (message === undefined) {
      if (line.trim() === '') return [];
      throw new Error(`dashboard-linter says what nobody here knows: ${line}`);
    }
    const [, title = '', panel] = /^Dashboard '(.*?)'(?:, panel '(.*?)')?/.exec(message) ?? [];
    const object = `dashboard ${title}${panel === undefined ? '' : `, panel ${panel}`}`;
    return [{ rule: `dashboard-linter ${rule}`, object, from, message }];
  });
  // Each rule says that it looked, whatever it found.
  const silent = Object.keys(rules).filter((description) => !seen.has(description));
  if (silent.length > 0) throw new Error(`dashboard-linter did not look at ${from} for: ${silent.join(' ')}`);
  return findings;
}

/**
 * Without what its rules for Loki's queries need, which is most of the work and there are none here, and without the second schema of
 * dashboards: the module it is in is not to be had.
 */
function dashboardLinterBinary(): Promise<string> {
  return goProgram({
    name: 'dashboard-linter',
    from: { module: 'github.com/grafana/dashboard-linter' },
    version,
    command: '.',
    go: '1.26.3',
    prepare(source) {
      const lint = join(source, 'lint');
      for (const file of ['rule_target_logql.go', 'rule_target_logql_auto.go']) rmSync(join(lint, file));
      const list = readFileSync(join(lint, 'rules.go'), 'utf8');
      writeFileSync(join(lint, 'rules.go'), list.replaceAll(/^\s*NewTargetLogQL(?:Auto)?Rule\(\),\n/gm, ''));
      writeFileSync(join(lint, 'v2.go'), withoutSecondSchema);
    },
  });
}

const withoutSecondSchema = `package lint

import (
	"encoding/json"
	"errors"
	"strings"
)

func isV2APIVersion(apiVersion string) bool { return strings.Contains(apiVersion, "/v2") }

func newDashboardFromV2(json.RawMessage, string) (Dashboard, error) {
	return Dashboard{}, errors.New("built without the second schema of dashboards")
}
`;
