import type { DashboardContent, PanelSource } from './panel.ts';

/** A rule of Grafana's dashboard-linter that a dashboard breaks. */
export interface LintFinding {
  readonly rule: string;
  readonly panel?: string;
  readonly found: string;
}

interface Target {
  readonly refId?: string;
  readonly expr?: string;
  readonly datasource?: { readonly uid?: string };
}
interface PanelJson {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: { readonly uid?: string };
  readonly targets?: readonly Target[];
  readonly panels?: readonly PanelJson[];
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
}
interface TemplateJson {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly multi?: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
  readonly query?: unknown;
  readonly datasource?: { readonly uid?: string };
}
interface DashboardShape {
  readonly editable?: boolean;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly TemplateJson[] };
}

/** Units that dashboards here use, of those that the linter takes. */
const knownUnits = new Set(['none', 'short', 'percentunit', 'reqps', 'ops', 'binBps', 's', 'bytes', 'celsius']);

/**
 * The rules of https://github.com/grafana/dashboard-linter for Prometheus dashboards, written anew, for a dashboard's JSON. What only a parser of
 * PromQL can say is asked of Prometheus itself in testbed/monitoring.
 */
export function lintDashboard(json: object): readonly LintFinding[] {
  const dashboard = json as DashboardShape;
  const { list } = dashboard.templating;
  const panels = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
  return [
    ...(dashboard.editable === false ? [] : [{ rule: 'uneditable-dashboard', found: 'the dashboard can be edited' }]),
    ...lintDatasource(list),
    ...lintTemplate(list, 'job', 'Job'),
    ...lintTemplate(list, 'instance', 'Instance'),
    ...list.flatMap((template) => lintQueryTemplate(template)),
    ...panels.flatMap((panel) => lintPanel(panel)),
  ];
}

function lintDatasource(list: readonly TemplateJson[]): readonly LintFinding[] {
  const sources = list.filter(({ type }) => type === 'datasource');
  const [only] = sources;
  const fine =
    sources.length === 1 && only?.name === 'datasource' && only.label === 'Data source' && only.query === 'prometheus';
  return fine ? [] : [{ rule: 'template-datasource-rule', found: JSON.stringify(sources) }];
}

function lintTemplate(list: readonly TemplateJson[], name: string, label: string): readonly LintFinding[] {
  const template = list.find((each) => each.name === name);
  const fine =
    template?.type === 'query' &&
    template.label === label &&
    template.multi === true &&
    template.allValue === '.+' &&
    template.datasource?.uid === '$datasource';
  return fine ? [] : [{ rule: `template-${name}-rule`, found: JSON.stringify(template) }];
}

function lintQueryTemplate({ name, type, refresh, query }: TemplateJson): readonly LintFinding[] {
  if (type !== 'query') return [];
  const text = typeof query === 'object' && query !== null && 'query' in query ? String(query.query) : String(query);
  return [
    ...(refresh === 2 ? [] : [{ rule: 'template-on-time-change-reload-rule', found: `${name} refreshes ${refresh}` }]),
    ...(/^label_values\([a-zA-Z_:][\w:]*(\{.*\})?, [a-zA-Z_]\w*\)$/.test(text)
      ? []
      : [{ rule: 'template-label-promql-rule', found: text }]),
  ];
}

function lintPanel(panel: PanelJson): readonly LintFinding[] {
  const { title = '', description = '', datasource, targets = [] } = panel;
  const unit = panel.fieldConfig?.defaults?.unit ?? '';
  const finding = (rule: string, found: string): LintFinding => ({ rule, panel: title, found });
  return [
    ...(datasource?.uid === '$datasource' ? [] : [finding('panel-datasource-rule', JSON.stringify(datasource))]),
    ...(title !== '' && description !== '' ? [] : [finding('panel-title-description-rule', description)]),
    ...(knownUnits.has(unit) ? [] : [finding('panel-units-rule', unit)]),
    ...(targets.length > 0 ? [] : [finding('panel-no-targets-rule', '')]),
    ...targets.flatMap(({ expr = '', refId = '' }) =>
      lintTarget(expr, refId).map(({ rule, found }) => finding(rule, found)),
    ),
  ];
}

function lintTarget(expr: string, refId: string): readonly LintFinding[] {
  const selectors = selectorsOf(expr);
  return [
    // Not of the linter: Grafana numbers queries itself only when somebody saves the dashboard.
    ...(/^[A-Z]+$/.test(refId) ? [] : [{ rule: 'target-ref-id', found: refId }]),
    ...selectors.flatMap(({ series, matchers, range }) => [
      ...(matchers.includes('job=~"$job"') ? [] : [{ rule: 'target-job-rule', found: series }]),
      ...(matchers.includes('instance=~"$instance"') ? [] : [{ rule: 'target-instance-rule', found: series }]),
      ...(range === undefined || range === '$__rate_interval'
        ? []
        : [{ rule: 'target-rate-interval-rule', found: range }]),
      ...(series.endsWith('_total') && range === undefined ? [{ rule: 'target-counter-agg-rule', found: series }] : []),
    ]),
    ...(selectors.length > 0 && isBalanced(expr) ? [] : [{ rule: 'target-promql-rule', found: expr }]),
  ];
}

interface SelectorText {
  readonly series: string;
  readonly matchers: string;
  readonly range: string | undefined;
}

/** Every series that an expression selects: a name with braces. All selectors of a dashboard have conditions. */
function selectorsOf(expr: string): readonly SelectorText[] {
  return [...expr.matchAll(/([a-zA-Z_:][\w:]*)\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}(?:\[([^\]]+)\])?/g)].map(
    ([, series = '', matchers = '', range]) => ({ series, matchers, range }),
  );
}

function isBalanced(expr: string): boolean {
  const bare = expr.replace(/"(?:[^"\\]|\\.)*"/g, '');
  const pairs: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
  const open: string[] = [];
  for (const character of bare) {
    if ('([{'.includes(character)) open.push(character);
    else if (character in pairs && open.pop() !== pairs[character]) return false;
  }
  return open.length === 0;
}

/** Why a panel's series are not selected by the server's job and instance. */
const elsewhere: Readonly<Record<Exclude<PanelSource, 'server'>, string>> = {
  rule: 'Recorded for a model as a whole: the series have no job and no instance.',
  cluster:
    'Exported by the cluster (DCGM, cAdvisor, kube-state-metrics): the job is the exporter, selected is the pod.',
  job: 'Told by a job beside the server (drift check, environment): selected is the model.',
};

/** What a dashboard leaves out of the linter's rules on purpose, as its `.lint` file has it. */
export function lintExclusions({ title, rows }: DashboardContent): {
  readonly exclusions: Readonly<
    Record<
      string,
      { readonly reason: string; readonly entries: readonly { readonly dashboard: string; readonly panel: string }[] }
    >
  >;
} {
  const panels = rows.flatMap((row) => row.panels).filter(({ source }) => source !== 'server');
  const reasons = [...new Set(panels.map(({ source }) => source))].flatMap((source) =>
    source === 'server' ? [] : [elsewhere[source]],
  );
  const entries = panels.map((panel) => ({ dashboard: title, panel: panel.title }));
  const exclusion = { reason: reasons.join(' '), entries };
  return { exclusions: { 'target-job-rule': exclusion, 'target-instance-rule': exclusion } };
}
