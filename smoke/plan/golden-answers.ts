import type { Host } from '../../core/host/index.ts';
import type { Model, Outputs } from '../../core/onnx/index.ts';
import { isRunnable } from '../../core/onnx/index.ts';
import { describeProblem, ModelError, type Place, SluiceError } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import type { Answer, Specs, TensorProtocol } from '../protocol.ts';
import { adviceOnStatus } from './advice.ts';
import type { GoldenCase, JudgedCase } from './golden-case.ts';
import { checkOf } from './smoke-check.ts';

/** What the ONNX file, run here, says to each case. Outputs that are no tensors are left out: no protocol carries them. */
export async function judgeCases(model: Model, cases: readonly GoldenCase[]): Promise<readonly JudgedCase[]> {
  const names = model.outputs.filter(({ type }) => isRunnable(type)).map(({ name }) => name);
  if (names.length === 0) {
    throw new ModelError({
      code: 'unsupported-type',
      message: 'the model has no output that is a tensor, so no answer can be compared',
      found: model.outputs.map(({ type }) => type).join(', '),
      fix: 'Export it without ZipMap (skl2onnx: options={"zipmap": False}), or set "smoke: { golden: false }".',
    });
  }
  const judged: JudgedCase[] = [];
  for (const each of cases) judged.push({ ...each, expected: await model.run(each.feeds, names) });
  return judged;
}

/** A case that was answered. */
export interface AnsweredCase extends JudgedCase {
  readonly served: Outputs;
  readonly milliseconds: number;
}

export interface Answers {
  readonly answered: readonly AnsweredCase[];
  /** The `smoke/answers` check. */
  readonly check: Check;
  /** What the answers say of the model's version, each once. */
  readonly versions: readonly string[];
}

/** Requests that get no answer may each take the whole timeout: after so many in a row the rest is not sent. */
const mostLostInRow = 3;

/** Sends every case once, one after the other. Nothing is retried: a deployment whose first request fails is not ready. */
export async function askCases(
  protocol: Pick<TensorProtocol, 'infer'>,
  cases: readonly JudgedCase[],
  specs: Specs,
  options: { readonly place: Place; readonly origin: string; readonly host: Host },
): Promise<Answers> {
  const { place, origin, host } = options;
  const answered: AnsweredCase[] = [];
  const versions = new Set<string>();
  const refused: { readonly row: number; readonly status: string; readonly said: string }[] = [];
  const advice = new Set<string>();
  let lostInRow = 0;
  const progress = host.progress('Send golden inputs');
  try {
    for (const [index, each] of cases.entries()) {
      const { answer, lost } = await asked(() => protocol.infer(each.feeds, specs));
      if (answer?.modelVersion !== undefined) versions.add(answer.modelVersion);
      if (answer?.value !== undefined && answer.status < 400) {
        answered.push({ ...each, served: answer.value, milliseconds: answer.milliseconds });
        lostInRow = 0;
      } else {
        lostInRow = answer === undefined ? lostInRow + 1 : 0;
        refused.push({
          row: each.row,
          status: answer === undefined ? 'no answer' : String(answer.status),
          said: excerpt(lost ?? answer?.refusal ?? 'an answer without outputs', 300),
        });
        for (const line of adviceOnStatus(answer?.status)) advice.add(line);
      }
      progress.update(index + 1, cases.length);
      if (lostInRow >= mostLostInRow) break;
    }
  } finally {
    progress.end();
  }
  const total = cases.length;
  const unasked = total - answered.length - refused.length;
  const [first] = refused;
  return {
    answered,
    versions: [...versions],
    check: checkOf(
      {
        id: 'answers',
        title: 'golden inputs are answered',
        place,
        bound: { kind: 'equal', value: total },
        unit: 'count',
      },
      {
        status: first === undefined ? 'pass' : 'fail',
        observed: answered.length,
        said:
          first === undefined
            ? [`All of ${origin} got an answer`]
            : [
                `${refused.length} of ${counted(total, 'request')} got no outputs (${origin}); the first: ${first.status}, ${first.said}`,
                ...(unasked === 0
                  ? []
                  : [
                      `${counted(unasked, 'more request')} ${unasked === 1 ? 'was' : 'were'} not sent after ${mostLostInRow} in a row without an answer`,
                    ]),
                ...advice,
              ],
        ...(first === undefined
          ? {}
          : {
              failing: {
                total: refused.length,
                columns: ['status', 'the server says'],
                rows: refused.slice(0, 20).map(({ row, status, said }) => ({ row, values: [status, said] })),
              },
            }),
      },
    ),
  };
}

/** An answer, or in words why none came. A bug of ours is thrown on. */
export async function asked<Value>(
  send: () => Promise<Answer<Value>>,
): Promise<{ readonly answer?: Answer<Value>; readonly lost?: string }> {
  try {
    return { answer: await send() };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { lost: describeProblem(error.problems[0]) };
  }
}
