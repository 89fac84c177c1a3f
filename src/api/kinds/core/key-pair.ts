/**
 * Why a certificate and a private key in PEM are no pair, in the words of Go's TLS; for a warning.
 * Follows Go crypto/tls (X509KeyPair).
 */

interface Block {
  readonly type: string;
  readonly pem: string;
}

const BLOCK = /-----BEGIN ([^\n-]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----/g;

const blocksOf = (text: string): readonly Block[] => [...text.matchAll(BLOCK)].map(([pem, type = ""]) => ({ type, pem }));

const isKey = (type: string): boolean => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");

const listed = (blocks: readonly Block[]): string => `[${blocks.map((b) => b.type).join(" ")}]`;

function missingCertificate(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && isKey(blocks[0]?.type ?? "")) return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${listed(blocks)}`;
}

function missingKey(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && blocks[0]?.type === "CERTIFICATE") return "tls: found a certificate rather than a key in the PEM for the private key";
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${listed(blocks)}`;
}

const tried = <T>(make: () => T): T | undefined => {
  try {
    return make();
  } catch {
    return undefined;
  }
};

/** undefined: they belong together. */
export function keyPairProblem(certificate: Buffer, key: Buffer): string | undefined {
  const certificates = blocksOf(certificate.toString("latin1"));
  const leaf = certificates.find((b) => b.type === "CERTIFICATE");
  if (!leaf) return missingCertificate(certificates);
  const keys = blocksOf(key.toString("latin1"));
  const own = keys.find((b) => isKey(b.type));
  if (!own) return missingKey(keys);
  // Only loaded where there is a pair to look at.
  const crypto = process.getBuiltinModule("node:crypto");
  const x509 = tried(() => new crypto.X509Certificate(leaf.pem));
  if (!x509) return "x509: malformed certificate";
  const secret = tried(() => crypto.createPrivateKey(own.pem));
  if (!secret) return "tls: failed to parse private key";
  if (x509.checkPrivateKey(secret)) return undefined;
  return x509.publicKey.asymmetricKeyType === secret.asymmetricKeyType ? "tls: private key does not match public key" : "tls: private key type does not match public key type";
}
