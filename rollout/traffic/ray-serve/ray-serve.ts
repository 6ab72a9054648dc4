import { InputError, PeerError } from '../../../core/problem/index.ts';
import { excerpt, printable } from '../../../core/text/index.ts';
import { isOver, parseRecord } from '../../state/record.ts';
import type { StoredRecord, Traffic, TrafficChange, TrafficProvider, TrafficState } from '../../traffic-provider.ts';
import type { RevisionStore } from '../hosts/revision-store.ts';
import { KeptRecord } from '../kept-record.ts';
import { checkTraffic } from '../traffic-bounds.ts';
import { RayApi, type RayApplication, type RayApplicationConfig, type RayDetails } from './ray-api.ts';
import { type SplitterConfig, splitterConfig, splitterDeployment, trafficOf } from './splitter-config.ts';

export interface RayServeTrafficOptions {
  /** `http://ray-head:8265` */
  readonly dashboard: string;
  /** The application with `ray_splitter.py`. */
  readonly splitter: string;
  /** Applications. */
  readonly baseline: string;
  readonly canary: string;
  /** Where the record is kept: Ray's API has no compare-and-set. */
  readonly store: RevisionStore;
  /** The clock of the machine that keeps it, in milliseconds of the epoch. */
  readonly now?: () => Promise<number>;
}

/**
 * Traffic between two applications of Ray Serve, which has no weights of its own: `ray_splitter.py` shares requests out as its user_config
 * says, and Serve hands a new user_config to the running replicas. The record is written before it. The splitter is its own guard: with a
 * lease in its user_config it gives the baseline everything back when that runs out, whoever lives.
 */
export function openRayServeTraffic(options: RayServeTrafficOptions): TrafficProvider {
  return new RayServeTraffic(options);
}

const closed: Traffic = { canaryWeight: 0, mirrorPercent: 0 };

/** The splitter as Ray shows it. */
interface Splitter {
  readonly details: RayDetails;
  readonly application: RayApplication;
  readonly config: RayApplicationConfig;
  /** What was submitted last. */
  readonly submitted: SplitterConfig;
  /** What all replicas have; `undefined` while they are being told. */
  readonly applied: SplitterConfig | undefined;
}

class RayServeTraffic implements TrafficProvider {
  readonly name = 'ray-serve';
  readonly title: string;
  readonly can = { header: true, mirror: true, weights: 'any' } as const;
  readonly now?: () => Promise<number>;
  readonly guard: NonNullable<TrafficProvider['guard']>;
  readonly #options: RayServeTrafficOptions;
  readonly #api: RayApi;
  readonly #kept: KeptRecord;

  constructor(options: RayServeTrafficOptions) {
    this.#options = options;
    this.title = printable(`Ray Serve application ${options.splitter}`);
    this.#api = new RayApi(options.dashboard);
    this.#kept = new KeptRecord(options.store, this.title);
    if (options.now !== undefined) this.now = options.now;
    this.guard = {
      title: 'the splitter itself: it gives the baseline everything back when the lease runs out',
      install: async ({ expires }) => {
        await this.#configure(await this.#splitter(), (config) => ({ ...config, lease: expires.getTime() / 1000 }));
      },
      remove: async () => {
        await this.#configure(await this.#splitter(), withoutLease);
      },
    };
  }

  async read(): Promise<TrafficState> {
    const splitter = await this.#splitter();
    const { submitted, applied } = splitter;
    const desired = this.#trafficOf(submitted) ?? closed;
    const observed = applied === undefined ? undefined : isExpired(applied) ? closed : this.#trafficOf(applied);
    const notReady = this.#notReady(splitter);
    return {
      desired,
      ...(observed === undefined ? {} : { observed }),
      settled:
        splitter.application.status === 'RUNNING' &&
        observed !== undefined &&
        JSON.stringify(observed) === JSON.stringify(desired),
      ...(notReady === undefined ? {} : { notReady: printable(notReady) }),
    };
  }

  record(): Promise<StoredRecord | undefined> {
    return this.#kept.stored();
  }

