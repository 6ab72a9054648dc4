export {
  type Annotation,
  type CheckRun,
  type Comment,
  type Fault,
  GitHubApi,
  type GitHubApiOptions,
  pointerTo,
  type RecordedRequest,
  token,
} from './api.ts';
export type { Deployment, PutLabel } from './deployment.ts';
export { type Account, actionsBot, fullPermissions, type Permissions, readOnlyPermissions } from './identity.ts';
export type { Artifact, PullRequest } from './pull-request.ts';
