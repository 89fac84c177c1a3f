/** What every handler ends with: an ApiAnswer or an error becomes an Answer in the form that the client asked for. */
import type { Clock } from "../base/clock.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { ApiAnswer, ObjectList } from "../api/request.ts";
import { StatusError } from "../api/status-error.ts";
import { encode, isList, jsonTexts, metadataView } from "./encode.ts";
import { type Answer, errorHeaders, type HttpRequest, isStatus } from "./exchange.ts";
import { type Format, MEDIA_TYPE, negotiateError, type Negotiated } from "./negotiation.ts";
import { bodyOf } from "./pieces.ts";
import { warningHeaders } from "./warnings.ts";
import { type Columns, tableTexts } from "./table.ts";

export interface RespondDeps {
  readonly clock: Clock;
  readonly columns: Columns;
}

const warningsOf = (warnings: readonly string[]): Answer["headers"] => (warnings.length === 0 ? {} : { warning: warningHeaders(warnings) });

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);

/** A person with curl or a browser gets indented JSON. Follows apiserver/pkg/endpoints/handlers/negotiation (isPrettyPrint). */
export function wantsPretty(request: HttpRequest): boolean {
  const pretty = request.query.get("pretty");
  if (pretty !== null && pretty !== "") return TRUE.has(pretty);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers["user-agent"] ?? "");
}

export interface AnswerForm {
  readonly negotiated: Negotiated;
  /** For Tables: the printer's kind and what rows carry. */
  readonly kind: Kind | undefined;
  readonly include: string;
}

type Body = Pick<Answer, "headers" | "body" | "pieces">;

/** Lists in JSON are sent from the texts of their objects, as they are stored. */
async function write(body: object, format: Format, pretty: boolean): Promise<Body> {
  if (format === "json" && !pretty && isList(body)) return long([...jsonTexts(body), "\n"]);
  const text = await encode(body, format, pretty);
  if (text !== undefined) return { headers: { "content-type": MEDIA_TYPE[format] }, body: text };
  return { headers: { "content-type": MEDIA_TYPE.json }, body: (await encode(body, "json", pretty)) ?? "" };
}

/** HTTP/1.1 needs no chunks where the length is known. */
function long(texts: readonly string[]): Body {
  const { length, ...body } = bodyOf(texts);
  return { ...body, headers: { "content-type": MEDIA_TYPE.json, "content-length": String(length) } };
}

/** The body in the form that was negotiated. Status bodies are never converted. */
async function view(body: object, { negotiated, kind, include }: AnswerForm, pretty: boolean, deps: RespondDeps): Promise<Body> {
  const { format, view: asked } = negotiated;
  if (asked.as === "plain" || isStatus(body)) return write(body, format, pretty);
  const { as, version } = asked;
  if (as !== "Table") return write(metadataView(body as KubeObject, as, version), format, pretty);
  const texts = tableTexts(body as KubeObject | ObjectList, kind, deps.clock.now(), { version, include, columns: deps.columns(kind) });
  return format === "json" && !pretty ? long([...texts]) : write(JSON.parse([...texts].join("")) as object, format, pretty);
}

export async function respond(request: HttpRequest, answer: ApiAnswer, form: AnswerForm, deps: RespondDeps): Promise<Answer> {
  const pretty = form.negotiated.pretty || wantsPretty(request);
  const { headers, ...body } = await view(answer.body, form, pretty, deps);
  return { status: answer.code, headers: { ...headers, ...warningsOf(answer.warnings) }, ...body };
}

/** Any error as a Status; what is no StatusError is ours, and stays vague to the client. */
export function statusErrorOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  return new StatusError({ code: 500, reason: "InternalError", message: "Internal error occurred: the request failed; the server's log says why" });
}

export async function respondError(request: HttpRequest, error: StatusError): Promise<Answer> {
  const chosen = negotiateError(request.headers.accept);
  const format = chosen?.format ?? "json";
  const body = await encode(error.toStatus(), format, chosen === undefined || chosen.pretty || wantsPretty(request));
  return { status: error.code, headers: { "content-type": MEDIA_TYPE[format], ...errorHeaders(error), ...warningsOf(error.warnings) }, body: body ?? "" };
}
