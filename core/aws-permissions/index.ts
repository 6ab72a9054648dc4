/**
 * What Sluice calls of AWS, as the least IAM statements that allow it. A room of its own, that imports nothing, so that what a command prints
 * (`sluice canary permissions`) and what a construct grants (`GitHubDeployRole.grantCanary`) cannot differ.
 *
 * @module
 */
export { verifyBucketStatements } from './bucket-statements.ts';
export { type CanaryResources, canaryStatements } from './canary-statements.ts';
export { type AthenaResources, athenaStatements, type ObjectsBelow, objectStatements } from './data-statements.ts';
export { type EndpointAnswers, invokeStatements } from './invoke-statements.ts';
export type { PermissionStatement } from './permission-statement.ts';
export { startStatements } from './start-statements.ts';
