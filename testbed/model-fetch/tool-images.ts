import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchImages } from '../../constructs/kubernetes/index.ts';
import { debianFiles } from '../debian-packages.ts';
import { goProgram } from '../go-program.ts';
import { type PythonEnvironment, pythonEnvironment } from '../serving/python.ts';
import type { Image } from './container.ts';

/** A stand-in for an image of `fetchImages`, by what the image is called there. */
export type ToolImages = Readonly<Record<keyof typeof fetchImages, () => Promise<Image>>>;

/**
 * Stand-ins for the images that fetch and verify: the real programs, and the shell and the commands that go with them there.
 * @param folder for what is made for one run
 * @param authority of the certificates that they trust, in PEM
 */
export function toolImages(folder: string, authority: string): ToolImages {
  const etc = join(folder, 'etc');
  mkdirSync(join(etc, 'ssl/certs'), { recursive: true });
  writeFileSync(join(etc, 'ssl/certs/ca-certificates.crt'), authority);
  writeFileSync(join(etc, 'hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(etc, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  const alpine = alpineFrom(join(folder, 'bin'), etc);
  return {
    verify: alpine,
    http: async () => {
      if (!existsSync(curl)) {
        throw new Error(`The test of fetched models needs ${curl}: install it (apt-get install curl).`);
      }
      const bound = ['/usr/lib', '/usr/lib64'].filter((each) => existsSync(each));
      return [...(await alpine()), ...[...bound, curl].flatMap((each) => ['--ro-bind', each, each]), ...libraries];
    },
    oci: async () => [...(await alpine()), '--ro-bind', await orasProgram(), '/usr/bin/oras'],
    s3: async () => {
      const python = await awsEnvironment();
      const home = realpathSync(join(python.bin, 'python')).replace(/\/bin\/[^/]+$/, '');
      return [
        ...[
          '--ro-bind',
          '/usr',
          '/usr',
          ...libraries,
          '--symlink',
          '/usr/bin/bash',
          '/bin/sh',
          '--ro-bind',
          etc,
          '/etc',
        ],
        ...['--ro-bind', python.directory, python.directory, ...(home === '/usr' ? [] : ['--ro-bind', home, home])],
        ...['--setenv', 'PATH', `${python.bin}:/usr/bin`],
      ];
    },
  };
}

const curl = '/usr/bin/curl';
const libraries = ['--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64'];

/** oras of the version in `fetchImages`. */
export function orasProgram(): Promise<string> {
  const version = fetchImages.oci.replace(/^.*:/, '');
  return goProgram({ name: 'oras', from: { module: 'oras.land/oras' }, version, command: './cmd/oras', go: '1.24' });
}

/** AWS' command. The package index has its first version only; what is asked of it here is the same in the 2.27.0 of `fetchImages`. */
export function awsEnvironment(): Promise<PythonEnvironment> {
  return pythonEnvironment('aws-cli', ['awscli==1.40.0']);
}

const missing =
  'The test of fetched models needs BusyBox: let `apt-get download busybox-static` reach a Debian mirror.';

/** BusyBox and nothing else, as in its own image and on Alpine. */
function alpineFrom(bin: string, etc: string): () => Promise<Image> {
  return async () => {
    const busybox = join(await debianFiles('busybox', ['busybox-static'], missing), 'bin/busybox');
    if (!existsSync(bin)) {
      mkdirSync(bin);
      writeFileSync(join(bin, 'busybox'), '');
      for (const command of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
        if (command !== 'busybox') symlinkSync('busybox', join(bin, command));
      }
    }
    return ['--ro-bind', bin, '/bin', '--ro-bind', busybox, '/bin/busybox', '--ro-bind', etc, '/etc'];
  };
}
