import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { guardrailSchema } from './guardrail-schema.ts';
import { duration, milliseconds, name, oneOf, path, reason, severity, share } from './schema-words.ts';

const { smoke: defaults } = policyDefaults;

/** Protocols whose servers take tensors or rows and give tensors: a model of the policy is behind them. */
export const tensorProtocols = [
  'v2',
  'v2-grpc',
  'triton',
  'kserve-v1',
  'torchserve',
  'mlflow',
  'sagemaker',
  'rest',
] as const;
/** Protocols whose servers take text and give text. */
export const textProtocols = ['openai-chat', 'openai-completions', 'ollama', 'rag'] as const;

const demand = { severity: severity.optional(), reason: reason.optional() };
const positive = (what: string) => z.number().positive({ error: `more than 0 ${what}` });

const ready = z
  .strictObject({
    deadline: duration.optional().meta({
      description: 'How long to wait until the server is ready. Nothing but this is retried.',
      default: defaults.deadline,
    }),
  })
  .describe('When the server has to be there.');

const tolerance = z
  .strictObject({
    absolute: z
      .number()
      .min(0)
      .optional()
      .meta({ description: 'Allowed for every number.', default: defaults.absolute }),
    relative: z
      .number()
      .min(0)
      .optional()
      .meta({ description: 'Allowed as a share of the number itself.', default: defaults.relative }),
  })
  .describe(
    'How far a number may be off: absolute + relative · |expected|, as in numpy.allclose. Integers and texts must be equal.',
  );

const golden = z
  .strictObject({
    source: path.optional().describe('A CSV or Parquet file whose rows are sent, fed as the quality gate feeds them.'),
    feeds: path.optional().describe('A JSON file with a list of inputs: [{ "X": [[1.5, 2]] }].'),
    rows: z.int().min(1).max(10_000).optional().meta({
      description: 'How many rows of the source, spread evenly over it, or how many inputs are made up.',
      default: defaults.rows,
    }),
    outputs: z
      .array(name)
      .min(1)
      .optional()
      .describe('The outputs that are served and compared, where a server gives only some; all when not given.'),
    seed: name.optional().describe('Another seed, other made-up inputs. Only without source and feeds.'),
    tolerance: tolerance.optional(),
    ...demand,
  })
  .describe(
    'Inputs whose answers must be those of the ONNX file run here. Without source or feeds, inputs are made up by the signature.',
  );

const latency = z
  .strictObject({
    p50_ms: milliseconds.optional().describe('Half of the requests take at most this many milliseconds.'),
    p95_ms: milliseconds.optional().describe('95 of 100 requests take at most this many milliseconds.'),
    p99_ms: milliseconds.optional().describe('99 of 100 requests take at most this many milliseconds.'),
    max_error_share: share
      .optional()
      .meta({ description: 'The share of requests that may be refused or lost.', default: defaults.max_error_share }),
    mode: z.enum(['closed', 'open']).optional().meta({
      description:
        'closed: each of the concurrent callers sends its next request when it has its answer. open: requests start at a fixed rate, whatever the server does.',
      default: defaults.mode,
    }),
    concurrency: z.int().min(1).max(1024).optional().meta({
      description: 'closed: how many callers.',
      default: defaults.concurrency,
    }),
    rate: positive('requests per second').optional().describe('open: requests per second.'),
    duration: duration.optional().meta({ description: 'How long requests are sent.', default: defaults.duration }),
    ...demand,
  })
  .meta({
    description: 'How long the server takes to answer under load, the network between here and there included.',
    ...oneOf('p50_ms', 'p95_ms', 'p99_ms'),
  });

const digest = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        url: name.describe("Where the server tells the digest of the model it runs: a path on the server's own host."),
      }),
    ],
    { error: 'true, false or { url: path }' },
  )
  .describe(
    'The SHA-256 (or MD5) of the served model file is that of the file here. Without this key it is judged where the server tells it.',
  );

const question = z
  .strictObject({
    name: name.optional().describe('What reports call it; its number when not given.'),
    ask: name.describe('What is asked.'),
    system: name.optional().describe('The system prompt.'),
    max_tokens: z.int().min(1).optional().describe('The longest answer.'),
    temperature: z.number().min(0).max(2).optional().meta({
      description: 'How freely the model may answer.',
      default: defaults.temperature,
    }),
    top_k: z.int().min(1).optional().describe('rag: how many passages.'),
    contains: z
      .array(name)
      .min(1)
      .optional()
      .describe('Texts that must be in the answer; upper and lower case count alike.'),
    regex: name.optional().describe('RE2 syntax; found somewhere in the answer.'),
    json_schema: z
      .union([path, z.record(z.string(), z.unknown())], { error: 'a JSON Schema, or a file with one' })
      .optional()
      .describe('The answer is JSON that follows this JSON Schema (2020-12).'),
    sources: z
      .union([z.int().min(1), z.array(name).min(1)], { error: 'a number of sources, or a list of texts' })
      .optional()
      .describe('rag: at least so many sources are named; or each of these texts is in one of them.'),
    refuses: z.literal(true).optional().describe('The model must decline.'),
    time_to_first_token_ms: milliseconds
      .optional()
      .describe('Half of the answers begin within this many milliseconds.'),
    tokens_per_second: positive('tokens').optional().describe('Half of the answers come at least this fast.'),
    samples: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({
        description: `How often it is asked; every answer is judged. ${defaults.samples} where the question has a budget, else 1.`,
      }),
    ...demand,
  })
  .describe('A question for a language model or a retrieval endpoint, and what its answer must be.');

