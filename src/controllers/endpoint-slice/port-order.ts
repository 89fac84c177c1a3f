/**
 * The order in which upstream writes the ports of slices and Endpoints: by a hash (FNV-1a, 128 bits) of the text that Go prints of a port.
 * Follows kubernetes staging/src/k8s.io/endpointslice/util (portsInOrder), pkg/api/v1/endpoints/util.go (portsByHash) and pkg/util/hash.
 */

/** A port, whichever of the two it is for. */
export interface OrderedPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

const OFFSET = 0x6c62272e07bb014262b821756295c58dn;
const PRIME = 0x0000000001000000000000000000013bn;
const MASK = (1n << 128n) - 1n;

function hashOf(text: string): bigint {
  let hash = OFFSET;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash;
}

const NIL = "<nil>";

/** The text of a slice's port, of which every field is a pointer. */
export const sliceText = ({ name, port, protocol, appProtocol }: OrderedPort): string =>
  `(v1.EndpointPort){Name:(*string)${name ?? NIL} Protocol:(*v1.Protocol)${protocol ?? NIL} Port:(*int32)${port ?? NIL} AppProtocol:(*string)${appProtocol ?? NIL}}`;

/** The text of a port of Endpoints. */
export const endpointsText = ({ name = "", port = 0, protocol = "", appProtocol }: OrderedPort): string =>
  `(v1.EndpointPort){Name:(string)${name} Port:(int32)${port} Protocol:(v1.Protocol)${protocol} AppProtocol:(*string)${appProtocol ?? NIL}}`;

/** The ports in the order of the hashes of their texts. */
export function portsInOrder<P extends OrderedPort>(ports: readonly P[], textOf: (port: P) => string): readonly P[] {
  if (ports.length < 2) return ports;
  const hashes = new Map(ports.map((port) => [port, hashOf(textOf(port))]));
  const hash = (port: P) => hashes.get(port) ?? 0n;
  return [...ports].sort((a, b) => (hash(a) < hash(b) ? -1 : hash(a) > hash(b) ? 1 : 0));
}
