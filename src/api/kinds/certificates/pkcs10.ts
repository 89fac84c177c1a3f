/**
 * Whether a text is a certificate request (PKCS #10) that is signed with its own key. Reads just enough of the encoding to find what is signed, the key
 * and the signature; what is asked for is nobody's business here. Words are upstream's where they don't come from inside Go's parser.
 * Follows kubernetes pkg/apis/certificates/helpers.go (ParseCSR) and Go's crypto/x509 (ParseCertificateRequest, CheckSignature).
 */
import { table } from "../../../base/own.ts";
const PEM = /-----BEGIN ([^-]*)-----\r?\n([\sA-Za-z0-9+/=]*?)-----END \1-----/;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

class EncodingError extends Error {}

const SEQUENCE = 0x30;
const OID = 0x06;
const BIT_STRING = 0x03;
const SYNTAX = "asn1: syntax error: data truncated";

function elementAt(bytes: Buffer, at: number): Element {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) throw new EncodingError(SYNTAX);
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (count > 4) throw new EncodingError("asn1: structure error: length too large");
  let length = count === 0 ? first : 0;
  for (let i = 0; i < count; i += 1) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  const start = at + 2 + count;
  if (start + length > bytes.length) throw new EncodingError(SYNTAX);
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

function elementsOf(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function sequenceOf(element: Element | undefined): Element[] {
  if (element?.tag !== SEQUENCE) throw new EncodingError("asn1: structure error: tags don't match");
  return elementsOf(element.content);
}

/** Signature algorithms by the end of their identifiers, in hex. */
const HASHES: Readonly<Record<string, string | null>> = table({
  "2a864886f70d010105": "sha1", "2a864886f70d01010b": "sha256", "2a864886f70d01010c": "sha384", "2a864886f70d01010d": "sha512",
  "2a8648ce3d0401": "sha1", "2a8648ce3d040302": "sha256", "2a8648ce3d040303": "sha384", "2a8648ce3d040304": "sha512", "2b6570": null,
});

function checkSignature(der: Buffer): string | undefined {
  const [signed, algorithm, signature] = sequenceOf(elementAt(der, 0));
  const [identifier] = sequenceOf(algorithm);
  const key = sequenceOf(signed)[2];
  if (!signed || !key || identifier?.tag !== OID || signature?.tag !== BIT_STRING) throw new EncodingError("asn1: structure error: tags don't match");
  const hash = HASHES[identifier.content.toString("hex")];
  if (hash === undefined) return "x509: cannot verify signature: algorithm unimplemented";
  const { createPublicKey, verify } = process.getBuiltinModule("node:crypto");
  const publicKey = createPublicKey({ key: key.whole, format: "der", type: "spki" });
  return verify(hash, signed.whole, publicKey, signature.content.subarray(1)) ? undefined : publicKey.asymmetricKeyType === "rsa" ? "crypto/rsa: verification error" : "x509: ECDSA verification failure";
}

/** Why `request` (PEM, in base64; null where it is absent) is none; undefined when it is one. */
export function certificateRequestError(request: string | null): string | undefined {
  const [, type, body = ""] = PEM.exec(Buffer.from(request ?? "", "base64").toString("latin1")) ?? [];
  if (type !== "CERTIFICATE REQUEST") return "PEM block type must be CERTIFICATE REQUEST";
  try {
    return checkSignature(Buffer.from(body, "base64"));
  } catch (error) {
    // What the key is made of is for the crypto library to say.
    return error instanceof EncodingError ? error.message : "x509: failed to parse public key";
  }
}

function isCertificate(block: string): boolean {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    return new X509Certificate(block).serialNumber !== "";
  } catch {
    return false;
  }
}

/** Why `certificate` (PEM, in base64) is no chain of certificates; undefined when it is one, or empty. */
export function certificateError(certificate: string | undefined): string | undefined {
  let rest = Buffer.from(certificate ?? "", "base64").toString("latin1");
  if (rest === "") return undefined;
  for (let blocks = 0; ; blocks += 1) {
    const found = PEM.exec(rest);
    if (!found) return blocks === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
    const [block, type = ""] = found;
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (!isCertificate(block)) return "x509: malformed certificate";
    rest = rest.slice(found.index + block.length);
  }
}
