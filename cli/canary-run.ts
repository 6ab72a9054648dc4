import type { Command } from 'commander';
import type { CanaryInputs } from '../actions/canary/run.ts';
import type { Host } from '../core/host/index.ts';
import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { number } from './canary-flags.ts';
import { addCanaryPlaceFlags, type CanaryPlaceFlags, canaryPlaceOf } from './canary-place.ts';
import { judge } from './judge.ts';
import { perform, type Session } from './session.ts';

interface CanaryRunFlags extends CanaryPlaceFlags {
  readonly metricsUrl?: string;
  readonly metricsTokenEnv?: string;
  readonly metricsCa?: string;
  readonly maxMinutes?: number;
  readonly webhookEnv?: string;
  readonly grafanaUrl?: string;
  readonly grafanaTokenEnv?: string;
  readonly report?: string;
}

const exitCodes = `
Exit codes:
  0    promoted, or it holds at a safe point: run it again with the same id to go on
  1    something is broken: a wrong flag, another rollout is on, a provider that does not answer
  100  rolled back: all requests go to the baseline`;

/** `sluice canary run`: a rollout, to its end or a safe point. */
export function addCanaryRun(parent: Command, session: Session): void {
  addRunFlags(parent.command('run'), 'the rollout; a run with the same id goes on with it (default: folder and commit)')
    .summary('roll a new version out')
    .description(
      'Gives the new version more and more of the requests, as far as the evidence allows, and takes them all back when it shows harm. ' +
        'May be interrupted anywhere: Ctrl-C rolls back; a run that was killed is gone on with by the same id.',
    )
    .addHelpText(
      'after',
      `${exitCodes}

Examples:
  $ sluice canary run --policy sluice.yaml --report canary-report
  $ sluice canary run --id churn-7 --metrics-url https://prometheus.example.com --metrics-token-env PROMETHEUS_TOKEN
  $ sluice canary run --id churn-7 --max-minutes 50`,
    )
    .action((flags: CanaryRunFlags) => rollOut(session, flags));
}

/** `sluice canary continue`: goes on with a rollout that holds, if there is one. */
export function addCanaryContinue(parent: Command, session: Session): void {
  addRunFlags(parent.command('continue'), 'only this rollout (default: whichever holds)')
    .summary('go on with a rollout that holds')
    .description(
      'Goes on with the rollout that stopped at a safe point, or whose run is gone for longer than its lease. Does nothing when there is none, or a run watches it.',
    )
    .addHelpText('after', `${exitCodes}\n\nExamples:\n  $ sluice canary continue --policy sluice.yaml --max-minutes 50`)
    .action(async (flags: CanaryRunFlags) => {
      let id: string | undefined;
      await perform(session, flags, async (host) => {
        const { ongoingRollout } = await import('../actions/canary/run.ts');
        id = await ongoingRollout(canaryPlaceOf(flags, session.streams.directory), host);
        return 0;
      });
      if (id !== undefined) await rollOut(session, { ...flags, id });
    });
}

function addRunFlags(command: Command, id: string): Command {
  return addCanaryPlaceFlags(command, id)
    .option('--metrics-url <url>', "where Prometheus is; wins over the policy's")
    .option('--metrics-token-env <variable>', 'the environment variable with a token for it')
    .option('--metrics-ca <file>', 'a certificate authority to trust for it, in PEM')
    .option('--max-minutes <number>', 'stop at a safe point after so many minutes', number(0.001))
    .option('--webhook-env <variable>', 'the environment variable with the address of an incoming webhook')
    .option('--grafana-url <url>', 'write annotations to this Grafana')
    .option('--grafana-token-env <variable>', 'the environment variable with a token of Grafana')
    .option('--report <folder>', 'write the report and the looks (*.looks.jsonl) there');
}

async function rollOut(session: Session, flags: CanaryRunFlags): Promise<void> {
  const stop = new AbortController();
  session.streams.takeSignals?.((signal) => {
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    stop.abort(`the run was interrupted (${signal})`);
  });
  const { report, policy } = flags;
  const gate = { ...flags, policy, ...(report === undefined ? {} : { report }) };
  await judge(session, gate, async () => {
    const { run } = await import('../actions/canary/run.ts');
    return (inputs, host) => run({ ...inputs, ...given(flags, session, host) }, host, { signal: stop.signal });
  });
}

function given(flags: CanaryRunFlags, { streams }: Session, host: Host): Partial<CanaryInputs> {
  const { metricsUrl, metricsTokenEnv, metricsCa, maxMinutes, webhookEnv, grafanaUrl, grafanaTokenEnv } = flags;
  const webhook = webhookOf(webhookEnv, streams.environment);
  if (webhook !== undefined) host.secret(webhook);
  return {
    ...canaryPlaceOf(flags, streams.directory),
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
    ...(metricsTokenEnv === undefined ? {} : { metricsTokenVariable: metricsTokenEnv }),
    ...(metricsCa === undefined ? {} : { metricsCaFile: metricsCa }),
    ...(maxMinutes === undefined ? {} : { maxMinutes }),
    ...(webhook === undefined ? {} : { webhook }),
    ...(grafanaUrl === undefined ? {} : { grafanaUrl }),
    ...(grafanaTokenEnv === undefined ? {} : { grafanaTokenVariable: grafanaTokenEnv }),
  };
}

/** An address with a secret in it: a flag could be read by every process of the machine. */
function webhookOf(
  variable: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (variable === undefined) return undefined;
  const found = environment[variable]?.trim() ?? '';
  if (found !== '') return found;
  throw new InputError({
    code: 'no-webhook',
    message: `--webhook-env names ${excerpt(variable, 60)}, and that environment variable is not set`,
    fix: 'Set it to the address. It is the name of the variable, not the address.',
  });
}
