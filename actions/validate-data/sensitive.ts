import type { Measurements } from './measure.ts';
import { masked, type Subject } from './subject.ts';

/** The same measurements, in which no class of a sensitive column has its name. */
export function withoutSensitive(
  measurements: Measurements,
  { isSensitive }: Pick<Subject, 'isSensitive'>,
): Measurements {
  return {
    ...measurements,
    classes: (measure) => {
      const classes = measurements.classes(measure);
      if (!isSensitive(measure.column)) return classes;
      return { ...classes, listed: classes.listed.map(({ rows }) => ({ name: masked, rows })) };
    },
  };
}
