import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { servingMetrics, servingProfiles } from '../../core/telemetry/index.ts';
import { metricsConformance } from '../conformance.ts';
import { CountingServer } from './counting-server.ts';
import { openScrape, type ScrapeArm } from './scrape.ts';

async function serve(text: () => string, status = 200, type = 'text/plain; version=0.0.4'): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': type }).end(text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): URL {
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
}

function arm(...urls: readonly URL[]): ScrapeArm {
  return { targets: urls.map((url) => ({ url })), model: 'churn' };
}

metricsConformance('scrape', async () => {
  const [canary, baseline] = [new CountingServer('churn', '2'), new CountingServer('churn', '1')];
  const [atCanary, atBaseline] = [await canary.listen(), await baseline.listen()];
  const source = openScrape({
    profile: servingProfiles.sluice,
    canary: arm(atCanary),
    baseline: arm(atBaseline),
    timeoutMs: 300,
  });
  const server = (name: 'canary' | 'baseline') => (name === 'canary' ? canary : baseline);
  return {
    source,
    send: async (name, requests, failing) => server(name).count(requests, failing),
    restart: async (name) => server(name).reset(),
    vanish: async (name) => server(name).close(),
    fail: async (how) => {
      for (const each of [canary, baseline]) await each.fail(how);
    },
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      canary.close();
      baseline.close();
    },
  };
});

describe('scraping', () => {
  test('reads two versions from one server, each for itself', async () => {
    const [one, two] = [new CountingServer('churn', '1'), new CountingServer('churn', '2')];
    one.count(10, 1);
    two.count(20, 4);
    const server = await serve(() => `${one.text()}${two.text()}`);
    await using source = openScrape({
      profile: servingProfiles.sluice,
      canary: { ...arm(urlOf(server)), version: '2' },
      baseline: { ...arm(urlOf(server)), version: '1' },
    });
    const { canary, baseline, remarks } = await source.read();
    expect(canary).toMatchObject([{ requests: 20, errors: 4 }]);
    expect(baseline).toMatchObject([{ requests: 10, errors: 1 }]);
    expect(remarks).toEqual([]);
    server.close();
  });

  test('counts classes of predictions, and buckets where there are none', async () => {
    const { predictionClass, predictionValue } = servingMetrics;
    const labels = 'model_name="churn",model_version="1",output="y"';
    const counted = new CountingServer('churn', '1');
    counted.count(3);
    const classes = ['a', 'b'].map(
      (each, index) => `${predictionClass.name}{${labels},class="${each}"} ${index + 5}\n`,
    );
    const buckets = [1, 4, 4].map(
      (count, index) => `${predictionValue.name}_bucket{${labels},le="${['0.5', '1', '+Inf'][index]}"} ${count}\n`,
    );
    const withClasses = await serve(() => counted.text() + classes.join('') + buckets.join(''));
    const withBuckets = await serve(() => counted.text() + buckets.join(''));
    await using source = openScrape({
      profile: servingProfiles.sluice,
      canary: arm(urlOf(withClasses)),
      baseline: arm(urlOf(withBuckets)),
    });
    const { canary, baseline } = await source.read();
    expect(canary[0]?.predictions).toEqual({ a: 5, b: 6 });
    expect(baseline[0]?.predictions).toEqual({ '<=0.5': 1, '<=1': 3, '<=+Inf': 0 });
    withClasses.close();
    withBuckets.close();
  });

  test('goes on with the processes that answer, and says which did not', async () => {
    const counted = new CountingServer('churn', '1');
    counted.count(3);
    const here = await serve(() => counted.text());
    const login = await serve(() => '<html>\u001b[2J', 401, 'text/html');
    await using source = openScrape({
      profile: servingProfiles.sluice,
      canary: arm(urlOf(here), urlOf(login)),
      baseline: arm(urlOf(here)),
    });
    const { canary, remarks } = await source.read();
    expect(canary).toHaveLength(1);
    expect(remarks).toEqual([
      `${urlOf(login).host} of the canary could not be read: ${urlOf(login)} answers HTTP 401.`,
    ]);
    here.close();
    login.close();
  });

  test('takes errors of the whole server where a server tells them only so', async () => {
    const server = await serve(
      () =>
        'ts_inference_requests_total{model_name="churn",model_version="default"} 9\nRequests2XX{Level="Host"} 9\nRequests5XX{Level="Host"} 2\n',
    );
    await using source = openScrape({
      profile: servingProfiles.torchserve,
      canary: arm(urlOf(server)),
      baseline: arm(urlOf(server)),
    });
    expect((await source.read()).canary).toMatchObject([{ requests: 11, errors: 2 }]);
    server.close();
  });

  test('refuses a profile that counts no errors: none seen would be none', () => {
    const { outcomes: _none, ...profile } = servingProfiles.sluice;
    expect(() => openScrape({ profile, canary: arm(), baseline: arm() })).toThrow(/does not count its errors/);
  });

  test('asks no address where clouds keep credentials', async () => {
    const url = new URL('http://169.254.169.254/latest/meta-data');
    await using source = openScrape({ profile: servingProfiles.sluice, canary: arm(url), baseline: arm(url) });
    await expect(source.read()).rejects.toMatchObject({ problems: [{ code: 'forbidden-address' }] });
  });
});
