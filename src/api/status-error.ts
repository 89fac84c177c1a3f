/**
 * The one error class of the API and its factories, a factory per reason. Callers ask with the predicates and never read `message`.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
 */
import type { ListMeta, Status, StatusCause, StatusDetails } from "./generated/types.ts";
import { qualifiedPlural, type Resource } from "./resource.ts";

type Named = Pick<Resource, "group" | "plural">;

export interface StatusErrorInit {
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  readonly details?: StatusDetails;
  /** For 429 and 504: also sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** For an expired list: the token to go on with. */
  readonly metadata?: ListMeta;
}

export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly reason: string | undefined;
  readonly details: StatusDetails | undefined;
  readonly metadata: ListMeta;
  /** Texts of the Warning headers that the answer has all the same. */
  warnings: readonly string[] = [];

  constructor(init: StatusErrorInit) {
    super(init.message);
    this.code = init.code;
    this.reason = init.reason;
    this.metadata = init.metadata ?? {};
    this.details = init.retryAfterSeconds === undefined ? init.details : { ...init.details, retryAfterSeconds: init.retryAfterSeconds };
  }

  /** The body that the server sends. */
  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.metadata,
      status: "Failure",
      message: this.message,
      ...(this.reason !== undefined && { reason: this.reason }),
      ...(this.details !== undefined && { details: this.details }),
      code: this.code,
    };
  }

  static fromStatus(status: Status): StatusError {
    return new StatusError({
      code: status.code ?? 500,
      message: status.message ?? "",
      ...(status.reason !== undefined && { reason: status.reason }),
      ...(status.details !== undefined && { details: status.details }),
      ...(status.metadata !== undefined && { metadata: status.metadata }),
    });
  }
}

/** The error, to be answered with these warnings before its own. */
export function withWarnings(error: unknown, warnings: readonly string[]): unknown {
  if (error instanceof StatusError && warnings.length > 0) error.warnings = [...new Set([...warnings, ...error.warnings])];
  return error;
}

const detailsOf = (r: Named, name: string, causes?: readonly StatusCause[]): StatusDetails => ({
  ...(name !== "" && { name }),
  ...(r.group !== "" && { group: r.group }),
  kind: r.plural,
  ...(causes && { causes }),
});

/** A field error of validation; `folded` is the text that goes into the message after `field: `. */
export interface FieldErrorCause {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

export const notFound = (r: Named, name: string): StatusError =>
  new StatusError({ code: 404, reason: "NotFound", message: `${qualifiedPlural(r)} ${JSON.stringify(name)} not found`, details: detailsOf(r, name) });

export const alreadyExists = (r: Named, name: string): StatusError =>
  new StatusError({ code: 409, reason: "AlreadyExists", message: `${qualifiedPlural(r)} ${JSON.stringify(name)} already exists`, details: detailsOf(r, name) });

export const conflict = (r: Named, name: string, why: string): StatusError =>
  new StatusError({ code: 409, reason: "Conflict", message: `Operation cannot be fulfilled on ${qualifiedPlural(r)} ${JSON.stringify(name)}: ${why}`, details: detailsOf(r, name) });

/** The text of a lost compare-and-set. Follows registry/generic/registry (OptimisticLockErrorMsg). */
export const OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export const forbidden = (r: Named, name: string, why: string, causes?: readonly StatusCause[]): StatusError => {
  const subject = name === "" ? qualifiedPlural(r) : `${qualifiedPlural(r)} ${JSON.stringify(name)}`;
  return new StatusError({ code: 403, reason: "Forbidden", message: `${subject} is forbidden: ${why}`, details: detailsOf(r, name, causes) });
};

/** Of a verb that this resource has no code for. */
export const methodNotSupported = (r: Named, verb: string): StatusError =>
  new StatusError({ code: 405, reason: "MethodNotAllowed", message: `${verb} is not supported on resources of kind ${JSON.stringify(qualifiedPlural(r))}`, details: detailsOf(r, "") });

export const badRequest = (message: string): StatusError => new StatusError({ code: 400, reason: "BadRequest", message });

/** `kind` is the Kind here, not the plural: `Job.batch "x" is invalid: …`. One error stands alone, several in brackets, equal ones once. */
export const invalid = (r: Pick<Resource, "group" | "kind">, name: string, errors: readonly FieldErrorCause[]): StatusError => {
  const kind = r.group === "" ? r.kind : `${r.kind}.${r.group}`;
  const texts = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))];
  const text = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: `${kind} ${JSON.stringify(name)} is invalid${texts.length > 0 ? `: ${text}` : ""}`,
    details: {
      ...(name !== "" && { name }),
      ...(r.group !== "" && { group: r.group }),
      ...(r.kind !== "" && { kind: r.kind }),
      causes: errors.map((e) => ({ reason: e.reason, message: e.message, field: e.field })),
    },
  });
};

export const internalError = (message: string): StatusError =>
  new StatusError({ code: 500, reason: "InternalError", message: `Internal error occurred: ${message}`, details: { causes: [{ message }] } });

const has = (reason: string) => (e: unknown): e is StatusError => e instanceof StatusError && e.reason === reason;

export const isNotFound = has("NotFound");
export const isAlreadyExists = has("AlreadyExists");
export const isConflict = has("Conflict");
export const isInvalid = has("Invalid");
export const isForbidden = has("Forbidden");
export const isExpired = (e: unknown): e is StatusError => e instanceof StatusError && (e.reason === "Expired" || e.reason === "Gone" || e.code === 410);
export const isTooManyRequests = has("TooManyRequests");
