import { closeSync, openSync, readSync } from 'node:fs';

/** The machine a native library is built for, in npm's words. */
export interface Platform {
  /** `process.platform`: `linux`, `darwin`, `win32`. */
  readonly os: string;
  /** `process.arch`: `x64`, `arm64`. */
  readonly cpu: string;
  /** Which C library Linux has; `none` elsewhere. */
  readonly libc: 'glibc' | 'musl' | 'none';
}

/** `linux-x64`, `linux-arm64-musl`: the form npm packages of native libraries use in their names. */
export function platformName(platform: Platform): string {
  return `${platform.os}-${platform.cpu}${platform.libc === 'musl' ? '-musl' : ''}`;
}

/** What this process runs on. */
export function thisPlatform(os: string = process.platform, cpu: string = process.arch): Platform {
  return { os, cpu, libc: os !== 'linux' ? 'none' : process.platform === 'linux' ? runningLibc() : 'glibc' };
}

/**
 * The dynamic loader that Node's own executable asks for names the C library it was linked with. Reading its first bytes takes
 * microseconds; `process.report` would take tens of milliseconds.
 */
function runningLibc(): 'glibc' | 'musl' {
  const start = Buffer.alloc(4096);
  try {
    const file = openSync(process.execPath, 'r');
    try {
      readSync(file, start, 0, start.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return 'glibc';
  }
  return start.includes('ld-musl-') ? 'musl' : 'glibc';
}
