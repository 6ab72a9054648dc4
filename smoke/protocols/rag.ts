import { type HttpClient, type HttpOptions, type HttpRequest, openHttp } from '../../core/http/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { exchange, jsonPost, probe, send } from '../json-exchange.ts';
import { isObject, memberOf } from '../json-selection.ts';
import { parseSelector, type Selector } from '../json-selector.ts';
import type { Question, Readiness, TextAnswer, TextProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { splitPath } from '../url-base.ts';

/** Where things stand in requests and answers; each part may be given by itself and wins over the shape's. */
export interface RagOptions extends HttpOptions {
  /**
   * `plain`: `POST /query {"question", "top_k"}` and `{"answer", "sources"}`, the words many services use. `haystack`: Haystack's REST API.
   * `langserve`: a LangChain runnable behind `/invoke`. @default 'plain'
   */
  readonly shape?: keyof typeof shapes;
  readonly path?: string;
  /** Names from the top of the request to where the question goes: `['input', 'question']`. */
  readonly question?: readonly string[];
  /** The same for the number of passages; `false`: it is not sent. */
  readonly topK?: readonly string[] | false;
  /** What else is in every request. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** JSON Pointers or plain JSONPaths to the answer, the first that is there counts. */
  readonly answer?: readonly string[];
  /** The same for the list of sources. */
  readonly sources?: readonly string[];
  /** The path that tells by a 200 that the service is ready; else usual ones are tried. */
  readonly ready?: string;
}

interface Shape {
  readonly path: string;
  readonly question: readonly string[];
  readonly topK: readonly string[] | false;
  readonly answer: readonly string[];
  readonly sources: readonly string[];
}

const shapes = {
  plain: {
    path: '/query',
    question: ['question'],
    topK: ['top_k'],
    answer: ['/answer', '/response', '/result/answer', '/result', '/output', '/text'],
    // Below /result: Hayhooks, which serves Haystack 2 pipelines at /PIPELINE/run.
    sources: [
      '/sources',
      '/source_documents',
      '/source_nodes',
      '/documents',
      '/contexts',
      '/context',
      '/citations',
      '/result/sources',
      '/result/documents',
    ],
  },
  // Haystack 1.x, rest_api/schema.py; answers of deepset Cloud are lists of results of the same kind.
  haystack: {
    path: '/query',
    question: ['query'],
    topK: ['params', 'Retriever', 'top_k'],
    answer: ['/answers/0/answer', '/results/0/answers/0/answer'],
    sources: ['/documents', '/results/0/documents'],
  },
  // langserve/api_handler.py; create_retrieval_chain gives answer and context, RetrievalQA result and source_documents.
  langserve: {
    path: '/invoke',
    question: ['input'],
    topK: false,
    answer: ['/output/answer', '/output/result', '/output/content', '/output'],
    sources: ['/output/context', '/output/source_documents', '/output/sources'],
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** Where services tell that they are well; the first that is there counts. */
const healthPaths = ['/health', '/healthz', '/ready', '/readyz', '/initialized', '/status'];

/**
 * A service that answers from documents: a question goes out as JSON, an answer and what it rests on come back. There is no standard; the
 * names and pointers of `options` say where everything stands. A source is told by its name (title, file, URL, id, also among its
 * metadata) and its text. The URL may end in the path of the query.
 *
 * Throws an InputError for a pointer that is none.
 */
export function openRag(target: Target, options: RagOptions = {}): TextProtocol {
  const shape: Shape = shapes[options.shape ?? 'plain'];
  const path = options.path ?? shape.path;
  const { root } = splitPath(target, path);
  const http = openHttp(root, options);
  const topK = options.topK ?? shape.topK;
  const at = options.question ?? shape.question;
  const answers = (options.answer ?? shape.answer).map(parseSelector);
  const sources = (options.sources ?? shape.sources).map(parseSelector);
  const post = (body: unknown): HttpRequest => jsonPost(path, JSON.stringify(body));
  const request = (question: Question): HttpRequest => {
    const asked = placed(options.body ?? {}, at, question.prompt);
    return post(question.topK === undefined || topK === false ? asked : placed(asked, topK, question.topK));
  };

  return {
    kind: 'text',
    name: 'rag',
    ready: () => readiness(http, options.ready),
    describe: () => Promise.resolve(undefined),
    ask: (question) => exchange(http, request(question), ({ value }) => answerOf(value, answers, sources)),
    malformed: () => [
      { title: 'broken JSON', send: () => send(http, jsonPost(path, '{"question": ')) },
      { title: 'a request without a question', send: () => send(http, post({})) },
      // What a runnable takes is its own affair: text, objects and lists may all be right.
      ...(options.shape === 'langserve'
        ? []
        : [
            {
              title: 'a list as the question',
              send: () => send(http, post(placed(options.body ?? {}, at, [['text']]))),
            },
          ]),
    ],
    wire: (question) => http.wire(request(question)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** The object with a value at these names. */
function placed(into: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const inner = placed(memberOf(into, name), rest, value);
  return { ...(isObject(into) ? into : {}), [name]: inner };
}

async function readiness(http: HttpClient, path: string | undefined): Promise<Readiness> {
  if (path !== undefined) return probe(http, path);
  for (const usual of healthPaths) {
    const found = await probe(http, usual);
    if (found.ready || (found.status !== 404 && found.status !== 405)) return found;
  }
  // It answers, and tells nothing of its health: the first question will.
  return { ready: true };
}

function answerOf(value: unknown, answers: readonly Selector[], sources: readonly Selector[]): TextAnswer {
  const text = first(value, answers, textOf);
  if (text === undefined) {
    throw new PeerError({
      code: 'broken-answer',
      message: 'the answer of the service has no text where it is expected',
      found: isObject(value)
        ? `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'nothing'}`
        : typeof value,
      fix: 'Say where the text stands by a JSON Pointer such as /result/answer.',
    });
  }
  const list = first(value, sources, (found) => (Array.isArray(found) ? found : undefined));
  return { text, ...(list === undefined ? {} : { sources: list.map(sourceText) }) };
}

function first<Found>(
  value: unknown,
  selectors: readonly Selector[],
  as: (found: unknown) => Found | undefined,
): Found | undefined {
  for (const select of selectors) {
    const found = as(select(value));
    if (found !== undefined) return found;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const namesOfSources = [
  'title',
  'name',
  'file_name',
  'filename',
  'source',
  'file_path',
  'path',
  'url',
  'document_id',
  'id',
];
const textsOfSources = ['content', 'page_content', 'text', 'snippet', 'passage', 'chunk', 'quote'];

function sourceText(source: unknown): string {
  if (typeof source === 'string') return source;
  // LlamaIndex wraps the document into a node with a score.
  const inner = memberOf(source, 'node') ?? memberOf(source, 'document') ?? source;
  const about = [inner, memberOf(inner, 'metadata'), memberOf(inner, 'meta')];
  const names = about.flatMap((part) => namesOfSources.map((name) => textOf(memberOf(part, name))));
  const texts = textsOfSources.map((name) => textOf(memberOf(inner, name)));
  const told = [...new Set([...names, ...texts].filter((text) => text !== undefined && text !== ''))];
  return told.length === 0 ? JSON.stringify(source) : told.join('\n');
}
