/**
 * Documents that never change while the server runs: discovery and OpenAPI, with their media types, entity tags and 304s.
 * What is in them is the business of api/discovery and api/openapi.
 */
import { createHash } from "node:crypto";
import type { Answer, HttpRequest } from "./exchange.ts";

export interface Document {
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** Quoted; for If-None-Match. */
  readonly etag: string;
}

export const etagOf = (body: string | Uint8Array): string => `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;

/** The answer with the document, or 304 where the client has it. */
export function documentAnswer(request: HttpRequest, { contentType, body, etag }: Document, headers: Answer["headers"]): Answer {
  const tags = (request.headers["if-none-match"] ?? "").split(",").map((t) => t.trim().replace(/^W\//, ""));
  if (tags.includes(etag)) return { status: 304, headers: { ...headers, etag } };
  return { status: 200, headers: { "content-type": contentType, etag, ...headers }, body };
}
