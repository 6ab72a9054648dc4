/** GitHub's answers, its archives, and a run's host, as tests give them: entered by tests alone, so that no command carries it. */
export { type Answer, ApiStandIn, type Received } from './api-stand-in.ts';
export { recordingHost } from './recording-host.ts';
export { zipArchive } from './zip-archive.ts';
