import { connect, type Socket } from 'node:net';

/** One answer, as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** For tests: a client that sends any bytes, good or bad, and reads answers with a Content-Length one after the other. */
export class RawClient {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    // A reset after a refusal is as good an end as any.
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next answer; undefined when the connection ended without one. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const found = this.#take();
      if (found !== undefined) return found;
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the connection has ended, whoever ended it. */
  async ended(): Promise<void> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #take(): RawAnswer | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [start = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (this.#bytes.length < end + 4 + length) return undefined;
    const body = this.#bytes.toString('utf8', end + 4, end + 4 + length);
    this.#bytes = this.#bytes.subarray(end + 4 + length);
    return { status: Number(start.split(' ')[1]), headers, body };
  }
}

/** The bytes of an inference request in its plainest form. */
export function inferRequest(model: string, body: string, headers: readonly string[] = []): string {
  const lines = ['Host: localhost', `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return `POST /v2/models/${model}/infer HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
