/**
 * The server's side of SPDY/3.1 inside WebSocket messages, as far as port-forwarding needs it: streams that the client opens, data both ways,
 * pings. No flow control: the client of Kubernetes has none; the WebSocket's own back-pressure serves.
 * Follows draft-mbelshe-httpbis-spdy-00 and moby/spdystream.
 */
import { constants, createInflate, type Inflate } from "node:zlib";
import type { WebSocket } from "ws";
import { spdyDictionary } from "./spdy-dictionary.ts";

const VERSION = 0x8003;
const FRAME = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;
const FLAG_FIN = 1;
const CANCEL = 5;
const HEAD_BYTES = 8;
/** A frame's length has 24 bits; nobody sends more than this. */
const FRAME_BYTES_MAX = 1 << 20;
const STREAMS_MAX = 2000;
/** A stream says "wait" when this much is on its way to the client. */
const PENDING_BYTES_MAX = 1 << 20;
const CHUNK_BYTES = 32 * 1024;

export interface SpdyStream {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  reply(): void;
  /** False: more is on its way than should be; `onDrain` tells when to go on. */
  write(data: Uint8Array): boolean;
  end(): void;
  reset(): void;
  onData(listener: (data: Buffer) => void): void;
  onEnd(listener: () => void): void;
  onReset(listener: () => void): void;
  onDrain(listener: () => void): void;
}

function controlFrame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function dataFrame(stream: number, data: Uint8Array, fin: boolean): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(data.length, 4);
  head[4] = fin ? FLAG_FIN : 0;
  return Buffer.concat([head, data]);
}

const uint32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
};

/** No headers, as a stored block of a deflate stream and an empty one that flushes it; the stream's own two bytes come with the first. */
const emptyHeaders = (first: boolean): Buffer => Buffer.from([...(first ? [0x78, 0x01] : []), 0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xff, 0xff]);

function parseHeaders(block: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  let at = 4;
  const text = (): string => {
    const end = at + 4 + block.readUInt32BE(at);
    const value = block.toString("utf8", at + 4, end);
    at = end;
    return value;
  };
  for (let left = Math.min(block.readUInt32BE(0), 100); left > 0; left--) {
    const name = text();
    headers[name.toLowerCase()] = text();
  }
  return headers;
}

class Stream implements SpdyStream {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly #id: number;
  readonly #session: Session;
  readonly #early: Buffer[] = [];
  #data: ((data: Buffer) => void) | undefined;
  #end: (() => void) | undefined;
  #reset = (): void => {};
  #remoteEnded = false;
  #localEnded = false;

  constructor(session: Session, id: number, headers: Readonly<Record<string, string | undefined>>) {
    this.#session = session;
    this.#id = id;
    this.headers = headers;
  }

  reply(): void {
    this.#session.reply(this.#id);
  }

