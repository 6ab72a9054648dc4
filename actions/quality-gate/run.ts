import { resolve } from 'node:path';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { textColumns } from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { Environment } from '../../core/mlflow/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import { type EffectivePolicy, policyDefaults } from '../../core/policy/index.ts';
import { PolicyError } from '../../core/problem/index.ts';
import type { Check, Figure, ModelSummary, Notice, Report } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  type BaseFiles,
  type GateInputs,
  gateReport,
  loadEffectivePolicy,
  publishReport,
  repositoryRoot,
} from '../../github/index.ts';
import { type Baseline, openBaseline, withoutBaseline } from './baseline.ts';
import { needsRows, tried } from './candidate-and-baseline.ts';
import { judgeEpisodes } from './episodes/episode-gate.ts';
import { judgeSets } from './evaluation-sets/judge-sets.ts';
import { judgeLatency } from './latency-gate.ts';
import { openModelFile, summaryOf } from './model-file.ts';
import { neighbourChecks } from './neighbour-check.ts';
import { signatureChecks } from './signature-gate.ts';
import { sizeChecks } from './size-gate.ts';
import { judgeSource } from './sources/judge-source.ts';
import type { NoBaseline } from './subject.ts';
import { judgeVariants } from './variant-gate.ts';

export { type LintInputs, lintPolicy, type PolicyLint } from './lint/lint-policy.ts';
export type QualityGateInputs = GateInputs;

/** What judging a model found. */
export interface ModelJudgement {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
  readonly candidate?: ModelSummary;
  readonly baseline?: ModelSummary;
  readonly sources: Report['sources'];
}

/** The quality gate alone: the model against its bounds, reported and published. */
export async function run(inputs: QualityGateInputs, host: Host): Promise<Report> {
  const gate = await host.group('Read the policy', () => loadEffectivePolicy(inputs, host));
  const { policy, directory, base, event } = gate;
  if (policy.policy.gates === undefined) {
    throw new PolicyError({
      code: 'no-gates',
      message: 'the policy demands nothing of a model',
      place: { file: policy.file },
      fix: 'Add gates, such as "gates: { accuracy: { min: 0.9 } }".',
    });
  }
  await using engine = await openEngine({ host, directories: [repositoryRoot(directory)], memoryLimit: '1GB' });
  const judgement = await host.group('Judge the model', () =>
    judgeModel({ policy, directory, engine, host, ...(base === undefined ? {} : { base }) }),
  );
  const report = gateReport(gate, judgement, inputs);
  await publishReport(report, { ...inputs, part: 'model', event }, host);
  return report;
}

/**
 * Judges the policy's model: runs it and its baseline on the same rows, measures, and holds every number with its uncertainty against
 * its bound. `directory` is what the policy's paths are relative to; `base` holds the base branch's model.
 *
 * Throws a `SluiceError` where nothing can be judged: the model or the data cannot be read, or do not fit each other. A baseline that
 * cannot be used is no reason to throw: what compares with it becomes `error`, the rest is judged.
 */
