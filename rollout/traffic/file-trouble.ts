import { excerpt } from '../../core/text/index.ts';

/**
 * What the system says of a file, without saying where the file is on this machine: `ENOENT: no such file or directory`. The reason why a
 * rollout went back is kept beside the traffic and told in reports, which others read. Printable.
 */
export function fileTrouble(cause: unknown): string {
  if (!(cause instanceof Error)) return excerpt(String(cause), 200);
  // Node's message goes on with the call and the paths: `, open '/srv/model.onnx'`.
  const isOfSystem = 'syscall' in cause && 'code' in cause;
  return excerpt(isOfSystem ? (cause.message.split(', ')[0] ?? '') : cause.message, 200);
}
