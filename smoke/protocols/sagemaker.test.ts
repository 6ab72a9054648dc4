import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import {
  conformanceAnswer,
  conformanceModel,
  type HttpRoutes,
  type StandInAnswer,
  type StandInRequest,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import type { Answer } from '../protocol.ts';
import type { Target } from '../target.ts';
import { openSagemaker, type SageMakerOptions } from './sagemaker.ts';

const { feeds, specs, expected } = conformanceModel;
const region = 'eu-west-1';
const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_EC2_METADATA_DISABLED'] as const;
const before = names.map((name) => [name, process.env[name]] as const);

beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'not-a-real-secret';
  process.env['AWS_SESSION_TOKEN'] = 'session-of-a-test';
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
});

afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

/** Signature Version 4: a scope of today and the region, the host and the payload signed. */
function signed({ headers }: StandInRequest): boolean {
  return (
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sagemaker\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/.test(
      headers['authorization'] ?? '',
    ) &&
    /^\d{8}T\d{6}Z$/.test(headers['x-amz-date'] ?? '') &&
    /^[0-9a-f]{64}$/.test(headers['x-amz-content-sha256'] ?? '') &&
    headers['x-amz-security-token'] === 'session-of-a-test'
  );
}

const forbidden: StandInAnswer = {
  status: 403,
  headers: { 'x-amzn-errortype': 'MissingAuthenticationTokenException' },
  body: '{"message":"Missing Authentication Token"}',
};

function endpoint(status: string, more: object = {}): StandInAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify({
      CreationTime: 1.7e9,
      EndpointArn: `arn:aws:sagemaker:${region}:123456789012:endpoint/model`,
      EndpointConfigName: 'config-1',
      EndpointName: 'model',
      EndpointStatus: status,
      LastModifiedTime: 1.7e9,
      ProductionVariants: [
        { VariantName: 'blue', CurrentWeight: 1 },
        { VariantName: 'green', CurrentWeight: 0 },
      ],
      ...more,
    }),
  };
}

/** SageMaker Runtime and the SageMaker API on one port: paths tell them apart, as hosts do at AWS. */
const aws: HttpRoutes = {
  isInference: ({ path }) => path.startsWith('/endpoints/'),
  control: (request) => {
    if (!signed(request)) return forbidden;
    return request.headers['x-amz-target'] === 'SageMaker.DescribeEndpoint'
      ? endpoint('InService')
      : { status: 400, body: '{"__type":"UnknownOperationException"}' };
  },
  loading: endpoint('Creating'),
  infer: (request, rows) =>
    signed(request)
      ? {
          status: 200,
          headers: {
            'x-amzn-invoked-production-variant': request.headers['x-amzn-sagemaker-target-variant'] ?? 'blue',
          },
          body: JSON.stringify({ outputs: conformanceAnswer(rows) }),
        }
      : forbidden,
  refusal: {
    status: 424,
    headers: { 'x-amzn-errortype': 'ModelError' },
    body: JSON.stringify({
      ErrorCode: 'CLIENT_ERROR_FROM_MODEL',
      LogStreamArn: 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/model',
      Message: 'Received client error (400) from blue with message "could not convert string to float".',
      OriginalMessage: 'could not convert string to float',
      OriginalStatusCode: 400,
    }),
  },
  failure: {
    status: 503,
    headers: { 'x-amzn-errortype': 'ServiceUnavailable' },
    body: '{"Message":"Service is currently unavailable."}',
  },
};

function open(target: Target, options: SageMakerOptions = {}): ReturnType<typeof openSagemaker> {
  return openSagemaker(target, { region, controlUrl: target.url, ...options });
}

tensorConformance({
  name: 'sagemaker',
  start: (behaviour) => startHttpStandIn(aws, behaviour),
  open,
});

