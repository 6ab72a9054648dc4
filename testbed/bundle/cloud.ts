import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ProxyStandIn } from '../../core/http/proxy-stand-in.ts';
import { type ApiHandlers, ApiStandIn, standInCredentials } from '../../rollout/aws/api-stand-in.ts';
import { CloudWatchStandIn } from '../../rollout/metrics/cloudwatch-stand-in.ts';
import { EndpointStandIn } from '../../rollout/traffic/sagemaker/endpoint-stand-in.ts';
import { type AwsEmulator, startAwsEmulator } from '../aws/aws-emulator.ts';

const region = 'eu-west-1';

/** The way out of a company's network: a proxy, and behind it AWS and others under the names they have in the world. */
export class Cloud implements AsyncDisposable {
  /** What a job is told: the proxy, its certificate, the region, and the keys of an account. */
  readonly environment: Readonly<Record<string, string>>;
  /** What a job is told instead of keys: a role, and the token of the job. */
  readonly role: Readonly<Record<string, string>>;
  readonly endpoint: EndpointStandIn;
  readonly #proxy: ProxyStandIn;
  readonly #emulator: AwsEmulator;
  readonly #api: ApiStandIn;
  readonly #folder: string;

  private constructor(parts: {
    readonly proxy: ProxyStandIn;
    readonly emulator: AwsEmulator;
    readonly api: ApiStandIn;
    readonly endpoint: EndpointStandIn;
  }) {
    this.#proxy = parts.proxy;
    this.#emulator = parts.emulator;
    this.#api = parts.api;
    this.endpoint = parts.endpoint;
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-cloud-'));
    const ca = join(this.#folder, 'ca.pem');
    writeFileSync(ca, this.#proxy.ca);
    const token = join(this.#folder, 'token');
    writeFileSync(token, 'token-of-the-job');
    const way = { HTTPS_PROXY: this.#proxy.url, NODE_EXTRA_CA_CERTS: ca, AWS_REGION: region };
    this.environment = {
      ...way,
      AWS_ACCESS_KEY_ID: standInCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: standInCredentials.secretAccessKey,
      AWS_SESSION_TOKEN: standInCredentials.sessionToken,
    };
    const role = 'arn:aws:iam::123456789012:role/sluice';
    this.role = { ...way, AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: role };
  }

  static async open(files: Readonly<Record<string, Uint8Array>>): Promise<Cloud> {
    const emulator = await startAwsEmulator();
    const endpoint = new EndpointStandIn();
    const api = await ApiStandIn.start({
      ...endpoint.handlers(),
      'sagemaker:DescribeEndpoint': (input) => {
        // Its traffic has followed by the time that it is looked at.
        endpoint.settle();
        return endpoint.handlers()['sagemaker:DescribeEndpoint']?.(input) ?? { refuse: 'InternalFailure' };
      },
      ...new CloudWatchStandIn().handlers(),
      ...athena(),
    });
    const domains = ['', 's3.', 's3-us-east-1.', 'sagemaker.', 'runtime.sagemaker.'].map(
      (name) => `*.${name}${region}.amazonaws.com`,
    );
    const hosts = [...domains, '*.sagemaker.eu-west-1.amazonaws.com', '*.example.com', 'registry.npmjs.org'];
    const answer = mlflow(files['model.onnx']);
    const proxy = await ProxyStandIn.start(hosts, (request, response) => {
      const host = request.headers.host ?? '';
      if (/^(athena|api\.sagemaker|monitoring)\./.test(host)) pass(request, response, api.url);
      else if (/^runtime\.sagemaker\./.test(host)) refuseNonsense(request, response);
      else if (host.endsWith('.amazonaws.com')) pass(request, response, new URL(emulator.endpoint));
      else if (host === 'mlflow.example.com') answer(request, response);
      else response.writeHead(404).end('{}');
    });
    const cloud = new Cloud({ proxy, emulator, api, endpoint });
    await cloud.#store(files);
    return cloud;
  }

  /** The hosts that were asked for, without their ports. */
  get asked(): ReadonlySet<string> {
    return new Set(this.#proxy.asked.map((address) => address.replace(/:443$/, '')));
  }

  /** Statements that Athena was asked to stop. */
  get stopped(): number {
    return this.#api.calls.filter(({ operation }) => operation === 'StopQueryExecution').length;
  }

  /** What is wrong with requests to AWS, by AWS's own models of its APIs. */
  get faults(): readonly string[] {
    return this.#api.faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
    await this.#emulator.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #store(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const client = new S3Client({
      endpoint: this.#emulator.endpoint,
      region,
      forcePathStyle: true,
      credentials: standInCredentials,
    });
    const Bucket = 'acme-models';
    await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    for (const [Key, Body] of Object.entries(files)) await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    client.destroy();
  }
}

/** Athena with one table, `shop.orders`: three rows of one column. A statement about `shop.stuck` never ends. */
function athena(): ApiHandlers {
  const statements = new Map<string, string>();
  const sqlOf = (id: unknown): string => statements.get(String(id)) ?? '';
  return {
    'athena:StartQueryExecution': ({ QueryString: sql }) => {
      const id = crypto.randomUUID();
      statements.set(id, String(sql));
      return { output: { QueryExecutionId: id } };
    },
    'athena:GetQueryExecution': ({ QueryExecutionId: id }) => ({
      output: {
        QueryExecution: {
          QueryExecutionId: String(id),
          Status: { State: sqlOf(id).includes('stuck') ? 'RUNNING' : 'SUCCEEDED' },
          Statistics: { DataScannedInBytes: 1000 },
        },
      },
    }),
    'athena:GetQueryResults': ({ QueryExecutionId: id }) => {
      const count = /count\(\*\)/i.test(sqlOf(id));
      const name = count ? '_col0' : 'amount';
      const cells = (value: string) => ({ Data: [{ VarCharValue: value }] });
      return {
        output: {
          ResultSet: {
            Rows: [cells(name), ...(count ? [cells('3')] : [])],
            ResultSetMetadata: { ColumnInfo: [{ Name: name, Type: 'bigint' }] },
          },
        },
      };
    },
    'athena:StopQueryExecution': () => ({ output: {} }),
  };
}

/** MLflow as far as a champion needs it: version 7 of `tumour`, the champion, is `model`. The real one is in `mlflow-sources.test.ts`. */
function mlflow(model: Uint8Array | undefined): (request: IncomingMessage, response: ServerResponse) => void {
  const folder = '/api/2.0/mlflow-artifacts/artifacts';
  const answers: Readonly<Record<string, object>> = {
    '/api/2.0/mlflow/registered-models/alias': { model_version: { name: 'tumour', version: '7', run_id: 'r1' } },
    '/api/2.0/mlflow/model-versions/get-download-uri': { artifact_uri: 'mlflow-artifacts:/1/m/artifacts' },
    [folder]: { files: ['MLmodel', 'model.onnx'].map((path) => ({ path, is_dir: false })) },
  };
  return ({ url = '' }, response) => {
    const { pathname } = new URL(url, 'https://mlflow.example.com');
    const known = answers[pathname];
    if (known !== undefined) response.end(JSON.stringify(known));
    else if (pathname === `${folder}/1/m/artifacts/model.onnx`) response.end(model);
    else response.writeHead(404).end('{}');
  };
}

/** An endpoint's container that is shown nonsense alone. */
function refuseNonsense(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () =>
    response.writeHead(400, { 'x-amzn-errortype': 'ValidationError' }).end('{"message":"no instances"}'),
  );
}

function pass(from: IncomingMessage, to: ServerResponse, url: URL): void {
  const { method, headers, url: path } = from;
  const passed = ask({ host: url.hostname, port: url.port, method, headers, path }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  passed.on('error', () => to.destroy());
  from.pipe(passed);
}
