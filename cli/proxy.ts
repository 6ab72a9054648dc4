import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Host } from '../core/host/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface ProxyFlags extends CommonFlags {
  readonly state: string;
  readonly baseline: string;
  readonly canary?: string;
  readonly host: string;
  readonly port: number;
  readonly userHeader?: string;
  readonly seed?: string;
  readonly timeout: number;
}

/** `sluice proxy`: shares requests out between a baseline and a canary, until a signal ends it. */
export function addProxy(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('proxy')
      .requiredOption('--state <folder>', 'where weights and the record of a rollout are kept; made if it is not there')
      .requiredOption(
        '--baseline <url>',
        'the server users are to reach; counts until a rollout has promoted another',
        url,
      )
      .option('--canary <url>', 'the server to try; a rollout may name it, too', url)
      .option('--host <address>', 'address to listen on; 0.0.0.0 for every network', '127.0.0.1')
      .option('--port <port>', 'port for users; 0 takes any that is free', port, 8080)
      .option('--user-header <name>', 'the header that names a user, who then stays with one version')
      .option('--seed <text>', 'another seed, other users')
      .option(
        '--timeout <seconds>',
        'without a byte from a server for so long a request is answered with 504',
        seconds,
        60,
      ),
  )
    .summary('share requests out between two versions of a server')
    .description(
      'A proxy for one machine: it follows the weights of a rollout, copies requests, and counts answers and errors of both versions. ' +
        'It outlives the rollout: when a rollout is killed and its lease runs out, the proxy gives all traffic back to the baseline.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice proxy --state proxy-state --baseline http://127.0.0.1:8001 --port 8080
  $ sluice proxy --state proxy-state --baseline http://127.0.0.1:8001 --canary http://127.0.0.1:8002 --user-header x-user-id`,
    )
    .action((flags: ProxyFlags) => perform(session, flags, (host) => serve(flags, session, host)));
}

async function serve(flags: ProxyFlags, { streams }: Session, host: Host): Promise<number> {
  let finish: (() => void) | undefined;
  const ended = new Promise<void>((resolved) => {
    finish = resolved;
  });
  streams.takeSignals?.((signal) => {
    if (finish === undefined) process.exit(signal === 'SIGINT' ? 130 : 143);
    host.info(`${signal}: finishing what is on its way; again to end at once`);
    finish();
    finish = undefined;
  });
  const { startProxy } = await import('../rollout/index.ts');
  const proxy = await startProxy({
    state: resolve(streams.directory, flags.state),
    baseline: flags.baseline,
    canary: flags.canary,
    address: flags.host,
    port: flags.port,
    userHeader: flags.userHeader,
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    timeoutMs: flags.timeout * 1000,
    tell: (message) => host.warning(message),
  });
  host.info(`Ready on ${proxy.url}`);
  await ended;
  await proxy.close();
  return 0;
}

function url(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('Write a URL, such as http://127.0.0.1:8001.');
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Write a port from 0 to 65535.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('Write a number of seconds above 0.');
}
