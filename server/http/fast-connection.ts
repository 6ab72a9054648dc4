import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { AccessLog } from './access-log.ts';
import type { BearerToken } from './bearer-token.ts';
import type { BodyBudget } from './body-budget.ts';
import { httpDate } from './http-date.ts';
import type { InferenceAnswer, InferenceService } from './inference-service.ts';
import type { Limits } from './limits.ts';
import { type Refusal, refusal, refusalBody } from './refusal.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';

/** What the connections of one server have in common. */
export interface FastLane {
  readonly service: InferenceService;
  readonly limits: Limits;
  readonly budget: BodyBudget;
  readonly token: BearerToken | undefined;
  readonly log: AccessLog | undefined;
  /** Answers end their connections. */
  readonly draining: boolean;
  /** Gives a connection to Node's HTTP server, for good. `unread` comes before what the socket brings. */
  handOver(socket: Socket, unread: Buffer): void;
  closed(connection: FastConnection): void;
}

const endOfHead = Buffer.from('\r\n\r\n');
/** Larger bodies gain nothing here, and Node's server has the patience for them. */
const mostHere = 1024 * 1024;
/** Of a client that sends ahead, no more than this is read before it has its answers. */
const mostAhead = 256 * 1024;
const unanswerable = refusal(401, 'send Authorization: Bearer with the token of this server', {
  'www-authenticate': 'Bearer',
});

/** A client that neither reads its last answer nor closes is cut off after this many milliseconds. */
const lastWait = 10_000;

/**
 * A connection whose requests are inference requests in their plainest form, read from the socket without Node's HTTP server, which
 * costs more than decoding, running a small model and encoding together. One request is worked on at a time, so pipelined requests are
 * answered in order. The first request of any other form hands the connection over.
 */
export class FastConnection {
  readonly #lane: FastLane;
  readonly #socket: Socket;
  /**
   * `idle`: between requests. `body`: the head is read, the body is not. `busy`: the engine has it, or the client does not read its
   * answer. `ending`: nothing more is answered. `gone`: closed, or another's.
   */
  #state: 'idle' | 'body' | 'busy' | 'ending' | 'gone' = 'idle';
  /** When the state began, in milliseconds of `performance.now()`. */
  #since = performance.now();
  #served = false;
  /** The client will send nothing more. */
  #clientEnded = false;
  /** Read, and not yet worked on. */
  #unread: Buffer | undefined;
  #head: RequestHead | undefined;
  /** The text `#lastHead` was read from: clients mostly send the same head again. */
  #lastHeadText = '';
  #lastHead: RequestHead | undefined;
  #authorized = false;
  /** A body that comes in pieces, and how much of it is here. */
  #body: Buffer | undefined;
  #missing = 0;
  /** When the system stopped taking the answer because the client does not read. */
  #unreadSince: number | undefined;
  #working = false;

  constructor(lane: FastLane, socket: Socket) {
    this.#lane = lane;
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onClose);
    socket.on('close', this.#onClose);
  }

  /** A request is being received or worked on. */
  get occupied(): boolean {
    return this.#state === 'body' || this.#state === 'busy';
  }

  /** Milliseconds since the last request ended or the connection began. */
  idleFor(now: number): number {
    return this.#state === 'idle' ? now - this.#since : 0;
  }

