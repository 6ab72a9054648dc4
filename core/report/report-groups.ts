import type { Check } from './check.ts';
import type { Report } from './report.ts';
import { sectionOrder, sectionTitles } from './vocabulary.ts';

/** Checks that stand together under one heading: a section, or a data file of it. */
export interface CheckGroup {
  readonly section: Check['section'];
  readonly title: string;
  /** The data file, or the set of evaluation rows; empty where the group is the whole section. */
  readonly source: string;
  readonly checks: readonly Check[];
}

/** Every check in exactly one group, in the report's order; data checks by the file they are about. */
export function groupsOf(report: Pick<Report, 'checks' | 'sources'>): readonly CheckGroup[] {
  // The longest path first: `data/a` must not take what belongs to `data/a/b.csv`.
  const paths = report.sources.map((source) => source.path).sort((a, b) => b.length - a.length);
  const groups = new Map<string, { section: Check['section']; source: string; checks: Check[] }>();
  for (const section of sectionOrder) {
    for (const check of report.checks) {
      if (check.section !== section) continue;
      const source =
        section === 'gate'
          ? (setOf(check.id) ?? '')
          : section === 'smoke' || section === 'rollout'
            ? ''
            : (paths.find((path) => check.id.startsWith(`${path}/`) || check.id.startsWith(`${section}/${path}/`)) ??
              '');
      const key = `${section}\n${source}`;
      const group = groups.get(key) ?? { section, source, checks: [] };
      group.checks.push(check);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map((group) => ({ ...group, title: sectionTitles[group.section] }));
}

/** `gate[edge]/recall/min` is of the set `edge`, `gate[edge@base]/recall/min` of its rows at the base commit. */
function setOf(id: string): string | undefined {
  const [, set, at] = /^gate\[([A-Za-z0-9_-]*)(@base)?\]\//.exec(id) ?? [];
  if (set === undefined) return undefined;
  return [set, ...(at === undefined ? [] : ['rows at the base commit'])].filter((part) => part !== '').join(', ');
}
