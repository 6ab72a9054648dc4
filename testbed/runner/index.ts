export { actBinary, actVersion } from './act.ts';
export { type Event, mergeGroupEvent, pullRequestEvent, pushEvent, workflowRunEvent } from './event.ts';
export { exportKit } from './kit.ts';
export { networkCanBeTaken } from './network.ts';
export type { Outcome, PrintedCommand, RunnerAnnotation } from './outcome.ts';
export { type Descendant, descendantsOf, killTree } from './process-tree.ts';
export { type Files, Project } from './project.ts';
export { runWorkflow, type WorkflowRun } from './workflow.ts';
