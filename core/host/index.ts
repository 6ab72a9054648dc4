export type { Host, Progress } from './host.ts';
export { silentHost } from './silent-host.ts';
