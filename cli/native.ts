import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface NativeFlags extends CommonFlags {
  readonly platform?: { readonly platform: string; readonly arch: string };
}

/** `sluice native`: fills a folder for SLUICE_NATIVE_DIR. */
export function addNative(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('native')
      .argument('<folder>', 'a new or empty folder')
      .option('--platform <os-cpu>', 'the machine it is for, as Node names it: linux-x64, darwin-arm64', platformOf),
  )
    .summary('bring ONNX Runtime and DuckDB for a machine without internet')
    .description(
      'Downloads ONNX Runtime and DuckDB, checks them against the SHA-512 that Sluice carries, and unpacks them into a folder. ' +
        'A self-hosted runner without internet sets SLUICE_NATIVE_DIR to it.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice native sluice-native
  $ sluice native sluice-native --platform linux-arm64
  $ SLUICE_NATIVE_DIR=$PWD/sluice-native sluice gate`,
    )
    .action((folder: string, flags: NativeFlags) =>
      perform(session, flags, async (host) => {
        const { bringNativeParts, nativeVersions } = await import('../core/native/index.ts');
        await bringNativeParts(resolve(session.streams.directory, folder), { host, ...flags.platform });
        if (flags.json === true) {
          session.streams.stdout.write(`${JSON.stringify({ directory: folder, ...nativeVersions }, null, 2)}\n`);
        } else {
          host.info(`ONNX Runtime ${nativeVersions.onnxruntime} and DuckDB ${nativeVersions.duckdb} are in ${folder}`);
          host.info('Set SLUICE_NATIVE_DIR to it where Sluice runs.');
        }
        return 0;
      }),
    );
}

function platformOf(text: string): { readonly platform: string; readonly arch: string } {
  const [, platform, arch] = /^(linux|darwin|win32)-(x64|arm64)$/.exec(text) ?? [];
  if (platform === undefined || arch === undefined) {
    throw new InvalidArgumentError('expected linux, darwin or win32, then -x64 or -arm64, such as linux-x64.');
  }
  return { platform, arch };
}
