import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import type { StatisticMeasure } from '../measure.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand, Judgement } from '../planned-check.ts';
import { masked, ofRows, type Subject } from '../subject.ts';
import { timeText } from './statistic.ts';

const day = 24;

/**
 * How long before the end of the day of the run the newest value is. A run has a day and no hour, so that it gives the same verdict whenever
 * it is repeated. A date stands for its whole day. What lies beyond tomorrow (other time zones are ahead by as much) is a wrong clock, not fresh data.
 */
export function freshness(
  { column: named, max_age: most }: DataCheckOptions<'freshness'>,
  { table, where, today, isSensitive }: Subject,
): readonly Demand[] {
  return eachColumn('freshness', [named], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} newest at most ${most} old`;
    if (column.type !== 'date' && column.type !== 'timestamp')
      return mistyped({ name, title, column, rows: table.rows, wanted: 'dates and times' });
    const measure: StatisticMeasure = { kind: 'statistic', statistic: { of: 'max', column }, ...ofRows(where) };
    const hours = Number.parseFloat(most) * (most.endsWith('d') ? day : 1);
    const judge = (newest: number | undefined): Judgement => {
      if (newest === undefined) {
        const message =
          table.rows === 0
            ? 'The file has no rows, and no rows prove nothing. Check what writes it.'
            : `No row has a value in "${excerpt(column.name)}", so nothing says how old the data is.`;
        return { outcome: 'unjudged', message };
      }
      const endOfToday = Date.parse(`${today}T00:00:00Z`) / 3_600_000 + day;
      const endOfNewest = newest / 3600 + (column.type === 'date' ? day : 0);
      const age = endOfToday - endOfNewest;
      const shown = isSensitive(column) ? masked : timeText(newest);
      const ahead = age < -day;
      return {
        outcome: ahead || age > hours ? 'broken' : 'holds',
        message: ahead
          ? `The newest is ${shown}, which lies in the future of ${today}: a wrong clock or a wrong date.`
          : `The newest is ${shown}${isSensitive(column) ? '' : `, ${ageText(Math.max(0, age))} before the end of ${today}`}; at most ${most} is demanded.`,
        observed: shown,
        bound: { kind: 'must_hold', value: `at most ${most} old` },
      };
    };
    return {
      name,
      title,
      unit: 'none',
      needs: [measure],
      judge: (measurements) => judge(measurements.statistic(measure)),
    };
  });
}

function ageText(hours: number): string {
  return hours < 2 * day ? `${Number(hours.toFixed(1))} hours` : `${Number((hours / day).toFixed(1))} days`;
}
