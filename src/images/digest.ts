/** Content addresses: `sha256:<64 hex>`, computed while bytes pass. */
import { createHash } from "node:crypto";
import { Transform } from "node:stream";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether `text` is a digest that stint can check (sha256 only, as every registry gives). */
export const isDigest = (text: string): boolean => DIGEST.test(text);

export const digestOf = (bytes: Uint8Array | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Passes bytes through and knows their digest and number once they have ended. */
export class DigestStream extends Transform {
  readonly #hash = createHash("sha256");
  #bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null, data?: Buffer) => void): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Call once, after the end. */
  digest(): string {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}
