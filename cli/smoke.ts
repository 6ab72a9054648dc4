import type { Command } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { judge } from './judge.ts';
import type { Session } from './session.ts';

interface SmokeFlags extends CommonFlags {
  readonly protocol?: string;
  readonly model?: string;
  readonly name?: string;
  readonly version?: string;
  readonly policy?: string;
  readonly deadline?: string;
  readonly header: readonly string[];
  readonly tokenEnv?: string;
  readonly ca?: string;
  readonly report?: string;
}

/** `sluice smoke`: what `actions/smoke-test` does, without publishing. */
export function addSmoke(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('smoke')
      .argument('<url>', 'where the server is: http(s)://host:port or grpc(s)://host:port')
      .option(
        '--protocol <name>',
        'what it speaks: v2, v2-grpc, triton, kserve-v1, torchserve, mlflow, sagemaker, openai-chat, openai-completions, ollama, rag, rest',
      )
      .option('--model <file>', 'the ONNX file that should be running')
      .option('--policy <file>', 'the policy whose "smoke" is the plan; sluice.yaml where there is one')
      .option('--name <name>', "the model's name on the server; the file's name when not given")
      .option('--version <version>', 'the version that must be served')
      .option('--deadline <time>', 'how long to wait until it is ready, such as 30s or 5m')
      .option('--header <header>', '"Name: value", as often as needed; values are never shown', collected, [])
      .option('--token-env <variable>', 'the environment variable with a token, sent as Authorization: Bearer')
      .option('--ca <file>', 'a certificate authority to trust, in PEM')
      .option(
        '--report <folder>',
        'write report.html, report.json, report.md, report.junit.xml and report.sarif there',
      ),
  )
    .summary('hold a running model server against its ONNX file')
    .description(
      'Waits until the server is ready, then holds what it says and answers against the ONNX file run here, sends it nonsense, and measures it.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    the server is what it should be
  1    it could not be judged: a wrong flag, no model file, a token it does not take, a certificate that is not trusted
  100  it is not, or it was not ready in time

Examples:
  $ sluice smoke http://localhost:8080 --protocol v2 --model models/churn.onnx
  $ sluice smoke https://staging.example.com --policy sluice.yaml --token-env STAGING_TOKEN --report smoke-report
  $ sluice smoke grpc://localhost:8081 --protocol v2-grpc --model models/churn.onnx --version 3`,
    )
    .action((url: string, flags: SmokeFlags) => {
      const { policy, report, header, protocol, model, name, version, deadline, tokenEnv, ca } = flags;
      const given = {
        url,
        headers: header,
        ...(policy === undefined ? {} : { policyFile: policy }),
        ...(protocol === undefined ? {} : { protocol }),
        ...(model === undefined ? {} : { modelFile: model }),
        ...(name === undefined ? {} : { modelName: name }),
        ...(version === undefined ? {} : { version }),
        ...(deadline === undefined ? {} : { deadline }),
        ...(tokenEnv === undefined ? {} : { tokenVariable: tokenEnv }),
        ...(ca === undefined ? {} : { caFile: ca }),
      };
      const gate = { ...flags, policy: policy ?? 'sluice.yaml', ...(report === undefined ? {} : { report }) };
      return judge(session, gate, async () => {
        const { run } = await import('../actions/smoke-test/run.ts');
        return ({ policyFile: _, ...inputs }, host) => run({ ...inputs, ...given }, host);
      });
    });
}

function collected(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
