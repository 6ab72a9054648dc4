import { join, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { policyDefaults } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import type { Notice, Report } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  apiOf,
  describeApiFailure,
  gateReport,
  type LabelApproval,
  labelApproval,
  publishReport,
} from '../../github/index.ts';
import {
  analysisOfPolicy,
  LookLog,
  type MetricsSource,
  openAnalysis,
  openMetrics,
  RolloutStory,
  requireAbReport,
  rolloutChecks,
  runRollout,
  settingsOfPolicy,
  type Turn,
} from '../../rollout/index.ts';
import { type CanaryGate, openCanaryGate } from './canary-gate.ts';
import { type CanaryInputs, metricsCaOf, secretOf } from './canary-inputs.ts';
import { holderOf, rolloutIdOf } from './rollout-id.ts';
import { RolloutNews } from './rollout-news.ts';
import { openProvider, type SavedRun } from './saved-run.ts';

export {
  type CanaryCommand,
  type CanaryInputs,
  type CanaryPlace,
  canaryCommands,
  canaryInputsFrom,
} from './canary-inputs.ts';
export { type CanaryOrder, canaryOrders, giveOrder } from './give-order.ts';
export { restoreBaseline } from './restore-baseline.ts';
export { parseSavedRun, type SavedRun } from './saved-run.ts';
export { ongoingRollout, type RolloutStanding, standingOf, standingText, tellStanding } from './standing.ts';

/** What a run has from the process it is in. */
export interface RunLife {
  /** Roll back now. The reason is for people. */
  readonly signal?: AbortSignal;
  /** Told before anything moves: with this the baseline can be restored should the process be killed. */
  readonly onBegin?: (saved: SavedRun) => void;
}

/** Milliseconds to wait, in the end, for messages that are on their way. Half of what GitHub gives a cancelled step. */
const lastWords = 4000;

/**
 * A rollout by the policy's key `canary`, from wherever it stands to its end or a safe point, reported and published. The report's verdict is
 * `failed` when it was rolled back, `passed` when it was promoted or holds. Throws an `InputError` or a `PeerError` for what keeps it from
 * running; an error in mid-rollout has rolled back, as far as the provider answered.
 */
