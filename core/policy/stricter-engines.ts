import { isDeepStrictEqual } from 'node:util';
import type { Engines } from './engines-schema.ts';
import type { Merge } from './merge.ts';
import { isMapping } from './policy-path.ts';

/**
 * The base's alone. Whoever opens a pull request must not choose which server the job's credentials go to, whose answers count, or how
 * much may be scanned.
 */
export const mergeEngines: Merge<Engines> = (base, head, at) => {
  if (base === undefined || head === undefined) {
    if (base !== undefined || head !== undefined) at.differs(base, head, 'base');
    return base;
  }
  for (const engine of new Set([...Object.keys(base), ...Object.keys(head)])) {
    const [one, other] = [mapping(base, engine), mapping(head, engine)];
    if (one === undefined || other === undefined) {
      at.field(engine).differs(one, other, 'base');
      continue;
    }
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (!isDeepStrictEqual(one[key], other[key])) at.field(engine).field(key).differs(one[key], other[key], 'base');
    }
  }
  return base;
};

function mapping(engines: Engines, name: string): Readonly<Record<string, unknown>> | undefined {
  const found: unknown = Object.entries(engines).find(([engine]) => engine === name)?.[1];
  return isMapping(found) ? found : undefined;
}
