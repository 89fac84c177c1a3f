/** Large answers are compressed for those who can read that. Follows apiserver/pkg/endpoints/handlers/responsewriters/writers.go. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Answer, HttpRequest } from "./exchange.ts";

const COMPRESS_FROM_BYTES = 128 * 1024;
const LEVEL = 1;
const gzipAsync = promisify(gzip);

export async function compress(request: HttpRequest, answer: Answer): Promise<Answer> {
  const { body } = answer;
  if (request.method !== "GET" || body === undefined || body.length < COMPRESS_FROM_BYTES) return answer;
  const accepted = (request.headers["accept-encoding"] ?? "").split(",").some((e) => e.split(";")[0]?.trim() === "gzip");
  if (!accepted || answer.headers["content-encoding"] !== undefined) return answer;
  return { ...answer, headers: { ...answer.headers, "content-encoding": "gzip", vary: "Accept-Encoding" }, body: await gzipAsync(body, { level: LEVEL }) };
}
