import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { gateInputsFrom } from '../../github/index.ts';
import { canaryCommands, canaryInputsFrom, metricsCaOf, secretOf } from './canary-inputs.ts';

const definition = parse(readFileSync(new URL('./action.yml', import.meta.url), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
};

/** Inputs as the runner hands them over: what is not set has its default, or is empty. */
function inputsOf(set: Readonly<Record<string, string>> = {}) {
  const asked = new Set<string>();
  const read = (name: string) => {
    asked.add(name);
    return set[name] ?? definition.inputs[name]?.default ?? '';
  };
  return { asked, inputs: canaryInputsFrom(gateInputsFrom(read), read) };
}

describe('the inputs of the action', () => {
  test('are those that action.yml names, and all of them are read', () => {
    expect([...inputsOf().asked].toSorted()).toEqual(Object.keys(definition.inputs).toSorted());
  });

  test('without any set say: run, stop before six hours are over', () => {
    expect(inputsOf().inputs).toEqual({
      command: 'run',
      policyFile: 'sluice.yaml',
      directory: process.cwd(),
      base: { kind: 'event' },
      comment: 'never',
      checkRun: false,
      maxMinutes: 350,
      reportDirectory: 'sluice-report',
      token: expect.stringContaining('github.token'),
    });
  });

  test('become one object', () => {
    const set = {
      command: ' Abort ',
      id: 'v2',
      'metrics-url': 'https://prometheus.example.com',
      'metrics-token-env': 'PROMETHEUS_TOKEN',
      'metrics-ca': 'ca.pem',
      kubeconfig: 'kube/config',
      context: 'shop',
      'max-minutes': '12.5',
      deployment: 'production',
      webhook: 'https://hooks.example.com/x',
      'grafana-url': 'https://grafana.example.com',
      'grafana-token-env': 'GRAFANA_TOKEN',
    };
    expect(inputsOf(set).inputs).toMatchObject({
      command: 'abort',
      id: 'v2',
      metricsUrl: 'https://prometheus.example.com',
      metricsTokenVariable: 'PROMETHEUS_TOKEN',
      metricsCaFile: 'ca.pem',
      kubeconfig: 'kube/config',
      context: 'shop',
      maxMinutes: 12.5,
      deployment: 'production',
      webhook: 'https://hooks.example.com/x',
      grafanaUrl: 'https://grafana.example.com',
      grafanaTokenVariable: 'GRAFANA_TOKEN',
    });
  });

  test('that are wrong are told all at once', () => {
    expect(() => inputsOf({ command: 'rollback', 'max-minutes': '-1' })).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ found: '"rollback"', expected: canaryCommands.join(', ') }),
          expect.objectContaining({ found: '"-1"' }),
        ],
      }),
    );
  });

  test.each(canaryCommands)('the command %s is named in action.yml', (command) => {
    expect(definition.inputs['command']?.description).toContain(`\`${command}\``);
  });
});

test('a secret is read from the variable that is named, never from the input', () => {
  expect(secretOf(undefined, 'metrics-token-env', {})).toBeUndefined();
  expect(secretOf('TOKEN', 'metrics-token-env', { TOKEN: ' abc ' })).toBe('abc');
  expect(() => secretOf('TOKEN', 'metrics-token-env', { TOKEN: ' ' })).toThrow(
    /metrics-token-env names TOKEN.*is empty/,
  );
  expect(() => secretOf('TOKEN', 'metrics-token-env', {})).toThrow(/is not set/);
});

test('a certificate authority that cannot be read is named', async () => {
  expect(await metricsCaOf({ directory: '.' })).toBeUndefined();
  await expect(metricsCaOf({ directory: '/', metricsCaFile: 'no/such.pem' })).rejects.toThrow(/no\/such.pem/);
});
