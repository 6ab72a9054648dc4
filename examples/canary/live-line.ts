import pc from 'picocolors';
import { excerpt, printable } from '../../core/text/index.ts';
import type { MetricEvidence, Turn } from '../../rollout/index.ts';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** One line that is written over while a rollout runs; where there is no terminal, a line for each change of weight and the last. */
export class LiveLine {
  readonly #out: NodeJS.WriteStream;
  #lastWeight = -1;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(turn: Turn): void {
    for (const { text, warn } of turn.messages) this.say(warn ? pc.yellow(printable(text)) : pc.dim(printable(text)));
    const { canaryWeight } = turn.record.traffic;
    if (turn.analysed === undefined) return;
    const line = lineOf(turn);
    if (this.#out.isTTY) this.#out.write(`\r\u001b[2K${line}`);
    else if (canaryWeight !== this.#lastWeight) this.#out.write(`${line}\n`);
    this.#lastWeight = canaryWeight;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001b[2K' : ''}${text}\n`);
  }
}

function lineOf({ record, analysed }: Turn): string {
  const { canaryWeight } = record.traffic;
  const requests = analysed?.requests.canary ?? 0;
  const metrics = (analysed?.metrics ?? []).map(evidenceText).join('  ');
  return `  ${bar(canaryWeight, 20)} ${String(canaryWeight).padStart(3)} %  canary ${whole.format(requests).padStart(6)} requests  ${metrics}`;
}

function bar(percent: number, width: number): string {
  const filled = Math.round((percent / 100) * width);
  return pc.cyan('█'.repeat(filled)) + pc.dim('░'.repeat(width - filled));
}

/** How near the evidence is to showing harm, and what it says. */
function evidenceText({ metric, says, logEvidence, threshold }: MetricEvidence): string {
  const share = Math.max(0, Math.min(1, logEvidence / threshold));
  const level = '▁▂▃▄▅▆▇█'[Math.round(share * 7)] ?? '▁';
  const colour = says === 'harm' ? pc.red : says === 'harmless' ? pc.green : pc.yellow;
  return colour(`${excerpt(metric, 20)} ${level} ${says}`);
}
