import { resolve } from 'node:path';
import type { Host } from '../core/host/index.ts';
import { countsOf, type Report, renderMarkdown, writeReport } from '../core/report/index.ts';
import { annotationsOf } from './annotation.ts';
import type { GitHubApi } from './api.ts';
import { describeApiFailure } from './api-failure.ts';
import { annotationLimit, checkName, publishCheckRun } from './check-run.ts';
import { commentBody, commentMarker, publishComment } from './comment.ts';
import { apiOf } from './effective-policy.ts';
import type { GitHubEvent } from './event.ts';
import type { GateInputs } from './inputs.ts';
import { repositoryPath, repositoryRoot } from './repository-root.ts';

/** A step may add 1 MiB to the job summary; beyond that GitHub drops it and fails the step. The rest is room for what else it writes. */
const summaryLimitBytes = 1_000_000;

/** Everything publishing needs to know beside the report. */
export interface PublishOptions
  extends Pick<GateInputs, 'directory' | 'policyFile' | 'reportDirectory' | 'token' | 'comment' | 'checkRun'> {
  /** Which gate it is, where it is not the whole: keeps its comment and its check run apart from the whole's. */
  readonly part?: 'data' | 'model' | 'drift' | 'smoke' | 'canary';
  /** The event the run belongs to; outside of GitHub Actions there is none, and only files are written. */
  readonly event?: GitHubEvent | undefined;
  /** Where a person has to look before the verdict counts: a check that would pass then asks for that instead. */
  readonly held?: boolean;
  /** For tests: the API to use instead of the event's. */
  readonly api?: GitHubApi;
}

/**
 * Shows the report: files, the job summary, the comment on the pull request, the check run, the step's outputs. Never changes a
 * verdict: what GitHub does not let it publish becomes one warning that names the missing permission. Only report files that
 * cannot be written are an error (`InputError`), after everything else is published.
 */
export async function publishReport(report: Report, options: PublishOptions, host: Host): Promise<void> {
  const work = () => publish(report, options, host);
  // On a laptop there is nothing but files, and often not even those.
  if (options.event !== undefined) await host.group('Publish the report', work);
  else if (options.reportDirectory !== undefined) await host.group('Write the report', work);
  else await work();
}

async function publish(report: Report, options: PublishOptions, host: Host): Promise<void> {
  const event = options.event;
  await writeSummary(report, event, host);
  const api = options.api ?? (event === undefined ? undefined : apiOf(event, options.token, host));
  const comment = await comments(report, options, api, host);
  const checkRun = await checkRuns(report, options, api, host);
  const counts = countsOf(report.checks);
  const directory = options.reportDirectory === undefined ? '' : resolve(options.directory, options.reportDirectory);
  const outputs: Readonly<Record<string, string>> = {
    conclusion: report.verdict,
    passed: String(counts.pass),
    failed: String(counts.fail),
    warned: String(counts.warn),
    inconclusive: String(counts.inconclusive),
    waived: String(counts.waived),
    skipped: String(counts.skipped),
    errors: String(counts.error),
    'report-path': directory,
    'comment-id': comment,
    'check-run-id': checkRun,
  };
  for (const [name, value] of Object.entries(outputs)) host.output(name, value);
  if (directory !== '') await writeReport(report, directory);
}

async function writeSummary(report: Report, event: GitHubEvent | undefined, host: Host): Promise<void> {
  try {
    await host.summary(`${renderMarkdown(report, { limit: summaryLimitBytes })}${footerOf(event)}`);
  } catch (error) {
    host.warning(`The job summary could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function comments(
  report: Report,
  options: PublishOptions,
  api: GitHubApi | undefined,
  host: Host,
): Promise<string> {
  const { event, comment: when } = options;
  if (event?.pullRequest === undefined || when === 'never') return '';
  if (api === undefined) {
    host.warning('No comment on the pull request: the input "token" is empty. The report is in the job summary.');
    return '';
  }
  // Two workflows, two jobs or two policies on one pull request each keep a comment of their own.
  const marker = commentMarker([event.workflow, event.job, options.part ?? '', policyPath(options), report.name]);
  const body = commentBody(marker, footerOf(event), (limit) => renderMarkdown(report, { limit }));
  try {
    const done = await publishComment(api, event.pullRequest, marker, body, { comment: when, verdict: report.verdict });
    if (done !== undefined) host.info(`The comment on pull request #${event.pullRequest} is ${done.done}.`);
    return done === undefined ? '' : String(done.id);
  } catch (error) {
    const why = describeApiFailure(error, 'pull-requests: write', event.fork);
    host.warning(`No comment on the pull request: ${why}. The report is in the job summary.`);
    return '';
  }
}

async function checkRuns(
  report: Report,
  options: PublishOptions,
  api: GitHubApi | undefined,
  host: Host,
): Promise<string> {
  const { event } = options;
  if (event === undefined || !options.checkRun || event.headSha === '') return '';
  if (api === undefined) {
    host.warning('No check run: the input "token" is empty. The report is in the job summary.');
    return '';
  }
  const root = repositoryRoot(options.directory);
  const annotations = annotationsOf(report, (file) => repositoryPath(file, options.directory, root));
  try {
    const done = await publishCheckRun(api, event.headSha, report, annotations, {
      name: checkName(report, policyPath(options), options.part),
      detailsUrl: event.runUrl,
      held: options.held ?? false,
      render: (limit) => renderMarkdown(report, { limit, reportUrl: event.runUrl }),
    });
    if (done.left > 0) {
      host.info(`The check run shows ${annotationLimit} annotations; the report has all ${annotations.length}.`);
    }
    return String(done.id);
  } catch (error) {
    const why = describeApiFailure(error, 'checks: write', event.fork);
    host.warning(`No check run with annotations: ${why}. The report is in the job summary.`);
    return '';
  }
}

/** The policy as the repository names it: `./sluice.yaml` is `sluice.yaml`, and two working directories are two policies. */
function policyPath({ policyFile, directory }: Pick<PublishOptions, 'policyFile' | 'directory'>): string {
  return repositoryPath(policyFile, directory) ?? policyFile;
}

/** In the visible text, so that a reader can tell a report of this commit from an old or a forged one. */
function footerOf(event: GitHubEvent | undefined): string {
  if (event === undefined) return '';
  const commit = event.headSha === '' ? '' : `Commit ${event.headSha} · `;
  return `\n<sub>${commit}<a href="${event.runUrl}">this run</a></sub>\n`;
}
