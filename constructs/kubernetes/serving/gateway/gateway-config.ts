/** One way through the gateway, with everything decided. */
export interface RoutePlan {
  /** Small letters, digits and "-": names the upstream, the health route and the log's field. */
  readonly name: string;
  readonly upstream: { readonly host: string; readonly port: number };
  /** As clients ask; without a slash at its end, unless it is `/`. */
  readonly path: string;
  /** Only this path, and nothing below it. */
  readonly exact: boolean;
  /** What `path` is at the server. */
  readonly target: string;
  readonly methods: readonly string[];
  /** Bytes. */
  readonly bodyLimit: number;
  /** Seconds without a byte from the server. */
  readonly timeout: number;
  /** Answers are passed on as they come. */
  readonly stream: boolean;
  readonly forwardAuthorization: boolean;
  /** Seconds that the answer to a GET is kept; undefined: none is. */
  readonly cacheSeconds: number | undefined;
  /** The server's route that says whether it is ready. */
  readonly ready: string | undefined;
  /** Paths below `path` that nobody gets to: the server's metrics. */
  readonly hidden: readonly string[];
}

export interface GatewayPlan {
  readonly port: number;
  readonly workers: number;
  /** Seconds that requests on their way are given when the gateway goes. */
  readonly shutdown: number;
  /** Whether a token is demanded. */
  readonly authenticated: boolean;
  /** Bytes of kept answers. */
  readonly cacheSize: number;
  readonly routes: readonly RoutePlan[];
}

/** Where the gateway's files are mounted. */
export const gatewayFolder = '/etc/sluice/gateway';

/**
 * A word of NGINX's configuration, quoted so that it is one word whatever is in it. Inside quotes only the quote and the backslash end or change
 * anything (`ngx_conf_read_token`); a dollar would begin a variable and cannot be escaped at all, so it is refused as control characters are.
 * @throws RangeError for text that cannot be one literal word
 */
