import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { resolved } from '../fixtures/resolved.ts';
import { knownMetric, means } from '../fixtures/telemetry-names.ts';
import { AlertTopic, ConstructError, ReleaseAlarms, ReleaseDashboard, type ReleaseDashboardProps } from '../index.ts';

interface Widget {
  readonly type: 'metric' | 'text' | 'alarm';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly metrics?: readonly (readonly (string | Options)[])[];
    readonly annotations?: { readonly horizontal: readonly { readonly value: number; readonly label: string }[] };
    readonly alarms?: readonly string[];
  };
}

interface Options {
  readonly id?: string;
  readonly expression?: string;
  readonly stat?: string;
  readonly visible?: boolean;
}

function widgetsOf(build: (stack: Stack) => void): readonly Widget[] {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  build(stack);
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.parse(String(resolved(dashboard?.['Properties'].DashboardBody))) as {
    readonly widgets: readonly Widget[];
  };
  return body.widgets;
}

const of = (props: Partial<ReleaseDashboardProps> = {}) =>
  widgetsOf((stack) => {
    new ReleaseDashboard(stack, 'Dashboard', { endpointName: 'churn', ...props });
  });

const full = {
  variants: ['baseline', 'canary'],
  hardware: { vcpus: 8, gpus: 1 },
  trainings: ['churn', 'ranker'],
  model: 'churn',
} as const;

const kinds: Readonly<Record<string, Partial<ReleaseDashboardProps>>> = {
  'one variant': {},
  everything: full,
  'no GPU': { hardware: { vcpus: 4 } },
  asynchronous: { kind: 'asynchronous' },
  serverless: { kind: 'serverless' },
};