  /** Ends what has taken too long; called about once a second. */
  sweep(now: number): void {
    const { headersTimeoutMs, keepAliveTimeoutMs, requestTimeoutMs } = this.#lane.limits;
    const time = now - this.#since;
    if (this.#state === 'idle' && time > (this.#served ? keepAliveTimeoutMs : headersTimeoutMs)) this.#end();
    else if (this.#state === 'body' && time > requestTimeoutMs) this.#refuseSlowness();
    else if (this.#state === 'busy' && this.#unreadSince !== undefined && now - this.#unreadSince > requestTimeoutMs) {
      this.#socket.destroy();
    } else if (this.#state === 'ending' && time > lastWait) this.#socket.destroy();
  }

  /** Ends the connection unless a request is on its way; that one's answer will end it. */
  endIfIdle(): void {
    if (!this.occupied) this.#end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'ending' || this.#state === 'gone') return;
    if (this.#state === 'busy' || this.#working) {
      this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
      if (this.#unread.length > mostAhead) this.#socket.pause();
      return;
    }
    this.#work(chunk);
  };

  /** Works through what was read: in a loop, since an answer may come at once and a client may have sent hundreds of requests. */
  #work(chunk: Buffer): void {
    this.#working = true;
    let bytes: Buffer | undefined = chunk;
    while (bytes !== undefined && (this.#state === 'idle' || this.#state === 'body')) {
      bytes = this.#state === 'body' ? this.#takeBody(bytes) : this.#takeHead(bytes);
    }
    if (this.#state === 'busy') this.#unread = bytes;
    this.#working = false;
  }

  /** Returns what is left of `bytes` after the request that begins with them, or undefined when nothing is. */
  #takeHead(bytes: Buffer): Buffer | undefined {
    let length = this.#lastHeadText.length;
    if (length === 0 || bytes.length < length || bytes.toString('latin1', 0, length) !== this.#lastHeadText) {
      length = bytes.indexOf(endOfHead) + 4;
      // The plainest client sends its head in one piece.
      if (length < 4 || length > this.#lane.limits.maxHeaderBytes) return this.#handOver(bytes);
      const text = bytes.toString('latin1', 0, length);
      const head = parseRequestHead(text.slice(0, -4));
      if (head === undefined) return this.#handOver(bytes);
      const { token } = this.#lane;
      this.#authorized = token === undefined || token.allows(head.authorization);
      this.#lastHead = head;
      this.#lastHeadText = text;
    }
    const head = this.#lastHead;
    if (head === undefined || head.contentLength > Math.min(mostHere, this.#lane.limits.maxBodyBytes)) {
      return this.#handOver(bytes);
    }
    if (!this.#lane.budget.take(head.contentLength)) return this.#handOver(bytes);
    this.#head = head;
    this.#state = 'body';
    this.#since = performance.now();
    this.#missing = head.contentLength;
    return this.#takeBody(bytes.subarray(length));
  }

  #takeBody(bytes: Buffer): Buffer | undefined {
    const missing = this.#missing;
    if (bytes.length < missing) {
      this.#body ??= roomFor(this.#head);
      this.#body.set(bytes, this.#body.length - missing);
      this.#missing -= bytes.length;
      return undefined;
    }
    const last = bytes.length === missing ? bytes : bytes.subarray(0, missing);
    const body = this.#body ?? last;
    if (body !== last) body.set(last, body.length - missing);
    this.#body = undefined;
    this.#missing = 0;
    this.#answer(body);
    return bytes.length === missing ? undefined : bytes.subarray(missing);
  }

  #answer(body: Buffer): void {
    const head = this.#head;
    if (head === undefined) return;
    const receivedAt = performance.now();
    this.#state = 'busy';
    this.#since = receivedAt;
    if (!this.#authorized) {
      this.#reply(head, receivedAt, unanswerable, undefined);
      return;
    }
    const { model, version, jsonLength } = head;
    this.#lane.service.answer({ model, version, jsonLength, body, receivedAt }, (refused, answer) => {
      this.#reply(head, receivedAt, refused, answer);
    });
  }

  #reply(
    head: RequestHead,
    receivedAt: number,
    refused: Refusal | undefined,
    answer: InferenceAnswer | undefined,
  ): void {
    const { budget, log, draining } = this.#lane;
    budget.give(head.contentLength);
    this.#head = undefined;
    if (this.#state !== 'busy') return;
    const socket = this.#socket;
    const close = head.close || draining || this.#clientEnded;
    const status = refused?.status ?? 200;
    const end = `\r\ndate: ${httpDate()}${close ? '\r\nconnection: close' : ''}\r\n\r\n`;
    const body = answer?.body ?? Buffer.from(refusalBody(refused?.message ?? ''));
    const headers = answer?.headers ?? { 'content-type': 'application/json', ...refused?.headers };
    const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}${headerLines(headers)}\r\ncontent-length: ${body.length}${end}`;
    const flowing = writeWhole(socket, start, body);
    if (log?.wants(status) === true) {
      log.request({
        method: 'POST',
        path: `/v2/models/${head.model}${head.version === undefined ? '' : `/versions/${head.version}`}/infer`,
        status,
        milliseconds: performance.now() - receivedAt,
        bytesIn: head.contentLength,
        bytesOut: body.length,
        remote: socket.remoteAddress,
      });
    }
    this.#served = true;
    if (close) this.#end();
    else if (flowing) this.#continue();
    else this.#unreadSince = performance.now();
  }

  /** The answer is with the system; the next request may be worked on. */
  #continue(): void {
    this.#state = 'idle';
    this.#since = performance.now();
    // Whoever called us is in the loop below and goes on by itself.
    if (this.#working) return;
    const unread = this.#unread;
    this.#unread = undefined;
    if (this.#socket.isPaused()) this.#socket.resume();
    if (unread !== undefined) this.#work(unread);
  }

  /** Sends what is written, and takes what still comes without looking at it: closing on unread bytes would destroy the answer. */
  #end(): void {
    this.#state = 'ending';
    this.#since = performance.now();
    this.#unread = undefined;
    this.#socket.end();
    this.#socket.resume();
  }

  #refuseSlowness(): void {
    if (this.#head !== undefined) this.#lane.budget.give(this.#head.contentLength);
    this.#head = undefined;
    this.#body = undefined;
    this.#socket.write('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', 'latin1');
    this.#end();
  }

  readonly #onDrain = (): void => {
    if (this.#unreadSince === undefined) return;
    this.#unreadSince = undefined;
    if (this.#state !== 'busy') return;
    if (this.#clientEnded) this.#end();
    else this.#continue();
  };

  /** What the client waits for it still gets. */
  readonly #onEnd = (): void => {
    this.#clientEnded = true;
    if (this.#state !== 'busy') this.#end();
  };

  readonly #onClose = (): void => {
    this.#leave();
    this.#socket.destroy();
  };

  #handOver(bytes: Buffer): undefined {
    this.#leave();
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onClose);
    socket.off('close', this.#onClose);
    this.#lane.handOver(socket, bytes);
  }

  #leave(): void {
    if (this.#state === 'body' && this.#head !== undefined) this.#lane.budget.give(this.#head.contentLength);
    this.#state = 'gone';
    this.#body = undefined;
    this.#unread = undefined;
    this.#lane.closed(this);
  }
}

/** Where a body is put together: its binary tensors, which follow the JSON, begin where numbers can be read without copying them once more. */
function roomFor(head: RequestHead | undefined): Buffer {
  const length = head?.contentLength ?? 0;
  const offset = (8 - (Number(head?.jsonLength ?? 0) % 8)) % 8;
  return Buffer.allocUnsafeSlow(length + 8).subarray(offset, offset + length);
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) lines += `\r\n${name}: ${headers[name]}`;
  return lines;
}

/** One system call. False: the client does not read, and the answer waits in memory. */
function writeWhole(socket: Socket, start: string, body: Uint8Array): boolean {
  if (body.length <= 16 * 1024) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    return socket.write(start + bytes.toString('latin1'), 'latin1');
  }
  socket.cork();
  socket.write(start, 'latin1');
  const flowing = socket.write(body);
  socket.uncork();
  return flowing;
}
