import * as z from 'zod';
import { PeerError } from '../../../core/problem/index.ts';
import { excerpt, parsedJson } from '../../../core/text/index.ts';
import { HttpAsker, shownUrl } from '../../http-question.ts';

const applicationSchema = z.looseObject({
  status: z.string(),
  message: z.string().optional(),
  route_prefix: z.string().nullish(),
  /** As it was submitted, and only what was; null for what was deployed by code. */
  deployed_app_config: z.looseObject({ name: z.string() }).nullish(),
  deployments: z
    .record(
      z.string(),
      z.looseObject({
        status: z.string(),
        message: z.string().optional(),
        deployment_config: z.looseObject({ user_config: z.unknown() }),
      }),
    )
    .optional(),
});
const detailsSchema = z.looseObject({
  applications: z.record(z.string(), applicationSchema),
  proxy_location: z.string().nullish(),
  http_options: z.looseObject({}).nullish(),
  grpc_options: z.looseObject({}).nullish(),
  target_capacity: z.number().nullish(),
});

export type RayApplication = z.infer<typeof applicationSchema>;
export type RayDetails = z.infer<typeof detailsSchema>;
/** An application's configuration, as Serve wants it. */
export type RayApplicationConfig = NonNullable<RayApplication['deployed_app_config']>;

/**
 * Ray Serve's REST API. It has one document for all applications, and whoever writes it last wins: the applications that are not in it are
 * removed. So it is read, changed and written as a whole.
 */
export class RayApi implements AsyncDisposable {
  readonly #asker = new HttpAsker({ timeoutMs: 30_000, maxAnswerBytes: 16 * 2 ** 20 });
  readonly #url: URL;

  /** @param dashboard `http://ray-head:8265` */
  constructor(dashboard: string) {
    this.#url = new URL(`${dashboard.replace(/\/+$/, '')}/api/serve/applications/`);
  }

  /** Throws a PeerError when nothing that is Ray answers. */
  async details(): Promise<RayDetails> {
    const { status, text } = await this.#asker.ask({ url: this.#url });
    const { data } = detailsSchema.safeParse(parsedJson(text));
    if (status === 200 && data !== undefined) return data;
    throw new PeerError({
      code: status === 401 || status === 403 ? 'forbidden' : 'no-ray-serve',
      message: `${shownUrl(this.#url)} does not answer as Ray Serve does`,
      found: excerpt(`${status} ${text}`, 200),
      fix: "Give the address of Ray's dashboard (port 8265), reachable without a token from here.",
    });
  }

  /** Every application that was deployed by the API, with this one in place of the one of its name. */
  async deploy(details: RayDetails, changed: RayApplicationConfig): Promise<void> {
    const { applications, proxy_location, http_options, grpc_options, target_capacity } = details;
    const configs = Object.values(applications).flatMap(({ deployed_app_config: config }) =>
      config === null || config === undefined ? [] : [config.name === changed.name ? changed : config],
    );
    const document = {
      ...(proxy_location ? { proxy_location } : {}),
      ...(http_options ? { http_options } : {}),
      ...(grpc_options ? { grpc_options } : {}),
      ...(target_capacity === null || target_capacity === undefined ? {} : { target_capacity }),
      applications: configs,
    };
    const body = JSON.stringify(document);
    if (body.includes('"<redacted>"')) throw redacted(this.#url);
    const { status, text } = await this.#asker.ask({
      url: this.#url,
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json' },
    });
    if (status >= 200 && status <= 299) return;
    throw new PeerError({
      code: status === 401 || status === 403 ? 'forbidden' : 'ray-refused',
      message: 'Ray Serve refused the new weights',
      found: excerpt(`${status} ${text}`, 300),
      fix: "See the Serve controller's log; whoever runs this has to be allowed to deploy applications.",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
  }
}

/** Written back, the placeholder would take the place of a secret. */
function redacted(url: URL): PeerError {
  return new PeerError({
    code: 'redacted-config',
    message: `${shownUrl(url)} hides environment variables of applications, which therefore cannot be written back`,
    fix: "Reach it directly, not through what makes the question look like a browser's; or set RAY_DASHBOARD_REDACT_RUNTIME_ENV=0 over there.",
  });
}
