/** One file of one commit, wherever it is kept. */
export interface StoredFile {
  readonly bytes: number;
  /** Of the content, hexadecimal, where it is known without reading it. */
  readonly sha256?: string;
  read(): Promise<Buffer>;
  /** Writes the content to `file`, which need not exist. */
  copyTo(file: string): Promise<void>;
}

/** A place that holds a commit's files. */
export interface CommitFiles {
  /** `path` is relative to the repository's top. Undefined: the commit has no such file. */
  open(path: string): Promise<StoredFile | undefined>;
}

/** The path names something that is not a plain file. */
export class NotAFile extends Error {
  readonly kind: string;

  constructor(kind: string) {
    super(`it is ${kind}, not a file`);
    this.name = 'NotAFile';
    this.kind = kind;
  }
}
