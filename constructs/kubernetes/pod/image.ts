import type { ConstructProblem, Findings } from '../problem.ts';

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

/** An image that may be another one tomorrow, unless `allowMutable`. `prop` is what users call it. */
export function imageProblems(image: string, prop: string, allowMutable = false): readonly ConstructProblem[] {
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
  if (allowMutable || (tag !== undefined && tag !== 'latest')) return [];
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

/** What is said of images whose registry may still hand out something else under the same name. */
interface MutableWords {
  readonly message?: string;
  readonly fix?: string;
}

/** Tells of images that may become others under the same name. */
export function warnOfImages(images: readonly string[], findings: Findings, words: MutableWords = {}): void {
  const unpinned = [...new Set(images.filter((image) => imageParts(image).digest === undefined))];
  if (unpinned.length === 0) return;
  findings.warn({
    code: 'image-without-digest',
    message: 'what these images are may change under the same name',
    found: unpinned.join(', '),
    fix: 'Add their digests (name:1.2.3@sha256:...).',
    ...words,
  });
}

/** Adds what is wrong with the image; where nothing is, tells of it and of those `beside` it as `warnOfImages` does. */
export function checkImage(
  { image, allowMutableImage }: { readonly image: string; readonly allowMutableImage?: boolean },
  findings: Findings,
  { beside = [], ...words }: MutableWords & { readonly beside?: readonly string[] } = {},
): void {
  const problems = imageProblems(image, 'image', allowMutableImage);
  findings.add(...problems);
  if (problems.length === 0) warnOfImages([image, ...beside], findings, words);
}
