import { excerpt } from '../text/index.ts';
import { lacksBound } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { contradictionsOfGuardrails } from './guardrail-contradictions.ts';
import { isMapping, valueAt } from './policy-path.ts';
import { requestFormats, tensorProtocols, textProtocols } from './smoke-schema.ts';

/** Rules over `smoke`. */
export function contradictionsOfSmoke(policy: unknown): readonly Contradiction[] {
  const smoke = valueAt(policy, ['smoke']);
  if (!isMapping(smoke)) return [];
  return [
    ...wrongKind(smoke),
    ...contradictionsOfGolden(smoke),
    ...guardrailsOf(smoke),
    ...contradictionsOfLatency(smoke['latency']),
    ...repeatedQuestions(smoke['questions']),
    ...templates(smoke),
    ...formatOfAnother(smoke),
  ];
}

const ofTensors = ['signature', 'golden', 'guardrails', 'digest'];

/** Keys that the protocol has no use for: what they ask would never be judged. */
function wrongKind(smoke: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  const protocol = smoke['protocol'];
  const has = (names: readonly string[]) => names.some((known) => known === protocol);
  if (has(tensorProtocols) && 'questions' in smoke) {
    return [
      {
        code: 'wrong-protocol',
        message: `questions are for protocols of text, and ${protocol} carries tensors`,
        path: ['smoke', 'questions'],
        expected: textProtocols.join(', '),
        fix: 'Use "golden" for known inputs, or the protocol of the language model.',
      },
    ];
  }
  if (!has(textProtocols)) return [];
  return ofTensors
    .filter((key) => key in smoke && smoke[key] !== false)
    .map((key) => ({
      code: 'wrong-protocol',
      message: `${key} is about tensors, and ${protocol} carries text`,
      path: ['smoke', key],
      fix: 'Remove it; "questions" say what a language model must answer.',
    }));
}

function contradictionsOfGolden({ golden }: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  if (!isMapping(golden)) return [];
  const path = ['smoke', 'golden'];
  const both = 'source' in golden && 'feeds' in golden;
  const seeded = 'seed' in golden && ('source' in golden || 'feeds' in golden);
  const counted = 'rows' in golden && 'feeds' in golden;
  return [
    ...(both
      ? [
          {
            code: 'two-sources',
            message: 'source and feeds both say where inputs come from',
            path: [...path, 'feeds'],
            fix: 'Keep one of them.',
          },
        ]
      : []),
    ...(seeded
      ? [
          {
            code: 'no-effect',
            message: 'seed has no effect: the inputs are not made up',
            path: [...path, 'seed'],
            fix: 'Remove it.',
          },
        ]
      : []),
    ...(counted
      ? [
          {
            code: 'no-effect',
            message: 'rows has no effect: every input of feeds is sent',
            path: [...path, 'rows'],
            fix: 'Remove it.',
          },
        ]
      : []),
  ];
}

function guardrailsOf({ guardrails, golden }: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  const path = ['smoke', 'guardrails'];
  const without: readonly Contradiction[] =
    golden === false && Array.isArray(guardrails)
      ? [
          {
            code: 'guardrails-without-golden',
            message: 'guardrails hold golden answers, and golden is false',
            path,
            fix: 'Remove "golden: false", or the guardrails.',
          },
        ]
      : [];
  return [...without, ...contradictionsOfGuardrails(guardrails, path)];
}

function contradictionsOfLatency(latency: unknown): readonly Contradiction[] {
  if (!isMapping(latency)) return [];
  const path = ['smoke', 'latency'];
  const open = latency['mode'] === 'open';
  return [
    ...lacksBound(latency, ['p50_ms', 'p95_ms', 'p99_ms'], '"smoke.latency"', path),
    ...(open && !('rate' in latency)
      ? [
          {
            code: 'no-rate',
            message: 'mode open needs a rate',
            path,
            lackingIn: path,
            fix: 'Add "rate: 50" (requests per second).',
          },
        ]
      : []),
    ...(!open && 'rate' in latency
      ? [
          {
            code: 'no-effect',
            message: 'rate has no effect: in mode closed the callers set the pace',
            path: [...path, 'rate'],
            fix: 'Write "mode: open", or remove it.',
          },
        ]
      : []),
    ...(open && 'concurrency' in latency
      ? [
          {
            code: 'no-effect',
            message: 'concurrency has no effect: in mode open the rate sets the pace',
            path: [...path, 'concurrency'],
            fix: 'Write "mode: closed", or remove it.',
          },
        ]
      : []),
  ];
}

/** Reports name a question by its name, or its number: two of one name could not be told apart. */
function repeatedQuestions(questions: unknown): readonly Contradiction[] {
  if (!Array.isArray(questions)) return [];
  const seen = new Set<string>();
  return questions.flatMap((question: unknown, index) => {
    const name = valueAt(question, ['name']);
    const label = typeof name === 'string' ? name : String(index + 1);
    const repeated = seen.has(label);
    seen.add(label);
    if (!repeated) return [];
    return [
      {
        code: 'repeated-question',
        message: `two questions are called "${excerpt(label)}"`,
        path: ['smoke', 'questions', index],
        fix: 'Give each a name of its own; one without a name is called by its number.',
      },
    ];
  });
}

/** `rest` and `rag` say what the protocol of their name looks like. */
function templates(smoke: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  const { protocol, rest } = smoke;
  const without: readonly Contradiction[] =
    protocol === 'rest' && rest === undefined
      ? [
          {
            code: 'no-template',
            message: 'the protocol rest needs a template of requests and answers',
            path: ['smoke', 'protocol'],
            lackingIn: ['smoke'],
            fix: 'Add "rest: { path: /predict, body: { rows: "{{rows}}" }, outputs: { label: /labels } }".',
          },
        ]
      : [];
  return [
    ...without,
    ...['rest', 'rag']
      .filter((key) => key in smoke && protocol !== undefined && protocol !== key)
      .map((key) => ({
        code: 'wrong-protocol',
        message: `${key} says what the protocol ${key} looks like, and the protocol is ${String(protocol)}`,
        path: ['smoke', key],
        fix: `Remove it, or write "protocol: ${key}".`,
      })),
  ];
}

function formatOfAnother({ protocol, format }: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  if (typeof protocol !== 'string' || typeof format !== 'string') return [];
  const formats: readonly string[] = Object.entries(requestFormats).find(([name]) => name === protocol)?.[1] ?? [];
  if (formats.includes(format)) return [];
  return [
    {
      code: 'wrong-format',
      message: `${protocol} has no format "${excerpt(format)}"`,
      path: ['smoke', 'format'],
      ...(formats.length === 0 ? {} : { expected: formats.join(', ') }),
      fix: formats.length === 0 ? 'Remove it: this protocol has one way to write a request.' : 'Use one of them.',
    },
  ];
}
