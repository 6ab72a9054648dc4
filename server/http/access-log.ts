import { excerpt } from '../../core/text/index.ts';

/** One answered request. Nothing of its body, its query or its headers. */
export interface AccessEntry {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  /** From the last byte of the request to the answer being handed to the system. */
  readonly milliseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly remote: string | undefined;
}

export interface AccessLogOptions {
  /** Takes whole lines. */
  readonly write: (lines: string) => void;
  /** Lines a second at most, of successes and of refusals each: an overload must not become a flood of lines too. @default 100 */
  readonly linesPerSecond?: number;
}

/**
 * JSON, one line a request, gathered and written ten times a second. Lines over the limit are left out and counted: the next line says how
 * many (`skipped`), and `/metrics` counts every request anyway.
 */
export class AccessLog {
  readonly #write: (lines: string) => void;
  readonly #limit: number;
  #second = 0;
  #successes = 0;
  #refusals = 0;
  #skipped = 0;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor({ write, linesPerSecond = 100 }: AccessLogOptions) {
    this.#write = write;
    this.#limit = linesPerSecond;
  }

  /** Asked before an entry is made: at full speed most are not. */
  wants(status: number): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#successes = 0;
      this.#refusals = 0;
    }
    const count = status < 400 ? ++this.#successes : ++this.#refusals;
    if (count <= this.#limit) return true;
    this.#skipped += 1;
    return false;
  }

  request(entry: AccessEntry): void {
    const { method, path, status, milliseconds, bytesIn, bytesOut, remote } = entry;
    this.#add({
      event: 'request',
      method,
      path: excerpt(path, 200),
      status,
      ms: Number(milliseconds.toFixed(3)),
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      ...(remote === undefined ? undefined : { remote }),
      ...(this.#skipped === 0 ? undefined : { skipped: this.#skipped }),
    });
    this.#skipped = 0;
  }

  /** A start, a stop, a model that could not be loaded. */
  event(event: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#add({ event, ...facts });
  }

  /** Writes what is still held. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#write(lines);
  }

  #add(facts: Readonly<Record<string, unknown>>): void {
    this.#lines += `${JSON.stringify({ time: new Date().toISOString(), ...facts })}\n`;
    this.#timer ??= setTimeout(() => this.flush(), 100).unref();
  }
}
