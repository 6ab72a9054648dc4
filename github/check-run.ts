import type { Report } from '../core/report/index.ts';
import { excerpt, printable } from '../core/text/index.ts';
import type { Annotation } from './annotation.ts';
import type { GitHubApi } from './api.ts';

/** GitHub takes so many annotations in one request; more are sent in updates, which add to them. */
const annotationsPerRequest = 50;
/** More than anyone reads; the report has the rest. */
export const annotationLimit = 500;
const summaryLimitBytes = 65_535;
const titleLimit = 255;

export interface PublishedCheckRun {
  readonly id: number;
  /** How many annotations did not fit under `annotationLimit`. */
  readonly left: number;
}

/** `neutral` (which lets a pull request through, like `success`) says that nothing broke and not everything is proven. */
export function checkConclusion(report: Pick<Report, 'verdict' | 'checks'>): 'success' | 'failure' | 'neutral' {
  if (report.verdict !== 'passed') return 'failure';
  return report.checks.some(({ status }) => status === 'inconclusive') ? 'neutral' : 'success';
}

/** Makes a check run on the head commit, concluded from the first request on, then adds annotations in batches. Throws octokit's errors. */
export async function publishCheckRun(
  api: GitHubApi,
  headSha: string,
  report: Report,
  annotations: readonly Annotation[],
  options: {
    readonly name: string;
    readonly detailsUrl: string;
    /** A pass then becomes `action_required`, which lets nothing through: a person decides. */
    readonly held: boolean;
    readonly render: (limitBytes: number) => string;
  },
): Promise<PublishedCheckRun> {
  const client = await api.client();
  const at = { owner: api.owner, repo: api.repo };
  const kept = annotations.slice(0, annotationLimit);
  const batch = (index: number) =>
    kept.slice(index, index + annotationsPerRequest).map((annotation) => ({ ...annotation }));
  const output = {
    title: Array.from(report.headline).slice(0, titleLimit).join(''),
    summary: options.render(summaryLimitBytes),
  };
  const made = await client.rest.checks.create({
    ...at,
    name: options.name,
    head_sha: headSha,
    status: 'completed',
    conclusion: options.held && report.verdict === 'passed' ? 'action_required' : checkConclusion(report),
    details_url: options.detailsUrl,
    output: { ...output, annotations: batch(0) },
  });
  for (let index = annotationsPerRequest; index < kept.length; index += annotationsPerRequest) {
    await client.rest.checks.update({
      ...at,
      check_run_id: made.data.id,
      output: { ...output, annotations: batch(index) },
    });
  }
  return { id: made.data.id, left: annotations.length - kept.length };
}

const shownPath = 120;

/**
 * What the check is called in a pull request's list: `Sluice: churn (ml/sluice.yaml)`. Branch protection names it, so it holds nothing
 * that changes from run to run. GitHub shows one check of a name, the latest, so two policies with one name must not share
 * theirs; the repository's own `sluice.yaml` goes without saying. `policy` is the path in the repository.
 */
export function checkName(
  report: Pick<Report, 'name'>,
  policy: string,
  part?: 'data' | 'model' | 'drift' | 'smoke' | 'canary',
): string {
  const path = Array.from(printable(policy));
  // The end of a path tells more than its beginning.
  const shown = path.length <= shownPath ? path.join('') : `…${path.slice(1 - shownPath).join('')}`;
  const of = shown === 'sluice.yaml' ? '' : ` (${shown})`;
  return `Sluice${part === undefined ? '' : ` ${part}`}: ${excerpt(report.name, 100)}${of}`;
}
