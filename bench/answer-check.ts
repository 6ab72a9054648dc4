import { Agent, request } from 'node:http';
import { decodeInferResponse, encodeInferRequest } from '../core/inference/index.ts';
import { type Feeds, type Outputs, openModel } from '../core/onnx/index.ts';

/** Probabilities may differ in the last digits: sums over rows that ran together go in another order. */
const tolerance = 1e-5;
const clients = 4;
const mostRows = 8;

export interface CheckedAnswers {
  readonly checked: number;
  readonly wrong: number;
}

interface Exchange {
  readonly feeds: Feeds;
  readonly outputs: Outputs;
}

/**
 * Asks a server of the Open Inference Protocol with rows that nobody else sends, while `load` goes on, and then holds each answer
 * against a run of the ONNX file here. Rows differ from request to request: an answer of another request's rows is a wrong one.
 * @param data rows of `width` numbers, that the random ones are near to
 */
export async function checkAnswers(
  url: string,
  file: string,
  data: Float32Array,
  width: number,
  load: Promise<unknown>,
): Promise<CheckedAnswers> {
  let loaded = true;
  const ended = load.finally(() => {
    loaded = false;
  });
  const agent = new Agent({ keepAlive: true });
  const exchanges: Exchange[] = [];
  const ask = async () => {
    while (loaded) exchanges.push(await exchange(agent, url, randomFeeds(data, width)));
  };
  try {
    await Promise.all([ended, ...Array.from({ length: clients }, ask)]);
  } finally {
    agent.destroy();
  }
  await using model = await openModel(file);
  let wrong = 0;
  for (const { feeds, outputs } of exchanges) if (!same(await model.run(feeds), outputs)) wrong++;
  return { checked: exchanges.length, wrong };
}

function randomFeeds(data: Float32Array, width: number): Feeds {
  const rows = 1 + Math.floor(Math.random() * mostRows);
  const values = Float32Array.from({ length: rows * width });
  for (let row = 0; row < rows; row++) {
    const from = width * Math.floor((Math.random() * data.length) / width);
    for (let column = 0; column < width; column++) {
      values[row * width + column] = (data[from + column] ?? 0) * (0.7 + 0.6 * Math.random());
    }
  }
  return { X: { type: 'float32', dims: [rows, width], data: values } };
}

async function exchange(agent: Agent, url: string, feeds: Feeds): Promise<Exchange> {
  const { body, headers } = encodeInferRequest({ feeds });
  const answer = await new Promise<Uint8Array>((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } },
      (response) => {
        const chunks: Uint8Array[] = [];
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${url} answered ${response.statusCode}: ${text.toString('utf8', 0, 200)}`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
  return { feeds, outputs: decodeInferResponse(answer).outputs };
}

function same(expected: Outputs, observed: Outputs): boolean {
  return Object.entries(expected).every(([name, { data, dims }]) => {
    const other = observed[name];
    if (other === undefined || other.dims.join() !== dims.join()) return false;
    return Array.from<unknown>(data).every((value, index) => {
      const found = other.data[index];
      return typeof value === 'number' && typeof found === 'number'
        ? Math.abs(value - found) <= tolerance
        : value === found;
    });
  });
}