describe.each(Object.entries(kinds))('the dashboard of an endpoint: %s', (_, props) => {
  const widgets = of(props);

  test('has widgets that fit on the grid and lie on no other', () => {
    const taken = new Map<string, string>();
    for (const { x, y, width, height, properties, type } of widgets) {
      const name = properties.title ?? type;
      expect([name, x >= 0 && y >= 0 && x + width <= 24 && width > 0 && height > 0]).toEqual([name, true]);
      for (let column = x; column < x + width; column++)
        for (let line = y; line < y + height; line++) {
          expect(taken.get(`${column},${line}`)).toBeUndefined();
          taken.set(`${column},${line}`, name);
        }
    }
  });

  test('has a title of its own on each, and something to show', () => {
    const graphs = widgets.filter(({ type }) => type === 'metric');
    const titles = graphs.map(({ properties }) => properties.title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { properties } of graphs)
      expect([properties.title, (properties.metrics ?? []).length > 0]).toEqual([properties.title, true]);
  });

  test('asks for metrics of the vocabulary, by statistics that mean something', () => {
    let seen = 0;
    for (const { properties } of widgets)
      for (const metric of properties.metrics ?? []) {
        const words = metric.filter((word): word is string => typeof word === 'string');
        const options = metric.find((word): word is Options => typeof word === 'object');
        if (words.length === 0) continue;
        const [namespace = '', name = '', ...dimensions] = words;
        const found = knownMetric(
          namespace,
          name,
          dimensions.filter((_word, index) => index % 2 === 0),
        );
        expect([name, options?.stat, found !== undefined && means(found, options?.stat ?? 'Average')]).toEqual([
          name,
          options?.stat,
          true,
        ]);
        seen += 1;
      }
    expect(seen).toBeGreaterThan(5);
  });

  test('searches only for metrics of the vocabulary, with all their dimensions', () => {
    const searches = widgets.flatMap(({ properties }) =>
      (properties.metrics ?? []).flatMap((metric) =>
        metric.flatMap((word) =>
          typeof word === 'object' && word.expression?.startsWith('SEARCH') ? [word.expression] : [],
        ),
      ),
    );
    expect(searches.length).toBe('model' in props ? 3 : 0);
    for (const search of searches) {
      const [, schema = '', name = ''] = /^SEARCH\('\{([^}]+)\} MetricName="([^"]+)"/.exec(search) ?? [];
      const [namespace = '', ...dimensions] = schema.split(',');
      expect([search, knownMetric(namespace, name, dimensions)?.name]).toEqual([search, name]);
    }
  });

  test('defines whatever its expressions name, once in a widget', () => {
    for (const { properties } of widgets) {
      const options = (properties.metrics ?? []).flatMap((metric) =>
        metric.filter((word): word is Options => typeof word === 'object'),
      );
      const ids = options.flatMap(({ id }) => id ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { expression = '' } of options) {
        if (expression.startsWith('SEARCH')) continue;
        for (const [name] of expression.matchAll(/\b(?!IF\b|AND\b|SUM\b|FILL\b)[a-z]\w*/gi))
          expect(ids).toContain(name);
      }
    }
  });
});

describe('the dashboard of an endpoint', () => {
  const titles = (props: Partial<ReleaseDashboardProps>) =>
    of(props).flatMap(({ properties }) => properties.title ?? []);

  test('draws the service level where it is measured', () => {
    const widgets = of({ serviceLevel: { availability: 0.99, latency: { objective: 0.95, threshold: 0.2 } } });
    const line = (title: string) =>
      widgets.find(({ properties }) => properties.title === title)?.properties.annotations?.horizontal[0]?.value;
    expect(line('Latency p95 in microseconds')).toBe(200_000);
    expect(line("Share that failed by the server's fault")).toBe(0.01);
    expect(line('Share slower than 0.2 s')).toBe(0.05);
  });

  test('shows what there is: weights of several variants, a queue, cold starts, training, drift', () => {
    expect(titles({})).not.toContain('Share of requests: the weights variants really have');
    expect(titles(full)).toContain('Share of requests: the weights variants really have');
    expect(titles(full)).toContain('Saved by spot a day in US dollars');
    expect(titles({ kind: 'asynchronous' })).toContain('Requests that wait');
    expect(titles({ kind: 'serverless' })).toContain('Time of cold starts in microseconds');
    expect(titles({ kind: 'serverless' }).join()).not.toMatch(/Memory|GPU|Instances/);
    expect(titles({ hardware: { vcpus: 4 } }).join()).not.toMatch(/GPU/);
  });

  test('has the state of the alarms at its top', () => {
    const [first] = widgetsOf((stack) => {
      const alarms = new ReleaseAlarms(stack, 'Alarms', {
        endpointName: 'churn',
        pages: new AlertTopic(stack, 'Pages'),
      });
      new ReleaseDashboard(stack, 'Dashboard', { endpointName: 'churn', alarms });
    });
    expect(first?.type).toBe('alarm');
    expect(first?.properties.alarms?.[0]).toMatch(/Unhealthy/);
    expect(first?.properties.alarms?.length).toBeGreaterThan(10);
  });

  test('can be of an endpoint whose name is not known yet', () => {
    const widgets = widgetsOf((stack) => {
      const name = new CfnParameter(stack, 'Endpoint').valueAsString;
      new ReleaseDashboard(stack, 'Dashboard', { endpointName: name });
    });
    expect(JSON.stringify(widgets)).toContain('"EndpointName","<Endpoint>"');
  });

  test('says everything that is wrong at once', () => {
    const build = () =>
      of({
        endpointName: 'no name',
        dashboardName: 'a b',
        model: 'x" OR "',
        trainings: [''],
        serviceLevel: { availability: 2, latency: { objective: 0, threshold: -1 } },
      });
    let codes: readonly string[] = [];
    try {
      build();
    } catch (error) {
      codes = error instanceof ConstructError ? error.problems.map(({ code }) => code) : [];
    }
    expect(codes).toEqual([
      'bad-endpoint-name',
      'bad-dashboard-name',
      'bad-dimension',
      'bad-dimension',
      'bad-objective',
      'bad-objective',
      'bad-threshold',
    ]);
  });
});
