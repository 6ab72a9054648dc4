import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { AwsApi, type AwsPlace } from '../../aws/aws-api.ts';
import {
  type StoredRecord,
  type Traffic,
  type TrafficChange,
  TrafficConflict,
  type TrafficProvider,
  type TrafficState,
} from '../../traffic-provider.ts';
import { checkTraffic } from '../traffic-bounds.ts';
import { brokenEndpoint, type Endpoint, EndpointClient, isBusy, unfit } from './endpoint.ts';
import { roomInTags, type TagMemo, TagRecord } from './tag-record.ts';

/** How SageMaker shifts the traffic; times in seconds. */
export interface GuardrailDeployment {
  /** `canary`: first `size`, then all. `linear`: `size` after `size`. */
  readonly kind: 'canary' | 'linear';
  /** Percent of the new fleet's capacity: 1 to 50; linear: 10 to 50. */
  readonly size: number;
  /** How long SageMaker watches its alarms at each step: 0 to 3600. */
  readonly bake: number;
  /** How long the old fleet stays after the last step: 0 to 3600. @default 0 */
  readonly terminationWait?: number | undefined;
  /** All of it, 600 to 28800; SageMaker rolls back then. @default SageMaker's */
  readonly maxTime?: number | undefined;
  /** Alarms of CloudWatch: if one is in ALARM while the deployment bakes, SageMaker rolls back. One to ten. */
  readonly alarms: readonly [string, ...string[]];
  /**
   * One of them that is Sluice's to set: by it a deployment that is on is called back. Without it Sluice has to wait until the deployment
   * is over, and deploys the baseline again.
   */
  readonly abortAlarm?: string | undefined;
  /**
   * How many instances the new fleet has: as many as serve now, or what its configuration says, which knows nothing of autoscaling.
   * @default 'current'
   */
  readonly instances?: 'current' | 'configuration' | undefined;
}

export interface GuardrailsOptions extends AwsPlace {
  readonly endpointName: string;
  /** Names of endpoint configurations: the one that is live, and the one to try. Their variants have the same names. */
  readonly baseline: string;
  readonly canary: string;
  readonly deployment: GuardrailDeployment;
  /** Of CloudWatch's API, where it is not AWS's own. */
  readonly cloudwatchEndpoint?: URL;
  /** Milliseconds to wait for a change that is on before a move gives up and is made again. @default 20000 */
  readonly busyMs?: number;
  /** Milliseconds between two looks at an endpoint that changes. @default 2000 */
  readonly pollMs?: number;
  /** Milliseconds after which the bid of a writer that died is passed over. @default 45000 */
  readonly deadBidMs?: number;
}

/**
 * A blue/green deployment of SageMaker with its guardrails: SageMaker moves the traffic and has its alarms; Sluice starts it, watches it with
 * its own evidence, and calls it back on harm. The weights are those the API can be told: nothing, the first step, all. From the first step
 * on SageMaker goes on by its own clock, whatever Sluice has found by then; a rollout that is still unsettled keeps being watched.
 *
 * An endpoint takes one change at a time ("Cannot update in-progress endpoint"), so a deployment that is on is called back by its abort
 * alarm, and one that is over by deploying the baseline's configuration.
 *
 * Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
 */
export function openGuardrails(options: GuardrailsOptions): TrafficProvider {
  return new Guardrails(options);
}

type Place = 'baseline' | 'canary-deploying' | 'canary' | 'going-back';

class Guardrails implements TrafficProvider {
  readonly name = 'sagemaker';
  readonly title: string;
  readonly can: TrafficProvider['can'];
  readonly room = roomInTags;
  readonly guard: NonNullable<TrafficProvider['guard']>;
  readonly #options: GuardrailsOptions;
  readonly #endpoint: EndpointClient;
  readonly #alarms: AwsApi;
  readonly #record: TagRecord;
  #arn: string | undefined;