export function quoted(text: string): string {
  if (/[$\u0000-\u001f\u007f]/.test(text))
    throw new RangeError('NGINX has no way to write a dollar or a control character as itself.');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The configuration of NGINX (1.22 or later, with its JavaScript module where a token is demanded) that does what the plan says. */
export function gatewayConfig(plan: GatewayPlan): string {
  const caches = plan.routes.some(({ cacheSeconds }) => cacheSeconds !== undefined);
  return `${[
    ...(plan.authenticated ? ['load_module /usr/lib/nginx/modules/ngx_http_js_module.so;'] : []),
    'daemon off;',
    `worker_processes ${plan.workers};`,
    `worker_shutdown_timeout ${plan.shutdown}s;`,
    'pid /tmp/nginx.pid;',
    'error_log stderr warn;',
    ...block('events', ['worker_connections 4096;']),
    ...block('http', [
      ...httpSettings,
      ...(plan.authenticated
        ? [
            // Beside the configuration itself: a name with folders is read otherwise by each release of njs.
            'js_import bearer_token from bearer-token.js;',
            'js_set $token_is_known bearer_token.known;',
          ]
        : []),
      ...(caches
        ? [
            `proxy_cache_path /cache levels=1:2 keys_zone=answers:10m max_size=${plan.cacheSize} inactive=10m use_temp_path=off;`,
          ]
        : []),
      ...plan.routes.flatMap(({ name, upstream }) =>
        block(`upstream ${upstreamName(name)}`, [
          `server ${quoted(`${upstream.host}:${upstream.port}`)} max_fails=0;`,
          'keepalive 32;',
        ]),
      ),
      ...block('server', [
        `listen ${plan.port} default_server;`,
        'server_name _;',
        'set $route "";',
        ...errorPages,
        ...block('location = /healthz', ['access_log off;', `return 200 '{"status":"ok"}';`]),
        ...plan.routes.flatMap((route) => [...healthLocation(route, plan), ...routeLocations(route, plan)]),
        ...(plan.routes.some(({ path, exact }) => path === '/' && !exact) ? [] : block('location /', ['return 404;'])),
      ]),
    ]),
  ].join('\n')}\n`;
}

/** Paths and not queries are logged, and no header: a token or a question may be in either. */
const logFormat = [
  '"time":"$time_iso8601"',
  '"client":"$remote_addr"',
  '"method":"$request_method"',
  '"path":"$uri"',
  '"route":"$route"',
  '"status":$status',
  '"bytes":$body_bytes_sent',
  '"seconds":$request_time',
  '"server_seconds":"$upstream_response_time"',
  '"cache":"$upstream_cache_status"',
  '"request_id":"$request_id"',
].join(',');

const httpSettings: readonly string[] = [
  'default_type application/json;',
  'server_tokens off;',
  `log_format sluice escape=json '{${logFormat}}';`,
  'access_log /dev/stdout sluice;',
  // The root file system is read-only, and NGINX makes all of these when it starts.
  ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path /tmp/${what};`),
  'client_header_timeout 10s;',
  'client_body_timeout 30s;',
  'send_timeout 30s;',
  'keepalive_timeout 65s;',
  'reset_timedout_connection on;',
  'proxy_http_version 1.1;',
  'proxy_connect_timeout 5s;',
  // A question is not asked twice: what one costs, and whether it changes anything, only the client knows.
  'proxy_next_upstream off;',
  // What does not fit into memory waits at the server, not on the disk.
  'proxy_max_temp_file_size 0;',
];

/** What the gateway itself says no with; answers of the servers pass as they are. */
const refusals: readonly (readonly [number, string])[] = [
  [404, 'There is no such route.'],
  [413, 'The request is larger than this route takes.'],
  [502, 'The server behind this route does not answer.'],
  [503, 'The server behind this route does not answer.'],
  [504, 'The server behind this route did not answer in time.'],
];
const errorPages: readonly string[] = refusals.flatMap(([status, text]) => [
  `error_page ${status} @refused_${status};`,
  ...block(`location @refused_${status}`, [`return ${status} '{"error":"${text}"}';`]),
]);

function routeLocations(route: RoutePlan, plan: GatewayPlan): readonly string[] {
  const { path, exact, target, hidden } = route;
  const below = path === '/' ? '/' : `${path}/`;
  const targetBelow = target === '/' ? '/' : `${target}/`;
  const location = (where: string, at: string): readonly string[] =>
    block(`location ${where}`, [...checks(route.name, route.methods, plan), ...proxied(route, at)]);
  return [
    ...hidden.flatMap((each) => {
      const from = path === '/' ? each : `${path}${each}`;
      return [`= ${quoted(from)}`, `^~ ${quoted(`${from}/`)}`].flatMap((where) =>
        block(`location ${where}`, ['return 404;']),
      );
    }),
    ...(exact || path !== '/' ? location(`= ${quoted(path)}`, target) : []),
    ...(exact ? [] : location(`^~ ${quoted(below)}`, targetBelow)),
  ];
}

function healthLocation({ name, ready, upstream }: RoutePlan, plan: GatewayPlan): readonly string[] {
  if (ready === undefined) return [];
  return block(`location = /healthz/${name}`, [
    ...checks(name, ['GET', 'HEAD'], plan),
    `proxy_pass ${quoted(`http://${upstreamName(name)}${ready}`)};`,
    `proxy_set_header Host ${quoted(`${upstream.host}:${upstream.port}`)};`,
    'proxy_set_header Connection "";',
    'proxy_set_header Authorization "";',
    'proxy_set_header Content-Length "";',
    'proxy_pass_request_body off;',
    'proxy_read_timeout 5s;',
  ]);
}

/** First who asks, then how. */
function checks(name: string, methods: readonly string[], { authenticated }: GatewayPlan): readonly string[] {
  const allowed = methods.join(', ');
  return [
    `set $route ${quoted(name)};`,
    ...(authenticated
      ? block('if ($token_is_known != "1")', [
          'add_header WWW-Authenticate Bearer always;',
          `return 401 '{"error":"A bearer token is needed: Authorization: Bearer ..."}';`,
        ])
      : []),
    ...block(`if ($request_method !~ ${methodPattern(methods)})`, [
      `add_header Allow ${quoted(allowed)} always;`,
      `return 405 '{"error":"This route takes ${allowed}."}';`,
    ]),
  ];
}

/** `$` ends a pattern here and begins no variable: NGINX takes it so at the end of a word. */
function methodPattern(methods: readonly string[]): string {
  return `"^(?:${methods.join('|')})$"`;
}

function proxied(route: RoutePlan, at: string): readonly string[] {
  const { name, upstream, bodyLimit, timeout, stream, forwardAuthorization, cacheSeconds } = route;
  return [
    `client_max_body_size ${bodyLimit};`,
    // With a path, NGINX sends what it decided on: not the client's spelling of it, which a server may read otherwise.
    `proxy_pass ${quoted(`http://${upstreamName(name)}${at}`)};`,
    `proxy_set_header Host ${quoted(`${upstream.host}:${upstream.port}`)};`,
    'proxy_set_header Connection "";',
    'proxy_set_header X-Request-ID $request_id;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'proxy_set_header X-Forwarded-Proto $scheme;',
    ...(forwardAuthorization ? [] : ['proxy_set_header Authorization "";']),
    `proxy_read_timeout ${timeout}s;`,
    `proxy_send_timeout ${timeout}s;`,
    ...(stream ? ['proxy_buffering off;'] : []),
    ...(cacheSeconds === undefined
      ? []
      : [
          'proxy_cache answers;',
          // Only GET and HEAD, which is NGINX' own choice: the body of a POST is no part of any key.
          'proxy_cache_methods GET HEAD;',
          `proxy_cache_key "${name} $http_accept $request_uri";`,
          `proxy_cache_valid 200 ${cacheSeconds}s;`,
          'proxy_cache_lock on;',
          // Whoever sends a cookie or a body may be meant alone.
          'proxy_cache_bypass $http_cookie $http_content_length $http_transfer_encoding;',
          'proxy_no_cache $http_cookie $http_content_length $http_transfer_encoding;',
          'add_header X-Cache-Status $upstream_cache_status;',
        ]),
  ];
}

function upstreamName(route: string): string {
  return `sluice_${route}`;
}

function block(head: string, lines: readonly string[]): readonly string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}'];
}