  async move({ record, traffic, after }: TrafficChange): Promise<string> {
    if (traffic !== undefined) checkTraffic(traffic, this);
    const splitter = await this.#splitter();
    const { number } = await this.#kept.expected(after);
    const revision = await this.#kept.write({ record }, number);
    await this.#configure(splitter, (config) => {
      const renewed = withLeaseOf(record, config);
      return traffic === undefined ? renewed : { ...renewed, ...this.#configOf(traffic, splitter.details) };
    });
    return String(revision);
  }

  async clear(after: string): Promise<void> {
    const { number } = await this.#kept.expected(after);
    await this.#kept.write({}, number);
  }

  async finish(outcome: 'promoted' | 'rolled-back'): Promise<void> {
    const { baseline, canary } = this.#options;
    const splitter = await this.#splitter();
    const application = outcome === 'promoted' ? canary : baseline;
    const path = pathOf(application, splitter.details);
    await this.#configure(splitter, () => ({
      baseline: { application, path },
      canary: null,
      weight: 0,
      mirror: 0,
      header: null,
      lease: null,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }

  #trafficOf(config: SplitterConfig): Traffic | undefined {
    return trafficOf(config, this.#options.baseline, this.#options.canary);
  }

  #configOf({ canaryWeight, mirrorPercent, header }: Traffic, details: RayDetails): Partial<SplitterConfig> {
    const { baseline, canary } = this.#options;
    return {
      baseline: { application: baseline, path: pathOf(baseline, details) },
      canary: { application: canary, path: pathOf(canary, details) },
      weight: canaryWeight,
      mirror: mirrorPercent,
      header: header === undefined ? null : { name: header.name, value: header.value },
    };
  }

  #notReady({ details, application, submitted }: Splitter): string | undefined {
    const { baseline, canary, splitter } = this.#options;
    if (this.#trafficOf(submitted) === undefined) {
      return `${splitter} has ${excerpt(submitted.baseline.application)} as its baseline, which is neither ${baseline} nor ${canary}`;
    }
    for (const name of [baseline, canary]) {
      const found = details.applications[name];
      if (found === undefined) return `there is no application ${name}`;
      if (found.status !== 'RUNNING')
        return `the application ${name} is ${found.status}: ${excerpt(found.message ?? '', 200)}`;
      if (!found.route_prefix) return `the application ${name} has no route`;
    }
    const wrong = application.status === 'DEPLOY_FAILED' || application.status === 'UNHEALTHY';
    return wrong ? `${splitter} is ${application.status}: ${excerpt(application.message ?? '', 200)}` : undefined;
  }

  async #splitter(): Promise<Splitter> {
    const details = await this.#api.details();
    const { splitter } = this.#options;
    const application = details.applications[splitter];
    const config = application?.deployed_app_config;
    const submitted = splitterConfig.safeParse(
      config === null || config === undefined ? undefined : userConfigOf(config),
    ).data;
    if (application === undefined || !config || submitted === undefined) {
      throw new PeerError({
        code: 'no-splitter',
        message: `Ray Serve has no application ${excerpt(splitter)} with a ${splitterDeployment} that Sluice could configure`,
        found:
          application === undefined
            ? excerpt(Object.keys(details.applications).join(', '), 200)
            : excerpt(application.status),
        fix: 'Deploy ray_splitter.py by `serve deploy` (not by serve.run), with a user_config that names the baseline; rollout/traffic/ray-serve/README.md shows it.',
      });
    }
    const deployment = application.deployments?.[splitterDeployment];
    const healthy = deployment?.status === 'HEALTHY';
    const applied = healthy ? splitterConfig.safeParse(deployment.deployment_config.user_config).data : undefined;
    return { details, application, config, submitted, applied };
  }

  async #configure(splitter: Splitter, change: (config: SplitterConfig) => SplitterConfig): Promise<void> {
    const { config, details, submitted } = splitter;
    const next = change(submitted);
    if (JSON.stringify(splitterConfig.parse(next)) === JSON.stringify(submitted)) return;
    const deployments = deploymentsOf(config).map((deployment) =>
      deployment['name'] === splitterDeployment ? { ...deployment, user_config: next } : deployment,
    );
    await this.#api.deploy(details, { ...config, deployments });
  }
}

function deploymentsOf(config: RayApplicationConfig): readonly Readonly<Record<string, unknown>>[] {
  const { deployments } = config;
  return Array.isArray(deployments) ? deployments : [];
}

function userConfigOf(config: RayApplicationConfig): unknown {
  return deploymentsOf(config).find(({ name }) => name === splitterDeployment)?.['user_config'];
}

function pathOf(application: string, { applications }: RayDetails): string {
  const prefix = applications[application]?.route_prefix;
  if (prefix) return prefix;
  throw new InputError({
    code: 'no-application',
    message: `Ray Serve has no application ${excerpt(application)} with a route`,
    found: excerpt(Object.keys(applications).join(', '), 200),
    fix: 'Deploy it first, with a route_prefix of its own; or correct its name in canary.traffic.',
  });
}

function isExpired({ lease }: SplitterConfig): boolean {
  return typeof lease === 'number' && Date.now() / 1000 > lease;
}

function withoutLease({ lease: _over, ...config }: SplitterConfig): SplitterConfig {
  return config;
}

/**
 * The lease that the record has, where a guard is up. Handed on once half of it is over: each change makes Serve tell all replicas. A canary
 * that is the new baseline already needs none.
 */
function withLeaseOf(text: string, config: SplitterConfig): SplitterConfig {
  if (typeof config.lease !== 'number') return config;
  let record: ReturnType<typeof parseRecord>;
  try {
    record = parseRecord(text);
  } catch {
    return config;
  }
  if (isOver(record) || record.phase === 'finishing') return withoutLease(config);
  const now = Date.now();
  const [has, wanted] = [config.lease * 1000 - now, record.leaseUntil - now];
  return wanted > 0 && (has < wanted / 2 || has > wanted) ? { ...config, lease: record.leaseUntil / 1000 } : config;
}
