import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GatewayPlan, gatewayConfig, quoted, type RoutePlan } from './gateway-config.ts';

const route: RoutePlan = {
  name: 'churn',
  upstream: { host: 'churn.shop', port: 8000 },
  path: '/churn',
  exact: false,
  target: '/',
  methods: ['GET', 'POST'],
  bodyLimit: 1024,
  timeout: 20,
  stream: false,
  forwardAuthorization: false,
  cacheSeconds: undefined,
  ready: '/v2/health/ready',
  hidden: ['/metrics'],
};
const plan: GatewayPlan = {
  port: 8080,
  workers: 2,
  shutdown: 30,
  authenticated: true,
  cacheSize: 1000,
  routes: [route],
};
const config = (change: Partial<RoutePlan> = {}, whole: Partial<GatewayPlan> = {}): string =>
  gatewayConfig({ ...plan, routes: [{ ...route, ...change }], ...whole });

/** What a location of a configuration holds, without the blocks in it. */
function location(text: string, head: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const start = lines.indexOf(`location ${head} {`);
  if (start < 0) return [];
  let depth = 1;
  const inside: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.endsWith('{')) depth += 1;
    else if (line === '}') depth -= 1;
    else if (depth === 1) inside.push(line);
    if (depth === 0) break;
  }
  return inside;
}

/**
 * The words of a configuration as NGINX' own reader takes them apart (`ngx_conf_read_token`): quotes hold a word together, in them a backslash
 * before a quote or a backslash goes away.
 */
function words(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'") {
      let word = '';
      at += 1;
      while (at < text.length && text[at] !== character) {
        if (text[at] === '\\' && ['"', "'", '\\'].includes(text[at + 1] ?? '')) at += 1;
        word += text[at];
        at += 1;
      }
      found.push(word);
      at += 1;
    } else if (/[\s;{}]/.test(character)) {
      if (/[;{}]/.test(character)) found.push(character);
      at += 1;
    } else {
      const rest = /^[^\s;{}]+/.exec(text.slice(at))?.[0] ?? character;
      found.push(rest);
      at += rest.length;
    }
  }
  return found;
}

describe('a quoted word', () => {
  test('is read back as it was, as one word, or cannot be written at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        let written: string;
        try {
          written = quoted(text);
        } catch {
          expect(text).toMatch(/[$\p{Cc}]/u);
          return;
        }
        expect(words(`server ${written};`)).toEqual(['server', text, ';']);
      }),
    );
  });

  test.each(['a; return 200', 'a" b', 'a\\', '{ }', "it's", '#no comment'])('stays one word with %s in it', (text) => {
    expect(words(`x ${quoted(text)} y`)).toEqual(['x', text, 'y']);
  });

  test.each(['$http_authorization', 'a\nb', 'a\0b'])('refuses what would mean something else: %j', (text) => {
    expect(() => quoted(text)).toThrow(RangeError);
  });
});

describe('the configuration of a gateway', () => {
  test('is the same for the same plan, closes every block and ends every line', () => {
    expect(config()).toBe(config());
    const taken = words(config());
    expect(taken.filter((word) => word === '{')).toHaveLength(taken.filter((word) => word === '}').length);
    for (const line of config().split('\n')) expect(line.trim()).toMatch(/^$|[;{}]$/);
  });

  test('looks at the token before anything else, on every way to a server', () => {
    const text = config();
    for (const head of ['= "/churn"', '^~ "/churn/"', '= /healthz/churn']) {
      expect(text).toContain(
        `location ${head} {\n      set $route "churn";\n      if ($token_is_known != "1") {\n        add_header WWW-Authenticate Bearer always;\n        return 401 `,
      );
    }
    expect(text.match(/proxy_pass /g)).toHaveLength(3);
    expect(text.match(/token_is_known != "1"/g)).toHaveLength(3);
  });

  test('loads the program for tokens only where tokens are demanded', () => {
    expect(config()).toContain('js_set $token_is_known bearer_token.known;');
    const open = config({}, { authenticated: false });
    expect(open).not.toMatch(/js_|load_module|401/);
  });

  test('says how it is to everybody, without asking a server', () => {
    expect(location(config(), '= /healthz')).toEqual(['access_log off;', `return 200 '{"status":"ok"}';`]);
  });

  test("gives a server neither the client's token nor its spelling of the path", () => {
    const inside = location(config(), '^~ "/churn/"');
    expect(inside).toContain('proxy_set_header Authorization "";');
    expect(inside).toContain('proxy_pass "http://sluice_churn/";');
    expect(location(config({ forwardAuthorization: true }), '^~ "/churn/"').join('\n')).not.toContain('Authorization');
    expect(location(config({ target: '/v1' }), '^~ "/churn/"')).toContain('proxy_pass "http://sluice_churn/v1/";');
  });

  test('a path ends where it ends: no other path begins with it', () => {
    const heads = [...config().matchAll(/location (.+) \{/g)].map(([, head]) => head);
    expect(heads).toContain('= "/churn"');
    expect(heads).toContain('^~ "/churn/"');
    expect(heads).toContain('/');
    const exact = [...config({ exact: true, target: '/churn' }).matchAll(/location (.+) \{/g)].map(([, head]) => head);
    expect(exact).not.toContain('^~ "/churn/"');
  });

  test("nobody gets to a server's metrics", () => {
    expect(location(config(), '= "/churn/metrics"')).toEqual(['return 404;']);
    expect(location(config(), '^~ "/churn/metrics/"')).toEqual(['return 404;']);
    expect(location(config({ path: '/' }), '= "/metrics"')).toEqual(['return 404;']);
  });

  test('everything may be a route, and is then no 404', () => {
    const text = config({ path: '/' });
    expect(location(text, '^~ "/"')).toContain('proxy_pass "http://sluice_churn/";');
    expect(location(text, '/')).toEqual([]);
  });

  test('keeps nothing unless asked to, and then only answers to GETs without a cookie or a body', () => {
    expect(config()).not.toContain('proxy_cache');
    const inside = location(config({ cacheSeconds: 60 }), '^~ "/churn/"');
    expect(inside).toContain('proxy_cache_methods GET HEAD;');
    expect(inside).toContain('proxy_cache_valid 200 60s;');
    expect(inside).toContain('proxy_no_cache $http_cookie $http_content_length $http_transfer_encoding;');
    expect(config({ cacheSeconds: 60 })).toContain('max_size=1000 ');
  });

  test('logs neither queries nor headers', () => {
    const [format = ''] = /log_format sluice .+;/.exec(config()) ?? [];
    expect(format).toContain('"path":"$uri"');
    expect(format).not.toMatch(/\$(?:request\b|args|query_string|http_|request_uri|request_body)/);
  });

  test('writes only below the folders that are its own', () => {
    const paths = [...config({ cacheSeconds: 1 }).matchAll(/_path (\S+?)[; ]/g)].map(([, path]) => path);
    expect(paths).toHaveLength(6);
    for (const path of paths) expect(path).toMatch(/^\/(?:tmp|cache)(?:\/|$)/);
  });
});
