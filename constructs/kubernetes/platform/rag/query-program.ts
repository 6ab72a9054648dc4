/** Where the program is mounted. */
export const queryProgramFolder = '/etc/sluice/rag';

/**
 * What answers `POST /query`: the question's embedding (OpenAI's `/v1/embeddings`), the nearest texts (Chroma's API v2), the answer
 * (`/v1/chat/completions`). Plain Node.js without packages, so that an image of Node.js is all it needs. Sources:
 * https://platform.openai.com/docs/api-reference and https://docs.trychroma.com/reference/chroma-api/record/query-collection.
 *
 * Texts that were found are data: they are told to the model as such and never as instructions, which lowers the risk that a stored text gives orders and
 * does not end it. What a server answered wrongly is told by its status only, and no question is logged.
 */
export const queryProgram = String.raw`import { createServer } from 'node:http';

const { env } = process;
const number = (name) => Number(env[name]);
const limits = {
  body: 64 * 1024,
  question: number('MAX_QUESTION'),
  passages: number('PASSAGES'),
  tokens: number('MAX_TOKENS'),
  busy: number('MAX_CONCURRENT'),
  timeout: number('TIMEOUT_MS'),
};
const store = env.STORE_URL + '/api/v2/tenants/default_tenant/databases/default_database/collections';

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(step, url, body, signal) {
  let response;
  try {
    response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'error',
      signal,
    });
    if (response.ok) return await response.json();
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Refusal(504, 'The ' + step + ' did not answer in time.');
    throw new Refusal(502, 'The ' + step + ' does not answer.');
  }
  await response.body?.cancel();
  const refusal = new Refusal(502, 'The ' + step + ' answered ' + response.status + '.');
  refusal.answered = response.status;
  throw refusal;
}

let collection;

async function nearest(embedding, count, signal) {
  for (const again of [false, true]) {
    if (collection === undefined) {
      collection = (await ask('vector store', store + '/' + encodeURIComponent(env.COLLECTION), undefined, signal)).id;
    }
    try {
      const url = store + '/' + encodeURIComponent(collection) + '/query';
      const include = ['documents', 'metadatas', 'distances'];
      return await ask('vector store', url, { query_embeddings: [embedding], n_results: count, include }, signal);
    } catch (error) {
      collection = undefined;
      // Filled anew it has another id.
      if (again || error.answered !== 404) throw error;
    }
  }
}

async function answer({ question, passages }, signal) {
  const embedded = await ask(
    'embedding server',
    env.EMBEDDING_URL + '/v1/embeddings',
    { model: env.EMBEDDING_MODEL, input: question },
    signal,
  );
  const embedding = embedded?.data?.[0]?.embedding;
  if (!Array.isArray(embedding)) throw new Refusal(502, 'The embedding server gave no embedding.');
  const found = await nearest(embedding, passages, signal);
  const sources = (found?.ids?.[0] ?? []).map((id, index) => ({
    id,
    text: found.documents?.[0]?.[index] ?? '',
    distance: found.distances?.[0]?.[index] ?? null,
    metadata: found.metadatas?.[0]?.[index] ?? null,
  }));
  const excerpts = sources.map(({ id, text }) => ({ id, text }));
  const told = await ask(
    'language model',
    env.LLM_URL + '/v1/chat/completions',
    {
      model: env.LLM_MODEL,
      max_tokens: limits.tokens,
      temperature: 0,
      messages: [
        { role: 'system', content: env.INSTRUCTION },
        { role: 'user', content: 'Excerpts, as JSON:\n' + JSON.stringify(excerpts) + '\n\nQuestion:\n' + question },
      ],
    },
    signal,
  );
  const text = told?.choices?.[0]?.message?.content;
  if (typeof text !== 'string') throw new Refusal(502, 'The language model gave no answer.');
  return { answer: text, sources };
}

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > limits.body) throw new Refusal(413, 'The request is larger than 64 KiB.');
    parts.push(part);
  }
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new Refusal(400, 'The request is no JSON.');
  }
  const { question, passages = limits.passages } = body ?? {};
  if (typeof question !== 'string' || question.trim() === '') {
    throw new Refusal(400, 'question is missing: send {"question": "..."}.');
  }
  if (question.length > limits.question) {
    throw new Refusal(400, 'question is longer than ' + limits.question + ' characters.');
  }
  if (!Number.isInteger(passages) || passages < 1 || passages > limits.passages) {
    throw new Refusal(400, 'passages is no whole number from 1 to ' + limits.passages + '.');
  }
  return { question, passages };
}

let busy = 0;

async function serve(request, response) {
  const path = request.url.split('?')[0];
  if (path === '/healthz') return { status: 'ok' };
  if (path !== '/query') throw new Refusal(404, 'There is no such route.');
  if (request.method !== 'POST') throw new Refusal(405, 'This route takes POST.');
  if (busy >= limits.busy) throw new Refusal(503, 'Too many questions at once.');
  busy += 1;
  try {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    return await answer(await read(request), AbortSignal.any([gone.signal, AbortSignal.timeout(limits.timeout)]));
  } finally {
    busy -= 1;
  }
}

const server = createServer(async (request, response) => {
  const began = performance.now();
  let status = 200;
  let body;
  try {
    body = await serve(request, response);
  } catch (error) {
    status = error instanceof Refusal ? error.status : 500;
    body = { error: error instanceof Refusal ? error.message : 'Something went wrong.' };
    if (status === 500) console.error(JSON.stringify({ event: 'failed', message: String(error.message) }));
  }
  if (!response.destroyed) {
    response.writeHead(status, { 'content-type': 'application/json', ...(status === 413 ? { connection: 'close' } : {}) });
    response.end(JSON.stringify(body));
  }
  if (request.url !== '/healthz') {
    console.log(JSON.stringify({ event: 'answered', status, seconds: (performance.now() - began) / 1000 }));
  }
});

server.listen(number('PORT'), () => console.log(JSON.stringify({ event: 'listening', port: server.address().port })));
process.on('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
`;
