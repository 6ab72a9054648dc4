import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isRunnable, type Model } from '../../core/onnx/index.ts';
import { policyDefaults, type SmokePolicy } from '../../core/policy/index.ts';
import { InputError, type Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import type { ServedModel, Specs, TensorProtocol } from '../protocol.ts';
import { compareTensors } from './closeness.ts';
import { described } from './description.ts';
import { type AnsweredCase, askCases, asked, judgeCases } from './golden-answers.ts';
import type { JudgedCase } from './golden-case.ts';
import { goldenChecks } from './golden-check.ts';
import { guardrailChecks } from './guardrail-check.ts';
import { digestCheck, digestsToldBy, versionCheck } from './identity-check.ts';
import { measureLatency } from './latency-step.ts';
import { sendMalformed } from './malformed-step.ts';
import type { LocalModel, PlanOptions, SmokeFindings, WithClock } from './plan-options.ts';
import { signatureChecks } from './signature-check.ts';
import { syntheticCases } from './synthetic-cases.ts';

/** A plan whose own parts were tried: the file runs its golden inputs, and the outputs that are named are there. */
export interface TensorPlan {
  readonly local: LocalModel;
  readonly specs: Specs;
  /** Absent with `golden: false`. */
  readonly golden?: { readonly policy: GoldenPolicy; readonly cases: readonly JudgedCase[]; readonly origin: string };
}

type GoldenPolicy = Exclude<NonNullable<SmokePolicy['golden']>, false>;

/**
 * Runs the golden inputs here. `undefined`: the plan holds nothing against a file. Throws a `SluiceError` for a file that is needed and
 * missing, outputs that it does not have, inputs that it does not take.
 */
export async function prepareTensors(options: PlanOptions): Promise<TensorPlan | undefined> {
  const { policy, placeOf, local } = options;
  const golden = policy.golden ?? {};
  if (local === undefined) {
    const needed = policy.signature !== false || golden !== false || policy.latency !== undefined;
    if (needed || (policy.digest ?? false) !== false) throw withoutFile(placeOf(['smoke']));
    return undefined;
  }
  const { model } = local;
  const specs = { inputs: model.inputs, outputs: servedOutputs(model, options) };
  if (golden === false) return { local, specs };
  const { rows = policyDefaults.smoke.rows, seed = model.facts.sha256.slice(0, 12) } = golden;
  const { cases, origin } = options.cases ?? syntheticCases(model.inputs, rows, seed);
  return { local, specs, golden: { policy: golden, cases: await judgeCases(model, cases), origin } };
}

/** What is asked of a server of tensors that is ready. */
export async function smokeTensors(
  protocol: TensorProtocol,
  plan: TensorPlan | undefined,
  options: WithClock,
): Promise<SmokeFindings> {
  if (plan === undefined) {
    return { checks: await sendMalformed(protocol, undefined, options), figures: [], notices: [] };
  }
  const { policy, placeOf, host } = options;
  const { local, specs, golden } = plan;
  const { model } = local;
  const checks: Check[] = [];

  const { served, problem } = await described(protocol);
  if (problem !== undefined) host.info(`The server does not describe its model: ${problem}`);
  if (policy.signature !== false) checks.push(...signatureChecks(served, model, placeOf(['smoke', 'signature'])));

  const compared =
    golden === undefined
      ? { answered: [], versions: [], checks: [] }
      : await host.group('Compare golden answers', () => compareGolden(protocol, golden, specs, options));
  const { answered, versions } = compared;
  checks.push(...compared.checks);
  if (policy.version !== undefined) {
    const told = { described: served?.versions, answered: versions };
    checks.push(versionCheck(policy.version, told, placeOf(['smoke', 'version'])));
  }
  checks.push(...(await digest(served, local, options)));
  checks.push(...(await sendMalformed(protocol, stillRight(protocol, answered, specs), options)));
  if (policy.latency === undefined) return { checks, figures: [], notices: [] };

  const cases = golden?.cases ?? syntheticCases(model.inputs, 8, 'load').cases;
  const { checks: ofLatency, figures } = await measureLatency(policy.latency, options, {
    send: (index) => protocol.infer(cases[index % cases.length]?.feeds ?? {}, specs),
    requests: cases.map(({ feeds }) => protocol.wire({ feeds, specs })),
  });
  return { checks: [...checks, ...ofLatency], figures, notices: [] };
}

/** Golden answers and, on the same answers, guardrails. */
async function compareGolden(
  protocol: TensorProtocol,
  { policy: { tolerance, severity, reason }, cases, origin }: NonNullable<TensorPlan['golden']>,
  specs: Specs,
  { policy, placeOf, host, classes }: PlanOptions,
): Promise<{
  readonly answered: readonly AnsweredCase[];
  readonly versions: readonly string[];
  readonly checks: readonly Check[];
}> {
  const place = placeOf(['smoke', 'golden']);
  const { answered, versions, check } = await askCases(protocol, cases, specs, { place, origin, host });
  const { smoke: defaults } = policyDefaults;
  const allowed = {
    absolute: tolerance?.absolute ?? defaults.absolute,
    relative: tolerance?.relative ?? defaults.relative,
  };
  const names = specs.outputs.map(({ name }) => name);
  const guardrails = (policy.guardrails ?? []).flatMap((guardrail, index) =>
    guardrailChecks(guardrail, answered, { outputs: names, classes }, (key) =>
      placeOf(['smoke', 'guardrails', index, key]),
    ),
  );
  return {
    answered,
    versions,
    checks: [
      check,
      ...goldenChecks(specs.outputs, answered, { tolerance: allowed, place, severity, reason }),
      ...guardrails,
    ],
  };
}

/** Sends a golden input that was answered once more: the answer must be the one it gave before. */
function stillRight(
  protocol: TensorProtocol,
  answered: readonly AnsweredCase[],
  specs: Specs,
): (() => Promise<string | undefined>) | undefined {
  const [first] = answered;
  if (first === undefined) return undefined;
  return async () => {
    const { answer, lost } = await asked(() => protocol.infer(first.feeds, specs));
    const value = answer?.value;
    if (answer === undefined || value === undefined) {
      return `the golden input of row ${first.row} now gets ${answer === undefined ? `no answer (${lost})` : answer.status}`;
    }
    const tolerance = { absolute: policyDefaults.smoke.absolute, relative: policyDefaults.smoke.relative };
    const changed = Object.entries(first.served).find(([name, before]) => {
      const now = value[name];
      if (now === undefined) return true;
      const { misfit, mismatches } = compareTensors(now, before, tolerance);
      return misfit !== undefined || mismatches.length > 0;
    });
    return changed === undefined ? undefined : `row ${first.row} now gets another ${changed[0]}`;
  };
}

async function digest(
  served: ServedModel | undefined,
  { model, file }: LocalModel,
  { policy, placeOf, fetchText }: PlanOptions,
): Promise<readonly Check[]> {
  const wanted = policy.digest;
  if (wanted === false) return [];
  const told =
    typeof wanted === 'object' && fetchText !== undefined
      ? digestsToldBy({ text: await fetchText(wanted.url) })
      : digestsToldBy({ parameters: served?.parameters });
  // Not asked for: judged where the server tells it, and no word lost where it does not.
  if (wanted === undefined && told.sha256 === undefined && told.md5 === undefined) return [];
  const here = { sha256: model.facts.sha256, md5: await md5Of(file) };
  return [digestCheck(here, told, placeOf(['smoke', 'digest']))];
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** The outputs whose values are asked for: those of `golden.outputs` or of the template, else all that are tensors. Throws an `InputError` for unknown ones. */
function servedOutputs({ outputs }: Model, { policy, placeOf }: PlanOptions): Model['outputs'] {
  const tensors = outputs.filter(({ type }) => isRunnable(type));
  const named = policy.golden === false ? undefined : policy.golden?.outputs;
  // A template reads only the outputs it names.
  const wanted = named ?? (policy.rest === undefined ? undefined : Object.keys(policy.rest.outputs));
  if (wanted === undefined) return tensors;
  return wanted.map((name, index) => {
    const found = tensors.find((output) => output.name === name);
    if (found !== undefined) return found;
    const near = nearestName(
      name,
      tensors.map((output) => output.name),
    );
    throw new InputError({
      code: 'unknown-output',
      message: `the ONNX file has no output "${excerpt(name)}" that is a tensor`,
      place: placeOf(['smoke', 'golden', 'outputs', index]),
      expected: tensors.map((output) => excerpt(output.name, 40)).join(', '),
      fix: near === undefined ? 'Name an output of the file.' : `Did you mean "${excerpt(near)}"?`,
    });
  });
}

function withoutFile(place: Place): InputError {
  return new InputError({
    code: 'no-model-file',
    message: 'there is no ONNX file to hold the server against',
    place,
    fix: 'Name it ("--model MODEL.onnx", the input "model", or "model: { path: ... }" in the policy), or set "signature: false", "golden: false".',
  });
}
