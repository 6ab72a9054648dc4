import type { Answer, AnyProtocol, Readiness, TextAnswer, TextProtocol } from '../protocol.ts';

/** For tests: an answer that came well. */
export function answered<Value>(value: Value, more: Partial<Answer<Value>> = {}): Answer<Value> {
  return { status: 200, milliseconds: 1, value, ...more };
}

const common = {
  ready: async (): Promise<Readiness> => ({ ready: true }),
  describe: async () => undefined,
  malformed: () => [],
  wire: () => undefined,
  async [Symbol.asyncDispose]() {},
} satisfies Partial<AnyProtocol>;

/** For tests: a protocol of text whose answers are given, the last one again and again. */
export function stubText(answers: readonly Answer<TextAnswer>[], more: Partial<TextProtocol> = {}): TextProtocol {
  let asked = 0;
  return {
    ...common,
    kind: 'text',
    name: 'openai-chat',
    ask: async () => answers[Math.min(asked++, answers.length - 1)] ?? { status: 500, milliseconds: 1 },
    ...more,
  };
}
