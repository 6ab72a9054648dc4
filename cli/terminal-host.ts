import pc from 'picocolors';
import type { Host, Progress } from '../core/host/index.ts';
import { describePlace, type Place } from '../core/problem/index.ts';
import { printable } from '../core/text/index.ts';
import type { Output } from './streams.ts';

export interface TerminalHostOptions {
  readonly colour: boolean;
  /** Only warnings and errors. */
  readonly quiet: boolean;
  /** Whether a bar that redraws itself makes sense: a person looks on, and it is not a CI log. */
  readonly animate: boolean;
  /** For tests: milliseconds, monotonic. */
  readonly now?: () => number;
}

const barWidth = 24;
const redrawEveryMs = 80;

/** The log of a run on a terminal: groups are headings, long work is a bar. All text is made harmless before it is written. */
export function terminalHost(log: Output, options: TerminalHostOptions): Host {
  const { bold, cyan, dim, red, yellow } = pc.createColors(options.colour);
  const now = options.now ?? (() => performance.now());
  let bar = '';

  /** Writes a line; a bar that is drawn is taken away first and drawn again below. */
  const line = (text: string): void => {
    const erase = bar === '' ? '' : '\r\u001b[K';
    log.write(`${erase}${text}\n${bar}`);
  };
  const located = (message: string, place: Place | undefined): string => {
    const where = describePlace(place);
    return `${where === '' ? '' : `${dim(where)} `}${printable(message)}`;
  };

  return {
    async group(title, work) {
      if (!options.quiet) line(bold(cyan(`▸ ${printable(title)}`)));
      return work();
    },
    info: (message) => {
      if (!options.quiet) line(`  ${message.split('\n').map(printable).join('\n  ')}`);
    },
    notice: (message, place) => {
      if (!options.quiet) line(`  ${located(message, place)}`);
    },
    warning: (message, place) => line(`${yellow('warning')} ${located(message, place)}`),
    error: (message, place) => line(`${red('error')} ${located(message, place)}`),
    progress(title): Progress {
      if (options.quiet || !options.animate) return { update: () => {}, end: () => {} };
      let drawn = Number.NEGATIVE_INFINITY;
      return {
        update(done, total) {
          if (now() - drawn < redrawEveryMs && done < total) return;
          drawn = now();
          const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
          const full = Math.round(share * barWidth);
          const percent = `${Math.floor(share * 100)}%`.padStart(4);
          bar = `  ${cyan('━'.repeat(full))}${dim('━'.repeat(barWidth - full))}${percent}  ${printable(title)}`;
          log.write(`\r\u001b[K${bar}`);
        },
        end() {
          if (bar !== '') log.write('\r\u001b[K');
          bar = '';
        },
      };
    },
    summary: async () => {},
    output: () => {},
    secret: () => {},
  };
}