  constructor(options: GuardrailsOptions) {
    this.#options = options;
    const { endpointName, baseline, canary, deployment, cloudwatchEndpoint } = options;
    const api = new AwsApi('sagemaker', options);
    this.#endpoint = new EndpointClient(api, endpointName);
    this.#alarms = new AwsApi('cloudwatch', { ...options, endpoint: cloudwatchEndpoint });
    this.title = `${this.#endpoint.title}, configurations ${excerpt(baseline)} and ${excerpt(canary)}`;
    this.can = { header: false, mirror: false, weights: [0, deployment.size, 100] };
    this.#record = new TagRecord({
      api,
      arn: async () => (this.#arn ??= (await this.#endpoint.describe()).EndpointArn),
      title: this.#endpoint.title,
      ...(options.deadBidMs === undefined ? {} : { deadBidMs: options.deadBidMs }),
    });
    // Nothing to put up or take down: the alarms are part of the deployment.
    this.guard = {
      title: `SageMaker's own alarms (${deployment.alarms.map((alarm) => excerpt(alarm, 60)).join(', ')}): they roll back on harm until the deployment is over, and know nothing of the lease`,
      install: async () => {},
      remove: async () => {},
    };
  }

  async read(): Promise<TrafficState> {
    const [endpoint, record] = [await this.#describe(), await this.#record.read()];
    const asked = askedIn(record?.memo);
    const place = this.#placeOf(endpoint);
    const broken = brokenEndpoint(endpoint);
    const settled = endpoint.EndpointStatus === 'InService';
    const state = (canaryWeight: number, more: Partial<TrafficState>): TrafficState => ({
      desired: { canaryWeight, mirrorPercent: 0 },
      settled: false,
      ...(broken === undefined ? {} : { notReady: broken }),
      ...more,
    });
    const seen = (canaryWeight: number) => ({ observed: { canaryWeight, mirrorPercent: 0 } });
    switch (place) {
      case 'baseline':
      case 'going-back': {
        const began = record?.memo['started'] === this.#options.canary;
        if (asked === 0 || !began) return state(0, place === 'baseline' ? { settled, ...seen(0) } : {});
        return state(asked, { takenBack: takenBack(endpoint) });
      }
      case 'canary-deploying':
        // Asked for nothing, it has to be called back: that is for whoever reads this to do.
        return asked === 100
          ? state(100, {})
          : state(this.#options.deployment.size, { settled: asked > 0 && bakes(endpoint) });
      case 'canary':
        return state(asked === 0 ? 100 : asked, { settled, ...seen(100) });
    }
  }

  now(): Promise<number> {
    return this.#endpoint.now();
  }

  record(): Promise<StoredRecord | undefined> {
    return this.#record.stored();
  }

  async move({ record, traffic, after }: TrafficChange): Promise<string> {
    if (traffic !== undefined) {
      checkTraffic(traffic, this);
      this.#placeOf(await this.#describe());
    }
    const found = await this.#record.read();
    if (found?.revision !== after)
      throw new TrafficConflict(`the record of ${this.title} is not the one that was read`);
    const memo = traffic === undefined ? (found?.memo ?? {}) : this.#memoOf(traffic, found?.memo);
    // A move that failed after its record was written comes again with the same text.
    const same = found?.text === record && askedIn(found.memo) === askedIn(memo);
    const revision = same ? found.revision : await this.#record.write(record, after, memo);
    if (traffic !== undefined) await (traffic.canaryWeight === 0 ? this.#goBack() : this.#goOn(memo));
    return revision;
  }

  clear(after: string): Promise<void> {
    return this.#record.clear(after);
  }

  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    const place = this.#placeOf(await this.#describe());
    if (outcome === 'rolled-back' && (place === 'canary' || place === 'canary-deploying')) await this.#goBack();
    if (outcome === 'promoted' && (place === 'baseline' || place === 'going-back')) {
      throw unfit(
        this.#endpoint.title,
        `does not have the configuration ${excerpt(this.#options.canary)}`,
        'See in its history who put it back; roll out anew.',
      );
    }
    // The alarm has done what it is there for; the next deployment starts with it at rest.
    if (place !== 'canary-deploying' && place !== 'going-back') await this.#setAbort('OK', 'The rollout is over.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#endpoint[Symbol.asyncDispose](), this.#alarms[Symbol.asyncDispose]()]);
  }

  /** What was started before this rollout's first weight is nobody's start. */
  #memoOf({ canaryWeight }: Traffic, before: TagMemo | undefined): TagMemo {
    const started = before?.['started'];
    return {
      asked: String(canaryWeight),
      ...(started === undefined || canaryWeight === 0 ? {} : { started }),
    };
  }

  /** Starts the deployment, once. */
  async #goOn(memo: TagMemo): Promise<void> {
    await this.#change(async (endpoint) => {
      const place = this.#placeOf(endpoint);
      if (place === 'canary' || place === 'canary-deploying') return true;
      // SageMaker took it back: whoever reads learns of it, and nobody starts it a second time.
      if (memo['started'] === this.#options.canary) return true;
      if (endpoint.EndpointStatus !== 'InService') return false;
      await this.#setAbort('OK', 'A deployment begins.');
      await this.#endpoint.update(this.#options.canary, this.#deploymentConfig(), this.#instances);
      await this.#record.note('started', this.#options.canary);
      return true;
    });
  }

  /** Has the deployment called back, or undone; the traffic follows later. */
  async #goBack(): Promise<void> {
    await this.#change(async (endpoint) => {
      const place = this.#placeOf(endpoint);
      if (place === 'baseline' || place === 'going-back') return true;
      if (endpoint.EndpointStatus === 'InService') {
        await this.#setAbort('OK', 'The baseline is deployed again.');
        await this.#endpoint.update(this.#options.baseline, allAtOnce, this.#instances);
        return true;
      }
      return this.#setAbort('ALARM', 'Sluice calls the deployment back.');
    });
  }

  get #instances(): 'current' | 'configuration' {
    return this.#options.deployment.instances ?? 'current';
  }

  /** Tries until it is done, or until it has waited long enough for the change that is on. */
  async #change(attempt: (endpoint: Endpoint) => Promise<boolean>): Promise<void> {
    const { busyMs = 20_000, pollMs = 2000 } = this.#options;
    const began = performance.now();
    for (;;) {
      const endpoint = await this.#describe();
      try {
        if (await attempt(endpoint)) return;
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      if (performance.now() - began > busyMs) throw this.#stuck(endpoint);
      await sleep(pollMs);
    }
  }

  /** @returns whether there is such an alarm */
  async #setAbort(state: 'ALARM' | 'OK', reason: string): Promise<boolean> {
    const { abortAlarm } = this.#options.deployment;
    if (abortAlarm === undefined) return false;
    await this.#alarms.call(
      'SetAlarmState',
      { AlarmName: abortAlarm, StateValue: state, StateReason: reason },
      z.unknown(),
      { title: `alarm ${excerpt(abortAlarm)}` },
    );
    return true;
  }

  async #describe(): Promise<Endpoint> {
    const endpoint = await this.#endpoint.describe();
    this.#arn = endpoint.EndpointArn;
    return endpoint;
  }

  /** Where the endpoint is between the two configurations. Throws a PeerError if it is at a third. */
  #placeOf({ EndpointConfigName: live, PendingDeploymentSummary: pending, EndpointStatus }: Endpoint): Place {
    const { baseline, canary } = this.#options;
    const next = pending?.EndpointConfigName;
    const third = [live, next].find((name) => name != null && name !== baseline && name !== canary);
    if (third != null || live == null) {
      throw unfit(
        this.#endpoint.title,
        `has${third === live ? '' : ' coming'} the configuration ${excerpt(third ?? '?')}, which is neither the baseline's nor the canary's`,
        'Name the live configuration as the baseline in canary.traffic; if somebody else deploys to it, let them finish first.',
      );
    }
    if (EndpointStatus === 'RollingBack' || (live === canary && next === baseline)) return 'going-back';
    if (live === canary) return 'canary';
    return next === canary ? 'canary-deploying' : 'baseline';
  }

  #deploymentConfig(): Readonly<Record<string, unknown>> {
    const { kind, size, bake, terminationWait = 0, maxTime, alarms } = this.#options.deployment;
    const capacity = { Type: 'CAPACITY_PERCENT', Value: size };
    return {
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: {
          Type: kind === 'canary' ? 'CANARY' : 'LINEAR',
          WaitIntervalInSeconds: bake,
          ...(kind === 'canary' ? { CanarySize: capacity } : { LinearStepSize: capacity }),
        },
        TerminationWaitInSeconds: terminationWait,
        ...(maxTime === undefined ? {} : { MaximumExecutionTimeoutInSeconds: maxTime }),
      },
      AutoRollbackConfiguration: { Alarms: alarms.map((AlarmName) => ({ AlarmName })) },
    };
  }

  #stuck({ EndpointStatus }: Endpoint): PeerError {
    const alarm = this.#options.deployment.abortAlarm;
    return new PeerError({
      code: 'endpoint-busy',
      message: `${this.title} is ${excerpt(EndpointStatus)}, and takes one change at a time`,
      fix:
        alarm === undefined
          ? 'Wait until the deployment is over. With an abort_alarm in canary.traffic.deployment it could be called back at once.'
          : 'Wait until it is InService; see in CloudTrail who changes it beside this rollout.',
    });
  }
}

/** The way back has nothing to be careful about. */
const allAtOnce = {
  BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 } },
};

function askedIn(memo: TagMemo | undefined): number {
  return Number(/^\d{1,3}$/.exec(memo?.['asked'] ?? '')?.[0] ?? 0);
}

/** The new fleet has the traffic of a step, and SageMaker watches. */
function bakes({ PendingDeploymentSummary: pending }: Endpoint): boolean {
  const statuses = (pending?.ProductionVariants ?? []).flatMap(({ VariantStatus }) => VariantStatus ?? []);
  return statuses.some(({ Status }) => Status === 'Baking');
}

function takenBack({ FailureReason, EndpointStatus }: Endpoint): string {
  const why = FailureReason == null || FailureReason === '' ? 'it does not say why' : excerpt(FailureReason, 200);
  return `SageMaker ${EndpointStatus === 'RollingBack' ? 'rolls' : 'rolled'} the deployment back: ${why}`;
}
