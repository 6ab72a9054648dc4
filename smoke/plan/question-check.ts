import type { Host } from '../../core/host/index.ts';
import { policyDefaults } from '../../core/policy/index.ts';
import type { Bound, Check } from '../../core/report/index.ts';
import {
  exactInterval,
  type Interval,
  minimumSamples,
  percentileInterval,
  quantileOfSorted,
} from '../../core/statistics/index.ts';
import { counted, excerpt, numberText } from '../../core/text/index.ts';
import type { Question, TextAnswer, TextProtocol } from '../protocol.ts';
import { adviceOnStatus } from './advice.ts';
import { asked } from './golden-answers.ts';
import type { PreparedQuestion } from './question.ts';
import { declines } from './refusal-words.ts';
import { boundCheck, checkOf, type Demand } from './smoke-check.ts';

/** What a question of the policy is on the wire. */
export function questionOf({ policy }: Pick<PreparedQuestion, 'policy'>): Question {
  return {
    prompt: policy.ask,
    temperature: policy.temperature ?? policyDefaults.smoke.temperature,
    ...(policy.system === undefined ? {} : { system: policy.system }),
    ...(policy.max_tokens === undefined ? {} : { maxTokens: policy.max_tokens }),
    ...(policy.top_k === undefined ? {} : { topK: policy.top_k }),
  };
}

/**
 * Asks a question as often as the policy says and judges every answer: what is in it, whether it parses, whether the model declined; and the
 * median of how fast answers began and came. Never retried.
 */
export async function questionChecks(
  protocol: Pick<TextProtocol, 'ask'>,
  question: PreparedQuestion,
  options: { readonly level: number | 'off'; readonly host: Host },
): Promise<readonly Check[]> {
  const { policy } = question;
  const budgeted = policy.time_to_first_token_ms !== undefined || policy.tokens_per_second !== undefined;
  const samples = policy.samples ?? (budgeted ? policyDefaults.smoke.samples : 1);
  const answers: TextAnswer[] = [];
  const refused: { readonly sample: number; readonly status: string; readonly said: string }[] = [];
  let advice: readonly string[] = [];
  const progress = options.host.progress(`Ask ${excerpt(question.label, 40)}`);
  try {
    for (let sample = 1; sample <= samples; sample++) {
      const { answer, lost } = await asked(() => protocol.ask(questionOf(question), { stream: budgeted }));
      if (answer?.value !== undefined && answer.status < 400) answers.push(answer.value);
      else {
        refused.push({
          sample,
          status: answer === undefined ? 'no answer' : String(answer.status),
          said: excerpt(lost ?? answer?.refusal ?? 'an answer without text', 300),
        });
        advice = adviceOnStatus(answer?.status);
        // A guard in front of the model declines with a status of its own; asking again tells nothing new of anything else either.
        break;
      }
      progress.update(sample, samples);
    }
  } finally {
    progress.end();
  }
  const [first] = refused;
  const guarded = policy.refuses === true && first !== undefined && /^4(00|03|22|51)$/.test(first.status);
  const checks = [
    checkOf(
      { ...demandOf(question, 'answered', 'is answered'), bound: { kind: 'must_hold', value: 'an answer' } },
      first === undefined || guarded
        ? {
            status: 'pass',
            said: [
              guarded ? `The server itself refused it (${first.status})` : `${counted(answers.length, 'answer')} came`,
            ],
          }
        : {
            status: 'fail',
            said: [`Try ${first.sample} got ${first.status}: ${first.said}`, ...advice],
            observed: first.status,
          },
    ),
  ];
  return [...checks, ...contentChecks(question, answers, guarded), ...budgetChecks(question, answers, options.level)];
}

type Judge = (answer: TextAnswer) => string | undefined;

