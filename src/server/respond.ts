/** What every handler ends with: an ApiAnswer or an error becomes an Answer in the form that the client asked for. */
import type { Clock } from "../base/clock.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { ApiAnswer, ObjectList } from "../api/request.ts";
import { StatusError } from "../api/status-error.ts";
import { encode, metadataView } from "./encode.ts";
import { type Answer, errorHeaders, type HttpRequest, isStatus } from "./exchange.ts";
import { MEDIA_TYPE, negotiateError, type Negotiated } from "./negotiation.ts";
import { warningHeaders } from "./warnings.ts";
import { type Columns, tableText } from "./table.ts";

export interface RespondDeps {
  readonly clock: Clock;
  readonly columns: Columns;
}

const warningsOf = (warnings: readonly string[]): Answer["headers"] => (warnings.length === 0 ? {} : { warning: warningHeaders(warnings) });

/** A person with curl or a browser gets indented JSON. Follows apiserver/pkg/endpoints/handlers/negotiation (isPrettyPrint). */
export function wantsPretty(request: HttpRequest): boolean {
  const pretty = request.query.get("pretty");
  if (pretty !== null) return !(pretty === "false" || pretty === "0");
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers["user-agent"] ?? "");
}

export interface AnswerForm {
  readonly negotiated: Negotiated;
  /** For Tables: the printer's kind and what rows carry. */
  readonly kind: Kind | undefined;
  readonly include: string;
}

/** The body in the form that was negotiated. Status bodies are never converted. */
async function write(body: object, { negotiated, kind, include }: AnswerForm, pretty: boolean, deps: RespondDeps): Promise<{ text: string | Uint8Array; type: string }> {
  const { view } = negotiated;
  if (view.as === "Table" && !isStatus(body)) {
    const text = tableText(body as KubeObject | ObjectList, kind, deps.clock.now(), { version: view.version, include, columns: deps.columns(kind) });
    if (negotiated.format === "json" && !pretty) return { text, type: MEDIA_TYPE.json };
    body = JSON.parse(text) as object;
  } else if (view.as !== "plain" && !isStatus(body)) {
    body = metadataView(body as KubeObject, view.as as "PartialObjectMetadata", view.version);
  }
  const text = await encode(body, negotiated.format, pretty);
  if (text !== undefined) return { text, type: MEDIA_TYPE[negotiated.format] };
  return { text: (await encode(body, "json", pretty)) ?? "", type: MEDIA_TYPE.json };
}

export async function respond(request: HttpRequest, answer: ApiAnswer, form: AnswerForm, deps: RespondDeps): Promise<Answer> {
  const pretty = form.negotiated.pretty || wantsPretty(request);
  const { text, type } = await write(answer.body, form, pretty, deps);
  return { status: answer.code, headers: { "content-type": type, ...warningsOf(answer.warnings) }, body: text };
}

/** Any error as a Status; what is no StatusError is ours, and stays vague to the client. */
export function statusErrorOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  return new StatusError({ code: 500, reason: "InternalError", message: "Internal error occurred: the request failed; the server's log says why" });
}

export async function respondError(request: HttpRequest, error: StatusError): Promise<Answer> {
  const format = negotiateError(request.headers.accept);
  const body = await encode(error.toStatus(), format, wantsPretty(request));
  return { status: error.code, headers: { "content-type": MEDIA_TYPE[format], ...errorHeaders(error), ...warningsOf(error.warnings) }, body: body ?? "" };
}