export async function judgeModel(options: {
  readonly policy: EffectivePolicy;
  readonly directory: string;
  readonly engine: Engine;
  readonly base?: BaseFiles;
  readonly host: Host;
  /** Where MLflow is and who may read it. @default process.env */
  readonly environment?: Environment;
}): Promise<ModelJudgement> {
  const { policy, directory, engine, base, host, environment = process.env } = options;
  const { model: modelPolicy, gates, evaluation } = policy.policy;
  if (modelPolicy === undefined || gates === undefined) return { checks: [], figures: [], notices: [], sources: [] };

  const elsewhere = await judgeSource({ policy, directory, engine, base, host, environment });
  if (elsewhere !== undefined) return elsewhere;
  const place = policy.placeOf(['model', 'path']);
  const { path = '' } = modelPolicy;
  const file = { file: resolve(directory, path), path, place, within: repositoryRoot(directory) };
  host.info(`Open the candidate ${excerpt(path)}`);
  await using models = await both(openModelFile(file, host), baselineOf(policy, directory, base, host, environment));
  const { candidate, baseline } = models;

  const rowsNeeded = needsRows(gates) || evaluation !== undefined;
  const text = textColumns(candidate, modelPolicy);
  const sets = rowsNeeded
    ? await judgeSets(policy, {
        directory,
        engine,
        base,
        text,
        models: { candidate, path, place, policy: modelPolicy, baseline },
        host,
      })
    : undefined;
  const { rows, wired, wiredBaseline, noBaseline } = sets?.main ?? { noBaseline: baseline.absence };

  const checks: Check[] = [];
  const figures: Figure[] = [];
  const notices: Notice[] = [...baseline.notices, ...noticesOf(candidate, baseline, noBaseline)];
  const take = (part: { checks: readonly Check[]; figures?: readonly Figure[]; notices?: readonly Notice[] }) => {
    checks.push(...part.checks);
    figures.push(...(part.figures ?? []));
    notices.push(...(part.notices ?? []));
  };

  take({ checks: neighbourChecks(candidate, place) });
  if (sets !== undefined) take(sets);
  take(
    await judgeEpisodes(policy, {
      directory,
      base,
      candidate,
      path,
      baseline:
        baseline.model === undefined ? undefined : { model: baseline.model, path: baseline.path ?? 'the baseline' },
      noBaseline: baseline.absence,
      host,
    }),
  );
  take(
    await judgeLatency(policy, {
      candidate: { model: candidate, wired },
      baseline:
        baseline.model === undefined || (rows !== undefined && wiredBaseline === undefined)
          ? undefined
          : { model: baseline.model, wired: wiredBaseline },
      rows,
      noBaseline,
      level: policy.policy.evidence ?? policyDefaults.evidence,
      seed: rows?.table.sha256 ?? candidate.facts.sha256,
      host,
    }),
  );
  const level = policy.policy.evidence ?? policyDefaults.evidence;
  const seed = rows?.table.sha256 ?? candidate.facts.sha256;
  take(await judgeVariants({ policy, directory, candidate, wired, rows, level, seed, host }));
  take({ checks: sizeChecks(policy, candidate.facts, baseline.model?.facts, noBaseline) });
  take({ checks: signatureChecks(policy, candidate.facts, baseline.model?.facts, baseline.absence) });

  return {
    checks,
    figures,
    notices,
    candidate: summaryOf(path, candidate.facts),
    ...(baseline.model === undefined ? {} : { baseline: summaryOf(baseline.path ?? '', baseline.model.facts) }),
    sources: sets?.sources ?? [],
  };
}

interface Models extends AsyncDisposable {
  readonly candidate: Model;
  readonly baseline: Baseline;
}

/** Opened at once, since each waits for a process to start. Neither stays open when the other fails. */
async function both(candidate: Promise<Model>, baseline: Promise<Baseline>): Promise<Models> {
  const [one, other] = await Promise.allSettled([candidate, baseline]);
  const close = async (): Promise<void> => {
    for (const each of [one, other]) if (each.status === 'fulfilled') await each.value[Symbol.asyncDispose]();
  };
  if (one.status === 'fulfilled' && other.status === 'fulfilled') {
    return { candidate: one.value, baseline: other.value, [Symbol.asyncDispose]: close };
  }
  await close();
  throw one.status === 'rejected' ? one.reason : other.status === 'rejected' ? other.reason : undefined;
}

/** The baseline, or one that says why it cannot be used. */
async function baselineOf(
  policy: EffectivePolicy,
  directory: string,
  base: BaseFiles | undefined,
  host: Host,
  environment: Environment,
): Promise<Baseline> {
  const found = await tried(() => openBaseline(policy, directory, base, host, environment));
  return 'kind' in found ? withoutBaseline(policy, found) : found;
}

function noticesOf(candidate: Model, baseline: Baseline, noBaseline: NoBaseline): readonly Notice[] {
  if (baseline.model === undefined || noBaseline.why !== '') {
    return noBaseline.why === ''
      ? []
      : [{ level: noBaseline.kind === 'absent' ? 'notice' : 'warning', message: `${noBaseline.why}.` }];
  }
  if (baseline.model.facts.sha256 !== candidate.facts.sha256) return [];
  if (JSON.stringify(baseline.model.facts.externalFiles) !== JSON.stringify(candidate.facts.externalFiles)) return [];
  return [{ level: 'notice', message: 'Candidate and baseline are the same file, byte for byte.' }];
}
