/** What an HTTP/1.1 answer was. */
export interface WireResponse {
  readonly status: number;
  /** What was kept of the body: see `ReaderLimits`. */
  readonly body: Uint8Array;
  /** Whether another request may go over the connection. */
  readonly reusable: boolean;
}

export interface ReaderLimits {
  /** Bytes a body may have. */
  readonly maxBodyBytes: number;
  /** Keeps bodies of 2xx; else only their length counts. Of other bodies the start is kept, which says what is wrong. */
  readonly keepBodies: boolean;
}

/** `not-http`: this is no HTTP/1.1. `answer-too-big`: more than `maxBodyBytes`. */
export class UnreadableResponse extends Error {
  readonly code: 'not-http' | 'answer-too-big';

  constructor(code: UnreadableResponse['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const mostHeadBytes = 65_536;
const mostLineBytes = 1024;
const keptOfRefusals = 4096;
const nothing: Buffer = Buffer.alloc(0);

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'until-close';

/**
 * Reads the answers that come over one connection, one after the other (RFC 9112), in whatever pieces they arrive. Node's own client costs
 * a third of a millisecond at the 99th percentile, which is as much as a small model takes; what a load generator has to know of an answer
 * is little. Answers to HEAD and CONNECT are not read here.
 */
export class ResponseReader {
  readonly #limits: ReaderLimits;
  #state: State = 'head';
  /** Bytes of a head or a line that is not whole yet. */
  #unread: Buffer = nothing;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;
  #status = 0;
  #reusable = true;
  #bodyBytes = 0;
  #keep = 0;
  #kept: Buffer[] = [];

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
  }

  /** Takes what arrived; gives the answer once it is whole. Throws an UnreadableResponse, after which nothing more can be read. */
  push(bytes: Buffer): WireResponse | undefined {
    let rest = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    this.#unread = nothing;
    for (;;) {
      switch (this.#state) {
        case 'head': {
          const end = rest.indexOf('\r\n\r\n');
          if (end === -1) return this.#wait(rest, mostHeadBytes, 'a head');
          const head = rest.toString('latin1', 0, end);
          rest = rest.subarray(end + 4);
          if (this.#head(head)) return this.#finish(rest);
          break;
        }
        case 'length':
        case 'chunk-data': {
          if (rest.length < this.#left) {
            this.#take(rest);
            this.#left -= rest.length;
            return undefined;
          }
          this.#take(rest.subarray(0, this.#left));
          rest = rest.subarray(this.#left);
          if (this.#state === 'length') return this.#finish(rest);
          this.#state = 'chunk-end';
          break;
        }
        case 'until-close':
          this.#take(rest);
          return undefined;
        default: {
          const end = rest.indexOf('\r\n');
          if (end === -1) return this.#wait(rest, mostLineBytes, 'a line');
          const line = rest.toString('latin1', 0, end);
          rest = rest.subarray(end + 2);
          if (this.#line(line)) return this.#finish(rest);
        }
      }
    }
  }

  /** The server ended the connection: the answer, if its body goes on until then; undefined if it is not whole. */
  end(): WireResponse | undefined {
    return this.#state === 'until-close' ? this.#finish(nothing) : undefined;
  }

  #wait(rest: Buffer, most: number, what: string): undefined {
    if (rest.length > most) throw new UnreadableResponse('not-http', `${what} of more than ${most} bytes`);
    // Something else that sends without being asked (SSH, a mail server) says so in its first bytes.
    const start = rest.toString('latin1', 0, 5);
    if (this.#state === 'head' && !'HTTP/'.startsWith(start)) {
      throw new UnreadableResponse('not-http', 'an answer that does not begin with HTTP/');
    }
    this.#unread = rest;
  }

  /** Whether the answer ends with its head. */
  #head(head: string): boolean {
    const [first = '', ...lines] = head.split('\r\n');
    const [, minor, status] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(first) ?? [];
    if (status === undefined) throw new UnreadableResponse('not-http', 'an answer without a status line of HTTP/1.1');
    this.#status = Number(status);
    if (this.#status === 101) throw new UnreadableResponse('not-http', 'a switch to another protocol');
    // 100 Continue and 103 Early Hints: the answer is yet to come.
    if (this.#status < 200) return false;

    let length: string | undefined;
    let coding: string | undefined;
    let connection = '';
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon < 1 || line.charCodeAt(0) <= 32) throw new UnreadableResponse('not-http', 'a header without a name');
      const name = line.slice(0, colon).toLowerCase();
      if (name === 'content-length') {
        const value = line.slice(colon + 1).trim();
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
          throw new UnreadableResponse('not-http', 'a Content-Length that is no number');
        }
        length = value;
      } else if (name === 'transfer-encoding') {
        coding = `${coding === undefined ? '' : `${coding},`}${line.slice(colon + 1)}`.trim().toLowerCase();
      } else if (name === 'connection') {
        connection += `,${line.slice(colon + 1).toLowerCase()}`;
      }
    }
    const options = connection.split(',').map((option) => option.trim());
    this.#reusable = minor === '1' ? !options.includes('close') : options.includes('keep-alive');
    const good = this.#status < 300;
    this.#keep = good ? (this.#limits.keepBodies ? Number.POSITIVE_INFINITY : 0) : keptOfRefusals;

    if (this.#status === 204 || this.#status === 304) return true;
    if (coding !== undefined) {
      this.#state = /(^|,)\s*chunked$/.test(coding) ? 'chunk-size' : 'until-close';
      // With a length beside it, one of two servers in a row may see another answer here.
      if (length !== undefined) this.#reusable = false;
    } else if (length !== undefined) {
      this.#left = Number(length);
      this.#checkSize(this.#left);
      this.#state = 'length';
      return this.#left === 0;
    } else {
      this.#state = 'until-close';
    }
    if (this.#state === 'until-close') this.#reusable = false;
    return false;
  }

  /** A line between chunks; whether the answer ends with it. */
  #line(line: string): boolean {
    switch (this.#state) {
      case 'chunk-size': {
        const [, size] = /^([\da-f]{1,12})[ \t]*(?:;|$)/i.exec(line) ?? [];
        if (size === undefined) throw new UnreadableResponse('not-http', 'a chunk without its size');
        this.#left = Number.parseInt(size, 16);
        this.#checkSize(this.#bodyBytes + this.#left);
        this.#state = this.#left === 0 ? 'trailer' : 'chunk-data';
        return false;
      }
      case 'chunk-end':
        if (line !== '') throw new UnreadableResponse('not-http', 'a chunk that is longer than its size');
        this.#state = 'chunk-size';
        return false;
      default:
        return line === '';
    }
  }

  #checkSize(bytes: number): void {
    const { maxBodyBytes } = this.#limits;
    if (bytes > maxBodyBytes) {
      throw new UnreadableResponse('answer-too-big', `an answer of more than ${maxBodyBytes} bytes`);
    }
  }

  #take(part: Buffer): void {
    this.#bodyBytes += part.length;
    if (this.#state === 'until-close') this.#checkSize(this.#bodyBytes);
    if (this.#keep <= 0) return;
    const kept = part.subarray(0, this.#keep);
    this.#keep -= kept.length;
    this.#kept.push(kept);
  }

  #finish(rest: Buffer): WireResponse {
    const [only = nothing, ...more] = this.#kept;
    const answer: WireResponse = {
      status: this.#status,
      body: more.length === 0 ? only : Buffer.concat(this.#kept),
      // Nothing more was asked for: what follows belongs to nobody.
      reusable: this.#reusable && rest.length === 0,
    };
    this.#state = 'head';
    this.#bodyBytes = 0;
    this.#kept = [];
    return answer;
  }
}