function contentChecks(question: PreparedQuestion, answers: readonly TextAnswer[], guarded: boolean): readonly Check[] {
  const { policy, pattern, schema } = question;
  const judged: readonly (readonly [key: string, title: string, bound: string, judge: Judge])[] = [
    ...(policy.contains === undefined
      ? []
      : [['contains', 'holds the texts', policy.contains.join(', '), lacks(policy.contains)] as const]),
    ...(pattern === undefined
      ? []
      : [
          [
            'regex',
            'follows the pattern',
            policy.regex ?? '',
            ({ text }: TextAnswer) => (pattern.test(text) ? undefined : 'the pattern is nowhere in it'),
          ] as const,
        ]),
    ...(schema === undefined
      ? []
      : [['json_schema', 'is JSON of the schema', 'the JSON Schema', ({ text }: TextAnswer) => schema(text)] as const]),
    ...(policy.sources === undefined
      ? []
      : [
          [
            'sources',
            'names its sources',
            typeof policy.sources === 'number' ? `${policy.sources} or more` : policy.sources.join(', '),
            lacksSources(policy.sources),
          ] as const,
        ]),
    ...(policy.refuses === undefined
      ? []
      : [
          [
            'refuses',
            'is declined',
            'the model declines',
            ({ text, finishReason }: TextAnswer) => (declines(text, finishReason) ? undefined : 'it is not declined'),
          ] as const,
        ]),
  ];
  return judged.map(([key, title, bound, judge]) => {
    const demand = { ...demandOf(question, key, title), bound: { kind: 'must_hold', value: bound } as const };
    if (guarded && key === 'refuses')
      return checkOf(demand, { status: 'pass', said: ['The server itself refused it'] });
    if (answers.length === 0) return checkOf(demand, { status: 'skipped', said: ['There is no answer to judge'] });
    const wrong = answers.flatMap((answer, index) => {
      const why = judge(answer);
      return why === undefined ? [] : [{ sample: index + 1, why, text: answer.text }];
    });
    const [first] = wrong;
    return first === undefined
      ? checkOf(demand, { status: 'pass', said: [`${counted(answers.length, 'answer')} judged`] })
      : checkOf(demand, {
          status: 'fail',
          said: [
            `${wrong.length} of ${counted(answers.length, 'answer')} ${wrong.length === 1 ? 'is' : 'are'} wrong: ${first.why}`,
            `Answer ${first.sample}: “${excerpt(first.text, 200)}”`,
          ],
          observed: excerpt(first.text, 80),
        });
  });
}

function lacks(texts: readonly string[]): Judge {
  return ({ text }) => {
    const plain = text.toLowerCase();
    const missing = texts.filter((each) => !plain.includes(each.toLowerCase()));
    return missing.length === 0 ? undefined : `it lacks ${missing.map((each) => `“${excerpt(each, 40)}”`).join(', ')}`;
  };
}

function lacksSources(wanted: number | readonly string[]): Judge {
  return ({ sources = [] }) => {
    if (typeof wanted === 'number') {
      return sources.length >= wanted ? undefined : `it names ${counted(sources.length, 'source')}`;
    }
    const missing = wanted.filter(
      (each) => !sources.some((source) => source.toLowerCase().includes(each.toLowerCase())),
    );
    return missing.length === 0
      ? undefined
      : `no source holds ${missing.map((each) => `“${excerpt(each, 40)}”`).join(', ')}`;
  };
}

function budgetChecks(
  question: PreparedQuestion,
  answers: readonly TextAnswer[],
  level: number | 'off',
): readonly Check[] {
  const { time_to_first_token_ms: most, tokens_per_second: least } = question.policy;
  const measured = (of: (answer: TextAnswer) => number | undefined) =>
    answers.map(of).filter((value) => value !== undefined);
  return [
    ...(most === undefined
      ? []
      : [
          medianCheck(
            {
              ...demandOf(question, 'time_to_first_token_ms', `begins within ${most} ms`),
              bound: { kind: 'max', value: most },
              unit: 'ms',
            },
            measured(({ timeToFirstTokenMs }) => timeToFirstTokenMs),
            'ms to the first token',
            level,
          ),
        ]),
    ...(least === undefined
      ? []
      : [
          medianCheck(
            {
              ...demandOf(question, 'tokens_per_second', `comes at ${least} tokens/s or faster`),
              bound: { kind: 'min', value: least },
              unit: 'none',
            },
            measured(({ tokensPerSecond }) => tokensPerSecond),
            'tokens per second',
            level,
          ),
        ]),
  ];
}

function medianCheck(
  demand: Demand & { readonly bound: Bound },
  values: readonly number[],
  what: string,
  level: number | 'off',
): Check {
  const needed = minimumSamples(0.5);
  if (values.length === 0) {
    return checkOf(demand, {
      status: 'inconclusive',
      said: [
        `No answer tells its ${what}`,
        'The protocol must stream, and the answer must be more than one token long',
      ],
    });
  }
  const median = quantileOfSorted(Float64Array.from(values).sort(), 0.5);
  let interval: Interval | undefined;
  if (level === 'off') interval = exactInterval(median, values.length, 'point');
  else interval = percentileInterval(values, 0.5, level);
  if (interval === undefined) {
    return checkOf(demand, {
      status: 'inconclusive',
      said: [
        `The median of ${counted(values.length, 'answer')} is ${numberText(median)} ${what}, and none is claimed from fewer than ${needed}`,
      ],
      observed: median,
    });
  }
  return boundCheck(demand, interval, [
    `The median of ${counted(values.length, 'answer')} is ${numberText(interval.estimate)} ${what} (between ${numberText(interval.lower)} and ${numberText(interval.upper)})`,
  ]);
}

function demandOf(question: PreparedQuestion, key: string, title: string): Demand {
  const { label, policy } = question;
  return {
    id: `question/${label}/${key}`,
    title: `“${excerpt(policy.name ?? policy.ask, 40)}” ${title}`,
    place: question.placeOf(key),
    severity: policy.severity,
    reason: policy.reason,
  };
}
