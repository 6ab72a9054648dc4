import { describe, expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import { type HttpRoutes, startHttpStandIn, textConformance } from '../conformance.ts';
import type { Question } from '../protocol.ts';
import type { Target } from '../target.ts';
import { openRag, type RagOptions } from './rag.ts';

const question: Question = { prompt: 'Who may approve?', topK: 2 };

/** A FastAPI service, as the guides write them. */
const plain: HttpRoutes = {
  isInference: ({ method }) => method === 'POST',
  control: ({ path }) =>
    path === '/health' ? { status: 200, body: '{"status":"ok"}' } : { status: 404, body: '{"detail":"Not Found"}' },
  loading: { status: 503, body: '{"detail":"index is loading"}' },
  infer: () => ({
    status: 200,
    body: '{"answer":"The owner.","sources":[{"document_id":"policy.md","score":0.83,"text":"Owners approve."},"faq.md"]}',
  }),
  refusal: {
    status: 422,
    body: '{"detail":[{"type":"missing","loc":["body","question"],"msg":"Field required","input":{}}]}',
  },
  failure: { status: 500, body: 'Internal Server Error' },
};

/** Haystack 1.26, rest_api/rest_api/schema.py: QueryResponse. */
const haystack =
  '{"query":"Who may approve?","answers":[{"answer":"The owner.","type":"generative","score":null,"context":null,"offsets_in_document":null,"offsets_in_context":null,"document_ids":["1f"],"meta":{}}],"documents":[{"id":"1f","content":"Owners approve.","content_type":"text","meta":{"name":"policy.md"},"id_hash_keys":["content"],"score":0.83,"embedding":null}],"debug":null}';
/** LangServe 0.3, langserve/api_handler.py: InvokeResponse of create_retrieval_chain. */
const langserve =
  '{"output":{"input":"Who may approve?","context":[{"id":null,"metadata":{"source":"policy.md"},"page_content":"Owners approve.","type":"Document"}],"answer":"The owner."},"metadata":{"run_id":"5b0ee1bd-7a1c-4a55-a52e-5a1de3f5e9a1","feedback_tokens":[]}}';

textConformance({
  name: 'rag',
  start: (behaviour) => startHttpStandIn(plain, behaviour),
  open: openRag,
  question,
  text: 'The owner.',
});

function target(url: URL | string): Target {
  return { url: new URL(url), headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000 };
}

async function asked(body: string, options: RagOptions = {}, of = question) {
  await using standIn = await startHttpStandIn({ ...plain, infer: () => ({ status: 200, body }) }, 'right');
  await using protocol = openRag(target(standIn.url), options);
  const { value } = await protocol.ask(of, { stream: true });
  const [sent] = standIn.requests;
  return { value, path: sent?.path, sent: JSON.parse(sent?.body.toString() ?? '') as unknown };
}

describe('a question to documents', () => {
  test('goes out with the number of passages; the answer names its sources by name and text', async () => {
    const { value, path, sent } = await asked(String(plain.infer({} as never).body));
    expect(value).toEqual({ text: 'The owner.', sources: ['policy.md\nOwners approve.', 'faq.md'] });
    expect(path).toBe('/query');
    expect(sent).toEqual({ question: 'Who may approve?', top_k: 2 });
    expect((await asked('{"answer":"x"}', {}, { prompt: 'a' })).sent).toEqual({ question: 'a' });
  });

  test('goes to Haystack and to LangServe in their words', async () => {
    const sources = ['policy.md\nOwners approve.'];
    const one = await asked(haystack, { shape: 'haystack' });
    expect(one.value).toEqual({ text: 'The owner.', sources: ['1f\npolicy.md\nOwners approve.'] });
    expect(one.sent).toEqual({ query: 'Who may approve?', params: { Retriever: { top_k: 2 } } });
    const other = await asked(langserve, { shape: 'langserve', question: ['input', 'input'], path: '/rag/invoke' });
    expect(other).toEqual({
      value: { text: 'The owner.', sources },
      path: '/rag/invoke',
      sent: { input: { input: 'Who may approve?' } },
    });
    expect((await asked('{"output":"The owner."}', { shape: 'langserve' })).value).toEqual({ text: 'The owner.' });
  });

  test('goes and comes where the options say', async () => {
    const { value, sent } = await asked('{"data":[{"reply":"yes","refs":[{"n":1}]}]}', {
      question: ['data', 'ask'],
      topK: ['data', 'k'],
      body: { tenant: 'blue', data: { lang: 'en' } },
      answer: ['/data/0/reply'],
      sources: ['$.data[0].refs'],
    });
    expect(sent).toEqual({ tenant: 'blue', data: { lang: 'en', ask: 'Who may approve?', k: 2 } });
    expect(value).toEqual({ text: 'yes', sources: ['{"n":1}'] });
  });

  test('reads what Hayhooks makes of a pipeline', async () => {
    const { value, path } = await asked(
      '{"result":{"answer":"The owner.","documents":[{"id":"1","content":"Owners approve.","meta":{"name":"policy.md"}}]}}',
      { path: '/rag/run' },
    );
    expect(value).toEqual({ text: 'The owner.', sources: ['1\npolicy.md\nOwners approve.'] });
    expect(path).toBe('/rag/run');
  });

  test('reads the nodes of LlamaIndex', async () => {
    const node = '{"node":{"id_":"1","text":"Owners approve.","metadata":{"file_name":"policy.md"}},"score":0.8}';
    const { value } = await asked(`{"response":"The owner.","source_nodes":[${node}]}`);
    expect(value).toEqual({ text: 'The owner.', sources: ['policy.md\nOwners approve.'] });
  });

  test('without an answer in the answer is a problem that says what is there', async () => {
    await expect(asked('{"reply":"x","took":3}')).rejects.toMatchObject({
      problems: [{ code: 'broken-answer', found: 'an object with reply, took' }],
    });
  });

  test.each([
    ['http://127.0.0.1:1', '/query'],
    ['http://127.0.0.1:1/query', '/query'],
    ['http://127.0.0.1:1/rag/query/', '/rag/query'],
    ['http://127.0.0.1:1/rag', '/rag/query'],
  ])('at %s goes to %s', async (url, path) => {
    await using protocol = openRag(target(url));
    expect(protocol.wire(question)?.path).toBe(path);
  });

  test('is ready by the first path of health that is there, or by the one given', async () => {
    const of = async (answers: Readonly<Record<string, number>>, options: RagOptions = {}) => {
      const control: HttpRoutes['control'] = ({ path }) => ({ status: answers[path] ?? 404, body: '{}' });
      await using standIn = await startHttpStandIn({ ...plain, control }, 'right');
      await using protocol = openRag(target(standIn.url), options);
      return (await protocol.ready()).ready;
    };
    expect(await of({ '/ready': 200 })).toBe(true);
    expect(await of({ '/healthz': 503, '/ready': 200 })).toBe(false);
    expect(await of({})).toBe(true);
    expect(await of({ '/up': 200, '/health': 503 }, { ready: '/up' })).toBe(true);
    expect(await of({ '/health': 200 }, { ready: '/up' })).toBe(false);
  });

  test('is refused where a pointer is none', () => {
    expect(() => openRag(target('http://a'), { answer: ['answer'] })).toThrow(InputError);
  });
});
