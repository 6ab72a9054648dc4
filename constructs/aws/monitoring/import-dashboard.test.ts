import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GrafanaStandIn } from '../fixtures/grafana-stand-in.ts';
import { importProgram, mostInline } from './import-program.ts';

type Handler = (event: object, context: { getRemainingTimeInMillis(): number }) => Promise<void>;

const { handler } = createRequire(import.meta.url)('./import-dashboard.cjs') as { readonly handler: Handler };

let grafana: GrafanaStandIn;

beforeEach(async () => {
  grafana = new GrafanaStandIn();
  await grafana.start();
  vi.stubEnv('AWS_ENDPOINT_URL_GRAFANA', grafana.url);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.spyOn(console, 'log').mockReturnValue(undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await grafana[Symbol.asyncDispose]();
});

const dashboard = { uid: 'sluice-churn', title: 'Churn', id: 7, panels: [{ title: 'Requests' }] };

/** As CloudFormation sends it, and what it is told. `leftMs`: of the function's time. */
async function asked(
  RequestType: 'Create' | 'Update' | 'Delete',
  properties: Readonly<Record<string, string>> = {},
  leftMs = 600_000,
) {
  await handler(
    {
      RequestType,
      RequestId: 'c3f1',
      StackId: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/models/1',
      LogicalResourceId: 'Dashboard',
      ResponseURL: `${grafana.url}/cloudformation`,
      ResourceProperties: {
        WorkspaceId: 'g-0a1b2c3d4e',
        Endpoint: grafana.url,
        Uid: 'sluice-churn',
        Folder: JSON.stringify({ uid: 'sluice', title: 'Sluice' }),
        DataSource: JSON.stringify({ uid: 'sluice-prometheus', type: 'prometheus', url: 'https://aps.example/' }),
        Dashboard: JSON.stringify(dashboard),
        ...properties,
      },
    },
    { getRemainingTimeInMillis: () => leftMs },
  );
  return grafana.told.at(-1);
}

const paths = () => grafana.asked.map(({ method, path }) => `${method} ${path}`);

describe('the import of a dashboard, by the real SDK', () => {
  test('makes the folder and the data source, imports it, and says where it is', async () => {
    expect(await asked('Create')).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: 'g-0a1b2c3d4e/sluice-churn',
      Data: { Url: '/d/sluice-churn/x' },
    });
    expect(grafana.dashboards.get('sluice-churn')).toEqual({ ...dashboard, id: null });
    expect(grafana.folders.get('sluice')).toEqual({ uid: 'sluice', title: 'Sluice' });
    expect(grafana.dataSources.get('sluice-prometheus')).toMatchObject({ url: 'https://aps.example/' });
  });

  test('answers CloudFormation without a content type, which its signature does not have', async () => {
    expect((await asked('Create'))?.contentType).toBe('');
  });

  test('leaves no token behind, and one account whatever happens', async () => {
    await asked('Create');
    await asked('Update');
    expect([...grafana.tokens]).toEqual([]);
    expect(grafana.accounts).toEqual([{ id: '1', name: 'sluice-dashboards', grafanaRole: 'ADMIN' }]);
    const made = grafana.asked.filter(({ path, method }) => method === 'POST' && path.endsWith('/tokens'));
    expect(made.map(({ body }) => body.secondsToLive)).toEqual([900, 900]);
  });

  test('finds its account on a later page', async () => {
    await asked('Create');
    grafana.pagesBefore = 2;
    await asked('Update');
    expect(grafana.accounts.length).toBe(1);
  });

  test('once more gives the same, with the dashboard and the data source as they are now', async () => {
    await asked('Create');
    const told = await asked('Update', {
      Dashboard: JSON.stringify({ ...dashboard, title: 'Churn 2' }),
      DataSource: JSON.stringify({ uid: 'sluice-prometheus', type: 'prometheus', url: 'https://other.example/' }),
    });
    expect(told).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'g-0a1b2c3d4e/sluice-churn' });
    expect(grafana.dashboards.get('sluice-churn')).toMatchObject({ title: 'Churn 2' });
    expect(grafana.dataSources.get('sluice-prometheus')).toMatchObject({ url: 'https://other.example/' });
    expect(grafana.folders.size).toBe(1);
  });

  test('leaves everything where it is when it is to be deleted', async () => {
    await asked('Create');
    const before = paths().length;
    expect(await asked('Delete')).toMatchObject({ Status: 'SUCCESS' });
    expect(paths().length).toBe(before);
    expect(grafana.dashboards.size).toBe(1);
  });

  test('waits for a workspace that does not answer yet', async () => {
    grafana.failures.set('/api/folders/sluice', ['nothing', 503, 429]);
    expect(await asked('Create')).toMatchObject({ Status: 'SUCCESS' });
    expect(paths().filter((path) => path === 'GET /api/folders/sluice').length).toBe(4);
  }, 30_000);

  test('says what Grafana refused, and takes its token back', async () => {
    grafana.failures.set('/api/dashboards/db', [422]);
    const told = await asked('Create');
    expect(told).toMatchObject({
      Status: 'FAILED',
      Reason: 'Error: Grafana answers 422 to POST /api/dashboards/db: {"message":"not now"}',
      PhysicalResourceId: 'g-0a1b2c3d4e/sluice-churn',
    });
    expect([...grafana.tokens]).toEqual([]);
  });

  test('gives up in time to say so', async () => {
    grafana.failures.set('/api/folders/sluice', [503, 503, 503]);
    expect(await asked('Create', {}, 30_500)).toMatchObject({
      Status: 'FAILED',
      Reason: 'Error: Grafana answers 503 to GET /api/folders/sluice: {"message":"not now"}',
    });
  });

  test('says what AWS refused, in one line of plain text and without a token', async () => {
    grafana.failures.set('/workspaces/g-0a1b2c3d4e/serviceaccounts/1/tokens', [403, 403, 403]);
    const told = await asked('Create');
    expect(told?.Status).toBe('FAILED');
    expect(told?.Reason).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.stringify(told)).not.toContain('glsa_');
  });

  test('writes no token to its log', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
    await asked('Create');
    expect(JSON.stringify(log.mock.calls)).toContain('SUCCESS');
    expect(JSON.stringify(log.mock.calls)).not.toContain('glsa_');
  });
});

describe('the program', () => {
  test('fits into a template, and needs nothing but the SDK that the runtime brings', () => {
    expect(importProgram().length).toBeLessThanOrEqual(mostInline);
    expect([...importProgram().matchAll(/require\('([^']+)'\)/g)].map(([, name]) => name)).toEqual([
      '@aws-sdk/client-grafana',
    ]);
  });
});
