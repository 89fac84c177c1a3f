/**
 * The variables that tell a container of the Services of its namespace. Follows kubernetes pkg/kubelet/envvars/envvars.go.
 */
import type { Service } from "../../api/generated/types.ts";

const variable = (name: string): string => name.toUpperCase().replaceAll("-", "_");

const hasAddress = (s: Service): boolean => Boolean(s.spec.clusterIP) && s.spec.clusterIP !== "None";

const inUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function linksOf(service: Service): readonly (readonly [string, string])[] {
  const prefix = variable(service.metadata.name ?? "");
  const host = service.spec.clusterIP ?? "";
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  const links: (readonly [string, string])[] = [[`${prefix}_SERVICE_HOST`, host], [`${prefix}_SERVICE_PORT`, String(first?.port ?? "")]];
  for (const p of ports) if (p.name) links.push([`${prefix}_SERVICE_PORT_${variable(p.name)}`, String(p.port)]);
  for (const [i, p] of ports.entries()) {
    const protocol = p.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${inUrl(host)}:${p.port}`;
    if (i === 0) links.push([`${prefix}_PORT`, url]);
    const own = `${prefix}_PORT_${p.port}_${protocol}`;
    links.push([own, url], [`${own}_PROTO`, protocol.toLowerCase()], [`${own}_PORT`, String(p.port)], [`${own}_ADDR`, host]);
  }
  return links;
}

/** `kubernetes` of the namespace default always; the others of the pod's own namespace where it wants service links. */
export function serviceLinks(services: { readonly own: readonly Service[]; readonly kubernetes: Service | undefined }, enabled: boolean): Map<string, string> {
  const wanted = [...(services.kubernetes ? [services.kubernetes] : []), ...(enabled ? services.own : [])];
  return new Map(wanted.filter(hasAddress).flatMap(linksOf));
}
