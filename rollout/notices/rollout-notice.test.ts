import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noticeUrl, postJson } from './post-json.ts';
import { annotateGrafana, type RolloutNotice, sendToWebhook } from './rollout-notice.ts';

interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

let server: Server;
let url: URL;
let received: Received[];
let answer: { readonly status: number; readonly location?: string };
beforeEach(async () => {
  received = [];
  answer = { status: 200 };
  server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({
      url: request.url ?? '',
      authorization: request.headers.authorization,
      body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
    });
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location }).end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/very-secret`);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const notice: RolloutNotice = {
  at: 1_700_000_000_000,
  subject: 'canary v2 on VirtualService shop/churn',
  text: 'Rolling back: errors.',
  warn: true,
  link: 'https://github.com/acme/churn/actions/runs/1',
};

describe('a webhook', () => {
  test('is told as Slack reads it', async () => {
    await sendToWebhook({ url }, notice);
    expect(received).toEqual([
      {
        url: '/services/T0/very-secret',
        authorization: undefined,
        body: {
          text: ':warning: *canary v2 on VirtualService shop/churn* Rolling back: errors. (<https://github.com/acme/churn/actions/runs/1|run>)',
        },
      },
    ]);
  });

  test('gets no mention, link or mark-up out of a name from outside', async () => {
    const { link: _, ...bare } = notice;
    await sendToWebhook(
      { url },
      { ...bare, warn: false, subject: 'a', text: '<!channel> & <http://x|y> *b* `c`\n_d_' },
    );
    expect(received[0]?.body).toEqual({
      text: '*a* &lt;!channel&gt; &amp; &lt;http://x|y&gt; \u200b*b\u200b* \u200b`c\u200b`\\u{a}\u200b_d\u200b_',
    });
  });
});

describe('Grafana', () => {
  test('gets an annotation with tags, below its own path, with its token', async () => {
    const grafana = new URL('/monitoring/', url);
    await annotateGrafana(
      { url: grafana, headers: { authorization: 'Bearer t' } },
      { ...notice, text: '<b onclick="x">&' },
    );
    expect(received).toEqual([
      {
        url: '/monitoring/api/annotations',
        authorization: 'Bearer t',
        body: {
          time: notice.at,
          tags: ['sluice', 'canary', 'warning'],
          text: 'canary v2 on VirtualService shop/churn: &#60;b onclick=&#34;x&#34;&#62;&#38;',
        },
      },
    ]);
  });
});

describe('postJson', () => {
  test('says what was answered, and nothing of the address', async () => {
    answer = { status: 403 };
    const failure = await postJson({ url }, {}).catch((error: unknown) => error);
    expect(failure).toEqual(new Error('it answered HTTP 403'));
    expect(failure).not.toHaveProperty('cause');
  });

  test('follows no redirect: the secret is meant for this host alone', async () => {
    answer = { status: 307, location: `${url.origin}/elsewhere` };
    await expect(postJson({ url }, {})).rejects.toThrow('it answered HTTP 307');
    expect(received).toHaveLength(1);
  });

  test('says that nobody answers without a word of the address', async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    await expect(postJson({ url }, {})).rejects.toThrow(/^it did not answer$/);
  });
});

describe('noticeUrl', () => {
  test.each(['https://hooks.slack.com/services/T/B/x', 'http://localhost:3000/', 'http://127.0.0.1:1/x'])(
    'takes %s',
    (text) => {
      expect(noticeUrl(text, 'the webhook').href).toBe(text);
    },
  );

  test.each([
    'http://hooks.example.com/very-secret',
    'very-secret',
    'ftp://very-secret',
    'http://127.0.0.1.very-secret.org/',
  ])('refuses %s, and does not show it', (text) => {
    expect(() => noticeUrl(text, 'the webhook')).toThrow('the address of the webhook is not an https address');
    expect(() => noticeUrl(text, 'the webhook')).not.toThrow('very-secret');
  });
});
