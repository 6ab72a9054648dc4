import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Host } from '../../core/host/index.ts';
import { isRunnable, type Model } from '../../core/onnx/index.ts';
import { policyDefaults, type SmokePolicy } from '../../core/policy/index.ts';
import { InputError, type Place } from '../../core/problem/index.ts';
import type { Check, Figure, Notice } from '../../core/report/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import type { LoadShape } from '../load/index.ts';
import type { AnyProtocol, Question, ServedModel, TensorProtocol, TextProtocol, WireRequest } from '../protocol.ts';
import { type Clock, realClock } from './clock.ts';
import { compareTensors } from './closeness.ts';
import { millisecondsOf } from './duration.ts';
import { type AnsweredCase, askCases, asked, judgeCases } from './golden-answers.ts';
import type { GoldenCases, JudgedCase } from './golden-case.ts';
import { goldenChecks } from './golden-check.ts';
import { guardrailChecks } from './guardrail-check.ts';
import { digestCheck, digestsToldBy, versionCheck } from './identity-check.ts';
import { type LatencyPolicy, latencyChecks, latencyFigure, requestsFor } from './latency-check.ts';
import { type Load, loadCalls } from './load-generator.ts';
import { malformedChecks } from './malformed-check.ts';
import type { PreparedQuestion } from './question.ts';
import { questionChecks, questionOf } from './question-check.ts';
import { waitUntilReady } from './readiness.ts';
import { signatureChecks } from './signature-check.ts';
import { syntheticCases } from './synthetic-cases.ts';

/** The ONNX file that should be running. */
export interface LocalModel {
  readonly model: Model;
  /** Where it is on this machine, for its MD5. */
  readonly file: string;
}

export interface PlanOptions {
  readonly policy: SmokePolicy;
  readonly placeOf: (path: readonly (string | number)[]) => Place;
  /** How sure a bound must be; `off` compares points. */
  readonly level: number | 'off';
  readonly host: Host;
  /** The ONNX file; protocols of tensors need it unless signature and golden are off. */
  readonly local?: LocalModel;
  /** Golden inputs that were read from files; made up when not given. */
  readonly cases?: GoldenCases;
  readonly questions?: readonly PreparedQuestion[];
  /**
   * Sends load over HTTP, at least so many requests; the protocol's own client is used where there is none, or where requests have no bytes
   * of HTTP.
   */
  readonly load?: (requests: readonly WireRequest[], shape: LoadShape, leastRequests: number) => Promise<Load>;
  /** Reads the text behind `digest.url` on the server's host. */
  readonly fetchText?: (path: string) => Promise<string>;
  readonly clock?: Clock;
}

export interface SmokeFindings {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
}

/**
 * The smoke plan, in order: wait until the server is ready (the only thing that is retried), then what it says it is, what it answers, how
 * it takes nonsense, and how fast it is. A server that is not ready is asked nothing else.
 *
 * Throws a `SluiceError` where the plan itself cannot be carried out: the ONNX file cannot run its own golden inputs, for one. Whatever the
 * server does is a check.
 */
export async function runPlan(protocol: AnyProtocol, options: PlanOptions): Promise<SmokeFindings> {
  const { policy, placeOf, host, clock = realClock } = options;
  const ready = await host.group('Wait until the server is ready', () =>
    waitUntilReady(protocol, {
      deadline: millisecondsOf(policy.ready?.deadline ?? policyDefaults.smoke.deadline),
      place: placeOf(['smoke', 'ready', 'deadline']),
      clock,
      host,
    }),
  );
  if (ready.status !== 'pass') {
    const message = 'The server was not ready, so nothing else was asked of it.';
    return { checks: [ready], figures: [], notices: [{ level: 'warning', message }] };
  }
  const rest =
    protocol.kind === 'tensor'
      ? await smokeTensors(protocol, { ...options, clock })
      : await smokeText(protocol, { ...options, clock });
  return { ...rest, checks: [ready, ...rest.checks] };
}

type WithClock = PlanOptions & { readonly clock: Clock };

async function smokeTensors(protocol: TensorProtocol, options: WithClock): Promise<SmokeFindings> {
  const { policy, placeOf, host, local } = options;
  const golden = policy.golden ?? {};
  const needsFile = policy.signature !== false || golden !== false || policy.digest === true;
  if (local === undefined) {
    if (needsFile) throw withoutFile(placeOf(['smoke']));
    return { checks: await malformed(protocol, undefined, options), figures: [], notices: [] };
  }
  const { model } = local;
  const file = { inputs: model.inputs, outputs: model.outputs };
  const specs = { inputs: file.inputs, outputs: servedOutputs(model, options) };
  const checks: Check[] = [];

  const { served, problem } = await described(protocol);
  if (problem !== undefined) host.info(`The server does not describe its model: ${problem}`);
  if (policy.signature !== false) checks.push(...signatureChecks(served, file, placeOf(['smoke', 'signature'])));

  let answered: readonly AnsweredCase[] = [];
  let versions: readonly string[] = [];
  let cases: readonly JudgedCase[] = [];
  if (golden !== false) {
    const { rows = policyDefaults.smoke.rows, seed = model.facts.sha256.slice(0, 12) } = golden;
    const inputs = options.cases ?? syntheticCases(model.inputs, rows, seed);
    cases = await judgeCases(model, inputs.cases);
    const tolerance = {
      absolute: golden.tolerance?.absolute ?? policyDefaults.smoke.absolute,
      relative: golden.tolerance?.relative ?? policyDefaults.smoke.relative,
    };
    await host.group('Compare golden answers', async () => {
      const place = placeOf(['smoke', 'golden']);
      const answers = await askCases(protocol, cases, specs, { place, origin: inputs.origin, host });
      ({ answered, versions } = answers);
      const { severity, reason } = golden;
      checks.push(answers.check, ...goldenChecks(specs.outputs, answered, { tolerance, place, severity, reason }));
    });
    for (const [index, guardrail] of (policy.guardrails ?? []).entries()) {
      const at = (key: string) => placeOf(['smoke', 'guardrails', index, key]);
      checks.push(
        ...guardrailChecks(
          guardrail,
          answered,
          specs.outputs.map(({ name }) => name),
          at,
        ),
      );
    }
  }

  if (policy.version !== undefined) {
    checks.push(
      versionCheck(policy.version, { described: served?.versions, answered: versions }, placeOf(['smoke', 'version'])),
    );
  }
  checks.push(...(await digest(served, local, options)));
  checks.push(...(await malformed(protocol, stillRight(protocol, answered, specs), options)));

  const figures: Figure[] = [];
  if (policy.latency !== undefined) {
    const feeds = (cases.length > 0 ? cases : syntheticCases(model.inputs, 8, 'load').cases).map((each) => each.feeds);
    const found = await latency(policy.latency, options, {
      send: (index) => protocol.infer(feeds[index % feeds.length] ?? {}, specs),
      requests: feeds.map((each) => protocol.wire({ feeds: each, specs })),
    });
    checks.push(...found.checks);
    figures.push(...found.figures);
  }
  return { checks, figures, notices: [] };
}

