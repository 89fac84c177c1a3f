/**
 * As much of an image reference as defaults and tables need: its tag. Follows distribution/reference and kubernetes pkg/util/parsers.
 */

const DOMAIN = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?|\\[[a-fA-F0-9:]+\\](?::[0-9]+)?";
const PART = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const REFERENCE = new RegExp(`^(?:(?:${DOMAIN})/)?${PART}(?:/${PART})*(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`);

/** `latest` when there is neither tag nor digest; "" with a digest alone, or when it is no reference. */
export function imageTag(image: string): string {
  const match = REFERENCE.exec(image);
  if (!match) return "";
  const [, tag, digest] = match;
  return tag ?? (digest === undefined ? "latest" : "");
}

export const defaultPullPolicy = (image: string | undefined): string => (imageTag(image ?? "") === "latest" ? "Always" : "IfNotPresent");