export async function run(inputs: CanaryInputs, host: Host, life: RunLife = {}): Promise<Report> {
  const gate = await host.group('Read the policy', () => openCanaryGate(inputs));
  const { canary, policy } = gate;
  const settings = settingsOfPolicy(canary);
  const analysis = analysisOfPolicy(canary);
  const id = await rolloutIdOf(inputs, gate);
  await requireEvaluation(gate);

  const saved: SavedRun = {
    id,
    holder: holderOf(gate),
    directory: gate.directory,
    traffic: canary.traffic,
    ...(canary.guard === undefined ? {} : { guard: canary.guard }),
    ...(inputs.context === undefined ? {} : { context: inputs.context }),
    ...(inputs.kubeconfig === undefined ? {} : { kubeconfig: resolve(inputs.directory, inputs.kubeconfig) }),
  };
  await using provider = openProvider(saved);
  await using source = await openSource(inputs, gate, host);
  const { name } = policy.policy;
  const news = RolloutNews.open(inputs, gate, {
    ...{ id, title: provider.title, host },
    ...(name === undefined ? {} : { name }),
  });
  const story = new RolloutStory();
  const looks =
    inputs.reportDirectory === undefined
      ? undefined
      : new LookLog(join(resolve(inputs.directory, inputs.reportDirectory), looksFile(id)), analysis, (message) =>
          host.warning(message),
        );
  const approved = await approvalOf(inputs, gate, host);
  host.output('id', id);
  host.info(`Rollout ${id} on ${provider.title}, watched by ${source.title}.`);
  refuseCancelled(life);
  life.onBegin?.(saved);

  const hear = async (turn: Turn): Promise<void> => {
    for (const { text, warn } of turn.messages) (warn ? host.warning : host.info)(text);
    const line = story.tell(turn);
    if (line !== undefined) host.info(line);
    news.tell(turn);
    await looks?.add(turn);
  };
  try {
    const result = await runRollout({
      id,
      holder: saved.holder,
      provider,
      source,
      analyst: openAnalysis(analysis),
      settings,
      onTurn: hear,
      warn: (message) => host.warning(message),
      ...(approved === undefined ? {} : { approved }),
      ...(inputs.maxMinutes === undefined ? {} : { stopAfter: inputs.maxMinutes * 60_000 }),
      ...(life.signal === undefined ? {} : { signal: life.signal }),
    });
    const { outcome, record } = result;
    news.conclude(result);
    host.output('outcome', outcome);
    host.output('weight', String(record.traffic.canaryWeight));
    host.output('verdict', story.analysed?.verdict ?? record.lastLook?.verdict ?? '');
    const figure = story.figure();
    const report = gateReport(
      gate,
      {
        checks: rolloutChecks(result, story.analysed, (path) => policy.placeOf(path)),
        sources: [],
        notices: [whatWasRolledOut(id, provider.title, source.title)],
        ...(figure === undefined ? {} : { figures: [figure] }),
      },
      inputs,
    );
    await publishReport(report, { ...inputs, policyFile: policy.file, part: 'canary', event: gate.event }, host);
    return report;
  } catch (error) {
    news.broke(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    await news.close(lastWords);
  }
}

/** A rollout that never began must not be recorded as one that was rolled back: its id could not be used again. */
function refuseCancelled({ signal }: RunLife): void {
  if (signal?.aborted !== true) return;
  throw new InputError({
    code: 'cancelled',
    message: `nothing was moved: ${typeof signal.reason === 'string' ? signal.reason : 'the run was cancelled'}`,
    fix: 'Run it again.',
  });
}

/** The order A/B, canary, full: without the evaluation nothing moves. */
async function requireEvaluation({ canary, policy, directory }: CanaryGate): Promise<void> {
  if (canary.ab_report === undefined) return;
  const place = policy.placeOf(['canary', 'ab_report']);
  const model = policy.policy.model?.path;
  if (model === undefined) {
    throw new InputError({
      code: 'no-model',
      message: 'nothing says which model file the A/B evaluation has to be of',
      place,
      fix: 'Add "model: { path: ... }" to the policy.',
    });
  }
  await requireAbReport({ report: canary.ab_report, model, directory, place });
}

async function openSource(inputs: CanaryInputs, { canary, directory }: CanaryGate, host: Host): Promise<MetricsSource> {
  const token = secretOf(inputs.metricsTokenVariable, 'metrics-token-env', process.env);
  if (token !== undefined) host.secret(token);
  const ca = await metricsCaOf(inputs);
  return openMetrics(canary.metrics, {
    traffic: canary.traffic,
    directory,
    ...(inputs.metricsUrl === undefined ? {} : { url: inputs.metricsUrl }),
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  });
}

/** How a label is asked for; `undefined`: only the command `approve` can approve. */
async function approvalOf(
  { token }: CanaryInputs,
  { canary, event }: CanaryGate,
  host: Host,
): Promise<LabelApproval | undefined> {
  if (canary.approval !== 'label') return undefined;
  const api = event === undefined ? undefined : apiOf(event, token, host);
  if (event === undefined || api === undefined) {
    host.notice('No label can be asked for here: approve by the command approve.');
    return undefined;
  }
  const ask = labelApproval(api, {
    label: canary.approval_label ?? policyDefaults.canary.approval_label,
    commit: event.headSha,
    ...(event.pullRequest === undefined ? {} : { pullRequest: event.pullRequest }),
    say: (message) => host.info(message),
  });
  let told = '';
  return async (since) => {
    try {
      return await ask(since);
    } catch (error) {
      const why = describeApiFailure(error, 'pull-requests: read', event.fork);
      if (why !== told) host.warning(`The label could not be asked for: ${why}.`);
      told = why;
      return false;
    }
  };
}

/** A file's name for any id: `acme/churn@0123` is `acme-churn-0123.looks.jsonl`. */
function looksFile(id: string): string {
  return `${id.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '')}.looks.jsonl`;
}

function whatWasRolledOut(id: string, traffic: string, metrics: string): Notice {
  return {
    level: 'notice',
    message: `Rollout ${excerpt(id, 200)} on ${excerpt(traffic, 200)}, watched by ${excerpt(metrics, 200)}.`,
  };
}
