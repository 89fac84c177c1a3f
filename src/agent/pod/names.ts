/**
 * What a pod is called, and the files that tell it: host name, /etc/hosts, /etc/resolv.conf. Pure text.
 * Follows kubernetes pkg/kubelet/kubelet_pods.go (GeneratePodHostNameAndDomain, managedHostsFileContent) and pkg/kubelet/network/dns/dns.go.
 */
import type { HostAlias, Pod, PodDNSConfig } from "../../api/generated/types.ts";

const HOSTNAME_MAX = 63;
const FQDN_MAX = 64;

export interface PodNames {
  readonly hostname: string;
  /** The domain below which the host name is known; "" when there is none. */
  readonly domain: string;
  /** What `hostname` prints. */
  readonly shown: string;
}

/** A name cut to what a host name may have, without a trailing dot or dash. */
const cut = (name: string): string => (name.length <= HOSTNAME_MAX ? name : name.slice(0, HOSTNAME_MAX).replace(/[-.]+$/, ""));

export interface NamesContext {
  readonly clusterDomain: string;
  /** This machine's own host name, for pods on its network. */
  readonly machine: string;
}

/** Throws when setHostnameAsFQDN makes a name that is too long. */
export function namesOf(pod: Pod, { clusterDomain, machine }: NamesContext): PodNames {
  const { spec, metadata } = pod;
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: "", shown: spec.hostnameOverride };
  if (spec.hostNetwork) return { hostname: machine, domain: "", shown: machine };
  const hostname = spec.hostname ? spec.hostname : cut(metadata.name ?? "");
  const domain = spec.subdomain ? `${spec.subdomain}.${metadata.namespace ?? ""}.svc.${clusterDomain}` : "";
  const fqdn = domain === "" ? hostname : `${hostname}.${domain}`;
  if (!spec.setHostnameAsFQDN) return { hostname, domain, shown: hostname };
  if (fqdn.length > FQDN_MAX) {
    throw new Error(`failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${FQDN_MAX} characters is the max, ${fqdn.length} characters requested)`);
  }
  return { hostname, domain, shown: fqdn };
}

const LOCAL = [
  "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
];

const aliasLines = (aliases: readonly HostAlias[]): readonly string[] =>
  aliases.length === 0 ? [] : ["", "# Entries added by HostAliases.", ...aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join("\t")}`)];

/** /etc/hosts of a pod with addresses of its own. */
export function hostsFile(pod: Pod, { hostname, domain }: PodNames, ips: readonly string[]): string {
  const own = ips.map((ip) => (domain === "" ? `${ip}\t${hostname}` : `${ip}\t${hostname}.${domain}\t${hostname}`));
  return `${["# Kubernetes-managed hosts file.", ...LOCAL, ...own, ...aliasLines(pod.spec.hostAliases ?? [])].join("\n")}\n`;
}

/** /etc/hosts of a pod on the machine's network: the machine's, with the pod's aliases. */
export function hostNetworkHostsFile(pod: Pod, machines: string): string {
  const aliases = aliasLines(pod.spec.hostAliases ?? []);
  return `# Kubernetes-managed hosts file (host network).\n${machines}${aliases.length > 0 ? `${aliases.join("\n")}\n` : ""}`;
}

interface Dns {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const SERVERS_MAX = 3;
const SEARCHES_MAX = 32;

/** What a resolv.conf says. */
export function parseResolvConf(text: string): Dns {
  const of = (key: string) => text.split("\n").map((l) => l.trim().split(/\s+/)).filter(([k]) => k === key);
  return {
    servers: of("nameserver").flatMap(([, server]) => (server ? [server] : [])),
    searches: of("search").at(-1)?.slice(1) ?? [],
    options: of("options").flatMap(([, ...options]) => options),
  };
}

export interface DnsContext {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly machine: Dns;
}

function byPolicy(pod: Pod, { clusterDns, clusterDomain, machine }: DnsContext): Dns {
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const wantsCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec.hostNetwork);
  if (!wantsCluster || clusterDns.length === 0) return machine;
  const own = [`${pod.metadata.namespace ?? ""}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { servers: clusterDns, searches: [...own, ...machine.searches], options: ["ndots:5"] };
}

function withConfig(dns: Dns, config: PodDNSConfig | undefined): Dns {
  if (!config) return dns;
  const options = new Map(dns.options.map((o) => { const [name = "", value] = o.split(":"); return [name, value] as const; }));
  for (const { name = "", value } of config.options ?? []) options.set(name, value);
  return {
    servers: [...new Set([...dns.servers, ...(config.nameservers ?? [])])],
    searches: [...new Set([...dns.searches, ...(config.searches ?? [])])],
    options: [...options].map(([name, value]) => (value ? `${name}:${value}` : name)),
  };
}

/** /etc/resolv.conf of a pod. */
export function resolvConf(pod: Pod, context: DnsContext): string {
  const { servers, searches, options } = withConfig(byPolicy(pod, context), pod.spec.dnsConfig);
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.slice(0, SEARCHES_MAX).join(" ")}`] : []),
    ...servers.slice(0, SERVERS_MAX).map((s) => `nameserver ${s}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}
