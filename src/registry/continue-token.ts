/**
 * The continue token of a paged list: the revision of the first page and the key after which the next one begins.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/storage/continue.go.
 */
import { badRequest } from "../api/status-error.ts";
import type { Revision } from "../store/store.ts";

const VERSION = "meta.k8s.io/v1";

export interface ContinueToken {
  /** -1: as it is now, which is not what the first page showed. */
  readonly revision: Revision;
  /** Relative to the prefix of the list. */
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: ContinueToken): string => Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `${after}\0` })).toString("base64url");

const refuse = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);

/** Where Go's strict decoder stops; undefined where it does not. */
function illegalByte(text: string): number | undefined {
  const wrong = text.search(/[^A-Za-z0-9_-]/);
  if (wrong >= 0) return wrong;
  return text.length % 4 === 1 ? text.length - 1 : undefined;
}

/** As Go's JSON decoder quotes a character. */
function quoteByte(byte: number): string {
  if (byte === 0x27) return `'\\''`;
  if (byte === 0x22) return `'"'`;
  if (byte < 0x20 || (byte >= 0x7f && byte < 0xa1) || byte === 0xad) return byte < 0x80 ? `'\\x${byte.toString(16).padStart(2, "0")}'` : `'\\u${byte.toString(16).padStart(4, "0")}'`;
  return `'${String.fromCharCode(byte)}'`;
}

function parse(bytes: Buffer): { v?: unknown; rv?: unknown; start?: unknown } {
  try {
    return JSON.parse(bytes.toString("utf8")) as object;
  } catch {
    const first = [...bytes].find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
    throw refuse(first === undefined ? "unexpected end of JSON input" : first === 0x7b ? "unexpected end of JSON input" : `invalid character ${quoteByte(first)} looking for beginning of value`);
  }
}

export function decodeContinue(text: string): ContinueToken {
  const illegal = illegalByte(text);
  if (illegal !== undefined) throw refuse(`illegal base64 data at input byte ${illegal}`);
  const { v, rv, start } = parse(Buffer.from(text, "base64url"));
  if (v !== VERSION) throw refuse(`server does not recognize this encoded version ${typeof v === "string" ? v : ""}`);
  if (typeof rv !== "number" || rv === 0) throw refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "") throw refuse("empty encoded start key (version meta.k8s.io/v1)");
  return { revision: rv, after: start.replace(/\0$/, "") };
}
