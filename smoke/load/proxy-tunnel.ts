import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';

/** A way through an HTTP proxy to `host:port` (CONNECT, RFC 9110, section 9.3.6). Rejects when the proxy does not open one. */
export function openTunnel(proxy: URL, authority: string, signal: AbortSignal): Promise<Socket> {
  const { username, password } = proxy;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const send = proxy.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((done, fail) => {
    send(new URL(proxy.origin), {
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(pair === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }),
      },
      agent: false,
      signal,
    })
      .once('connect', ({ statusCode = 0 }, socket) => {
        if (statusCode >= 200 && statusCode < 300) done(socket as Socket);
        else {
          socket.destroy();
          fail(new Error(`Proxy response (${statusCode}) to CONNECT`));
        }
      })
      .once('response', ({ statusCode = 0 }) => fail(new Error(`Proxy response (${statusCode}) to CONNECT`)))
      .once('error', fail)
      .end();
  });
}
