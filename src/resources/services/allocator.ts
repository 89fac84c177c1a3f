/**
 * Gives Services their cluster addresses, node ports and health-check ports. The ports are 30000–32767.
 * Follows kubernetes pkg/registry/core/service/storage/alloc.go.
 */
import type { Ids } from "../../base/chance.ts";
import { invalidValue, toCause, type FieldError } from "../../api/field-error.ts";
import type { Service, ServiceSpec } from "../../api/generated/types.ts";
import { needsHealthCheck } from "../../api/kinds/core/service-validation.ts";
import { allocatesNodePorts, keepAllocated, needsClusterIp, needsNodePort, normalizeClusterIps } from "../../api/kinds/core/service.ts";
import type { Draft, DraftObject } from "../../api/kinds/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { SERVICES } from "../../api/resource.ts";
import { internalError, invalid, StatusError } from "../../api/status-error.ts";
import type { AllocationContext, Allocator, Release } from "../../registry/allocation.ts";
import { fillFamilies } from "./ip-families.ts";
import { Pool } from "./pool.ts";

/** Where no other network is named. */
const NETWORK = "10.96.0.0/16";
const PORTS = { first: 30_000, last: 32_767 };

const toNumber = (ip: string): number => ip.split(".").reduce((n, part) => n * 256 + Number(part), 0);
const toIp = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join(".");
const randomOf = (ids: Ids): number => Number.parseInt(ids.uid().slice(0, 8), 16);

/** Without the network's own address and its broadcast address. Follows ipallocator.NewCIDRAllocator and calculateRangeOffset. */
function rangeOf(network: string) {
  const [ip = "", bits = ""] = network.split("/");
  const size = 2 ** (32 - Number(bits));
  const base = Math.floor(toNumber(ip) / size) * size;
  return { first: base + 1, last: base + size - 2, dynamic: base + 1 + Math.min(Math.max(16, Math.floor(size / 16)), 256) };
}

const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === "None";
const portsOf = ({ ports = [], healthCheckNodePort = 0 }: ServiceSpec): readonly number[] => [...ports.map((p) => p.nodePort ?? 0), healthCheckNodePort].filter((port) => port > 0);

interface Pools {
  readonly network: string;
  readonly addresses: Pool;
  readonly ports: Pool;
}

/** What one request takes; in a dry run what is taken by others does not count, as it does not upstream. */
class Request {
  readonly #network: string;
  readonly #addresses: Pool;
  readonly #ports: Pool;
  readonly #context: AllocationContext;
  readonly #draft: Draft<Service>;
  readonly #heldAddresses: number[] = [];
  readonly #heldPorts: number[] = [];
  #services: readonly Service[] | undefined;

  constructor(pools: Pools, draft: Draft<Service>, context: AllocationContext) {
    this.#network = pools.network;
    this.#addresses = pools.addresses;
    this.#ports = pools.ports;
    this.#draft = draft;
    this.#context = context;
  }

