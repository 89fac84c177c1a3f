/**
 * The audit log: a line of JSON for each request that was answered, metadata only. Lines are gathered and written behind the answers;
 * what the file cannot take in time is counted and dropped, never waited for.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/apis/audit/v1 (Event, level Metadata).
 */
import { createWriteStream, type WriteStream } from "node:fs";
import type { Instant } from "../base/clock.ts";
import type { UserInfo } from "../api/request.ts";
import type { HttpRequest } from "./exchange.ts";
import type { RequestInfo } from "./request-info.ts";

const PENDING_BYTES_MAX = 16 * 1024 * 1024;

export interface AuditRecord {
  readonly auditId: string;
  readonly request: HttpRequest;
  readonly info: RequestInfo;
  readonly user: UserInfo | undefined;
  readonly status: number;
  readonly started: Instant;
  readonly finished: Instant;
}

export interface AuditLog {
  record(record: AuditRecord): void;
  close(): Promise<void>;
}

const micro = (instant: Instant): string => new Date(instant).toISOString().replace("Z", "000Z");

export function auditLine({ auditId, request, info, user, status, started, finished }: AuditRecord): string {
  const { group, version, resource, subresource, namespace, name } = info;
  const objectRef = info.isResource && {
    resource, ...(namespace !== "" && { namespace }), ...(name !== "" && { name }), ...(group !== "" && { apiGroup: group }), apiVersion: version, ...(subresource !== "" && { subresource }),
  };
  return JSON.stringify({
    kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Metadata", auditID: auditId, stage: "ResponseComplete", requestURI: request.url, verb: info.verb,
    user: user ? { username: user.name, ...(user.uid !== undefined && { uid: user.uid }), groups: user.groups, ...(user.extra && { extra: user.extra }) } : {},
    sourceIPs: [request.remoteAddress], userAgent: request.headers["user-agent"], ...(objectRef && { objectRef }),
    responseStatus: { metadata: {}, code: status }, requestReceivedTimestamp: micro(started), stageTimestamp: micro(finished),
  });
}

/** Appends to the file at `path`. */
export function openAuditLog(path: string): AuditLog & { readonly dropped: () => number } {
  const file: WriteStream = createWriteStream(path, { flags: "a", mode: 0o600 });
  let dropped = 0;
  file.on("error", () => {});
  return {
    record(record) {
      if (file.writableLength > PENDING_BYTES_MAX || file.destroyed) dropped++;
      else file.write(`${auditLine(record)}\n`);
    },
    close: () => new Promise((resolve) => file.end(() => resolve())),
    dropped: () => dropped,
  };
}
