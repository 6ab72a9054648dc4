import { basename, dirname, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { openModel } from '../../core/onnx/index.ts';
import { policyDefaults, type SmokePolicy } from '../../core/policy/index.ts';
import { InputError, type Place } from '../../core/problem/index.ts';
import type { ModelSummary, Notice, Report } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { gateReport, publishReport, repositoryRoot } from '../../github/index.ts';
import {
  durationWords,
  type LocalModel,
  loadHttp,
  millisecondsOf,
  openProtocol,
  prepareQuestions,
  protocolNames,
  runPlan,
  type Target,
  textOnServer,
} from '../../smoke/index.ts';
import { goldenCasesOf } from './golden-cases.ts';
import { openSmokeGate, type SmokeGate } from './smoke-gate.ts';
import { caOf, headersOf, type SmokeInputs, urlOf } from './smoke-inputs.ts';

export { type SmokeInputs, smokeInputsFrom } from './smoke-inputs.ts';

/** Answers beyond this are cut off: a model's outputs for one row are never that large. */
const mostAnswerBytes = 64 * 1024 * 1024;

/** The smoke test of a running server: the policy's plan, reported and published. */
export async function run(inputs: SmokeInputs, host: Host): Promise<Report> {
  const url = urlOf(inputs.url);
  const headers = headersOf(inputs, process.env);
  for (const value of secretsOf(url, headers)) host.secret(value);
  const gate = await host.group('Read the policy', () => openSmokeGate(inputs));
  const protocol = protocolOf(inputs, gate);
  const { smoke, policy, directory } = gate;
  refuseBadDeadline(inputs);

  const modelFile = modelFileOf(inputs, gate);
  const target: Target = {
    url,
    headers,
    timeoutMs: millisecondsOf(smoke.timeout ?? policyDefaults.smoke.timeout),
    maxAnswerBytes: mostAnswerBytes,
    ...named(smoke, modelFile),
    ...maybe('ca', await caOf(inputs)),
  };
  await using server = await openProtocol(protocol, target, {
    ...maybe('format', smoke.format),
    ...maybe('template', smoke.rest),
    ...maybe('rag', smoke.rag),
  });
  warnOfPlainToken(target, host);
  const placeOf = (path: readonly (string | number)[]): Place => policy.placeOf(path);
  const questions = await prepareQuestions(smoke.questions ?? [], directory, (index, key) =>
    placeOf(['smoke', 'questions', index, key]),
  );
  const wantsFile = server.kind === 'tensor' && modelFile !== undefined;
  await using local = wantsFile ? await openLocal(modelFile, host) : undefined;
  const golden =
    local === undefined ? undefined : await goldenCasesOf({ gate, local, path: modelFile?.path ?? '', host });
  const findings = await runPlan(server, {
    policy: smoke,
    placeOf,
    level: policy.policy.evidence ?? policyDefaults.evidence,
    host,
    questions,
    ...maybe('local', local),
    ...maybe('cases', golden),
    ...maybe('classes', policy.policy.model?.classes),
    load: (requests, shape, leastRequests) => loadHttp(target, requests, shape, { leastRequests }),
    fetchText: (path) => textOnServer(target, path),
  });

  const report = gateReport(
    gate,
    {
      ...findings,
      notices: [whatWasTested(url, protocol, target), ...findings.notices],
      sources: golden?.source === undefined ? [] : [golden.source],
      ...maybe('candidate', local?.summary),
    },
    inputs,
  );
  const { event } = gate;
  await publishReport(report, { ...inputs, policyFile: policy.file, part: 'smoke', event }, host);
  return report;
}

/** What the input says, else the policy. Throws an `InputError` where neither does. */
function protocolOf({ protocol }: SmokeInputs, { smoke, policy }: SmokeGate): string {
  const found = protocol ?? smoke.protocol;
  if (found !== undefined) return found;
  throw new InputError({
    code: 'no-protocol',
    message: 'nothing says which protocol the server speaks',
    place: policy.placeOf(['smoke']),
    expected: protocolNames.join(', '),
    fix: 'Give --protocol (the input "protocol"), or "smoke: { protocol: v2 }" in the policy; v2 is the Open Inference Protocol.',
  });
}

function refuseBadDeadline({ deadline }: SmokeInputs): void {
  if (deadline === undefined) return;
  try {
    millisecondsOf(deadline);
  } catch (cause) {
    throw new InputError(
      {
        code: 'bad-deadline',
        message: 'the deadline is not a time',
        found: `"${excerpt(deadline)}"`,
        expected: durationWords,
        fix: 'Write a number and its unit.',
      },
      { cause },
    );
  }
}

/** A model file, as it is called and where it is. */
interface NamedFile {
  readonly path: string;
  readonly file: string;
  readonly place: Place;
  /** The checkout, for a path of the policy: a link that leads out of it is refused. */
  readonly within?: string;
}

function modelFileOf(inputs: SmokeInputs, { policy, directory }: SmokeGate): NamedFile | undefined {
  if (inputs.modelFile !== undefined) {
    return {
      path: inputs.modelFile,
      file: resolve(inputs.directory, inputs.modelFile),
      place: { file: inputs.modelFile },
    };
  }
  const path = policy.policy.model?.path;
  if (path === undefined) return undefined;
  const place = policy.placeOf(['model', 'path']);
  return { path, file: resolve(directory, path), place, within: repositoryRoot(directory) };
}

interface OpenFile extends LocalModel, AsyncDisposable {
  readonly summary: ModelSummary;
}

async function openLocal({ path, file, place, within }: NamedFile, host: Host): Promise<OpenFile> {
  const model = await host.group('Open the ONNX file', () =>
    openModel(file, { host, place, name: path, ...maybe('within', within) }),
  );
  const { facts } = model;
  const opset = facts.opsets.find(({ domain }) => domain === 'ai.onnx')?.version;
  return {
    model,
    file,
    summary: {
      path,
      sha256: facts.sha256,
      bytes: facts.bytes,
      parameters: facts.parameters,
      operators: facts.operators,
      ...maybe('opset', opset),
      ...(facts.producer === '' ? {} : { producer: facts.producer }),
    },
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/** `models/churn.onnx` and, in a model repository, `churn/3/model.onnx` are called `churn`. */
function named({ model }: SmokePolicy, file: NamedFile | undefined): { readonly model?: string } {
  if (model !== undefined) return { model };
  if (file === undefined) return {};
  const stem = basename(file.path).replace(/\.[^.]+$/, '');
  if (stem !== 'model') return { model: stem };
  const folder = basename(dirname(file.file));
  return { model: /^\d+$/.test(folder) ? basename(dirname(dirname(file.file))) : folder };
}

/** What must not be in a log: the values of headers and their longer words (the token, not `Bearer`), and what the address holds. */
function secretsOf(url: URL, headers: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.values(headers);
  const words = values.flatMap((value) => value.split(/\s+/)).filter((word) => word.length >= 8);
  const ofUrl = [decodeURIComponent(url.password), ...url.searchParams.values()];
  return [...new Set([...values, ...words, ...ofUrl])].filter((value) => value.length >= 4);
}

function warnOfPlainToken({ url, headers }: Target, host: Host): void {
  const plain = url.protocol === 'http:' || url.protocol === 'grpc:';
  const here = /^(localhost|127\.|\[::1\])/.test(url.hostname);
  if (plain && !here && 'authorization' in headers) {
    host.warning('The token goes to the server unencrypted: use https:// (grpcs://) where it is more than a test.');
  }
}

function whatWasTested(url: URL, protocol: string, { model }: Target): Notice {
  const name = model === undefined ? '' : `, model "${excerpt(model)}"`;
  return { level: 'notice', message: `Smoke test of ${excerpt(url.origin + url.pathname, 200)} (${protocol})${name}.` };
}

/** `{ key: value }`, or nothing for `undefined`. */
function maybe<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
}
