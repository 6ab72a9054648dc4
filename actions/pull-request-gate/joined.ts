import type { Judged } from '../../github/index.ts';

/** What two phases found, as one. A file both of them read is named once. */
export function joined(first: Judged, second: Judged): Judged {
  const candidate = second.candidate ?? first.candidate;
  const baseline = second.baseline ?? first.baseline;
  const known = new Set(first.sources.map(({ path }) => path));
  return {
    checks: [...first.checks, ...second.checks],
    figures: [...(first.figures ?? []), ...(second.figures ?? [])],
    notices: [...(first.notices ?? []), ...(second.notices ?? [])],
    sources: [...first.sources, ...second.sources.filter(({ path }) => !known.has(path))],
    ...(candidate === undefined ? {} : { candidate }),
    ...(baseline === undefined ? {} : { baseline }),
  };
}