  release(): void {
    for (const n of this.#heldAddresses) this.#addresses.release(n);
    for (const n of this.#heldPorts) this.#ports.release(n);
  }

  /** Gives the Service the addresses that it lacks, and takes those that it asks for. */
  takeAddresses(): void {
    const { spec } = this.#draft;
    if (spec.type === "ExternalName" || isHeadless(spec)) return;
    const taken = new Set(this.#stored().flatMap((s) => s.spec.clusterIPs ?? []).filter((ip) => ip !== "None").map(toNumber));
    const ips = [...(spec.clusterIPs ?? [])];
    spec.ipFamilies?.forEach((_family, i) => {
      ips[i] ||= this.#nextAddress(taken);
    });
    for (const ip of spec.clusterIPs ?? []) if (ip) this.#takeAddress(ip, taken);
    spec.clusterIPs = ips;
    if (ips[0] !== undefined) spec.clusterIP = ips[0];
  }

  #nextAddress(taken: ReadonlySet<number>): string {
    const number = this.#addresses.next(taken, randomOf(this.#context.ids));
    if (number === undefined) throw internalError("failed to allocate a serviceIP: range is full");
    this.#holdAddress(number);
    return toIp(number);
  }

  #takeAddress(ip: string, taken: ReadonlySet<number>): void {
    const refuse = (why: string) => this.#refuse(invalidValue("spec.clusterIPs", this.#draft.spec.clusterIPs, `failed to allocate IP ${ip}: ${why}`));
    const number = toNumber(ip);
    if (!this.#addresses.contains(number)) throw refuse(`the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.#network}`);
    if (!this.#context.dryRun && (taken.has(number) || this.#addresses.isHeld(number))) throw refuse("provided IP is already allocated");
    this.#holdAddress(number);
  }

  #holdAddress(number: number): void {
    this.#addresses.hold(number);
    this.#heldAddresses.push(number);
  }

  /** Node ports, as far as the type wants them. One number serves several protocols of one port. Follows initNodePorts. */
  takeNodePorts(): void {
    const { spec } = this.#draft;
    const ports = spec.ports ?? [];
    const numbers = new Map<number, number>();
    ports.forEach((port, i) => {
      if (!port.nodePort && !allocatesNodePorts(spec)) return;
      const known = numbers.get(port.port);
      if (known !== undefined && (port.nodePort || known) === known) {
        port.nodePort = known;
        return;
      }
      const asked = port.nodePort || ports.find((p) => p.port === port.port && p.nodePort)?.nodePort;
      if (asked) this.#takeNodePort(i, asked);
      port.nodePort = asked ?? this.#nextPort("failed to allocate a nodePort");
      if (known === undefined) numbers.set(port.port, port.nodePort);
    });
  }

  /** What an update asks for beyond what there was. Follows updateNodePorts. */
  updateNodePorts(old: ServiceSpec): void {
    const { spec } = this.#draft;
    const own = new Set((old.ports ?? []).map((p) => p.nodePort ?? 0));
    const pairs = new Set<string>();
    (spec.ports ?? []).forEach((port, i) => {
      if (!port.nodePort && !allocatesNodePorts(spec)) return;
      if (port.nodePort && !own.has(port.nodePort)) this.#takeNodePort(i, port.nodePort);
      port.nodePort ||= this.#nextPort("failed to allocate a nodePort");
      own.add(port.nodePort);
      const pair = `{${port.protocol ?? ""} ${port.nodePort}}`;
      if (pairs.has(pair)) throw new StatusError({ code: 500, message: `duplicate nodePort: ${pair}` });
      pairs.add(pair);
    });
  }

  #takeNodePort(i: number, port: number): void {
    this.#takePort(port, (why) => this.#refuse(invalidValue(`spec.ports[${i}].nodePort`, port, why)));
  }

  takeHealthCheckPort(old: ServiceSpec | undefined): void {
    const { spec } = this.#draft;
    if (!needsHealthCheck(spec) || (old && needsHealthCheck(old))) return;
    const wanted = spec.healthCheckNodePort;
    if (wanted) this.#takePort(wanted, (why) => internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${why}`));
    else spec.healthCheckNodePort = this.#nextPort("failed to allocate a HealthCheck NodePort 0");
  }

  #takePort(port: number, refusal: (why: string) => Error): void {
    const { dryRun } = this.#context;
    if (!dryRun && !this.#ports.contains(port)) throw refusal(`provided port is not in the valid range. The range of valid ports is ${PORTS.first}-${PORTS.last}`);
    if (this.#ports.isHeld(port) || this.#takenPorts().has(port)) throw refusal("provided port is already allocated");
    this.#holdPort(port);
  }

  #nextPort(failure: string): number {
    const asked = portsOf(this.#draft.spec);
    const port = this.#ports.next(new Set([...this.#takenPorts(), ...asked]), randomOf(this.#context.ids));
    if (port === undefined) throw internalError(`${failure}: range is full`);
    this.#holdPort(port);
    return port;
  }

  #holdPort(port: number): void {
    this.#ports.hold(port);
    this.#heldPorts.push(port);
  }

  #takenPorts(): ReadonlySet<number> {
    return new Set(this.#stored().flatMap((s) => portsOf(s.spec)));
  }

  #stored(): readonly Service[] {
    return (this.#services ??= this.#context.reader.list(SERVICES, ""));
  }

  #refuse(error: FieldError): Error {
    return invalid(SERVICES, this.#draft.metadata?.name ?? "", [toCause(error)]);
  }
}

/** `network`: where the addresses are from, an IPv4 range. */
export function openServiceAllocator(network = NETWORK): Allocator {
  const pools = {
    network,
    addresses: new Pool(rangeOf(network)),
    ports: new Pool({ ...PORTS, dynamic: PORTS.first + 86 }),
  };
  return {
    allocate(draft: DraftObject, live: KubeObject | undefined, context): Release {
      const service = draft as Draft<Service>;
      const old = (live as Service | undefined)?.spec;
      const request = new Request(pools, service, context);
      try {
        if (old) keepAllocated(service.spec, old);
        normalizeClusterIps(service.spec, old);
        fillFamilies(service, old);
        if (!old || !needsClusterIp(old)) request.takeAddresses();
        if (needsNodePort(service.spec)) {
          if (old) request.updateNodePorts(old);
          else request.takeNodePorts();
        }
        request.takeHealthCheckPort(old);
      } catch (error) {
        request.release();
        throw error;
      }
      return () => request.release();
    },
  };
}
