/**
 * A certificate authority of this server's own, its serving certificate and an administrator's client certificate, kept in the data directory
 * and renewed when they near their end.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../base/chance.ts";
import type { Clock, Instant } from "../base/clock.ts";
import { type CertificateRequest, type Issuer, issueCertificate, type Subject } from "./x509.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;
/** Certificates are renewed when less than this is left. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
const BACKDATE_MS = 3_600_000;

/** PEM texts. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  readonly authority: KeyPair;
  readonly server: KeyPair;
  readonly admin: KeyPair;
}

const AUTHORITY: Subject = { commonName: "stint-ca" };
const ADMIN: Subject = { commonName: "kubernetes-admin", organizations: ["system:masters"] };
const SERVER: Subject = { commonName: "kube-apiserver" };

const SERVER_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];
const SERVER_ADDRESSES = ["127.0.0.1", "::1"];

export interface CertificateOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Further addresses that the serving certificate is good for (the Service's cluster IP). */
  readonly addresses?: readonly string[];
}

async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  try {
    const [certificate, key] = await Promise.all([readFile(join(directory, `${name}.crt`), "utf8"), readFile(join(directory, `${name}.key`), "utf8")]);
    return { certificate, key };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeFileAtomically(path: string, content: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, content, { mode });
  await rename(`${path}.new`, path);
}

async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeFileAtomically(join(directory, `${name}.key`), pair.key, 0o600);
  await writeFileAtomically(join(directory, `${name}.crt`), pair.certificate, 0o644);
}

/** Whether a pair can go on serving: whole, not near its end, signed by the authority, and good for the addresses. */
function isUsable(pair: KeyPair | undefined, now: Instant, authority?: X509Certificate, addresses: readonly string[] = []): pair is KeyPair {
  if (!pair) return false;
  try {
    const certificate = new X509Certificate(pair.certificate);
    const key = createPrivateKey(pair.key);
    const whole = certificate.checkPrivateKey(key) && (!authority || certificate.verify(authority.publicKey));
    return whole && Date.parse(certificate.validTo) - now > RENEW_BEFORE_MS && addresses.every((ip) => certificate.checkIP(ip) !== undefined);
  } catch {
    return false;
  }
}

/** Reads the certificates of the data directory; makes and keeps what is missing, broken or near its end. */
export async function openCertificates({ directory, clock, ids, addresses = [] }: CertificateOptions): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const wanted = [...SERVER_ADDRESSES, ...addresses];
  const now = clock.now();
  const [ca, server, admin] = await Promise.all(["ca", "server", "admin"].map((name) => readPair(directory, name)));
  const make = async (name: string, days: number, request: Pick<CertificateRequest, "subject" | "use" | "names" | "addresses">, issuer?: Issuer) => {
    const serialNumber = ids.uid().replaceAll("-", "");
    const pair = issueCertificate({ ...request, serialNumber, notBefore: now - BACKDATE_MS, notAfter: now + days * DAY_MS }, issuer);
    await writePair(directory, name, pair);
    return pair;
  };
  const authority = isUsable(ca, now) ? ca : await make("ca", AUTHORITY_DAYS, { subject: AUTHORITY, use: "authority" });
  const issuer: Issuer = { subject: AUTHORITY, key: createPrivateKey(authority.key) };
  const signer = new X509Certificate(authority.certificate);
  const [serverPair, adminPair] = await Promise.all([
    isUsable(server, now, signer, wanted) ? server : make("server", LEAF_DAYS, { subject: SERVER, use: "server", names: SERVER_NAMES, addresses: wanted }, issuer),
    isUsable(admin, now, signer) ? admin : make("admin", LEAF_DAYS, { subject: ADMIN, use: "client" }, issuer),
  ]);
  return { authority, server: serverPair, admin: adminPair };
}
