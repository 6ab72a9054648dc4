import type { Column } from '../../core/data/index.ts';
import type { Chosen, Condition, CopiesMeasure, CountMeasure, Measurements } from './measure.ts';
import type { Demand, Judgement } from './planned-check.ts';
import { counted, demanded, grouped, percent } from './wording.ts';

/** A check that holds when few enough rows break it. */
export interface RowDemand {
  readonly name: string;
  /** What must hold of a row: `age between 0 and 150`. */
  readonly title: string;
  readonly columns: readonly Column[];
  readonly by: Condition | CopiesMeasure;
  /** What takes part: every row, or only rows that have values in the columns. */
  readonly among: 'rows' | 'values';
  readonly mostly: number;
  /** Of which rows; all when not given. */
  readonly where?: Chosen;
  /** What each row should do: `has a value`. */
  readonly holds: string;
  /** What rows that break it do: `have no value`. */
  readonly broken: string;
  /** What one such row does: `has no value`. */
  readonly brokenOne: string;
}

/** Counts the rows that break a demand and holds their share against `mostly`. Exact: all rows are counted. */
export function rowShare(demand: RowDemand, rows: number): Demand {
  const { columns, by, mostly } = demand;
  const of = demand.where === undefined || demand.where.length === 0 ? {} : { where: demand.where };
  const failingMeasure: CountMeasure =
    by.kind === 'copies' ? { ...by, ...of } : { kind: 'count', condition: by, ...of };
  const takingPart: CountMeasure = { kind: 'present', columns: demand.among === 'rows' ? [] : columns, ...of };
  const everyRow = demand.among === 'rows' && of.where === undefined;
  const judge = (measurements: Measurements): Judgement => {
    const judged = everyRow ? rows : measurements.count(takingPart);
    if (judged === 0) return nothingToJudge(demand, rows);
    const failing = measurements.count(failingMeasure);
    const holding = (judged - failing) / judged;
    const noun = demand.among === 'rows' ? 'row' : 'value';
    const left = of.where === undefined ? rows - judged : 0;
    const allowed = mostly === 1 ? 'none may' : `at most ${demanded(1 - mostly)} may`;
    const message =
      failing === 0
        ? `Each of ${counted(judged, noun)} ${demand.holds}.`
        : `${grouped(failing)} of ${counted(judged, noun)} ${failing === 1 ? demand.brokenOne : demand.broken} (${percent(failing / judged)}); ${allowed}.`;
    return {
      outcome: holding >= mostly ? 'holds' : 'broken',
      message:
        left === 0
          ? message
          : `${message} ${counted(left, 'row')} without a value ${left === 1 ? 'is' : 'are'} not counted.`,
      observed: holding,
      bound: { kind: 'min', value: mostly },
      rows: judged,
      ...(failing === 0
        ? {}
        : {
            failing: { total: failing, columns, ...(by.kind === 'copies' ? { by: { ...by, ...of } } : { by, ...of }) },
          }),
    };
  };
  return {
    name: demand.name,
    title: mostly === 1 ? demand.title : `${demand.title} (≥ ${demanded(mostly)})`,
    unit: 'share',
    needs: [failingMeasure, ...(everyRow ? [] : [takingPart])],
    judge,
  };
}

function nothingToJudge({ columns, mostly, where }: RowDemand, rows: number): Judgement {
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  return {
    outcome: 'unjudged',
    message:
      rows === 0
        ? 'The file has no rows, and no rows prove nothing. Check what writes it.'
        : `None of ${counted(rows, 'row')} ${where === undefined || where.length === 0 ? '' : 'that are meant '}has a value in ${names}, so there is nothing to judge. Check what writes the file, or remove this check.`,
    bound: { kind: 'min', value: mostly },
  };
}
