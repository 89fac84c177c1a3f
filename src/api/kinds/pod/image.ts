/**
 * As much of an image reference as defaults and tables need: its tag. Follows distribution/reference and kubernetes pkg/util/parsers.
 */

const DOMAIN = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?|\\[[a-fA-F0-9:]+\\](?::[0-9]+)?";
const PART = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const REFERENCE = new RegExp(`^((?:(?:${DOMAIN})/)?${PART}(?:/${PART})*)(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`);

const PATH_MAX = 255;
/** An image's own id can't be asked for by name. */
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** What comes after the registry's address; official images are in a library of their own. */
function repositoryPath(name: string): string {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (/[.:A-Z]/.test(first) || first === "localhost") return name.slice(slash + 1);
  return slash < 0 ? `library/${name}` : name;
}

/** `latest` when there is neither tag nor digest; "" with a digest alone, or when it is no reference. */
export function imageTag(image: string): string {
  const match = REFERENCE.exec(image);
  if (!match || IDENTIFIER.test(image)) return "";
  const [, name = "", tag, digest] = match;
  if (repositoryPath(name).length > PATH_MAX) return "";
  return tag ?? (digest === undefined ? "latest" : "");
}

export const defaultPullPolicy = (image: string | undefined): string => (imageTag(image ?? "") === "latest" ? "Always" : "IfNotPresent");
