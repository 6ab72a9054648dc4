import { goProgram } from '../go-program.ts';

/** https://github.com/nektos/act: runs workflows as GitHub's own runner does, on this machine. */
export const actVersion = 'v0.2.89';

/**
 * The runner's binary: from the cache, else built there once with Go (about a minute).
 * @throws when it is not there and cannot be built, with what to do
 */
export function actBinary(): Promise<string> {
  return goProgram({
    name: 'act',
    from: { module: 'github.com/nektos/act' },
    version: actVersion,
    command: '.',
    go: '1.25',
    linkerFlags: `-X main.version=${actVersion.slice(1)}`,
  });
}
