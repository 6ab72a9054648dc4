import type { ConstructProblem } from '../problem.ts';

interface ImageParts {
  readonly tag?: string;
  readonly digest?: string;
}

/** Tag and digest of an image's reference: `registry:5000/team/server:1.2@sha256:...`. */
export function imageParts(image: string): ImageParts {
  const [name = '', digest] = image.split('@');
  // A colon before the last slash is a port.
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** An image that may be another one tomorrow. `prop` is what users call it. */
export function imageProblems(image: string, prop: string): readonly ConstructProblem[] {
  const { tag, digest } = imageParts(image);
  if (digest !== undefined) {
    if (/^sha256:[0-9a-f]{64}$/.test(digest)) return [];
    return [
      {
        code: 'bad-digest',
        message: `${prop} has a digest that is none`,
        found: digest,
        expected: 'sha256: and 64 hexadecimal digits',
        fix: 'Copy it from the registry.',
      },
    ];
  }
  if (tag !== undefined && tag !== 'latest') return [];
  return [
    {
      code: 'mutable-image',
      message:
        tag === undefined
          ? `${prop} has neither a tag nor a digest, so each pod may run another version`
          : `${prop} has the tag "latest", so each pod may run another version`,
      found: image,
      fix: 'Name a version, best with its digest (name:1.2.3@sha256:...), or set allowMutableImage: true.',
    },
  ];
}

/** Images whose registry may still hand out something else under the same name. */
export function withoutDigest(images: readonly string[]): readonly string[] {
  return [...new Set(images.filter((image) => imageParts(image).digest === undefined))];
}
