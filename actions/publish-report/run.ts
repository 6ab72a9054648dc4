import { readFile, stat } from 'node:fs/promises';
import type { Host } from '../../core/host/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type Notice, parseReport, type Report, reportLimits } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  apiOf,
  changedWorkflowFiles,
  describeApiFailure,
  fileOfArtifact,
  type GitHubApi,
  isOfFork,
  type PublishingEvent,
  publishReport,
  pullRequestOf,
  readWorkflowRun,
} from '../../github/index.ts';
import type { PublishInputs } from './publish-inputs.ts';

/**
 * Publishes what a gate reported in another run. The report is a stranger's text: it is read within limits, its verdict follows from its
 * checks or it is refused, and all that is shown is rendered here anew. Which commit and which pull request it is of says GitHub's event
 * alone. Where the pull request changed the workflow that judged it, that is said, and the check asks for a person instead of passing.
 *
 * Throws an `InputError` where there is no report of this commit, a `PeerError` where GitHub does not give it.
 */
export async function run(
  inputs: PublishInputs,
  host: Host,
  env: Readonly<Record<string, string | undefined>> = process.env,
  given?: GitHubApi,
): Promise<Report> {
  const publishing = await readWorkflowRun(env);
  const api = given ?? apiOf(publishing.event, inputs.token, host);
  if (api === undefined) {
    throw new InputError({
      code: 'no-token',
      message: 'the input "token" is empty',
      fix: 'Leave it out for the job\'s own token, and give the job "permissions: { actions: read, checks: write, pull-requests: write }".',
    });
  }
  const report = await host.group('Read the report', async () => reportOf(inputs, publishing, api));
  requireCommit(report, publishing);
  const pullRequest = await asked('pull-requests: read', () => pullRequestOf(publishing.run, api));
  host.output('pull-request', pullRequest === undefined ? '' : String(pullRequest));
  const ofFork = isOfFork(publishing.run, publishing.event.repository);
  if (pullRequest === undefined && (ofFork || publishing.run.event === 'pull_request')) {
    host.info('No open pull request has this commit as its head: it was closed, or a newer commit will report.');
  }
  const notices = await noticesOf(publishing, pullRequest, api);
  const shown: Report = { ...report, notices: [...notices, ...report.notices] };
  await publishReport(
    shown,
    {
      directory: inputs.directory,
      policyFile: report.policy.file,
      comment: inputs.comment,
      // Without its pull request nobody can tell which workflow judged a stranger's commit, and a check run stays on it for good.
      checkRun: inputs.checkRun && !(ofFork && pullRequest === undefined),
      event: { ...publishing.event, ...(pullRequest === undefined ? {} : { pullRequest }) },
      held: notices.length > 0,
      api,
      ...(inputs.reportDirectory === undefined ? {} : { reportDirectory: inputs.reportDirectory }),
      ...(inputs.token === undefined ? {} : { token: inputs.token }),
      ...(inputs.part === undefined ? {} : { part: inputs.part }),
    },
    host,
  );
  return shown;
}

async function reportOf(inputs: PublishInputs, { run }: PublishingEvent, api: GitHubApi): Promise<Report> {
  if (inputs.report !== undefined) return parseReport(await bytesOf(inputs.report));
  const wanted = { runId: run.id, artifact: inputs.artifact, file: 'report.json', limitBytes: reportLimits.bytes };
  return parseReport(await fileOfArtifact(wanted, api));
}

/** Asked for its size before it is read. */
async function bytesOf(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size <= reportLimits.bytes) return await readFile(file);
    throw new InputError({
      code: 'report-too-large',
      message: 'the report is too large to read',
      place: { file },
      found: `${size} bytes`,
      expected: `at most ${reportLimits.bytes} bytes`,
    });
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(
      {
        code: 'missing-file',
        message: 'the report cannot be read',
        place: { file },
        found: cause instanceof Error ? excerpt(cause.message) : 'an error',
        fix: 'Name the report.json that an earlier step downloaded, or leave the input out to read the artifact.',
      },
      { cause },
    );
  }
}

/** A report of another commit, however honest, says nothing of this one. */
function requireCommit({ commit }: Report, { run }: PublishingEvent): void {
  if (commit?.head === run.headSha) return;
  throw new InputError({
    code: 'report-of-another-commit',
    message: 'the report is not of the commit that the run was for',
    found: commit === undefined ? 'a report without a commit' : commit.head,
    expected: run.headSha,
    fix: 'Upload the report in the same job as the gate, and let no step change it.',
  });
}

/** What of the pull request takes the gate's word its weight. Its own files, not the report's, are asked. */
async function noticesOf(
  { run, event }: PublishingEvent,
  pullRequest: number | undefined,
  api: GitHubApi,
): Promise<readonly Notice[]> {
  if (pullRequest === undefined || !isOfFork(run, event.repository)) return [];
  const changed = await asked('pull-requests: read', () => changedWorkflowFiles(pullRequest, api));
  if (changed.length === 0) return [];
  const files = changed
    .slice(0, 5)
    .map((path) => excerpt(path, 100))
    .join(', ');
  return [
    {
      level: 'warning',
      message: `This pull request comes from a fork and changes ${files}${changed.length > 5 ? `, and ${changed.length - 5} more` : ''}: the workflow that judged it may be its own, so its report proves nothing until a person has read that change.`,
    },
  ];
}

async function asked<Result>(permission: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new PeerError(
      {
        code: 'pull-request-unreachable',
        message: `the pull request of this run could not be found: ${describeApiFailure(error, permission, false)}`,
        fix: 'Run the job again once GitHub answers; nothing was published.',
      },
      { cause: error },
    );
  }
}
