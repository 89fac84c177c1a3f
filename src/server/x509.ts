/**
 * Makes X.509 certificates: the few DER forms that they need, and the signature. No parsing: node:crypto reads certificates.
 * Follows RFC 5280; EC P-256 keys, ecdsa-with-SHA256.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import type { Instant } from "../base/clock.ts";

const tagged = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
};

const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
const octets = (content: Uint8Array): Buffer => tagged(0x04, content);
const bits = (content: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), content);
const context = (n: number, ...parts: readonly Uint8Array[]): Buffer => tagged(0xa0 | n, ...parts);
const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
const TRUE = tagged(0x01, Buffer.from([0xff]));

/** A positive integer from its big-endian bytes. */
const integer = (bytes: Uint8Array): Buffer => tagged(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime after it. */
function time(instant: Instant): Buffer {
  const digits = new Date(instant).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return digits < "2050" ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const NAME_PARTS = { O: "2.5.4.10", CN: "2.5.4.3" } as const;

export interface Subject {
  readonly organizations?: readonly string[];
  readonly commonName: string;
}

const namePart = (id: string, value: string): Buffer => tagged(0x31, sequence(oid(id), utf8(value)));
const name = ({ organizations = [], commonName }: Subject): Buffer =>
  sequence(...organizations.map((o) => namePart(NAME_PARTS.O, o)), namePart(NAME_PARTS.CN, commonName));

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const words = (part: string) => part.split(":").filter((w) => w !== "").map((w) => w.padStart(4, "0"));
  const [front, back] = [words(head), words(tail)];
  return Buffer.from([...front, ...Array<string>(8 - front.length - back.length).fill("0000"), ...back].join(""), "hex");
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** 16 bytes or so, in hex. */
  readonly serialNumber: string;
  readonly use: "authority" | "server" | "client";
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
}

export interface Issuer {
  readonly subject: Subject;
  readonly key: KeyObject;
}

const extension = (id: string, critical: boolean, value: Uint8Array): Buffer => sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));

/** The bit string inside a SubjectPublicKeyInfo, hashed: the key identifier of RFC 5280, 4.2.1.2 (1). An uncompressed P-256 point is its last 65 bytes. */
const keyIdentifier = (key: KeyObject): Buffer => createHash("sha1").update((key.type === "public" ? key : createPublicKey(key)).export({ type: "spki", format: "der" }).subarray(-65)).digest();

const EXTENDED_USE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

function extensions({ use, names = [], addresses = [] }: CertificateRequest, publicKey: KeyObject, issuerKey: KeyObject): Buffer {
  const authority = use === "authority";
  // keyUsage bits: digitalSignature 0x80, keyCertSign 0x04, cRLSign 0x02.
  const usage = authority ? bits(Buffer.from([0x86]), 1) : bits(Buffer.from([0x80]), 7);
  const alternatives = [...names.map((n) => tagged(0x82, Buffer.from(n))), ...addresses.map((a) => tagged(0x87, addressBytes(a)))];
  return sequence(
    extension("2.5.29.15", true, usage),
    extension("2.5.29.19", true, sequence(...(authority ? [TRUE] : []))),
    ...(authority ? [] : [extension("2.5.29.37", false, sequence(oid(EXTENDED_USE[use])))]),
    extension("2.5.29.14", false, octets(keyIdentifier(publicKey))),
    extension("2.5.29.35", false, sequence(tagged(0x80, keyIdentifier(issuerKey)))),
    ...(alternatives.length > 0 ? [extension("2.5.29.17", false, sequence(...alternatives))] : []),
  );
}

const pem = (label: string, der: Buffer): string => `-----BEGIN ${label}-----\n${der.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd()}\n-----END ${label}-----\n`;

/** Makes a key and a certificate for it, both PEM; without an issuer it signs itself. */
export function issueCertificate(request: CertificateRequest, issuer?: Issuer): { readonly certificate: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = issuer ?? { subject: request.subject, key: privateKey };
  const toSign = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(Buffer.from(`00${request.serialNumber}`.slice(-32).replace(/^[089a-f]/, "7"), "hex")),
    ECDSA_SHA256,
    name(signer.subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request.subject),
    publicKey.export({ type: "spki", format: "der" }),
    context(3, extensions(request, publicKey, signer.key)),
  );
  const certificate = sequence(toSign, ECDSA_SHA256, bits(sign("sha256", toSign, signer.key)));
  return { certificate: pem("CERTIFICATE", certificate), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
