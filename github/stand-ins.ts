/** Answers of GitHub that tests give: entered by tests alone, so that no command carries it. */
export { type Answer, ApiStandIn, type Received } from './api-stand-in.ts';
