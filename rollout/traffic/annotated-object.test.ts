import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { ApiServerStandIn, type Instead } from '../kubernetes/api-server-stand-in.ts';
import { type Traffic, TrafficConflict, type TrafficProvider } from '../traffic-provider.ts';
import { beforeAnnotation, recordAnnotation, sameTraffic } from './annotated-object.ts';
import { openKubernetesTraffic } from './kubernetes-providers.ts';

const path = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/churn';
const spec = { http: [{ route: [{ destination: { host: 'churn', subset: 'v1' } }] }] };

let server: ApiServerStandIn;
let provider: TrafficProvider;

beforeEach(async () => {
  server = await ApiServerStandIn.start();
  server.put(path, { spec });
  provider = open();
});

afterEach(async () => {
  await provider[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function open(outageMs?: number): TrafficProvider {
  return openKubernetesTraffic(
    { provider: 'istio', namespace: 'shop', virtualService: 'churn', baseline: 'v1', canary: 'v2' },
    server.client({ answerMs: 300, ...(outageMs === undefined ? {} : { outageMs, firstMs: outageMs }) }),
  );
}

const at = (canaryWeight: number): Traffic => ({ canaryWeight, mirrorPercent: 0 });

/** At each patch: what happens to it. */
function patches(meet: (number: number) => Instead | undefined): void {
  let count = 0;
  server.instead = ({ method }) => (method === 'PATCH' ? meet(++count) : undefined);
}

describe('a move', () => {
  test('is one write of record and traffic together', async () => {
    await provider.move({ record: 'r', traffic: at(5), after: undefined });
    expect(server.asked.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    expect((await provider.read()).desired).toEqual(at(5));
    expect((await provider.record())?.text).toBe('r');
  });

  test('whose answer is lost after it was done is found done, not done twice and no conflict', async () => {
    const lost = open();
    let patched = 0;
    server.instead = (asked) => {
      if (asked.method !== 'PATCH' || ++patched > 1) return undefined;
      // Done, and the answer never comes.
      server.change(path, ({ metadata }) => ({
        spec: {
          http: [
            {
              route: [
                { destination: { host: 'churn', subset: 'v1' }, weight: 95 },
                { destination: { host: 'churn', subset: 'v2' }, weight: 5 },
              ],
            },
          ],
        },
        metadata: { ...metadata, annotations: { [recordAnnotation]: 'r', [beforeAnnotation]: '{"canary":false}' } },
      }));
      return 'cut';
    };
    const revision = await lost.move({ record: 'r', traffic: at(5), after: undefined });
    expect(patched).toBe(1);
    expect(await provider.record()).toEqual({ text: 'r', revision });
    await lost[Symbol.asyncDispose]();
  });

  test('goes through beside a controller that writes the status before every one of its writes', async () => {
    let turns = 0;
    patches(() => {
      server.change(path, () => ({ status: { turn: ++turns } }));
      return undefined;
    });
    await provider.move({ record: 'r', traffic: at(5), after: undefined });
    expect(turns).toBe(1);
  });

  test('goes through after somebody changed another part of the spec in between', async () => {
    patches((number) => {
      if (number === 1)
        server.change(path, ({ spec: old }) => ({ spec: { ...(old as object), hosts: ['new.example.com'] } }));
      return undefined;
    });
    await provider.move({ record: 'r', traffic: at(5), after: undefined });
    expect(server.at(path).spec).toMatchObject({ hosts: ['new.example.com'] });
    expect((await provider.read()).desired).toEqual(at(5));
  });

  test('is a conflict when the record or the traffic was changed in between, and writes nothing', async () => {
    patches((number) => {
      if (number === 1) {
        server.change(path, ({ metadata }) => ({
          metadata: { ...metadata, annotations: { [recordAnnotation]: 'theirs' } },
        }));
      }
      return undefined;
    });
    await expect(provider.move({ record: 'r', traffic: at(5), after: undefined })).rejects.toBeInstanceOf(
      TrafficConflict,
    );
    expect(server.at(path).spec).toEqual(spec);
  });

  test('to an object that was made anew since is a conflict', async () => {
    const after = await provider.move({ record: 'r', traffic: at(5), after: undefined });
    const { spec: now, metadata } = server.at(path);
    server.put(path, { spec: now, metadata: { annotations: metadata.annotations ?? {} } });
    await expect(provider.move({ record: 'r2', after })).rejects.toBeInstanceOf(TrafficConflict);
  });

  test('that an admission webhook makes something else of is no success', async () => {
    const original = server.at(path);
    server.instead = ({ method }) =>
      method === 'PATCH' ? { status: 200, body: JSON.stringify({ ...original, spec }) } : undefined;
    await expect(provider.move({ record: 'r', traffic: at(5), after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'traffic-changed-on-the-way', found: '0 % to the canary', expected: '5 % to the canary' }],
    });
  });

  test('that the server calls invalid is an error, not a conflict without end', async () => {
    const body = JSON.stringify({ kind: 'Status', message: 'spec.http: Invalid value' });
    patches(() => ({ status: 422, body }));
    await expect(provider.move({ record: 'r', traffic: at(5), after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'invalid' }],
    });
  });

  test('ends when others will not let it through, with what to do', async () => {
    patches(() => ({ status: 409, body: JSON.stringify({ kind: 'Status', message: 'modified' }) }));
    await using impatient = open(100);
    await expect(impatient.move({ record: 'r', traffic: at(5), after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'changed-meanwhile' }],
    });
  });
});

describe('what the rollout keeps at the object', () => {
  test('is its record and how the route was, and goes with it', async () => {
    const first = await provider.move({ record: 'r', traffic: at(5), after: undefined });
    expect(server.at(path).metadata.annotations).toEqual({
      [recordAnnotation]: 'r',
      [beforeAnnotation]: '{"canary":false}',
    });
    await provider.move({ record: 'r2', traffic: at(0), after: first });
    await provider.finish('rolled-back');
    await provider.clear((await provider.record())?.revision ?? '');
    expect(server.at(path).metadata.annotations ?? {}).toEqual({});
    expect(server.at(path).spec).toEqual(spec);
  });

  test.each(['no JSON', '{"canary":"yes"}', '[]', 'null'])(
    'and was changed to %s by somebody is done without',
    async (text) => {
      const after = await provider.move({ record: 'r', traffic: at(5), after: undefined });
      server.change(path, ({ metadata }) => ({
        metadata: { ...metadata, annotations: { ...metadata.annotations, [beforeAnnotation]: text } },
      }));
      await provider.move({ record: 'r2', traffic: at(0), after });
      await provider.finish('rolled-back');
      expect((await provider.read()).desired).toEqual(at(0));
    },
  );

  test('of a record that was removed by hand does not say how the next rollout found the route', async () => {
    await provider.move({ record: 'r', traffic: at(5), after: undefined });
    const canary = { destination: { host: 'churn', subset: 'v2' }, weight: 0 };
    const baseline = { destination: { host: 'churn', subset: 'v1' }, weight: 100 };
    // Somebody removes the record and lists the canary for good.
    server.change(path, ({ metadata }) => ({
      spec: { http: [{ route: [baseline, canary] }] },
      metadata: { ...metadata, annotations: { [beforeAnnotation]: '{"canary":false}' } },
    }));
    await provider.move({ record: 'next', traffic: at(5), after: undefined });
    await provider.finish('rolled-back');
    expect(server.at(path).spec).toEqual({ http: [{ route: [baseline, canary] }] });
  });

  test('can be read where the route cannot', async () => {
    const revision = await provider.move({ record: 'r', traffic: at(5), after: undefined });
    server.change(path, () => ({ spec: { http: 'broken' } }));
    const stored = await provider.record();
    expect(stored?.text).toBe('r');
    expect(stored?.revision).not.toBe(revision);
    await expect(provider.read()).rejects.toBeInstanceOf(PeerError);
  });
});

test('an object that is not there is told by its name', async () => {
  await using other = openKubernetesTraffic(
    { provider: 'istio', namespace: 'shop', virtualService: 'none', baseline: 'v1', canary: 'v2' },
    server.client(),
  );
  await expect(other.record()).rejects.toMatchObject({
    problems: [{ code: 'no-such-object', message: 'there is no VirtualService shop/none' }],
  });
});

test('two traffics are the same whatever the header’s letters are', () => {
  const header = { name: 'X-Canary', value: 'yes' };
  expect(sameTraffic({ ...at(0), header }, { ...at(0), header: { ...header, name: 'x-canary' } })).toBe(true);
  expect(sameTraffic({ ...at(0), header }, at(0))).toBe(false);
  expect(sameTraffic(at(1), at(2))).toBe(false);
});
