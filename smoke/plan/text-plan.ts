import type { Check, Figure } from '../../core/report/index.ts';
import type { Question, TextProtocol } from '../protocol.ts';
import { described } from './description.ts';
import { versionCheck } from './identity-check.ts';
import { measureLatency } from './latency-step.ts';
import { sendMalformed } from './malformed-step.ts';
import type { SmokeFindings, WithClock } from './plan-options.ts';
import { questionChecks, questionOf } from './question-check.ts';

/** What is asked of a server of text that is ready: the questions, then nonsense, then load. */
export async function smokeText(protocol: TextProtocol, options: WithClock): Promise<SmokeFindings> {
  const { policy, placeOf, host, level, questions = [] } = options;
  const checks: Check[] = [];
  const { served } = await described(protocol);
  if (questions.length > 0) {
    await host.group('Ask the questions', async () => {
      for (const question of questions) checks.push(...(await questionChecks(protocol, question, { level, host })));
    });
  }
  if (policy.version !== undefined) {
    checks.push(
      versionCheck(policy.version, { described: served?.versions, answered: [] }, placeOf(['smoke', 'version'])),
    );
  }
  checks.push(...(await sendMalformed(protocol, undefined, options)));
  const figures: Figure[] = [];
  if (policy.latency !== undefined) {
    const greeting: Question = { prompt: 'Say hello.', maxTokens: 8 };
    const asks = questions.length > 0 ? questions.map(questionOf) : [greeting];
    const found = await measureLatency(policy.latency, options, {
      send: (index) => protocol.ask(asks[index % asks.length] ?? greeting),
      requests: asks.map((each) => protocol.wire(each)),
    });
    checks.push(...found.checks);
    figures.push(...found.figures);
  }
  return { checks, figures, notices: [] };
}
