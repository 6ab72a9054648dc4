import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { QueryUnit } from '../../core/telemetry/index.ts';
import type { DashboardContent, Panel, Row, Variable } from './panel.ts';

/** A dashboard as Grafana reads it: the schema of its JSON, version 42. */
export type DashboardJson = Readonly<Record<string, unknown>>;

const datasource = { type: 'prometheus', uid: '$datasource' };

/** https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
const units: Readonly<Record<QueryUnit, string>> = {
  'requests per second': 'reqps',
  'tokens per second': 'ops',
  'bytes per second': 'binBps',
  ratio: 'percentunit',
  seconds: 's',
  rows: 'short',
  requests: 'short',
  bytes: 'bytes',
  cores: 'short',
  celsius: 'celsius',
  nats: 'short',
  steps: 'short',
  number: 'short',
};

const size = { width: 8, height: 8, columns: 24 } as const;

/**
 * Grafana's JSON of a dashboard. The same content gives the same JSON, byte for byte: ids count from 1, queries are A, B, ..., and nothing is of
 * the time it was made.
 */
export function grafanaDashboard(content: DashboardContent): DashboardJson {
  const builder = new DashboardBuilder(content.title)
    .uid(content.uid)
    .description(content.description)
    .tags([...content.tags])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .annotation(rollouts())
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const variable of content.variables) builder.withVariable(variableOf(variable));
  let id = 0;
  let top = 0;
  for (const row of content.rows) {
    id += 1;
    const rowId = id;
    const panels = row.panels.map((panel, index) => {
      id += 1;
      return panelOf(panel, id, { index, top: top + 1 });
    });
    const closed = row.collapsed === true;
    const made = rowOf(row, rowId, top);
    if (closed) for (const panel of panels) made.withPanel(panel);
    builder.withRow(made);
    if (!closed) for (const panel of panels) builder.withPanel(panel);
    const perLine = size.columns / size.width;
    top += 1 + (closed ? 0 : Math.ceil(panels.length / perLine) * size.height);
  }
  // Through JSON: what is undefined is not there, and what is left is plain data.
  return JSON.parse(JSON.stringify(builder.build())) as DashboardJson;
}

function rowOf({ title, collapsed = false }: Row, id: number, top: number): RowBuilder {
  return new RowBuilder(title).id(id).collapsed(collapsed).gridPos({ x: 0, y: top, w: size.columns, h: 1 });
}

function panelOf(
  panel: Panel,
  id: number,
  { index, top }: { readonly index: number; readonly top: number },
): PanelBuilder {
  const perLine = size.columns / size.width;
  const { title, description, unit, queries, stacked = false, bounds } = panel;
  const builder = new PanelBuilder()
    .id(id)
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(units[unit])
    .gridPos({
      x: (index % perLine) * size.width,
      y: top + Math.floor(index / perLine) * size.height,
      w: size.width,
      h: size.height,
    })
    .fillOpacity(stacked ? 40 : 5)
    .legend(new VizLegendOptionsBuilder().showLegend(true).calcs(['lastNotNull', 'max']))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (unit === 'ratio' && panel.signed !== true) builder.min(0);
  if (bounds !== undefined)
    builder
      .thresholds(
        new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
          { value: null, color: 'green' },
          { value: bounds[0], color: 'orange' },
          { value: bounds[1], color: 'red' },
        ]),
      )
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  for (const [at, { expr, legend }] of queries.entries())
    builder.withTarget(
      new DataqueryBuilder().refId(refIdOf(at)).datasource(datasource).expr(expr).legendFormat(legend).range(),
    );
  return builder;
}

/** A, B, ..., Z, AA, as Grafana counts. */
function refIdOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${refIdOf(Math.floor(index / 26) - 1)}${letter}`;
}

function variableOf({ name, label, query, several, all, descending = false }: Variable): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(descending ? VariableSort.NaturalDesc : VariableSort.NaturalAsc)
    .multi(several)
    .includeAll(several);
  if (several) builder.current({ selected: true, text: ['All'], value: ['$__all'] });
  if (all !== undefined) builder.allValue(all);
  return builder;
}

/** What rollouts write (rollout/notices): annotations of Grafana itself with both tags. */
function rollouts(): AnnotationQueryBuilder {
  const target = {
    type: 'tags',
    tags: ['sluice', 'canary'],
    matchAny: false,
    limit: 100,
    _implementsDataqueryVariant: () => undefined,
  };
  return new AnnotationQueryBuilder()
    .name('Rollouts')
    .datasource({ type: 'grafana', uid: '-- Grafana --' })
    .enable(true)
    .hide(false)
    .iconColor('purple')
    .target({ build: () => target });
}