function target(url: URL, more: Partial<Target> = {}): Target {
  return { url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
}

async function invoked(
  options: SageMakerOptions,
  answer?: StandInAnswer,
  more?: Partial<Target>,
): Promise<{ readonly answer: Answer<unknown>; readonly request: StandInRequest | undefined }> {
  const routes = answer === undefined ? aws : { ...aws, infer: () => answer };
  await using standIn = await startHttpStandIn(routes, 'right');
  await using protocol = open(target(standIn.url, more), options);
  return { answer: await protocol.infer(feeds, specs), request: standIn.requests.at(-1) };
}

describe('SageMaker', () => {
  test('is sent a signed request with body, types and variant', async () => {
    const { answer, request } = await invoked({ variant: 'green' });
    expect(request).toMatchObject({
      method: 'POST',
      path: '/endpoints/model/invocations',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-amzn-sagemaker-target-variant': 'green',
      },
    });
    expect(request?.body.toString()).toBe('{"instances":[[1,2,3],[4,5,6.5]]}');
    expect(answer).toMatchObject({ status: 200, value: expected, modelVersion: 'green' });
  });

  test('takes the version for the variant, and the endpoint from the URL', async () => {
    await using standIn = await startHttpStandIn(aws, 'right');
    const url = new URL('/endpoints/from-url/invocations', standIn.url);
    const { model: _, ...nameless } = target(url, { version: 'green' });
    await using protocol = open(nameless);
    await protocol.infer(feeds, specs);
    expect(standIn.requests[0]).toMatchObject({
      path: '/endpoints/from-url/invocations',
      headers: { 'x-amzn-sagemaker-target-variant': 'green' },
    });
  });

  test('is sent CSV and read from CSV', async () => {
    const { answer, request } = await invoked(
      { format: 'csv' },
      { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8' }, body: '0.25,0.75\n0.5,0.5\n' },
    );
    expect(request?.headers).toMatchObject({ 'content-type': 'text/csv', accept: 'text/csv' });
    expect(request?.body.toString()).toBe('1,2,3\n4,5,6.5\n');
    expect(answer.value).toEqual({ probabilities: expected['probabilities'] });
  });

  test("tells the container's own status and message of a refusal", async () => {
    const { answer } = await invoked({}, aws.refusal);
    expect(answer).toMatchObject({ status: 400, refusal: 'could not convert string to float' });
  });

  test('is described by its variants', async () => {
    await using standIn = await startHttpStandIn(aws, 'right');
    await using protocol = open(target(standIn.url));
    expect(await protocol.describe()).toEqual({ name: 'model', platform: 'sagemaker', versions: ['blue', 'green'] });
  });

  test('is not ready when it failed, and says why', async () => {
    const failed = endpoint('Failed', { FailureReason: 'The primary container did not pass the ping health check.' });
    await using standIn = await startHttpStandIn({ ...aws, control: () => failed }, 'right');
    await using protocol = open(target(standIn.url));
    expect(await protocol.ready()).toMatchObject({
      ready: false,
      problem: { found: 'Failed: The primary container did not pass the ping health check.' },
    });
  });

  test('names the permission that lacks', async () => {
    const denied: StandInAnswer = {
      status: 400,
      body: '{"__type":"AccessDeniedException","Message":"User: x is not authorized to perform: sagemaker:DescribeEndpoint"}',
    };
    await using standIn = await startHttpStandIn({ ...aws, control: () => denied }, 'right');
    await using protocol = open(target(standIn.url));
    expect(await protocol.ready()).toMatchObject({
      ready: false,
      status: 400,
      problem: { found: expect.stringContaining('not authorized'), fix: expect.stringContaining('DescribeEndpoint') },
    });
    expect(await protocol.describe()).toBeUndefined();
  });

  test.each([
    ['https://runtime.sagemaker.eu-west-1.amazonaws.com', 'a_b', 'no-endpoint'],
    ['https://runtime.sagemaker.eu-west-1.amazonaws.com', undefined, 'no-endpoint'],
    ['https://models.example.com', 'model', 'no-region'],
  ])('needs to know the endpoint and the region: %s %s', (url, model, code) => {
    const { AWS_REGION: region1, AWS_DEFAULT_REGION: region2, ...rest } = process.env;
    process.env = rest;
    try {
      const { model: _, ...nameless } = target(new URL(url));
      openSagemaker(model === undefined ? nameless : { ...nameless, model });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).problems[0].code).toBe(code);
    } finally {
      if (region1 !== undefined) process.env['AWS_REGION'] = region1;
      if (region2 !== undefined) process.env['AWS_DEFAULT_REGION'] = region2;
    }
  });
});

test('the token of a role goes to the service of tokens, and not to the server that is tried', async () => {
  const told: string[] = [];
  const record = (who: string, request: IncomingMessage, respond: () => void) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      told.push(`${who} ${body}`);
      respond();
    });
  };
  const tokens = createServer((request, response) =>
    record('tokens', request, () =>
      response.end(
        '<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIDEXAMPLE</AccessKeyId>' +
          '<SecretAccessKey>not-a-real-secret</SecretAccessKey><SessionToken>session-of-a-test</SessionToken>' +
          '<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
      ),
    ),
  );
  const tried = createServer((request, response) =>
    record('tried', request, () => {
      const answer = endpoint('InService');
      response.writeHead(answer.status, answer.headers).end(answer.body);
    }),
  );
  const urls = await Promise.all(
    [tokens, tried].map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sluice-role-'));
  await writeFile(join(folder, 'token'), 'token-of-the-job');
  vi.stubEnv('AWS_ACCESS_KEY_ID', '');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/tests');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', urls[0]);
  try {
    const url = new URL(urls[1] ?? '');
    const target: Target = { url, model: 'model', headers: {}, timeoutMs: 10_000, maxAnswerBytes: 100_000 };
    await using protocol = openSagemaker(target, { region, controlUrl: url });
    expect(await protocol.ready()).toEqual({ ready: true });
    expect(told.map((each) => each.slice(0, 6))).toEqual(['tokens', 'tried ']);
    expect(told[0]).toContain('token-of-the-job');
    expect(told[1]).not.toContain('token-of-the-job');
  } finally {
    vi.unstubAllEnvs();
    tokens.close();
    tried.close();
    await rm(folder, { recursive: true, force: true });
  }
});
