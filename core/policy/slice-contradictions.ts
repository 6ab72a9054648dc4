import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath } from './policy-path.ts';

/** Rules over a list of slices: one column a cut, edges that rise, no column crossed with itself, conditions told apart by name. */
export function contradictionsOfSlices(slices: unknown, at: PolicyPath): readonly Contradiction[] {
  if (!Array.isArray(slices)) return [];
  const names = slices.map((slice) => (isMapping(slice) && 'where' in slice ? slice['name'] : undefined));
  return slices.flatMap((slice: unknown, index): readonly Contradiction[] => {
    const path = [...at, index];
    if (Array.isArray(slice)) {
      return [
        ...slice.flatMap((cut: unknown, part) => contradictionsOfCut(cut, [...path, part])),
        ...crossedWithItself(slice, path),
      ];
    }
    if (!isMapping(slice) || typeof slice['where'] !== 'string') return contradictionsOfCut(slice, path);
    if (names.indexOf(names[index]) === index) return [];
    return [
      {
        code: 'duplicate-slice',
        message: 'two slices have this name',
        path: [...path, 'name'],
        fix: 'Give each a name of its own.',
      },
    ];
  });
}

function contradictionsOfCut(cut: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(cut)) return [];
  const columns = Object.keys(cut);
  if (columns.length !== 1) {
    return [
      {
        code: 'not-one-key',
        message: 'a slice cuts one column',
        path,
        found: columns.length === 0 ? 'none' : `${columns.length} columns`,
        fix: 'Write one list entry a column, or a list of them for their intersections.',
      },
    ];
  }
  return columns.flatMap((column) => {
    const edges = cut[column];
    if (!Array.isArray(edges) || edges.every((edge, at) => at === 0 || edge > edges[at - 1])) return [];
    return [
      {
        code: 'edges-not-rising',
        message: 'the edges do not rise',
        path: [...path, column],
        fix: 'Sort them, each once.',
      },
    ];
  });
}

function crossedWithItself(cuts: readonly unknown[], path: PolicyPath): readonly Contradiction[] {
  const columns = cuts.map((cut) => (isMapping(cut) ? Object.keys(cut)[0] : cut));
  const twice = columns.findIndex((column, at) => columns.indexOf(column) !== at);
  if (twice === -1) return [];
  return [
    {
      code: 'repeated-column',
      message: `the column "${String(columns[twice])}" is crossed with itself`,
      path: [...path, twice],
      fix: 'Name each column once.',
    },
  ];
}