async function smokeText(protocol: TextProtocol, options: WithClock): Promise<SmokeFindings> {
  const { policy, placeOf, host, level, questions = [] } = options;
  const checks: Check[] = [];
  const { served } = await described(protocol);
  if (questions.length > 0) {
    await host.group('Ask the questions', async () => {
      for (const question of questions) checks.push(...(await questionChecks(protocol, question, { level, host })));
    });
  }
  if (policy.version !== undefined) {
    checks.push(
      versionCheck(policy.version, { described: served?.versions, answered: [] }, placeOf(['smoke', 'version'])),
    );
  }
  checks.push(...(await malformed(protocol, undefined, options)));
  const figures: Figure[] = [];
  if (policy.latency !== undefined) {
    const greeting: Question = { prompt: 'Say hello.', maxTokens: 8 };
    const asks = questions.length > 0 ? questions.map(questionOf) : [greeting];
    const found = await latency(policy.latency, options, {
      send: (index) => protocol.ask(asks[index % asks.length] ?? greeting),
      requests: asks.map((each) => protocol.wire(each)),
    });
    checks.push(...found.checks);
    figures.push(...found.figures);
  }
  return { checks, figures, notices: [] };
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

/** What the server says of its model. Not to say it, or to fail at it, is no fault by itself: signature and version tell what lacks. */
async function described(protocol: AnyProtocol): Promise<{ served?: ServedModel; problem?: string }> {
  const { answer, lost } = await asked(async () => ({
    status: 200,
    milliseconds: 0,
    value: await protocol.describe(),
  }));
  return {
    ...(answer?.value === undefined ? {} : { served: answer.value }),
    ...(lost === undefined ? {} : { problem: lost }),
  };
}

function malformed(
  protocol: AnyProtocol,
  right: (() => Promise<string | undefined>) | undefined,
  { policy, placeOf, host }: PlanOptions,
): Promise<readonly Check[]> {
  if (policy.malformed === false) return Promise.resolve([]);
  const { severity, reason } = typeof policy.malformed === 'object' ? policy.malformed : {};
  const of = { place: placeOf(['smoke', 'malformed']), severity, reason, host };
  return host.group('Send malformed requests', () => malformedChecks(protocol, right, of));
}

/** Sends a golden input that was answered once more: the answer must be the one it gave before. */
function stillRight(
  protocol: TensorProtocol,
  answered: readonly AnsweredCase[],
  specs: Parameters<TensorProtocol['infer']>[1],
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

async function latency(
  policy: LatencyPolicy,
  options: WithClock,
  target: {
    readonly send: (index: number) => Promise<{ readonly status: number; readonly milliseconds: number }>;
    readonly requests: readonly (WireRequest | undefined)[];
  },
): Promise<{ readonly checks: readonly Check[]; readonly figures: readonly Figure[] }> {
  const { host, clock, level, placeOf } = options;
  const { smoke: defaults } = policyDefaults;
  const durationMs = millisecondsOf(policy.duration ?? defaults.duration);
  const shape: LoadShape =
    policy.mode === 'open' && policy.rate !== undefined
      ? { mode: 'open', rate: policy.rate, durationMs }
      : { mode: 'closed', concurrency: policy.concurrency ?? defaults.concurrency, durationMs };
  return host.group('Measure latency', async () => {
    const warmUp = options.policy.warm_up ?? defaults.warm_up;
    for (let index = 0; index < warmUp; index++) {
      // What a warm-up is answered is no matter here: the load itself counts failures.
      if ((await asked(() => target.send(index))).answer === undefined) break;
    }
    const requests = target.requests.filter((request) => request !== undefined);
    const load =
      options.load !== undefined && requests.length === target.requests.length
        ? await options.load(requests, shape, requestsFor(policy))
        : await loadCalls(target.send, shape, clock);
    const checks = latencyChecks(load, shape, policy, {
      level,
      maxErrorShare: policy.max_error_share ?? defaults.max_error_share,
      placeOf: (key) => placeOf(['smoke', 'latency', key]),
    });
    return { checks, figures: latencyFigure(load) };
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