/** Which bodies a protocol without one of its own can be told to send. */
export const requestFormats = {
  'kserve-v1': ['instances', 'inputs'],
  torchserve: ['instances', 'rows'],
  mlflow: ['inputs', 'named-inputs', 'dataframe_split', 'instances'],
  sagemaker: ['instances', 'inputs', 'rows', 'csv'],
} as const;

const rest = z
  .strictObject({
    method: z.enum(['GET', 'POST']).optional().meta({ description: 'How it is asked.', default: 'POST' }),
    path: name.describe('Below the url; may hold {{model}} and {{version}}.'),
    headers: z.record(name, z.string()).optional().describe('Sent beside those of the input; no place for secrets.'),
    body: z
      .json()
      .optional()
      .describe('The request as JSON; {{rows}}, {{inputs.NAME}} and others stand for values, see the action.'),
    outputs: z
      .record(name, name)
      .refine((mapping) => Object.keys(mapping).length > 0, { error: 'at least one "output: where"' })
      .meta({
        description: 'Where each output stands in the JSON answer, by its name in the ONNX file.',
        minProperties: 1,
      }),
    version: name.optional().describe("Where the answer says the model's version."),
    ready: z
      .strictObject({
        path: name.describe('What is asked.'),
        status: z.int().min(100).max(599).optional().describe('What it answers; 200 when not given.'),
      })
      .optional()
      .describe('How readiness is told; / with 200 when not given.'),
  })
  .describe('protocol rest: what requests and answers look like.');

const names = z.array(name).min(1);
const rag = z
  .strictObject({
    shape: z.enum(['plain', 'haystack', 'langserve']).optional().meta({
      description: 'plain: POST /query with question and top_k, answered by answer and sources; haystack; langserve.',
      default: 'plain',
    }),
    path: name.optional().describe('Below the url.'),
    question: names.optional().describe('Names from the top of the request to the question: [input, question].'),
    top_k: z
      .union([z.literal(false), names], { error: 'a list of names, or false' })
      .optional()
      .describe('The same for the number of passages; false: it is not sent.'),
    body: z.record(name, z.json()).optional().describe('What else is in every request.'),
    answer: names
      .optional()
      .describe('JSON Pointers or plain JSONPaths to the answer; the first that is there counts.'),
    sources: names.optional().describe('The same for the list of sources.'),
    ready: name.optional().describe('The path that answers 200 when the service is ready.'),
  })
  .describe('protocol rag: what requests and answers look like.');

/** The policy's key `smoke`. */
export const smokeSchema = z
  .strictObject({
    protocol: z
      .enum([...tensorProtocols, ...textProtocols])
      .optional()
      .describe(
        'What the server speaks. The address is never part of the policy: it is the url input or the argument.',
      ),
    model: name.optional().describe("The model's name on the server; the name of the model file when not given."),
    version: name.optional().describe('The version that must be served.'),
    format: z
      .enum(['instances', 'inputs', 'named-inputs', 'dataframe_split', 'rows', 'csv'])
      .optional()
      .describe('kserve-v1, torchserve, mlflow, sagemaker: how rows are written in requests.'),
    timeout: duration.optional().meta({ description: 'How long one request may take.', default: defaults.timeout }),
    ready: ready.optional(),
    signature: z.boolean().optional().meta({
      description: "The inputs and outputs the server tells are the ONNX file's.",
      default: true,
    }),
    golden: z
      .union([z.literal(false), golden], { error: 'a mapping, or false' })
      .optional()
      .describe('Known inputs and their answers; false sends none.'),
    guardrails: z.array(guardrailSchema).min(1).optional().describe('What the golden answers must keep to.'),
    malformed: z
      .union([z.boolean(), z.strictObject(demand)], { error: 'true, false or { severity: warn }' })
      .optional()
      .meta({
        description: 'Broken requests are answered with a 4xx, and the server is as well afterwards as before.',
        default: true,
      }),
    warm_up: z.int().min(0).max(10_000).optional().meta({
      description: 'Requests before latency is measured.',
      default: defaults.warm_up,
    }),
    latency: latency.optional(),
    digest: digest.optional(),
    questions: z.array(question).min(1).max(1000).optional().describe('For protocols of text.'),
    rest: rest.optional(),
    rag: rag.optional(),
  })
  .describe('What a running server must show after a deployment (`sluice smoke`).');

export type SmokePolicy = z.infer<typeof smokeSchema>;
export type SmokeQuestion = NonNullable<SmokePolicy['questions']>[number];
