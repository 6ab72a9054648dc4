import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { Ended, HostShell } from './host-shell.ts';

/** What a host's folder says. */
export interface HostState {
  /** The release that `current` leads to. */
  readonly current: string;
  /** A change of this host began and did not come to its end. */
  readonly unfinished: boolean;
  /** Whether the release to go back to is there. */
  readonly hasBaseline: boolean;
}

/** A model file as it has to arrive. */
export interface ModelFile {
  /** Here. */
  readonly path: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string;
}

/**
 * The folder of releases on one host:
 *
 * ```
 * releases/v1/model.onnx      one folder a release; it appears whole or not at all
 * releases/v2/model.onnx
 * current -> releases/v2      what the server reads; changed by one rename
 * .sluice-unfinished          there while a host is being changed
 * ```
 *
 * Everything here may be repeated, and may be cut off anywhere. Throws a PeerError for whatever goes wrong over there.
 */
export class HostFolder {
  readonly #shell: HostShell;
  readonly #directory: string;
  /** What the model's file is called in every release. */
  readonly #file: string;
  readonly #name: string;

  /** @param name of the host, for people */
  constructor(shell: HostShell, name: string, directory: string, file: string) {
    this.#shell = shell;
    this.#name = name;
    this.#directory = directory;
    this.#file = file;
  }

  async state(baseline: string): Promise<HostState> {
    const { output } = await this.#script('look at its folder', scripts.state, [baseline]);
    const lines = output.split('\n');
    const link = lines.find((line) => line.startsWith('current='))?.slice('current='.length) ?? '';
    const [, current] = /(?:^|\/)releases\/([^/]+)\/*$/.exec(link) ?? [];
    if (current === undefined) {
      throw new PeerError({
        code: 'no-release-folder',
        message: `${this.#name} has no release to begin from`,
        place: { file: `${this.#directory}/current` },
        found: link === '' ? 'no symbolic link' : excerpt(link),
        expected: 'a symbolic link to releases/VERSION',
        fix: `Lay it out once: mkdir -p ${this.#directory}/releases/${baseline}, move ${this.#file} there, and in ${this.#directory} run: ln -s releases/${baseline} current. The server reads current/${this.#file}.`,
      });
    }
    return { current, unfinished: lines.includes('unfinished'), hasBaseline: lines.includes('baseline') };
  }

  /** Brings the model as a release of this name, unless it is there already. The digest is taken on the host, of what is on its disk. */
  async stage(version: string, { path, digest }: ModelFile): Promise<void> {
    const there = await this.#digestOf(version);
    if (there === digest) return;
    if (there !== undefined) {
      throw new PeerError({
        code: 'version-taken',
        message: `${this.#name} already has another model as ${version}`,
        found: `SHA-256 ${excerpt(there)}`,
        expected: `SHA-256 ${digest}`,
        fix: 'Give the new model a version of its own (canary.traffic.canary).',
      });
    }
    await this.#script('copy the model', scripts.copy, [version, this.#file, digest], { file: path });
    const { code, output } = await this.#run(scripts.publish, [version, this.#file, digest]);
    if (code === wrongDigest) {
      throw new PeerError({
        code: 'wrong-digest',
        message: `what arrived on ${this.#name} is not the model`,
        found: `SHA-256 ${excerpt(output.trim(), 80)}`,
        expected: `SHA-256 ${digest}`,
        fix: 'Try again; if it happens again, check the disk and the network of that host.',
      });
    }
    if (code !== 0 && (await this.#digestOf(version)) !== digest)
      await this.#script('publish the release', scripts.publish, [version, this.#file, digest]);
  }

  /** From here on the host counts as unfinished. */
  async begin(): Promise<void> {
    await this.#script('write to its folder', scripts.begin);
  }

  /** `current` leads to the release, in one step. */
  async point(version: string): Promise<void> {
    await this.#script(`switch to ${version}`, scripts.point, [version]);
  }

  /** The host is as it should be. */
  async end(): Promise<void> {
    await this.#script('write to its folder', scripts.end);
  }

  /** Removes a release that `stage` brought, unless it is the current one. */
  async discard(version: string): Promise<void> {
    await this.#script(`remove ${version}`, scripts.discard, [version]);
  }

  async #digestOf(version: string): Promise<string | undefined> {
    const { output } = await this.#script('take the digest of the model', scripts.digest, [version, this.#file]);
    const [, digest] = /^([0-9a-f]{64})\b/.exec(output) ?? [];
    if (digest === undefined && output.trim() !== 'absent') return `(${excerpt(output.trim(), 60)})`;
    return digest;
  }

  async #script(
    what: string,
    script: string,
    words: readonly string[] = [],
    input?: { readonly file: string },
  ): Promise<Ended> {
    const ended = await this.#run(script, words, input);
    if (ended.code === 0) return ended;
    throw new PeerError({
      code: 'host-command-failed',
      message: `${this.#name} could not ${what}`,
      place: { file: this.#directory },
      found: excerpt(`exit ${ended.code}: ${ended.errors.trim()}`, 300),
      fix: `See that the folder is there, that ${this.#shell.title} may write it, that it has room, and that sh, sha256sum, mv -T and ln of coreutils or BusyBox are there.`,
    });
  }

  #run(script: string, words: readonly string[], input?: { readonly file: string }): Promise<Ended> {
    return this.#shell.run(
      ['sh', '-c', script, 'sluice', this.#directory, ...words],
      input === undefined ? {} : { input, timeoutMs: copyMs },
    );
  }
}

/** Milliseconds a copy may take: ten gigabytes over a slow line. */
const copyMs = 3_600_000;
const wrongDigest = 65;

// Fixed texts: what varies comes in as "$1" and so on. $1 is always the folder.
const inFolder = 'set -eu; cd -- "$1";';
const scripts = {
  state: `${inFolder} echo "current=$(readlink current || true)"; if [ -e .sluice-unfinished ]; then echo unfinished; fi; if [ -d "releases/$2" ]; then echo baseline; fi`,
  digest: `${inFolder} if [ -e "releases/$2" ]; then sha256sum < "releases/$2/$3"; else echo absent; fi`,
  copy: `${inFolder} umask 022; mkdir -p releases; rm -rf "releases/.part-$2"; mkdir "releases/.part-$2"; cat > "releases/.part-$2/$3"; printf '%s\\n' "$4" > "releases/.part-$2/.sluice-release"`,
  publish: `${inFolder} cd releases; sum=$(sha256sum < ".part-$2/$3"); sum=\${sum%% *}; if [ "$sum" != "$4" ]; then echo "$sum"; rm -rf ".part-$2"; exit ${wrongDigest}; fi; mv -T ".part-$2" "$2"`,
  begin: `${inFolder} : > .sluice-unfinished`,
  point: `${inFolder} [ -d "releases/$2" ]; rm -f .sluice-next; ln -s "releases/$2" .sluice-next; mv -fT .sluice-next current`,
  end: `${inFolder} rm -f .sluice-unfinished`,
  discard: `${inFolder} rm -rf "releases/.part-$2"; case "$(readlink current)" in releases/"$2"|*/releases/"$2") exit 0;; esac; if [ -f "releases/$2/.sluice-release" ]; then rm -rf "releases/$2"; fi`,
} as const;
