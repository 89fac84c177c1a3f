/**
 * pods/NAME/log: the options checked, the container found, the log streamed from whoever runs the pod.
 * Follows kubernetes pkg/registry/core/pod/rest/log.go and pkg/apis/core/validation (ValidatePodLogOptions).
 */
import { type FieldError, forbiddenField, invalidValue, toCause } from "../../api/field-error.ts";
import type { Api } from "../../api/request.ts";
import { badRequest, invalid, StatusError } from "../../api/status-error.ts";
import { parseTime } from "../../api/time.ts";
import { pump } from "../../server/pump.ts";
import type { LogOptions, PodStreams } from "./streams.ts";
import { containerOf, getPod, refOf } from "./target.ts";
import { toBoolean, toInteger } from "../../server/query.ts";
import type { SubresourceHandler } from "../../server/resources.ts";
import type { Clock } from "../../base/clock.ts";

interface Asked extends Omit<LogOptions, "sinceTimeMs"> {
  readonly sinceSeconds?: number;
  readonly sinceTime?: number;
}

/** Follows the conversion of url.Values to PodLogOptions: 400 where a number or a time is none. */
export function logOptionsOf(query: URLSearchParams): Asked {
  const integer = (name: string) => {
    const value = toInteger(query.get(name));
    return value === undefined ? {} : { [name]: value };
  };
  const since = query.get("sinceTime");
  const sinceTime = since === null ? undefined : parseTime(since);
  if (since !== null && sinceTime === undefined) throw badRequest(`parsing time ${JSON.stringify(since)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(since)} as "2006"`);
  return {
    container: query.get("container") ?? "",
    follow: toBoolean(query.get("follow")) ?? false,
    previous: toBoolean(query.get("previous")) ?? false,
    timestamps: toBoolean(query.get("timestamps")) ?? false,
    ...integer("tailLines"),
    ...integer("limitBytes"),
    ...integer("sinceSeconds"),
    ...(sinceTime !== undefined && { sinceTime }),
  };
}

export function checkLogOptions({ tailLines, limitBytes, sinceSeconds, sinceTime }: Asked, podName: string): void {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) errors.push(invalidValue("tailLines", tailLines, "must be greater than or equal to 0"));
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalidValue("limitBytes", limitBytes, "must be greater than 0"));
  if (sinceSeconds !== undefined && sinceTime !== undefined) errors.push(forbiddenField("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  else if (sinceSeconds !== undefined && sinceSeconds < 1) errors.push(invalidValue("sinceSeconds", sinceSeconds, "must be greater than 0"));
  if (errors.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, podName, errors.map(toCause));
}

export interface PodLogDeps {
  readonly api: Api;
  readonly clock: Clock;
  readonly streams: PodStreams | undefined;
}

export function podLog({ api, clock, streams }: PodLogDeps): SubresourceHandler {
  return async (request, info, caller) => {
    const { sinceSeconds, sinceTime, ...asked } = logOptionsOf(request.query);
    checkLogOptions({ ...asked, ...(sinceSeconds !== undefined && { sinceSeconds }), ...(sinceTime !== undefined && { sinceTime }) }, info.name);
    const pod = await getPod(api, info.namespace, info.name, caller);
    const container = containerOf(pod, asked.container);
    if (!pod.spec?.nodeName) return { status: 204, headers: {} };
    if (!streams) throw new StatusError({ code: 500, reason: "InternalError", message: `Internal error occurred: no agent runs pods of node ${pod.spec.nodeName} here` });
    const since = sinceSeconds === undefined ? sinceTime : clock.now() - sinceSeconds * 1000;
    const stopped = new AbortController();
    const log = await streams.logs(refOf(pod), { ...asked, container, ...(since !== undefined && { sinceTimeMs: since }) }, stopped.signal);
    return {
      status: 200,
      headers: { "content-type": "text/plain" },
      stream(sink) {
        sink.onClose(() => {
          stopped.abort();
          log.destroy();
        });
        pump(log, sink);
      },
    };
  };
}