  write(data: Uint8Array): boolean {
    if (this.#localEnded) return true;
    for (let at = 0; at < data.length; at += CHUNK_BYTES) this.#session.send(dataFrame(this.#id, data.subarray(at, at + CHUNK_BYTES), false));
    return this.#session.pending < PENDING_BYTES_MAX;
  }

  end(): void {
    if (this.#localEnded) return;
    this.#localEnded = true;
    this.#session.send(dataFrame(this.#id, Buffer.alloc(0), true));
    this.#forget();
  }

  reset(): void {
    this.#localEnded = true;
    this.#session.send(controlFrame(FRAME.rstStream, uint32(this.#id, CANCEL)));
    this.#session.forget(this.#id);
  }

  onData(listener: (data: Buffer) => void): void {
    this.#data = listener;
    for (const chunk of this.#early.splice(0)) listener(chunk);
  }

  onEnd(listener: () => void): void {
    this.#end = listener;
    if (this.#remoteEnded) listener();
  }

  onReset(listener: () => void): void {
    this.#reset = listener;
  }

  onDrain(listener: () => void): void {
    this.#session.onDrain(listener);
  }

  take(data: Buffer, fin: boolean): void {
    if (data.length > 0 && this.#data) this.#data(data);
    else if (data.length > 0) this.#early.push(data);
    if (!fin || this.#remoteEnded) return;
    this.#remoteEnded = true;
    this.#end?.();
    this.#forget();
  }

  wasReset(): void {
    this.#localEnded = true;
    this.#reset();
  }

  #forget(): void {
    if (this.#localEnded && this.#remoteEnded) this.#session.forget(this.#id);
  }
}

class Session {
  readonly #socket: WebSocket;
  readonly #accept: (stream: SpdyStream) => void;
  readonly #streams = new Map<number, Stream>();
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary(), finishFlush: constants.Z_SYNC_FLUSH });
  readonly #waiting = new Set<() => void>();
  #inflated: Buffer[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #replied = false;
  /** Frames are taken one after the other: headers are inflated in the background. */
  #work: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, accept: (stream: SpdyStream) => void) {
    this.#socket = socket;
    this.#accept = accept;
    this.#inflate.on("data", (chunk: Buffer) => this.#inflated.push(chunk));
    this.#inflate.on("error", () => socket.close(1002));
  }

  get pending(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(frame, () => {
      if (this.pending > PENDING_BYTES_MAX / 2) return;
      for (const listener of this.#waiting) listener();
      this.#waiting.clear();
    });
  }

  reply(id: number): void {
    this.send(controlFrame(FRAME.synReply, Buffer.concat([uint32(id), emptyHeaders(!this.#replied)])));
    this.#replied = true;
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  onDrain(listener: () => void): void {
    this.#waiting.add(listener);
  }

  take(message: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? message : Buffer.concat([this.#buffer, message]);
    while (this.#buffer.length >= HEAD_BYTES) {
      const length = this.#buffer.readUInt32BE(4) & 0xffffff;
      if (length > FRAME_BYTES_MAX) return this.#socket.close(1009);
      if (this.#buffer.length < HEAD_BYTES + length) return undefined;
      const frame = this.#buffer.subarray(0, HEAD_BYTES + length);
      this.#buffer = this.#buffer.subarray(HEAD_BYTES + length);
      this.#work = this.#work.then(() => this.#frame(frame)).catch(() => this.#socket.close(1002));
    }
    return undefined;
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.wasReset();
    this.#streams.clear();
    this.#inflate.close();
  }

  async #frame(frame: Buffer): Promise<void> {
    const word = frame.readUInt32BE(0);
    const fin = ((frame[4] ?? 0) & FLAG_FIN) !== 0;
    const payload = frame.subarray(HEAD_BYTES);
    if (word < 0x80000000) return this.#streams.get(word)?.take(payload, fin);
    const type = word & 0xffff;
    if (type === FRAME.synStream) await this.#open(payload, fin);
    else if (type === FRAME.ping) this.send(controlFrame(FRAME.ping, payload));
    else if (type === FRAME.goAway) this.#socket.close(1000);
    else if (type === FRAME.rstStream) {
      const id = payload.readUInt32BE(0) & 0x7fffffff;
      this.#streams.get(id)?.wasReset();
      this.forget(id);
    }
    return undefined;
  }

  async #open(payload: Buffer, fin: boolean): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    // The stream id, the one it belongs to, priority and slot: ten bytes; then the headers.
    await new Promise<void>((resolve, reject) => this.#inflate.write(payload.subarray(10), (error) => (error ? reject(error) : resolve())));
    const headers = parseHeaders(Buffer.concat(this.#inflated));
    this.#inflated = [];
    const stream = new Stream(this, id, headers);
    if (this.#streams.size >= STREAMS_MAX) return stream.reset();
    this.#streams.set(id, stream);
    this.#accept(stream);
    if (fin) stream.take(Buffer.alloc(0), true);
    return undefined;
  }
}

const toBuffer = (data: unknown): Buffer => (Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(data as ArrayBuffer));

/** Takes the client's streams from now on. */
export function openSpdy(socket: WebSocket, accept: (stream: SpdyStream) => void): void {
  const session = new Session(socket, accept);
  socket.on("message", (data: unknown) => session.take(toBuffer(data)));
  socket.on("close", () => session.close());
  socket.on("error", () => socket.terminate());
}
