import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The emulator behind a proxy that changes two things.
 *
 * - The `Date` of its answers, which is AWS's clock to who asks. CloudWatch counts by the minute; here a minute is a second, and can be skipped.
 * - `AddTags` of SageMaker replaces, as AWS has it: moto 5.2.5 adds another tag of the same key, and goes round in circles when it lists them page by
 *   page, which it does by key. So those of the same keys are deleted first.
 */
export class HurriedAws implements AsyncDisposable {
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #began = Date.now();
  #skipped = 0;

  static async start(endpoint: string): Promise<HurriedAws> {
    const hurried: { clock?: HurriedAws } = {};
    const server = createServer((request, response) => {
      void (async () => {
        const url = new URL(request.url ?? '/', endpoint);
        const asked = headersOf(request);
        const body = await bodyOf(request);
        if (asked['x-amz-target'] === 'SageMaker.AddTags') {
          const headers = { ...asked, 'x-amz-target': 'SageMaker.DeleteTags' };
          await (await fetch(url, { method: 'POST', headers, body: deletionOf(body) })).arrayBuffer();
        }
        const answer = await fetch(url, { method: request.method ?? 'POST', headers: asked, body });
        const headers = Object.fromEntries(
          [...answer.headers].filter(([name]) => !/^(?:date|connection|content-length|content-encoding)$/.test(name)),
        );
        const now = hurried.clock?.now ?? Date.now();
        response.writeHead(answer.status, { ...headers, date: new Date(now).toUTCString() });
        response.end(Buffer.from(await answer.arrayBuffer()));
      })().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    hurried.clock = new HurriedAws(server);
    return hurried.clock;
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Milliseconds of the epoch, sixty times as fast. */
  get now(): number {
    return this.#began + 60 * (Date.now() - this.#began) + this.#skipped;
  }

  skip(milliseconds: number): void {
    this.#skipped += milliseconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Without what is of this connection alone. */
function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      /^(?:host|connection|content-length|transfer-encoding)$/.test(name) ? [] : [[name, String(value)]],
    ),
  );
}

/** A `DeleteTags` of what an `AddTags` adds. */
function deletionOf(addition: Buffer): string {
  const { ResourceArn, Tags } = JSON.parse(addition.toString()) as {
    readonly ResourceArn: string;
    readonly Tags: readonly { readonly Key: string }[];
  };
  return JSON.stringify({ ResourceArn, TagKeys: Tags.map(({ Key }) => Key) });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
