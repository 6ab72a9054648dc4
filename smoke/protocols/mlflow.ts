import { type HttpOptions, openHttp, said } from '../../core/http/index.ts';
import type { Feeds } from '../../core/onnx/index.ts';
import { exchange, jsonPost, probe, send, textOf } from '../json-exchange.ts';
import { within } from '../json-selection.ts';
import { columnsJson, frameOf, readOutputs, rowsJson, tensorJson, unwrapped } from '../json-tensors.ts';
import type { TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';

/**
 * How a request holds its values. `inputs`: the one input's array; `named-inputs`: arrays by input name; `dataframe_split`: a table;
 * `instances`: one JSON value a row.
 */
export type MlflowFormat = 'inputs' | 'named-inputs' | 'dataframe_split' | 'instances';

export interface MlflowOptions extends HttpOptions {
  /**
   * Which one a model takes follows from its signature, and the server does not tell it. By default the first that is not refused with
   * 400: `inputs` (of one input), `named-inputs`, `dataframe_split`.
   */
  readonly format?: MlflowFormat;
  /** Names of the columns of `dataframe_split`. @default the inputs' names, or 0, 1, ... for a single input [N, k] */
  readonly columns?: readonly string[];
}

/**
 * MLflow's scoring server (`mlflow models serve`, and the images it builds): `GET /ping`, `GET /version`, `POST /invocations`. It serves one
 * model, so the target's name and version do not matter. A pyfunc of an ONNX model gives its outputs by name; one of scikit-learn gives
 * labels only, which leaves the other outputs of the ONNX file unanswered.
 *
 * References: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/ (MLflow 3, "Inference Server Specification"); answers of
 * MLflow 3.17 (mlflow/pyfunc/scoring_server/__init__.py): NaN is written bare, a bad request is a 400 with `message` and `stack_trace`.
 */
export function openMlflow(target: Target, options: MlflowOptions = {}): TensorProtocol {
  const http = openHttp(target, options);
  let taken = options.format;
  const request = (feeds: Feeds, format: MlflowFormat) =>
    jsonPost('/invocations', bodyOf(feeds, format, options.columns));
  const formatsFor = (feeds: Feeds): readonly [MlflowFormat, ...MlflowFormat[]] => {
    if (taken !== undefined) return [taken];
    const isTable = Object.values(feeds).every(({ dims }) => dims.length === 1 || dims.length === 2);
    const table: readonly MlflowFormat[] = isTable ? ['dataframe_split'] : [];
    return Object.keys(feeds).length === 1 ? ['inputs', 'named-inputs', ...table] : ['named-inputs', ...table];
  };
  const malformed = (title: string, body: string) => ({
    title,
    send: () => send(http, jsonPost('/invocations', body)),
  });

  return {
    kind: 'tensor',
    name: 'mlflow',
    ready: () => probe(http, '/ping'),
    describe: async () => {
      const answer = await http.request({ method: 'GET', path: '/version' });
      const version = said(textOf(answer), http.hide, 40);
      // A container of another make may have no such path.
      return answer.status === 200 && /^\d+\.\d+/.test(version) ? { platform: `mlflow ${version}` } : undefined;
    },
    infer: async (feeds, specs) => {
      const [first, ...others] = formatsFor(feeds);
      const attempt = (format: MlflowFormat) =>
        exchange(http, request(feeds, format), (json) => readOutputs(within(json, unwrapped), specs, feeds));
      const answer = await attempt(first);
      if (answer.status < 300) taken = first;
      if (answer.status !== 400) return answer;
      for (const format of others) {
        const next = await attempt(format);
        if (next.status >= 300) continue;
        taken = format;
        return next;
      }
      return answer;
    },
    malformed: () => [
      malformed('broken JSON', '{"inputs": [['),
      malformed('a list instead of an object', '[[1.0, 2.0]]'),
      malformed('an object without inputs', '{"rows": [[1.0, 2.0]]}'),
      malformed(
        'inputs and a data frame at once',
        '{"inputs": [[1.0]], "dataframe_split": {"columns": ["a"], "data": [[1.0]]}}',
      ),
      malformed(
        'rows of different lengths',
        '{"dataframe_split": {"columns": ["a", "b"], "data": [[1.0], [1.0, 2.0, 3.0]]}}',
      ),
      {
        title: 'a content type that is not supported',
        send: () =>
          send(http, {
            method: 'POST',
            path: '/invocations',
            headers: { 'content-type': 'application/xml' },
            body: '<a/>',
          }),
      },
    ],
    wire: ({ feeds }) => http.wire(request(feeds, formatsFor(feeds)[0])),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

function bodyOf(feeds: Feeds, format: MlflowFormat, columns: readonly string[] | undefined): string {
  switch (format) {
    case 'inputs': {
      const [only, ...others] = Object.values(feeds);
      return `{"inputs":${only === undefined || others.length > 0 ? columnsJson(feeds, 'python') : tensorJson(only, 'python')}}`;
    }
    case 'named-inputs':
      return `{"inputs":${columnsJson(feeds, 'python')}}`;
    case 'instances':
      return `{"instances":${rowsJson(feeds, 'python')}}`;
    case 'dataframe_split': {
      const frame = frameOf(feeds, 'python', columns);
      const rows = frame.rows.map((cells) => `[${cells.join(',')}]`);
      return `{"dataframe_split":{"columns":${JSON.stringify(frame.columns)},"data":[${rows.join(',')}]}}`;
    }
  }
}
