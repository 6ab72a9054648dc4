import type { Host } from '../core/host/index.ts';
import type { Place } from '../core/problem/index.ts';

/** One thing a host was told. */
export interface Told {
  readonly kind: 'info' | 'notice' | 'warning' | 'error' | 'summary' | 'output' | 'secret' | 'group';
  readonly text: string;
  readonly place?: Place;
}

/** For tests: a host that remembers what it was told. */
export function recordingHost(): Host & { readonly told: readonly Told[]; of(kind: Told['kind']): readonly string[] } {
  const told: Told[] = [];
  const say = (kind: Told['kind']) => (text: string, place?: Place) => {
    told.push({ kind, text, ...(place === undefined ? {} : { place }) });
  };
  return {
    told,
    of: (kind) => told.filter((item) => item.kind === kind).map(({ text }) => text),
    group(title, work) {
      say('group')(title);
      return work();
    },
    info: say('info'),
    notice: say('notice'),
    warning: say('warning'),
    error: say('error'),
    progress: () => ({ update: () => {}, end: () => {} }),
    summary: async (markdown) => say('summary')(markdown),
    output: (name, value) => say('output')(`${name}=${value}`),
    secret: say('secret'),
  };
}
