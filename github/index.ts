/**
 * Talking to GitHub and git: the event, what the base branch holds, the policy in force, and publishing a report. The API client
 * is loaded when it is first used.
 * @module
 */
export { type GitHubApi, type GitHubApiOptions, gitHubApi } from './api.ts';
export { describeApiFailure } from './api-failure.ts';
export { type BaseFiles, type BaseFilesOptions, baseFilesOf } from './base-files.ts';
export { checkName } from './check-run.ts';
export { type DeploymentState, type OpenDeployment, openDeployment } from './deployment.ts';
export { apiOf, type Gate, loadEffectivePolicy } from './effective-policy.ts';
export { type GitHubEvent, readEvent } from './event.ts';
export { gateReport, type Judged } from './gate-report.ts';
export { changedWorkflowFiles, pullRequestOf } from './gated-pull-request.ts';
export { resolveRevision } from './git-commit.ts';
export { type BaseChoice, type GateInputs, gateInputsFrom, todayOf } from './inputs.ts';
export { type LabelApproval, labelApproval } from './label-approval.ts';
export { logText } from './log-text.ts';
export { type PublishOptions, publishReport } from './publish.ts';
export { repositoryPath, repositoryRoot } from './repository-root.ts';
export { runAction, runStep, showReport } from './run-action.ts';
export { fileOfArtifact } from './run-artifact.ts';
export { isOfFork, type PublishingEvent, readWorkflowRun, type WorkflowRun } from './workflow-run.ts';
