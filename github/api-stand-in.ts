import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GitHubApi, gitHubApi } from './api.ts';

/** One request as it came in. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What the stand-in answers; without a `status`, 200. An object body is sent as JSON. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For unit tests: an HTTP server in GitHub's place that answers what the test says and remembers what it was asked. */
export class ApiStandIn implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server = createServer();
  #url = '';

  static async start(answer: (request: Received) => Answer): Promise<ApiStandIn> {
    const standIn = new ApiStandIn();
    standIn.#server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString('utf8');
      const received: Received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      standIn.received.push(received);
      const { status = 200, body, headers = {} } = answer(received);
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? '' : JSON.stringify(body));
      const type = Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json; charset=utf-8';
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(bytes);
    });
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    standIn.#url = `http://127.0.0.1:${(standIn.#server.address() as AddressInfo).port}`;
    return standIn;
  }

  get url(): string {
    return this.#url;
  }

  /** A client of it, whose seconds last a millisecond. */
  api(maximumWaitSeconds = 60): GitHubApi {
    return gitHubApi({
      repository: 'acme/models',
      token: 'ghs_test',
      apiUrl: this.#url,
      serverUrl: this.#url,
      maximumWaitSeconds,
      secondMs: 1,
    });
  }

  /** Requests by method and the start of their path. */
  asked(method: string, path: string): readonly Received[] {
    return this.received.filter((request) => request.method === method && request.url.startsWith(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const notPermitted: Answer = {
  status: 403,
  body: { message: 'Resource not accessible by integration', documentation_url: 'https://docs.github.com/rest' },
};
export const notFound: Answer = { status: 404, body: { message: 'Not Found' } };
export const secondaryLimit: Answer = {
  status: 403,
  body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
  headers: { 'retry-after': '7' },
};
